"""Architectures of MMHuman3D on the people of this package."""

import inspect
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmd2a.body_models import SMPLBodyModel
from mmd2a.interop.mmhuman3d.running.body import (
    BodyForMMHuman3D,
    mean_parameters_file,
)
from mmd2a.interop.mmhuman3d.running.estimator import MMHuman3DEstimator
from mmd2a.interop.mmhuman3d.running.labels import (
    labels_for_mmhuman3d,
    place_in_full_image,
)
from mmd2a.models.estimators.predicted_fields import predicted_fields
from mmd2a.models.objectives import MeshObjective
from mmd2a.models.objectives.labels import stack_labels
from mmd2a.registry import MODELS
from mmd2a.structures import BodyDataSample

__all__ = ['MMHuman3DMeshEstimator']

EMBEDDED_BODY = dict(type='mmd2a.SMPLBodyModel')
DATA_PREPROCESSOR = dict(type='mmd2a.BodyDataPreprocessor')
# 14 joints that both packages have, in one order.
_JOINT_SET, _CONVENTION = 'h36m14', 'lsp'
_SET_HERE = ('body_model_train', 'body_model_test', 'convention')


@MODELS.register_module()
class MMHuman3DMeshEstimator(BaseModel):
    """Train HMR, PARE or CLIFF of MMHuman3D as D2A-HMR is trained.

    Network and losses are MMHuman3D's; crops, labels, body, optimiser and
    metric are those of a config of this package, so that they stand in one
    table with it. Where :class:`MMHuman3DEstimator` runs MMHuman3D's data
    and body, this reads no file of either.

    The architecture is an image estimator whose head gives SMPL's parameters:
    ``ImageBodyModelEstimator`` with ``HMRHead`` or ``PareHead``, or
    ``CliffImageBodyModelEstimator`` with ``CliffHead``. It has no
    discriminator, as these people come without motion capture, no
    registration, and no loss of rendered parts.

    B: batch, V: vertices, H, W: crop size. Metres, OpenCV camera frame.

    Args:
        architecture: settings of the architecture, with ``backbone``,
            ``head`` and the losses; types of any MM package. Of a backbone's
            maps the head gets the last. ``head.smpl_mean_params`` is the mean
            person of this package if it is not said. Bodies and convention
            are set here.
        body_model: config of the body, or the body; with 10 shape components,
            as the heads have.
        data_preprocessor: config of the data preprocessor.

    Raises:
        ValueError: the settings name a body, a convention, a discriminator or
            a registration.

    Example:
        >>> model = dict(
        ...     type='mmd2a.MMHuman3DMeshEstimator',
        ...     architecture=dict(
        ...         type='ImageBodyModelEstimator',
        ...         backbone=dict(type='mmpose.MobileNetV2'),
        ...         head=dict(type='HMRHead', feat_dim=1280)))
    """

    def __init__(
        self,
        architecture: dict[str, Any],
        body_model: SMPLBodyModel | dict[str, Any] = EMBEDDED_BODY,
        data_preprocessor: dict[str, Any] | None = DATA_PREPROCESSOR,
    ) -> None:
        super().__init__(data_preprocessor)
        for key in (*_SET_HERE, 'disc', 'registration'):
            if architecture.get(key) is not None:
                raise ValueError(
                    f'architecture.{key} is not for MMHuman3DMeshEstimator, '
                    'which has a body of its own and trains by one optimiser; '
                    'train it as a config of MMHuman3D'
                )
        head = dict(architecture['head'])
        head.setdefault('smpl_mean_params', mean_parameters_file())
        self.estimator = MMHuman3DEstimator(
            dict(architecture, head=head, convention=_CONVENTION)
        )
        # For the root and the joints of what is predicted.
        self.objective = MeshObjective(
            body_model, _JOINT_SET, ('left_hip', 'right_hip'), None, None, None
        )
        network = self.estimator.architecture
        network.body_model_train = BodyForMMHuman3D(
            self.body_model, _JOINT_SET
        )
        network.backbone.register_forward_hook(_last_map)
        self._takes_place = (
            'bbox_info' in inspect.signature(network.head.forward).parameters
        )

    @property
    def body_model(self) -> SMPLBodyModel:
        """The body of labels and predictions."""
        return self.objective.body_model

    def init_weights(self) -> None:
        """Initialise as the architecture's ``init_cfg`` say."""
        self.estimator.init_weights()

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[BodyDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run the network.

        Args:
            inputs: what :class:`BodyDataPreprocessor` gives; of it ``img``
                (B, 3, H, W) is looked at.
            data_samples: labels (``mode='loss'``), or the samples that
                predictions are added to (``mode='predict'``); for CLIFF
                always, as they say where the crop was.
            mode: ``'tensor'`` | ``'loss'`` | ``'predict'``.

        Returns:
            A dict of raw outputs (``vertices`` (B, V, 3) ...), the losses of
            MMHuman3D by its names, or the samples with ``pred`` filled.

        Raises:
            ValueError: another mode, or no samples where they are needed.
        """
        if data_samples is None and (self._takes_place or mode != 'tensor'):
            raise ValueError(f"mode='{mode}' of this model needs data_samples")
        samples = data_samples or []
        img = inputs['img'].contiguous(memory_format=torch.channels_last)
        if mode == 'loss':
            gt = stack_labels(samples, _JOINT_SET, self.body_model.num_betas)
            place = self._place(samples, img, gt['K'])
            return self.estimator(
                mode='loss', img=img, **labels_for_mmhuman3d(gt), **place
            )
        output = self._tensor(img, samples)
        if mode == 'tensor':
            return output
        if mode != 'predict':
            raise ValueError(
                f"mode must be 'tensor', 'loss' or 'predict', got {mode!r}"
            )
        fields = predicted_fields(output, self.estimator.architecture.head)
        for index, sample in enumerate(samples):
            sample.pred = BaseDataElement(
                **{key: value[index].detach() for key, value in fields.items()}
            )
        return samples

    def _tensor(
        self, img: Tensor, samples: list[BodyDataSample]
    ) -> dict[str, Tensor]:
        """Parameters, and the mesh that they pose, relative to its root."""
        network = self.estimator.architecture
        features = network.backbone(img)
        if network.neck is not None:
            features = network.neck(features)
        told: tuple[Tensor, ...] = ()
        if self._takes_place:
            K = torch.stack([_camera(sample, img) for sample in samples])
            told = (self._place(samples, img, K)['bbox_info'],)
        given = network.head(features, *told)
        pose, betas = given['pred_pose'], given['pred_shape']
        vertices = self.body_model(
            pose[:, :1], pose[:, 1:], betas, pose_format='matrix'
        ).vertices
        output = dict(
            vertices=vertices,
            # CLIFF's is one of the crop, too, before its loss moves it.
            camera=given['pred_cam'],
            global_orient=pose[:, :1],
            body_pose=pose[:, 1:],
            betas=betas,
        )
        # MMHuman3D projects joints relative to the body's origin.
        return self.objective.centre(output, move_camera=True)

    def _place(
        self, samples: list[BodyDataSample], img: Tensor, K: Tensor
    ) -> dict[str, Tensor]:
        """Where the crops are, for a head that takes it."""
        if not self._takes_place:
            return {}
        return place_in_full_image(samples, K.to(img), img.shape[-1])


def _camera(sample: BodyDataSample, like: Tensor) -> Tensor:
    """Intrinsics of a crop (3, 3), zeros where nothing is known."""
    gt = sample.get('_gt')
    if gt is None or 'K' not in gt:
        return like.new_zeros(3, 3)
    return gt.K.to(like)


def _last_map(backbone: nn.Module, inputs: tuple, maps: Any) -> Any:
    """Hook on a backbone: PARE's head takes one map."""
    return maps if isinstance(maps, Tensor) else maps[-1]
