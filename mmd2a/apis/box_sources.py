"""Where people are in a picture: boxes that are given, found, or all of it."""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.registry import DefaultScope
from numpy.typing import NDArray

from mmd2a.apis.errors import InputError
from mmd2a.apis.picture_sources import Frame
from mmd2a.files import UnusableFileError, read_json, read_text

__all__ = [
    'BoxSource',
    'boxes_from',
    'coco_boxes',
    'given_boxes',
    'yolo_boxes',
]

#: Frame and its place among the inputs -> boxes (N, 5): xyxy, pixels, score.
BoxSource = Callable[[Frame, int], NDArray[np.float64]]

_YOLO_FIX = 'write lines of: class centre-x centre-y width height [score]'
_COCO_FIX = (
    'write {"images": [{"id", "file_name"}, ...], "annotations": '
    '[{"image_id", "bbox": [x, y, w, h]}, ...]}'
)


def boxes_from(bboxes: Any, num_inputs: int, is_video: bool) -> BoxSource:
    """Make a source of whatever a caller gives as boxes.

    N: people of a picture.

    Args:
        bboxes: None: the whole picture is one person. A path: a COCO ``.json``
            or a YOLO ``.txt``, or a folder of the latter. Else (4,) or
            (N, 4 or 5) xyxy, pixels, perhaps with a score: of the one picture,
            or of every frame of the video; or one such array per picture.
        num_inputs: pictures there are; 0: not known.
        is_video: whether they are frames of one video.

    Raises:
        UnusableFileError: the file cannot be used.
        InputError: boxes of another form, or of another number of pictures.

    Example:
        >>> source = boxes_from([1, 2, 30, 40], 1, False)
        >>> frame = Frame(np.zeros((50, 50, 3), np.uint8), 'a.png', 'a')
        >>> source(frame, 0)
        array([[ 1.,  2., 30., 40.,  1.]])
    """
    if bboxes is None:
        return _whole_picture
    if isinstance(bboxes, (str, os.PathLike)):
        path = os.fspath(bboxes)
        if os.path.isdir(path) or path.endswith('.txt'):
            return yolo_boxes(path)
        return coco_boxes(path)
    return given_boxes(bboxes, num_inputs, is_video)


def given_boxes(bboxes: Any, num_inputs: int, is_video: bool) -> BoxSource:
    """Boxes in arrays; see :func:`boxes_from`."""
    single = _as_array(bboxes)
    if single is not None and (is_video or num_inputs == 1):
        boxes = _with_score(single)
        return lambda frame, index: boxes
    if single is not None and num_inputs and len(single) == num_inputs:
        bboxes = single[:, None]
    per_picture = [
        _with_score(_required(each, index))
        for index, each in enumerate(bboxes)
    ]
    if num_inputs and len(per_picture) != num_inputs and not is_video:
        raise InputError(
            f'there are {num_inputs} pictures, but bboxes of '
            f'{len(per_picture)}: give one array (N, 4) per picture'
        )

    def of_picture(frame: Frame, index: int) -> NDArray[np.float64]:
        if index >= len(per_picture):
            raise InputError(
                f'there are bboxes of {len(per_picture)} pictures, but more '
                'pictures: give one array (N, 4) per picture'
            )
        return per_picture[index]

    return of_picture


def coco_boxes(path: str | Path) -> BoxSource:
    """Boxes of a COCO file: annotations, by the names of pictures.

    Of a file with categories those called person count. A picture that the
    file does not name is refused; one without annotations has nobody. Names
    with folders tell pictures of one name apart, as far as the file has them.
    Frame 7 of ``walk.mp4`` is ``walk_000007``, with any ending; a file that
    knows ``walk.mp4`` itself says the same of every frame.

    Raises:
        UnusableFileError: the file cannot be used, or does not name a
            picture.
    """
    content = read_json(path, top=dict)
    try:
        people = {
            category['id']
            for category in content.get('categories', ())
            if category['name'] == 'person'
        }
        names = {
            image['id']: os.path.normpath(image['file_name'])
            for image in content['images']
        }
        found: dict[str, list] = {name: [] for name in names.values()}
        for each in content['annotations']:
            if people and each.get('category_id') not in people:
                continue
            x, y, width, height = map(float, each['bbox'])
            found[names[each['image_id']]].append(
                [x, y, x + width, y + height, float(each.get('score', 1))]
            )
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableFileError(
            f'the file holds no boxes of COCO ({type(error).__name__}: '
            f'{error})',
            path,
            _COCO_FIX,
        ) from error

    by_name: dict[str, list[str]] = {}
    for name in found:
        base = os.path.basename(name)
        for key in {base, os.path.splitext(base)[0]}:
            by_name.setdefault(key, []).append(name)

    def of_picture(frame: Frame, index: int) -> NDArray[np.float64]:
        picture = os.path.normpath(frame.path)
        base = os.path.basename(picture)
        named = by_name.get(base, [])
        if frame.number is not None:
            base, named = frame.stem, by_name.get(frame.stem, named)
        if len(named) > 1:
            named = [n for n in named if _ends_alike(n, picture)]
        if len(named) != 1:
            raise UnusableFileError(
                f'the boxes do not know the picture {base}'
                if not named
                else f'the boxes know {len(named)} pictures {base}',
                path,
                'add it to "images", or name the right file of boxes'
                if not named
                else 'write "file_name" with the folders that tell them apart',
            )
        return np.array(found[named[0]], np.float64).reshape(-1, 5)

    return of_picture


