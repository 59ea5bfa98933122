"""D2A-HMR: depth- and distribution-aware human mesh recovery.

Over 350 lines because the class is the figure of the paper, drawn and told.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mmd2a.body_models import SMPLBodyModel
from mmd2a.depth import metres_per_unit, zero_missing_depth
from mmd2a.geometry import as_yaw
from mmd2a.models.earlier_arguments import refuse_earlier_arguments
from mmd2a.models.estimators.mesh_estimator import MeshEstimator, require_depth
from mmd2a.models.estimators.predicted_fields import predicted_fields
from mmd2a.models.heads.mesh_density import build_mesh_density, density_loss
from mmd2a.models.heads.mesh_head_contract import (
    require_coarse_mesh,
    require_free_mesh,
)
from mmd2a.models.losses import build_mask_loss
from mmd2a.registry import MODELS
from mmd2a.structures import BodyDataSample, TokenMap

Config = dict[str, Any]

EMBEDDED_BODY = dict(type='mmd2a.SMPLBodyModel')
OBJECTIVE = dict(type='mmd2a.MeshObjective')
DEPTH_EMBEDDING = dict(type='mmd2a.PatchEmbedding')
SILHOUETTE_LOSS = dict(type='mmd2a.SilhouetteLoss')
DATA_PREPROCESSOR = dict(type='mmd2a.BodyDataPreprocessor')
_LOSSES = ('loss_vertices', 'loss_keypoints3d', 'loss_keypoints2d')
# Arguments of D2AHMR in 0.1.0 that the objective takes now.
_NOW_OF_THE_OBJECTIVE = {
    name: f'objective=dict({name}=...)'
    for name in ('joint_set', 'root', *_LOSSES)
}


@MODELS.register_module()
class D2AHMR(MeshEstimator):
    r"""Recover a body mesh from an image and its pseudo-depth.

    ::

        image ── backbone ── patch embedding ─┐
                     │                        ├─ encoder ── z ─┬─ head ── mesh
        depth ── depth_branch ── patch emb. ──┘      │         ├─ flow_head
                     └──── skip into the head ───────┘         └─ decoder

    A ``localizer``, beyond the paper, finds joints on the maps of the
    backbone; the head takes them too. A ``refiner``, beyond the paper too,
    corrects the mesh by what lies where it projects. ``imagined_views``,
    beyond the paper, are people seen from other sides while training.

    .. math:: L = \lambda_d L_{RLE} + \lambda_s L_{silh} + L_{objective}

    Every part of the paper's ablation is one argument: ``depth_branch=None``
    (RGB only), ``flow_head=None`` (no distribution matching),
    ``silhouette_decoder=None``, ``encoder.masking=None``, and the type of the
    ``head``. Every parameter receives a gradient in every combination.

    B: batch, N: tokens, C: token width, J: joints, V: vertices, K: coarse
    vertices, H, W: crop size. Metres, OpenCV camera frame; 2-D joints in crop
    coordinates ([-1, 1] over the crop).

    Args:
        backbone: config of the image backbone ``F``, from any package; gives
            one feature map or a sequence of them. A list of configs, such as
            a backbone and its ``mmdet.FPN``, is run one after the other.
        patch_embedding: config of :class:`PatchEmbedding` for the image
            features. Its ``in_channels`` and ``embed_dims`` are handed to the
            other parts, so a width is written once.
        encoder: config of the token encoder.
        head: config of the regressor ``R``.
        objective: config of :class:`MeshObjective`: joints, root and the
            losses of the mesh.
        depth_branch: config of the depth backbone, or None for RGB only: a
            :class:`DepthBranch`, or any backbone with ``in_channels=2``.
        depth_embedding: config of :class:`PatchEmbedding` for the depth
            features, with ``in_channels`` where the depth branch has no
            ``out_channels``.
        flow_head: config of the distribution-matching head, or None.
        silhouette_decoder: config of the decoder ``D``, or None.
        loss_silhouette: config of the loss of the decoder. None: the decoder
            is kept as it is, frozen.
        localizer: config of :class:`JointLocalizer`, or None, as in the
            paper. The head must take ``joint_set`` and
            ``joint_channels``.
        refiner: config of :class:`MeshRefiner`, or None, as in the paper.
            The losses of the mesh and of its density are taken of the mesh
            before and after it.
        imagined_views: config of :class:`ImaginedViews`: L_imag and L_cons, as
            of ImpHMR, on the tokens z; None, as in the paper: off. Where a
            localizer is on they have a head of their own, of the type of the
            head: no image shows joints from there.
        frozen: names of parts that stay as they are, such as
            ``('backbone', 'localizer')``: no gradient, no dropout, the
            statistics of their BatchNorm kept.
        body_model: config of the body, for head and objective.
        keep_mask: also decode the silhouette when predicting.
        num_samples: number S of draws from the density of the joints that
            are added to ``pred``: ``keypoints3d_samples`` (S, J, 3), or 2-D;
            0: none. For metrics that judge samples.
        body_fitter: config of :class:`~mmd2a.body_models.BodyFitter`, or None.
            With it ``pred`` has the parameters of the mesh whatever the head:
            ``global_orient``, ``body_pose``, ``betas``, ``transl``, and
            ``fit_residual``.
        data_preprocessor: config of the data preprocessor; None: inputs come
            as the network takes them.
        init_cfg: as in :class:`mmengine.model.BaseModule`.

    A part is built from its config with what follows from the other parts as
    defaults: what the config says wins. None switches a part off.

    Bright et al., "Distribution and Depth-Aware Transformers for 3D Human
    Mesh Recovery", CRV 2024, arXiv 2403.09063. What the paper does not state
    is listed in ``docs/method.md``.

    Example:
        >>> from mmengine.config import Config
        >>> from mmd2a.registry import MODELS
        >>> cfg = Config.fromfile('configs/d2a_hmr_hrnet.py')
        >>> MODELS.build(cfg.model).objective.joint_set
        'h36m14'
    """

    def __init__(
        self,
        backbone: Config | list[Config],
        patch_embedding: Config,
        encoder: Config,
        head: Config,
        objective: Config = OBJECTIVE,
        depth_branch: Config | None = None,
        depth_embedding: Config = DEPTH_EMBEDDING,
        flow_head: Config | None = None,
        silhouette_decoder: Config | None = None,
        loss_silhouette: Config | None = SILHOUETTE_LOSS,
        localizer: Config | None = None,
        refiner: Config | None = None,
        imagined_views: Config | None = None,
        frozen: Sequence[str] = (),
        body_model: SMPLBodyModel | Config = EMBEDDED_BODY,
        keep_mask: bool = False,
        num_samples: int = 0,
        body_fitter: Config | None = None,
        data_preprocessor: Config | None = DATA_PREPROCESSOR,
        init_cfg: Config | None = None,
        **earlier: Any,
    ) -> None:
        refuse_earlier_arguments('D2AHMR', earlier, _NOW_OF_THE_OBJECTIVE)
        super().__init__(data_preprocessor, init_cfg)
        channels = patch_embedding['in_channels']
        width = patch_embedding['embed_dims']
        with_depth = depth_branch is not None

        self.objective = MODELS.build(
            objective, default_args=dict(body_model=body_model)
        )
        self.backbone = MODELS.build(backbone)
        self.patch_embedding = MODELS.build(patch_embedding)
        self.encoder = MODELS.build(
            encoder, default_args=dict(embed_dims=width, with_depth=with_depth)
        )
        self.depth_branch: nn.Module | None = None
        if with_depth:
            self.depth_branch = MODELS.build(depth_branch)
            self.depth_embedding = MODELS.build(
                depth_embedding,
                default_args=dict(
                    embed_dims=width,
                    in_channels=_channels_of(
                        self.depth_branch, depth_embedding
                    ),
                ),
            )
        joints = len(self.objective.joint_names)
        self.localizer: Any = None
        told: Config = {}
        if localizer is not None:
            self.localizer = MODELS.build(
                localizer,
                default_args=dict(in_channels=channels, num_joints=joints),
            )
            told.update(
                joint_set=self.objective.joint_set,
                joint_channels=self.localizer.channels,
            )
        self.head = MODELS.build(
            head,
            default_args=dict(
                in_channels=width,
                depth_channels=width if with_depth else None,
                body_model=self.body_model,
                **told,
            ),
        )
        self.flow_head: Any = None
        if flow_head is not None:
            self.flow_head = build_mesh_density(
                flow_head,
                self.head,
                width,
                joints,
                self.body_model.num_vertices,
            )
        self.refiner: Any = None
        if refiner is not None:
            self.refiner = self._build_refiner(refiner)
        self.keep_mask, self.num_samples = keep_mask, num_samples
        self.body_fitter: Any = None
        if body_fitter is not None:
            self.body_fitter = MODELS.build(
                body_fitter, default_args=dict(body_model=self.body_model)
            )
        self.silhouette_decoder: nn.Module | None = None
        self.loss_silhouette: nn.Module | None = None
        if silhouette_decoder is not None:
            self.silhouette_decoder = MODELS.build(
                silhouette_decoder,
                default_args=dict(in_channels=width, skip_channels=channels),
            )
            if loss_silhouette is not None:
                self.loss_silhouette = build_mask_loss(
                    loss_silhouette, 'loss_silhouette'
                )
        self.imagined_views: Any = None
        if imagined_views is not None:
            own = None if localizer is None else dict(head)
            defaults = dict(
                in_channels=width, head=own, joint_set=self.objective.joint_set
            )
            self.imagined_views = MODELS.build(
                dict(imagined_views, body_model=self.body_model),
                default_args=defaults,
            )
        has_terms = self.objective.has_terms or self.flow_head is not None
        imagined = (
            self.imagined_views is not None and self.imagined_views.has_terms
        )
        self._freeze_what_no_term_reaches(
            dict(
                silhouette_decoder=self.loss_silhouette is not None,
                head=has_terms
                or (imagined and self.imagined_views.head is None),
                refiner=has_terms,
                imagined_views=imagined,
            )
        )
        self._freeze(frozen)

    def _build_refiner(self, cfg: Config) -> nn.Module:
        """Build the second step with what follows from the first."""
        require_free_mesh(self.head)
        require_coarse_mesh(self.head, self.body_model.num_vertices)
        normalization = getattr(
            self.data_preprocessor, 'depth_normalization', {}
        )
        return MODELS.build(
            cfg,
            default_args=dict(
                coarse_ids=self.head.coarse_ids,
                body_model=self.body_model,
                joint_set=self.objective.joint_set,
                sigma_dims=self.flow_head and self.flow_head.dims,
                metres_per_unit=metres_per_unit(**normalization),
            ),
        )

    # ---- network ---------------------------------------------------------
    def _tensor(self, inputs: dict[str, Tensor]) -> dict[str, Any]:
        """Inputs -> mesh, joints, camera, and what the other heads give."""
        # The layout the convolutions of every backend are fastest in.
        features = self.backbone(
            inputs['img'].contiguous(memory_format=torch.channels_last)
        )
        image = self.patch_embedding(features)
        depth = self._depth(inputs)
        z = self.encoder(image, depth)
        if self.localizer is None:
            output = self.objective.centre(self.head(z, depth))
        else:
            joints = self.localizer(features)
            output = self.objective.centre(self.head(z, depth, joints))
            output['localized'] = joints
        if self.flow_head is not None:
            output['sigma'] = self.flow_head(z.tokens)
        if self.refiner is not None:
            output = self._refined(output, inputs)
        if self.silhouette_decoder is not None and (
            self.keep_mask
            or (self.training and self.loss_silhouette is not None)
        ):
            output['mask'] = self.silhouette_decoder(z, features)
        if self.imagined_views is not None:
            output['z'] = z
        return output

    def imagine(
        self, output: dict[str, Any], yaw: Tensor | float
    ) -> dict[str, Tensor]:
        """See the people of an output from an angle.

        Args:
            output: what the network gave, ``mode='tensor'``.
            yaw: angle φ (B,), or one for all, radians, as of ImpHMR: at π/2
                the camera stands at the left.

        Returns:
            What the head tells of that view: ``vertices`` (B, V, 3) and
            ``keypoints3d`` (B, J, 3) relative to their root, in the axes of
            that camera, and more.

        Raises:
            ValueError: an angle that is not finite, or a model without
                ``imagined_views``.
        """
        if self.imagined_views is None:
            raise ValueError(
                'this model does not imagine: it was built and trained '
                "without imagined_views=dict(type='mmd2a.ImaginedViews')"
            )
        # Of the camera's type: tokens may be of half precision.
        angle = as_yaw(yaw, output['camera'])
        seen = self.imagined_views(output['z'], angle, self.head)
        return self.objective.centre(seen)

    def _depth(self, inputs: dict[str, Tensor]) -> TokenMap | None:
        """Depth tokens, and who has them; None: an RGB-only model."""
        if self.depth_branch is None:
            return None
        require_depth(inputs, 'a depth_branch', 'depth_branch=None')
        has_depth = inputs.get('has_depth')
        depth = zero_missing_depth(inputs['depth'], has_depth)
        return self.depth_embedding(self.depth_branch(depth), has_depth)

    def _refined(
        self, first: dict[str, Any], inputs: dict[str, Tensor]
    ) -> dict[str, Any]:
        """The output after the second step; the one before is ``first``."""
        if self.refiner.use_depth:
            require_depth(inputs, 'a refiner', 'refiner.use_depth=False')
        # Training does not know it, so sigma has no such factor there.
        temperature = (
            1.0
            if self.training
            else getattr(self.flow_head, 'temperature', 1.0)
        )
        refined = self.refiner(
            first, inputs.get('depth'), inputs.get('has_depth'), temperature
        )
        # What the correction leaves alone stays where it projects.
        return dict(
            self.objective.centre(refined, move_camera=True), first=first
        )

    # ---- training --------------------------------------------------------
    def _loss(
        self, output: dict[str, Any], data_samples: list[BodyDataSample]
    ) -> dict[str, Tensor]:
        """The terms of the objective, of the density and of the mask."""
        gt = self.objective.targets(data_samples)
        losses = self._mesh_losses(output, gt)
        if self.refiner is not None:
            for name, value in self._mesh_losses(output['first'], gt).items():
                losses[f'{name}_first'] = self.refiner.first_weight * value
        if self.localizer is not None:
            losses.update(
                self.localizer.loss(
                    output['localized'],
                    gt['keypoints2d'],
                    gt['keypoints2d_weight'],
                )
            )
        if self.loss_silhouette is not None:
            losses['loss_silhouette'] = self.loss_silhouette(
                output['mask'], gt['mask'], gt['mask_weight']
            )
        if self.imagined_views is not None:
            imagine = partial(self.imagine, output)
            losses.update(
                self.imagined_views.losses(imagine, gt, self.objective.turned)
            )
        if not losses:
            why = 'objective.loss_*, flow_head, loss_silhouette are all None'
            raise ValueError(f'there is nothing to train: {why}')
        return losses

    def _mesh_losses(
        self, output: dict[str, Any], gt: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """The terms of a mesh and of its density."""
        losses = self.objective(output, gt)
        if self.flow_head is not None:
            losses['loss_rle'] = density_loss(
                self.flow_head, self.head, output, gt
            )
        return losses

    # ---- prediction ------------------------------------------------------
    def _fields(self, output: dict[str, Any]) -> dict[str, Tensor]:
        """What is told of every sample."""
        return predicted_fields(
            output,
            self.head,
            self.flow_head,
            self.num_samples,
            self.body_fitter,
        )


def _channels_of(branch: Any, embedding: Config) -> Any:
    """Channels of the depth features: of the branch, or as stated."""
    if 'in_channels' in embedding:
        return embedding['in_channels']
    if not hasattr(branch, 'out_channels'):
        raise ValueError(
            f'{type(branch).__name__} does not say how many channels it '
            "gives; add depth_embedding=dict(type='mmd2a.PatchEmbedding', "
            'in_channels=[...])'
        )
    return branch.out_channels
