"""Read what ``mmd2a predict`` wrote: of a picture, of many, or of a video."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmd2a.files import UnusableFileError, read_json, read_npz

__all__ = [
    'MAX_FRAMES',
    'Frame',
    'MeshSequence',
    'base_name',
    'read_results',
    'video_frames',
]

_MEND = 'make it again with mmd2a predict'
#: More are in no result and no video that is shown.
MAX_FRAMES = 10**6
# What is read of a result: shape and kinds of type. N: people, V: vertices.
_WANTED: dict[str, tuple[tuple[Any, ...], str]] = dict(
    faces=(('F', 3), 'iu'),
    vertices=(('N', 'V', 3), 'f'),
    transl=(('N', 3), 'f'),
    K=(('N', 3, 3), 'f'),
    image_size=(('N', 2), 'iu'),
    camera_source=(('N',), 'U'),
    frame_number=(('N',), 'iu'),
    track_id=(('N',), 'iu'),
    sigma=(('N', 'V'), 'f'),
)
_NOT_ALWAYS = ('track_id', 'sigma')


class Frame(NamedTuple):
    """One picture of a result.

    Attributes:
        name: what the page calls it.
        path: of its picture, or of its video, as the result tells it.
        number: of the frame in the video; None for a picture.
    """

    name: str
    path: str
    number: int | None = None


@dataclass(frozen=True, eq=False)
class MeshSequence:
    """The people of one picture after the other.

    N: people of all pictures, V: vertices, F: faces. Metres, OpenCV camera
    frame; pixels with centres at integers.

    Attributes:
        title: name of the picture, the folder or the video.
        folder: where the result lies.
        frames: the pictures, in their order.
        faces: (F, 3) int64 vertex indices.
        frame: (N,) index of the picture of each person.
        person: (N,) who each is: of a video the ``track_id`` that the result
            tells; where it tells none, the place among those of the picture.
        vertices: (N, V, 3) float32 relative to the root.
        transl: (N, 3) the root in the camera frame.
        K: (N, 3, 3) intrinsics of the picture.
        image_size: (N, 2) height and width of the picture.
        camera_source: (N,) how K is known.
        sigma: (N, V) standard deviation along an axis; None: not told.
        fps: of the video, as the result tells it; None: not told.
    """

    title: str
    folder: Path
    frames: tuple[Frame, ...]
    faces: NDArray
    frame: NDArray
    person: NDArray
    vertices: NDArray
    transl: NDArray
    K: NDArray
    image_size: NDArray
    camera_source: NDArray
    sigma: NDArray | None
    fps: float | None = None

    @property
    def is_video(self) -> bool:
        """Whether all pictures are of one video."""
        return self.frames[0].number is not None

    def thinned(self, every: int) -> 'MeshSequence':
        """The same of every so many frames, the first of them included."""
        kept = self.frame % every == 0
        return replace(
            self,
            frames=self.frames[::every],
            frame=self.frame[kept] // every,
            person=self.person[kept],
            vertices=self.vertices[kept],
            transl=self.transl[kept],
            K=self.K[kept],
            image_size=self.image_size[kept],
            camera_source=self.camera_source[kept],
            sigma=None if self.sigma is None else self.sigma[kept],
        )


def read_results(path: str | Path) -> MeshSequence:
    """Read a result: the file of a picture or video, or a folder of them.

    Args:
        path: ``STEM.json``, ``.npz`` or ``.glb`` that ``mmd2a predict`` wrote,
            the first two of which must be there; or a folder with such files
            of pictures, which are shown one after the other in the order of
            their names (2 before 10), or of one video.

    Raises:
        UnusableFileError: not a result, or damaged, or several that do not
            go together, or there is nobody in it.
    """
    path = Path(path)
    stems = _stems(path)
    parts = [_read_one(stem) for stem in stems]
    videos = [stem for stem, part in zip(stems, parts) if part['is_video']]
    if videos and len(parts) > 1:
        raise UnusableFileError(
            f'the folder holds {len(videos)} of a video and '
            f'{len(parts) - len(videos)} of pictures',
            path,
            f'name one result, such as {videos[0]}.json',
        )
    shown = [part for part in parts if 'transl' in part]
    if not shown:
        raise UnusableFileError(
            'there is nobody in the result',
            path,
            'name people with --bbox, --boxes or --detector of mmd2a predict',
        )
    for part in shown[1:]:
        if not np.array_equal(part['faces'], shown[0]['faces']):
            raise UnusableFileError(
                'the results are of models with different bodies',
                path,
                'keep the results of one model in a folder',
            )
    return _joined(path, parts, shown)


def _stems(path: Path) -> list[Path]:
    """Results by the part of the path that their files have in common."""
    if not path.is_dir():
        if path.suffix.lower() not in ('.json', '.npz', '.glb'):
            raise UnusableFileError(
                'this is no result of mmd2a predict',
                path,
                'name the .json or .npz that it wrote, or their folder',
            )
        return [path.with_suffix('')]
    found = [
        file.with_suffix('')
        for file in path.glob('*.npz')
        if not file.name.startswith('.') and file.with_suffix('.json').exists()
    ]
    if not found:
        raise UnusableFileError(
            'the folder holds no result',
            path,
            'name the folder that mmd2a predict wrote to (its --out)',
        )
    return sorted(found, key=lambda stem: _natural(stem.name))


def _natural(name: str) -> list[tuple[int, str]]:
    """A key by which ``frame2`` comes before ``frame10``."""
    return [
        (int(part), '') if part.isdecimal() else (-1, part)
        for part in re.split(r'(\d+)', name)
    ]


def _read_one(stem: Path) -> dict[str, Any]:
    """What the two files of a result say, checked."""
    json_file, npz_file = (
        stem.with_name(stem.name + end) for end in ('.json', '.npz')
    )
    content = read_json(json_file, dict)
    arrays = read_npz(npz_file)
    source, people = content.get('image_path'), content.get('people')
    if not isinstance(source, str) or not isinstance(people, list):
        raise UnusableFileError(
            'this is no result of mmd2a predict', json_file, _MEND
        )
    is_video = 'frame_number' in arrays
    part: dict[str, Any] = dict(path=source, is_video=is_video, sigma=None)
    fps = content.get('fps')
    if isinstance(fps, (int, float)) and 0 < fps < 1000:
        part['fps'] = float(fps)
    arrays.setdefault('frame_number', np.zeros(len(people), int))
    wanted = _WANTED if people else {'faces': _WANTED['faces']}
    sizes = dict(
        N=len(people),
        F=_length(arrays.get('faces'), 0),
        V=_length(arrays.get('vertices'), 1),
    )
    for name, (shape, kinds) in wanted.items():
        if name in _NOT_ALWAYS and name not in arrays:
            continue
        array = arrays.get(name, np.zeros(0))
        full = tuple(sizes.get(n, n) for n in shape)
        if array.shape != full or array.dtype.kind not in kinds:
            found = (
                f'{array.shape} {array.dtype}' if name in arrays else 'none'
            )
            raise UnusableFileError(
                f'the result should have {name} {full}, it has {found}',
                npz_file,
                _MEND,
            )
        part[name] = array
    if people:
        wrong = _find_wrong(part)
        if wrong is not None:
            raise UnusableFileError(wrong, npz_file, _MEND)
    return part


def _length(array: NDArray | None, axis: int) -> int:
    return 0 if array is None or array.ndim <= axis else array.shape[axis]


def _find_wrong(part: dict[str, Any]) -> str | None:
    """Say what cannot be among the numbers of a result."""
    for name in ('vertices', 'transl', 'K'):
        if not np.isfinite(part[name]).all():
            return f'{name} of the result has numbers that are not finite'
    faces, numbers = part['faces'], part['frame_number']
    count = part['vertices'].shape[1]
    if not len(faces) or faces.min() < 0 or faces.max() >= count:
        return 'faces of the result name vertices that are not there'
    if numbers.min() < 0 or numbers.max() >= MAX_FRAMES:
        return 'frame_number of the result names frames that no video has'
    tracks = part.get('track_id')
    if tracks is not None:
        seen = np.stack([numbers, tracks], 1)
        if len(np.unique(seen, axis=0)) < len(seen):
            return 'track_id of the result is twice in a frame'
    if part['image_size'].min() < 1:
        return 'image_size of the result is of no picture'
    if part['K'][:, (0, 1), (0, 1)].min() <= 0:
        return 'K of the result is of no camera'
    return None


def _joined(
    path: Path, parts: Sequence[dict[str, Any]], shown: Sequence[Any]
) -> MeshSequence:
    """One sequence of all results; those without anybody keep their place."""
    frames: list[Frame] = []
    indices: list[NDArray] = []
    for part in parts:
        numbers = part.get('frame_number', np.zeros(0, int))
        indices.append(numbers + len(frames))
        if part['is_video']:
            frames += video_frames(part['path'], int(numbers.max()) + 1)
        else:
            frames.append(Frame(base_name(part['path']), part['path']))
    frame = np.concatenate(indices)

    def together(name: str) -> NDArray:
        return np.concatenate([part[name] for part in shown])

    # Pictures do not know each other.
    tracks = shown[0].get('track_id') if len(parts) == 1 else None
    known = all(part['sigma'] is not None for part in shown)
    return MeshSequence(
        title=(
            base_name(parts[0]['path'])
            if len(parts) == 1
            else path.resolve().name
        ),
        folder=path if path.is_dir() else path.parent,
        frames=tuple(frames),
        faces=shown[0]['faces'].astype(np.int64),
        frame=frame,
        person=_places(frame) if tracks is None else tracks,
        vertices=together('vertices'),
        transl=together('transl'),
        K=together('K'),
        image_size=together('image_size'),
        camera_source=together('camera_source'),
        sigma=together('sigma') if known else None,
        fps=shown[0].get('fps'),
    )


def video_frames(path: str, count: int) -> tuple[Frame, ...]:
    """The first frames of a video, by name."""
    return tuple(Frame(f'frame {i}', path, i) for i in range(count))


def base_name(path: str) -> str:
    """The name of a file, whichever system wrote its path."""
    return re.split(r'[\\/]', path.rstrip('\\/'))[-1]


def _places(frame: NDArray) -> NDArray:
    """How many of the same frame came before each: (N,)."""
    seen: dict[int, int] = {}
    places = []
    for index in frame.tolist():
        places.append(seen.get(index, 0))
        seen[index] = places[-1] + 1
    return np.array(places)
