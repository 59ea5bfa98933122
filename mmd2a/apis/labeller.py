"""The people of many pictures, of which some cannot be used."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mmd2a.apis.box_sources import boxes_from
from mmd2a.apis.mesh_inferencer import MeshInferencer
from mmd2a.apis.person_batches import Picture
from mmd2a.apis.person_mesh import PersonMesh, people_of
from mmd2a.apis.picture_sources import Frame
from mmd2a.datasets.errors import BadSampleError
from mmd2a.files import UnusableFileError, read_image

__all__ = ['Labeller', 'Labels']


class Labels(NamedTuple):
    """People of some pictures.

    Attributes:
        people: N of them, pictures in order.
        image_paths: N names, the picture of each.
        unusable: pictures that cannot be used: ``image_path``, ``reason``.
    """

    people: list[PersonMesh]
    image_paths: list[str]
    unusable: list[dict[str, str]]


class _Read(NamedTuple):
    name: str
    picture: Picture
    scores: NDArray[np.float64]


@dataclass
class Labeller:
    """Find the people of pictures, always in the same batches.

    What is found does not depend on what was asked before, so the same
    pictures give the same numbers.

    Args:
        inferencer: with its detector, if there is one.
        bboxes: file or folder of boxes, see
            :func:`~mmd2a.apis.box_sources.boxes_from`; of pictures in folders
            by their relative path. None: the detector; without one, a picture
            is one person.
        bbox_thr: boxes of lower scores are left out.
        K: (3, 3) intrinsics of all pictures, pixels, or None.
        fov: field of view across the longer side, degrees, or None.
        batch_size: pictures, and people, together.
    """

    inferencer: MeshInferencer
    bboxes: str | None = None
    bbox_thr: float = 0.3
    K: Any = None
    fov: float | None = None
    batch_size: int = 8

    def __post_init__(self) -> None:
        self.faces = self.inferencer.faces
        detector = self.inferencer.detector
        self._boxes = (
            detector
            if detector is not None and self.bboxes is None
            else boxes_from(self.bboxes, 0, False)
        )

    def __call__(
        self,
        root: Path,
        names: Sequence[str],
        update: Callable[[int], Any] = lambda number: None,
    ) -> Labels:
        """Go through pictures.

        Args:
            root: folder.
            names: of pictures in it.
            update: is called with numbers of pictures that are done.
        """
        labels, rest = Labels([], [], []), iter(names)
        while group := list(islice(rest, self.batch_size)):
            self._label(root, group, labels)
            update(len(group))
        return labels

    def _label(self, root: Path, names: Sequence[str], labels: Labels) -> None:
        read: list[_Read] = []
        for name in names:
            with _listed(labels, root, name):
                read.append(self._read(root, name))
        try:
            found = self._predict(read)
        except BadSampleError:
            # Somebody in it cannot be cut out: each for itself tells who.
            found = []
            for one in read:
                with _listed(labels, root, one.name):
                    found += self._predict([one])
        for name, person in found:
            labels.image_paths.append(name)
            labels.people.append(person)

    def _read(self, root: Path, name: str) -> _Read:
        image = read_image(root / name)
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
        stem = name.rpartition('.')[0] or name
        found = self._boxes(Frame(image, name, stem), 0)
        found = found[found[:, 4] >= self.bbox_thr]
        picture = Picture.checked(
            image, found[:, :4], self.K, self.fov, name=name
        )
        return _Read(name, picture, found[:, 4])

    def _predict(self, read: Sequence[_Read]) -> list[tuple[str, PersonMesh]]:
        if not read:
            return []
        answer = self.inferencer.predictor.predict(
            [each.picture for each in read], self.batch_size
        )
        found = []
        for index, (name, picture, scores) in enumerate(read):
            height, width = picture.image.shape[:2]
            people = people_of(
                answer,
                index,
                self.inferencer.joint_names,
                picture.camera.source,
                (height, width),
                scores,
            )
            found += [(name, person) for person in people]
        return found


@contextmanager
def _listed(labels: Labels, root: Path, name: str) -> Iterator[None]:
    """List a picture that cannot be used, with the reason."""
    try:
        yield
    except (UnusableFileError, BadSampleError) as error:
        # The same wherever the folder is.
        reason = str(error).replace(str(root / name), name)
        labels.unusable.append(dict(image_path=name, reason=reason))
