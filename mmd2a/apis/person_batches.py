"""From pictures and boxes to the crops that a model takes."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope
from numpy.typing import NDArray

from mmd2a.apis.cameras import PictureCamera
from mmd2a.apis.errors import InputError
from mmd2a.datasets.errors import BadSampleError
from mmd2a.depth import depth_of_kind
from mmd2a.registry import TRANSFORMS

__all__ = ['Cropper', 'Person', 'Picture', 'depth_map']

#: Of fewer pixels, along either side, no picture can be cropped.
MIN_SIDE = 8


class Picture(NamedTuple):
    """One picture, checked.

    H, W: size in pixels, N: people.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        bboxes: (N, 4) xyxy, pixels.
        camera: of the picture.
        depth: (H, W) float32, larger = farther, NaN where missing; or None.
        name: for messages.
    """

    image: NDArray[np.uint8]
    bboxes: NDArray[np.float64]
    camera: PictureCamera
    depth: NDArray[np.float32] | None
    name: str

    @classmethod
    def checked(
        cls,
        image: Any,
        bboxes: Any = None,
        K: Any = None,
        fov: float | None = None,
        depth: NDArray[np.float32] | None = None,
        name: str = 'the picture',
    ) -> 'Picture':
        """Take what a caller gives, or say what is wrong with it.

        Args:
            image: (H, W, 3) uint8 RGB.
            bboxes: (4,) or (N, 4) xyxy; of more columns the first 4 count.
                None: the whole picture.
            K: (3, 3) intrinsics, pixels, or None.
            fov: field of view across the longer side, degrees, or None.
            depth: (H, W), see :func:`depth_map`, or None.
            name: for messages.

        Raises:
            BadSampleError: naming the picture and what to change.
        """
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise BadSampleError(
                f'an image must be (H, W, 3) uint8 RGB, got {image.shape} '
                f'{image.dtype}',
                name,
                'convert it, e.g. np.stack([grey] * 3, -1) for grey ones',
            )
        height, width = shape = image.shape[:2]
        if min(shape) < MIN_SIDE:
            raise BadSampleError(
                f'the picture has {width}x{height} pixels, in which nobody '
                'can be seen',
                name,
                'give a picture in which people are some 100 pixels tall',
            )
        if bboxes is None:
            boxes = np.array([[0.0, 0, width, height]])
        else:
            boxes = np.asarray(bboxes, np.float64)
            if not boxes.size:
                boxes = boxes.reshape(0, 4)
            boxes = np.atleast_2d(boxes)[:, :4]
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise BadSampleError(
                f'boxes must be (N, 4) x1, y1, x2, y2, got {boxes.shape}',
                name,
                'give four numbers per person',
            )
        if depth is not None and depth.shape != shape:
            raise BadSampleError(
                f'depth is {depth.shape}, but the picture is {shape}',
                name,
                'give depth of the size of the picture',
            )
        camera = PictureCamera.of(shape, K, fov)
        return cls(image, boxes, camera, depth, name)


def depth_map(
    values: Any, kind: str, name: str = 'the depth'
) -> NDArray[np.float32]:
    """Turn what a caller gives as depth into what a picture takes.

    Args:
        values: (H, W) floating point.
        kind: what it is, see :func:`~mmd2a.depth.depth_of_kind`.
        name: for messages.

    Returns:
        (H, W) float32, larger = farther, NaN where missing.

    Raises:
        BadSampleError: no such map.
    """
    values = np.asarray(values)
    if values.ndim != 2 or values.dtype.kind != 'f':
        raise BadSampleError(
            f'depth is {values.shape} {values.dtype}',
            name,
            'give (H, W) floating point, one value per pixel',
        )
    try:
        return depth_of_kind(values, kind)
    except ValueError as error:
        raise BadSampleError(
            str(error), name, 'name the depth_kind that it is'
        ) from error


class Person(NamedTuple):
    """One person, cropped.

    Attributes:
        inputs: ``img`` and perhaps ``depth``, as the pipeline packs them.
        data_sample: with the metainfo of the crop.
    """

    inputs: dict[str, Any]
    data_sample: Any


class Cropper:
    """Cut people out as the test pipeline of a config does.

    The transforms are those of the config, so that a model sees what it saw
    in its tests; files are not read, and depth is not made worse.

    Args:
        cfg: the whole config.
        joint_set: of the model.

    Raises:
        InputError: the config has no such pipeline.
    """

    def __init__(self, cfg: Config, joint_set: str) -> None:
        self.joint_set = joint_set
        steps = _test_pipeline(cfg)
        names = [str(step['type']).split('.')[-1] for step in steps]
        missing = {'LoadFrame', 'PersonCrop', 'PackBodySample'} - {*names}
        if missing:
            raise InputError(
                f'test_dataloader of the config has no '
                f'{", ".join(sorted(missing))} in its pipeline, without which '
                'people cannot be cut out of pictures'
            )
        load = steps[names.index('LoadFrame')]
        self.with_depth: bool = load.get('with_depth', True)
        with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmd2a')
        ):
            self.steps = [
                (name, TRANSFORMS.build(step))
                for name, step in zip(names, steps)
                if name not in ('LoadFrame', 'DegradeDepth')
            ]

    def __call__(
        self, picture: Picture, bbox: NDArray, depth_kind: str
    ) -> Person:
        """Cut one person out.

        Args:
            picture: with the person.
            bbox: (4,) xyxy, pixels.
            depth_kind: of the depth of the picture.

        Raises:
            BadSampleError: the box or the camera cannot be used.
        """
        shape = picture.image.shape[:2]
        sample: dict[str, Any] = dict(
            img=picture.image,
            img_path=picture.name,
            ori_shape=shape,
            bbox=bbox,
            K=picture.camera.K,
            joint_set=self.joint_set,
            sample_idx=0,
            test_mode=True,
        )
        if self.with_depth:
            sample['depth_kind'] = depth_kind
            sample['depth'] = (
                np.full(shape, np.nan, np.float32)
                if picture.depth is None
                else picture.depth
            )
        for name, transform in self.steps:
            try:
                sample = transform(sample)
            except BadSampleError as error:
                # Nobody here has annotations to mend.
                text = str(error).replace(' in the annotations', '')
                raise BadSampleError(text) from error
            if name == 'PersonCrop':
                # The pipeline is BGR; a crop is quicker to turn over.
                sample['img'] = np.ascontiguousarray(sample['img'][..., ::-1])
        return Person(sample['inputs'], sample['data_samples'])


def _test_pipeline(cfg: Config) -> Sequence[Mapping[str, Any]]:
    try:
        return cfg.test_dataloader.dataset.pipeline
    except AttributeError:
        return ()