def _ends_alike(name: str, path: str) -> bool:
    """Whether the shorter of two paths is the end of the other."""
    ends = zip(reversed(Path(name).parts), reversed(Path(path).parts))
    return all(a == b for a, b in ends)


def yolo_boxes(path: str | Path) -> BoxSource:
    """Boxes of YOLO's text: class 0, relative to the size of the picture.

    Args:
        path: a file, of the one picture; or a folder of ``STEM.txt``, where a
            picture without a file has nobody.

    Raises:
        UnusableFileError: a file cannot be used.
    """
    folder = os.path.isdir(path)

    def of_picture(frame: Frame, index: int) -> NDArray[np.float64]:
        file = Path(path, f'{frame.stem}.txt') if folder else Path(path)
        if folder and not file.exists():
            return np.zeros((0, 5))
        height, width = frame.image.shape[:2]
        boxes = []
        for number, line in enumerate(read_text(file).splitlines(), 1):
            if not line.strip():
                continue
            try:
                kind, *values = map(float, line.split())
                x, y, w, h, score = (*values, 1.0)[:5]
            except ValueError as error:
                raise UnusableFileError(
                    f'line {number} holds no box', file, _YOLO_FIX
                ) from error
            if kind == 0:
                edges = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
                # Edges of the picture lie half a pixel from its centres.
                box = np.multiply(edges, [width, height] * 2) - 0.5
                boxes.append([*box, score])
        return np.array(boxes, np.float64).reshape(-1, 5)

    return of_picture


def detected_boxes(
    model: str,
    weights: str | None = None,
    cat_ids: int | tuple[int, ...] = 0,
    device: str | None = None,
) -> BoxSource:
    """Boxes that a detector of mmdet finds.

    Args:
        model: name or config file, as ``mmdet.apis.DetInferencer`` takes it.
        weights: checkpoint; None: those that mmdet knows by the name, which
            it fetches.
        cat_ids: categories that are people.
        device: where it runs.

    Raises:
        InputError: mmdet is not installed whole, or does not know it.
    """
    # Most do without, and importing it takes seconds.
    try:
        from mmdet.apis import DetInferencer
    except ImportError as error:
        raise InputError(
            f'det_model needs mmdet ({error}): `bash tools/install.sh full`, '
            'or give bboxes'
        ) from error
    try:
        # It sets the default scope for good.
        with DefaultScope.overwrite_default_scope('mmdet'):
            detector = DetInferencer(
                model, weights, device, scope='mmdet', show_progress=False
            )
    except Exception as error:  # A config is a program: it fails in any way.
        raise InputError(
            f'det_model={model!r} cannot be used ({type(error).__name__}: '
            f'{" ".join(str(error).split())[:200]}): name another, or give '
            'bboxes'
        ) from error
    people = np.atleast_1d(cat_ids)
    # It keeps what it does in itself: one picture at a time.
    running = threading.Lock()

    def of_picture(frame: Frame, index: int) -> NDArray[np.float64]:
        bgr = np.ascontiguousarray(frame.image[..., ::-1])
        with running:
            [found] = detector(bgr, return_datasamples=True)['predictions']
        instances = found.pred_instances.cpu().numpy()
        mine = np.isin(instances.labels, people)
        return np.column_stack([instances.bboxes, instances.scores])[mine]

    return of_picture


def _whole_picture(frame: Frame, index: int) -> NDArray[np.float64]:
    height, width = frame.image.shape[:2]
    return np.array([[0.0, 0, width, height, 1]])


def _as_array(boxes: Any) -> NDArray[np.float64] | None:
    """(N, 4 or 5) numbers, or None."""
    if isinstance(boxes, Mapping):
        return None
    try:
        array = np.asarray(boxes, np.float64)
    except (TypeError, ValueError):
        try:  # Some boxes may have a score, others none.
            rows = [[*map(float, box), 1.0] for box in boxes]
        except (TypeError, ValueError):  # Those of several pictures.
            return None
        if not {len(row) for row in rows} <= {5, 6}:
            return None
        array = np.array([row[:5] for row in rows])
    if array.ndim == 1 and array.size in (4, 5):
        array = array[None]
    return array if array.ndim == 2 and array.shape[1] in (4, 5) else None


def _required(boxes: Any, index: int) -> NDArray[np.float64]:
    if boxes is None or not len(boxes):
        return np.zeros((0, 4))
    array = _as_array(boxes)
    if array is None:
        raise InputError(
            f'bboxes of picture {index} are {np.shape(boxes)}: give (N, 4) '
            'x1, y1, x2, y2, or (N, 5) with a score'
        )
    return array


def _with_score(boxes: NDArray) -> NDArray[np.float64]:
    if boxes.shape[1] == 5:
        return boxes
    return np.column_stack([boxes, np.ones(len(boxes))])
