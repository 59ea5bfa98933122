"""What D2A-HMR adds to a mesh estimator, for those of MMHuman3D."""

import functools
from typing import Any

from torch import Tensor, nn

from mmd2a.geometry import root_is_known, root_position
from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap

__all__ = ['D2AAdditions', 'd2a_body_model_estimator']

SILHOUETTE_LOSS = dict(type='mmd2a.SilhouetteLoss')


class D2AAdditions:
    """Distribution matching and silhouettes beside the losses of MMHuman3D.

    Goes before an estimator of MMHuman3D among the base classes; everything
    else is the estimator's own: optimisers per module, a discriminator,
    registration. Both additions read the map that the head is given, usually
    that of a neck ``mmd2a.DepthCrossAttentionNeck``.

    B: batch, J: keypoints of the convention, N = h w: cells of the map, C:
    its channels.

    Args:
        *args: see the estimator.
        flow_head: config of ``mmd2a.RLEFlowHead``, whose points are the
            keypoints in 3-D, relative to the middle of the hips, metres.
        silhouette_decoder: config of ``mmd2a.SilhouetteDecoder``; needs a
            neck, since it reads the features before it as well, and ``mask``
            (B, 1, H, W) in the batch.
        loss_silhouette: config of its loss; None: no silhouettes.
        **kwargs: see the estimator.
    """

    # What the estimator has.
    convention: str
    training: bool
    neck: Any
    head: Any
    body_model_train: Any

    def __init__(
        self,
        *args: Any,
        flow_head: dict | None = None,
        silhouette_decoder: dict | None = None,
        loss_silhouette: dict | None = SILHOUETTE_LOSS,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        from mmhuman3d.core.conventions.keypoints_mapping import (
            get_keypoint_idx,
            get_keypoint_num,
        )

        self._hips = [
            get_keypoint_idx(f'{side}_hip_extra', self.convention)
            for side in ('left', 'right')
        ]
        self.flow_head: Any = None
        if flow_head is not None:
            self.flow_head = MODELS.build(
                flow_head,
                default_args=dict(
                    num_points=get_keypoint_num(self.convention)
                ),
            )
        self.silhouette_decoder: Any = None
        if silhouette_decoder is not None and loss_silhouette is not None:
            if self.neck is None:
                raise ValueError(
                    'silhouette_decoder reads features before and after the '
                    "neck, and this model has none; add neck=dict(type='"
                    "mmd2a.DepthCrossAttentionNeck', in_channels=...)"
                )
            self.silhouette_decoder = MODELS.build(silhouette_decoder)
            self.loss_silhouette = MODELS.build(loss_silhouette)
            self.neck.register_forward_hook(_keep_image_maps)
        # MMHuman3D hands the head one thing, features, and what the head
        # returns on to `compute_losses`: the way through for ours.
        self.head.register_forward_hook(self._add_predictions)

    def compute_losses(
        self, predictions: dict, targets: dict
    ) -> dict[str, Tensor]:
        """Losses of MMHuman3D, and ``rle_loss`` and ``silhouette_loss``."""
        losses = super().compute_losses(  # type: ignore[misc]
            predictions, targets
        )
        if self.flow_head is not None:
            losses['rle_loss'] = self._rle_loss(predictions, targets)
        if self.silhouette_decoder is not None:
            if 'mask' not in targets:
                raise KeyError(
                    "the silhouette decoder learns from 'mask', which the "
                    'batch lacks; give the pipeline mask_suffix in '
                    'mmd2a.LoadDepthForMMHuman3D, mmd2a.WarpMaskForMMHuman3D '
                    "after MeshAffine, and 'mask' in Collect, or set "
                    'model.silhouette_decoder=None'
                )
            losses['silhouette_loss'] = self.loss_silhouette(
                predictions['pred_mask'], targets['mask']
            )
        return losses

    def _add_predictions(
        self, head: nn.Module, inputs: tuple, predictions: dict
    ) -> dict:
        """Hook on the head: its predictions, σ (B, J, 3), mask logits."""
        features = inputs[0]
        maps = (features,) if isinstance(features, Tensor) else features
        z = TokenMap.from_map(maps[-1])
        if self.flow_head is not None:
            predictions['pred_sigma'] = self.flow_head(z.tokens)
        if self.silhouette_decoder is not None and self.training:
            predictions['pred_mask'] = self.silhouette_decoder(z, maps[:-1])
        return predictions

    def _rle_loss(self, predictions: dict, targets: dict) -> Tensor:
        pose = predictions['pred_pose']
        joints = self.body_model_train(
            betas=predictions['pred_shape'],
            body_pose=pose[:, 1:],
            global_orient=pose[:, :1],
            pose2rot=False,
        )['joints']
        labels = targets['keypoints3d'].to(joints.dtype)
        weight = labels[..., 3]
        # Relative to hips without labels nothing is known.
        weight = weight * root_is_known(weight, self._hips)[:, None]
        labels = labels[..., :3]
        return self.flow_head.loss(
            joints - root_position(joints, self._hips),
            predictions['pred_sigma'],
            labels - root_position(labels, self._hips),
            weight,
        )


@MODELS.register_module(name='D2ABodyModelEstimator')
def d2a_body_model_estimator(**settings: Any) -> nn.Module:
    """Build MMHuman3D's image estimator with the additions of D2A-HMR.

    An architecture for MMHuman3D's configs, where ``type`` is
    ``'mmd2a.D2ABodyModelEstimator'``. A function, for its class exists only
    once MMHuman3D has been imported.

    Args:
        **settings: those of MMHuman3D's ``ImageBodyModelEstimator`` and of
            :class:`D2AAdditions`.

    Example:
        >>> from mmengine.config import Config
        >>> cfg = Config.fromfile('configs/mix/mmhuman3d_hmr_d2a.py')
        >>> cfg.model.type, cfg.model.neck.type, cfg.model.flow_head.type
        ('mmd2a.D2ABodyModelEstimator', 'mmd2a.DepthCrossAttentionNeck',
         'mmd2a.RLEFlowHead')
    """
    from mmhuman3d.models.architectures.mesh_estimator import (
        ImageBodyModelEstimator,
    )

    return _estimator_class(ImageBodyModelEstimator)(**settings)


@functools.cache
def _estimator_class(base: type) -> type:
    return type('D2ABodyModelEstimator', (D2AAdditions, base), {})


def _keep_image_maps(neck: nn.Module, inputs: tuple, maps: Any) -> tuple:
    """Hook on a neck: the maps it was given, its own one last."""
    given = getattr(inputs[0], 'image', inputs[0])
    before = (given,) if isinstance(given, Tensor) else tuple(given)
    own = maps if isinstance(maps, Tensor) else maps[-1]
    return (*before, own)
