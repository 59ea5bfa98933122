"""Meshes of people in arrays: one picklable object for any data pipeline."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from numpy.typing import NDArray

from mmd2a.apis.cameras import bring_into_image
from mmd2a.apis.errors import InputError
from mmd2a.apis.fused_backbone import fuse_backbone
from mmd2a.apis.model_loading import load_model
from mmd2a.apis.person_batches import Cropper, Person, Picture, depth_map
from mmd2a.depth import check_depth_kind

__all__ = ['Predictor']

DEFAULT_MODEL = 'd2a_hmr_mobilenet-v2'

_INPUTS = ('images', 'bboxes', 'depths', 'K')
# What is likely meant by other keys.
_MEANT = dict(
    image='images',
    img='images',
    imgs='images',
    bbox='bboxes',
    box='bboxes',
    boxes='bboxes',
    depth='depths',
    Ks='K',
    intrinsics='K',
)
# Fields of ``pred`` that are told as they are, where the model gives them.
_FIELDS = (
    'vertices',
    'keypoints3d',
    'sigma',
    'keypoints3d_sigma',
    'keypoints3d_samples',
    'camera',
    'mask',
    'global_orient',
    'body_pose',
    'betas',
    'fit_residual',
)


class Predictor:
    """Recover the meshes of people in batches of pictures.

    ``predictor(batch) -> batch``, dicts of arrays: the shape that
    ``map_batches`` of Ray Data, pandas functions of Spark and workers of a
    ``DataLoader`` take. It pickles to its settings: the model is loaded at
    the first call, in each process once. Any number of threads may call it.

    N: people of all pictures, V: vertices, J: joints of the model, S: shape
    components, (h, w): grid of the mask. Metres, radians, pixels of the
    original picture with centres at integers; OpenCV camera frame.

    A batch holds

    - ``images``: B pictures (H, W, 3) uint8 RGB, as a list or an array.
    - ``bboxes``: (B, 4) xyxy pixels, one person each; or B arrays (n, 4), none
      of a picture in which there is nobody; absent or None: each picture is
      one person, as a whole.
    - ``depths``: B maps (H, W), or None, each or all.
    - ``K``: (3, 3) intrinsics of all, or (B, 3, 3).
    - any other key: carried along, an entry per person.

    The answer holds an entry for each of N people, pictures in order:

    - ``image_index`` (N,) and ``bbox`` (N, 4), whom it is about.
    - ``vertices`` (N, V, 3), ``keypoints3d`` (N, J, 3): relative to the root.
    - ``transl`` (N, 3): the root in the camera frame.
    - ``keypoints2d`` (N, J, 2): ``keypoints3d + transl`` seen by ``K``
      (N, 3, 3). Without a camera, K is assumed: its focal length is the
      diagonal of the picture.
    - ``camera`` (N, 3): weak perspective (s, tx, ty) of the crop, and
      ``crop_matrix`` (N, 2, 3) from pixels of the picture to those of the
      crop, ``crop_size`` (N, 2) its height and width.
    - ``keypoints2d_localized`` (N, J, 2), ``sigma`` (N, V) and
      ``keypoints3d_sigma`` (N, J, 3), m, of models that give them.
    - with ``parameters``: ``global_orient`` (N, 3), ``body_pose`` (N, 69),
      ``betas`` (N, S), ``smpl_transl`` (N, 3), which pose
      ``vertices + transl``, and ``fit_residual`` (N,), m.
    - with ``with_mask``: ``mask`` (N, h, w), probability over the crop.

    Args:
        model: name of weights that ship, or a config; see
            :func:`~mmd2a.apis.model_loading.load_model`.
        weights: checkpoint, with a config.
        device: where to run; None: the CPU.
        batch_size: people that go through the network together.
        fov: field of view across the longer side, degrees, where no K is
            given.
        depth_kind: what depths are, see
            :func:`~mmd2a.depth.depth_of_kind`.
        parameters: also fit the parameters of the body.
        with_mask: also decode the silhouette.

    Raises:
        BadSampleError: a picture, box or map that cannot be used.
        InputError: a batch of another form.

    Example:
        >>> predictor = Predictor(device='cpu')
        >>> image = np.zeros((64, 48, 3), np.uint8)
        >>> people = predictor(dict(images=[image], bboxes=[[0, 0, 48, 64]]))
        >>> people['keypoints2d'].shape
        (1, 14, 2)
    """

    _model: Any
    _cropper: Cropper | None
    _loading: threading.Lock
    _running: threading.Lock

    def __init__(
        self,
        model: str | Config | Mapping[str, Any] = DEFAULT_MODEL,
        weights: str | None = None,
        device: str | torch.device | None = None,
        batch_size: int = 32,
        fov: float | None = None,
        depth_kind: str = 'metric',
        parameters: bool = False,
        with_mask: bool = False,
    ) -> None:
        if batch_size < 1:
            raise InputError(f'batch_size must be 1 or more, got {batch_size}')
        self.model_name = model
        self.weights = weights
        self.device = torch.device(device or 'cpu')
        self.batch_size = batch_size
        self.fov = fov
        self.depth_kind = check_depth_kind(depth_kind)
        self.parameters = parameters
        self.with_mask = with_mask
        self._forget()

    @property
    def model(self) -> Any:
        """The model, loaded if it was not yet."""
        self.load()
        return self._model

    @property
    def cropper(self) -> Cropper:
        """What cuts people out for the model."""
        self.load()
        assert self._cropper is not None
        return self._cropper

    def load(self) -> None:
        """Load the model, if it was not yet.

        Raises:
            CheckpointError: no such weights, or not of this model.
        """
        with self._loading:
            if self._model is not None:
                return
            changes: dict[str, Any] = {}
            if self.parameters:
                changes['body_fitter'] = dict(type='mmd2a.BodyFitter')
            if self.with_mask:
                changes['keep_mask'] = True
            model: Any
            cfg, model = load_model(self.model_name, self.weights, **changes)
            self._cropper = Cropper(cfg, model.objective.joint_set)
            self._model = (
                fuse_backbone(model)
                .to(self.device, memory_format=torch.channels_last)
                .requires_grad_(False)
            )

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, NDArray]:
        """Answer a batch; see the class for its keys."""
        pictures, others = self._read(batch)
        return self.predict(pictures) | others(
            [i for i, each in enumerate(pictures) for _ in each.bboxes]
        )

    def predict(
        self, pictures: Sequence[Picture], batch_size: int | None = None
    ) -> dict[str, NDArray]:
        """Answer pictures that were checked already.

        Args:
            pictures: with their people.
            batch_size: people that go through the network together; None:
                as set.
        """
        cropper = self.cropper
        size = batch_size or self.batch_size
        if not cropper.with_depth:
            for picture in pictures:
                if picture.depth is not None:
                    raise InputError(
                        f'{picture.name} comes with depth, but the model '
                        'takes none: leave depth out, or take another model'
                    )
        whom = [
            (index, box)
            for index, picture in enumerate(pictures)
            for box in picture.bboxes
        ]
        if not whom:
            return self._nobody()
        pieces = []
        for start in range(0, len(whom), size):
            people = [
                cropper(pictures[index], box, self.depth_kind)
                for index, box in whom[start : start + size]
            ]
            pieces.append(self._run(people))
        fields = {
            key: np.concatenate([piece[key] for piece in pieces])
            for key in pieces[0]
        }
        fields['image_index'] = np.array([index for index, _ in whom])
        fields['bbox'] = np.array([box for _, box in whom])
        K = np.stack([pictures[index].camera.K for index, _ in whom])
        return bring_into_image(fields, K)

    def _run(self, people: Sequence[Person]) -> dict[str, NDArray]:
        """Fields of the people of one batch, as the model gives them."""
        data = pseudo_collate([person._asdict() for person in people])
        data['data_samples'] = data.pop('data_sample')
        # One batch at a time: it has all cores, or the device, to itself, and
        # memory does not grow with the number of threads.
        with self._running, torch.inference_mode():
            samples = [s.cpu() for s in self._model.test_step(data)]
        fields = {
            key: np.stack([s.pred.get(key).float().numpy() for s in samples])
            for key in (*_FIELDS, 'keypoints2d_localized', 'transl')
            if key in samples[0].pred
        }
        if 'mask' in fields:
            fields['mask'] = fields['mask'][:, 0]
        fields['crop_matrix'] = np.stack([s.crop_matrix for s in samples])
        fields['crop_size'] = np.array([s.img_shape for s in samples])
        return fields

    def _nobody(self) -> dict[str, NDArray]:
        """The answer for no people: every field, of length 0."""
        grey = np.full((64, 64, 3), 128, np.uint8)
        one = self.predict([Picture.checked(grey)])
        return {key: value[:0] for key, value in one.items()}

    def _read(self, batch: Mapping[str, Any]) -> tuple[list[Picture], Any]:
        """Pictures of a batch, and what carries its other keys along."""
        for key in batch:
            if key in _MEANT and key not in _INPUTS:
                raise InputError(
                    f'the batch has {key!r}; write {_MEANT[key]!r}'
                )
        if 'images' not in batch:
            there = ', '.join(batch) or 'nothing'
            raise InputError(f'the batch has no images, only {there}')
        images = batch['images']
        if isinstance(images, np.ndarray) and images.ndim == 3:
            raise InputError(
                'images are several pictures: put a single one into a list'
            )
        images = list(images)
        count = len(images)
        bboxes = _per_image(batch.get('bboxes'), 'bboxes', count)
        depths = _per_image(batch.get('depths'), 'depths', count)
        K = batch.get('K')
        if K is not None and np.shape(K) == (3, 3):
            K = [K] * count
        cameras = _per_image(K, 'K', count)
        pictures = [
            Picture.checked(
                image,
                boxes,
                None if K is None else np.asarray(K, np.float64),
                self.fov,
                None
                if depth is None
                else depth_map(depth, self.depth_kind, f'images[{index}]'),
                f'images[{index}]',
            )
            for index, (image, boxes, K, depth) in enumerate(
                zip(images, bboxes, cameras, depths)
            )
        ]
        others = {
            key: np.asarray(value)
            for key, value in batch.items()
            if key not in _INPUTS
        }
        for key, value in others.items():
            _per_image(value, key, count)
        return pictures, lambda index: {
            key: value[np.asarray(index, np.intp)]
            for key, value in others.items()
        }

    def _forget(self) -> None:
        self._model = None
        self._cropper = None
        self._loading = threading.Lock()
        self._running = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {
            key: value
            for key, value in vars(self).items()
            if key not in ('_model', '_cropper', '_loading', '_running')
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._forget()


def _per_image(values: Any, name: str, count: int) -> Sequence[Any]:
    """One entry per picture; None: none for any."""
    if values is None:
        return [None] * count
    values = list(values)
    if len(values) != count:
        raise InputError(
            f'the batch has {count} images, but {len(values)} {name}: give '
            'one entry per image'
        )
    return values
