"""Labels that are wrong on purpose, to see who bears them."""

import numpy as np
from mmcv.transforms import BaseTransform
from scipy.spatial.transform import Rotation

from mmd2a.datasets.transforms.label_checks import check_camera, clean_labels
from mmd2a.datasets.transforms.randomness import draw_generator
from mmd2a.datasets.transforms.rest_pelvis import RestPelvis
from mmd2a.registry import TRANSFORMS

# Closer to the camera than this, in metres, nothing is projected.
_NEAREST = 0.1


@TRANSFORMS.register_module()
class DisplaceLabels(BaseTransform):
    r"""Move the labels of some people as a whole, in training only.

    A share of the samples gets labels of a person who stands elsewhere and is
    turned, as a wrong fit or a wrong match gives them: with R, a turn about a
    random axis, c, the middle of the known joints, and t, an offset,

    .. math:: x' = R\,(x - c) + c + t

    for ``keypoints3d`` and the body (``global_orient``, ``transl``). A joint
    in the image, ``keypoints2d``, goes where its joint in 3-D goes, as seen by
    ``K``; where camera or joint are not known it has weight 0, since where it
    went is not known either. Pose, shape, mask, depth, image and visibility
    stay: they are those of the person in the picture.

    Who is displaced is drawn anew each time a sample is seen. In testing
    nobody is. It comes after :class:`PersonCrop`, whose crop must be that of
    the picture.

    Which errors labels have is our choice; none of the papers displaces any.

    Args:
        share: probability of a sample's labels being displaced.
        offset: standard deviation of t along each axis, metres.
        rotation: R turns by up to +- this many degrees.
        body_model: config of the body whose parameters the labels hold; None:
            the body that comes with the package.

    Raises:
        ValueError: settings that cannot be meant, or labels of another
            layout.
        BadSampleError: a label that is not finite or cannot be meant.

    Example:
        >>> displace = DisplaceLabels(share=1.0, rotation=0)
        >>> out = displace(dict(keypoints3d=np.zeros((14, 3)),
        ...                     joint_set='h36m14'))
        >>> np.ptp(out['keypoints3d'], axis=0)  # as a whole
        array([0., 0., 0.])
    """

    def __init__(
        self,
        share: float = 0.2,
        offset: float = 0.1,
        rotation: float = 90.0,
        body_model: dict | None = None,
    ) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f'share must be in [0, 1], got {share}')
        if not 0 <= offset < np.inf:
            raise ValueError(f'offset must be in metres, got {offset}')
        if not 0 <= rotation <= 180:
            raise ValueError(f'rotation must be in [0, 180], got {rotation}')
        self.share = share
        self.offset = offset
        self.rotation = rotation
        self._rest_pelvis = RestPelvis(body_model)

    def transform(self, results: dict) -> dict:
        """Replace the labels of who is drawn."""
        if results.get('test_mode'):
            return results
        rng = draw_generator(results, type(self).__name__)
        chosen = rng.random() < self.share
        axis, offset = rng.normal(size=(2, 3))
        angle = np.deg2rad(rng.uniform(-1, 1) * self.rotation)
        if not chosen:
            return results
        turn = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis))
        results.update(self._moved(results, turn, offset * self.offset))
        return results

    def _moved(
        self, results: dict, turn: Rotation, offset: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The labels after the motion."""
        labels = clean_labels(results)
        pelvis = self._rest_pelvis(labels)
        centre = _middle(labels, pelvis)

        def move(points: np.ndarray) -> np.ndarray:
            return turn.apply(points - centre) + centre + offset

        moved = dict(labels)
        if 'keypoints3d' in labels:
            moved['keypoints3d'] = move(labels['keypoints3d'])
        if 'transl' in labels:
            # The pelvis, rest pelvis + transl, is a point like any other.
            moved['transl'] = move(pelvis + labels['transl']) - pelvis
        if 'global_orient' in labels:
            orient = Rotation.from_rotvec(labels['global_orient'])
            moved['global_orient'] = (turn * orient).as_rotvec()
        if 'keypoints2d' in labels:
            moved.update(_moved_in_image(labels, moved, results))
        return moved

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(share={self.share}, '
            f'offset={self.offset}, rotation={self.rotation})'
        )


def _middle(labels: dict[str, np.ndarray], pelvis: np.ndarray) -> np.ndarray:
    """What the person turns about (3,); the origin where no place is known."""
    known = labels.get('keypoints3d_weight', np.zeros(0)) > 0
    if known.any():
        return labels['keypoints3d'][known].mean(0)
    return pelvis + labels['transl'] if 'transl' in labels else np.zeros(3)


def _moved_in_image(
    before: dict[str, np.ndarray], after: dict[str, np.ndarray], results: dict
) -> dict[str, np.ndarray]:
    """Joints in the image by the change of their projections."""
    pixels = before['keypoints2d']
    known: np.ndarray = np.zeros(len(pixels), bool)
    if results.get('K') is not None and 'keypoints3d' in before:
        K = check_camera(results['K'], results.get('img_path'))
        old, new = before['keypoints3d'], after['keypoints3d']
        known = (
            (before['keypoints3d_weight'] > 0)
            & (old[:, 2] > _NEAREST)
            & (new[:, 2] > _NEAREST)
        )
        # What the annotator was off by, the displaced label is off by too.
        pixels = pixels.copy()
        pixels[known] += _project(new[known], K) - _project(old[known], K)
    return dict(
        keypoints2d=pixels,
        keypoints2d_weight=np.where(known, before['keypoints2d_weight'], 0),
    )


def _project(points: np.ndarray, K: np.ndarray) -> np.ndarray:
    """(P, 3), camera frame -> pixels (P, 2)."""
    image = points @ K.T
    return image[:, :2] / image[:, 2:]
