"""D2A-HMR: depth- and distribution-aware human mesh recovery."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmd2a.body_models import build_body
from mmd2a.geometry.cameras import weak_perspective_project
from mmd2a.geometry.rotations import matrix_to_axis_angle
from mmd2a.registry import MODELS
from mmd2a.structures import BodyDataSample

Config = dict[str, Any]


@MODELS.register_module()
class D2AHMR(BaseModel):
    r"""Recover a body mesh from an image and its pseudo-depth.

    ::

        image ── backbone ── patch embedding ─┐
                     │                        ├─ encoder ── z ─┬─ head ── mesh
        depth ── depth_branch ── patch emb. ──┘      │         ├─ flow_head
                     └──── skip into the head ───────┘         └─ decoder

    .. math:: L = \lambda_d L_{RLE} + \lambda_v L_v + \lambda_{3D} L_{3D}
              + \lambda_{2D} L_{2D} + \lambda_s L_{silh}

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
        depth_branch: config of the depth backbone, or None for RGB only: a
            :class:`DepthBranch`, or any backbone with ``in_channels=2``.
        depth_embedding: config of :class:`PatchEmbedding` for the depth
            features, where ``in_channels`` is not the ``out_channels`` of the
            depth branch.
        flow_head: config of the distribution-matching head, or None.
        silhouette_decoder: config of the decoder ``D``, or None.
        body_model: config of the body.
        joint_set: joints that supervise and are returned; must be the set of
            the data.
        root: names of the joints whose mean is the origin of the mesh.
        loss_vertices, loss_keypoints3d, loss_keypoints2d, loss_silhouette:
            configs of the loss terms; the flow head brings its own.
        keep_mask: also decode the silhouette when predicting.
        data_preprocessor: config of the data preprocessor.
        init_cfg: as in :class:`mmengine.model.BaseModule`.

    Bright et al., "Distribution and Depth-Aware Transformers for 3D Human
    Mesh Recovery", CRV 2024, arXiv 2403.09063. What the paper does not state
    is listed in ``docs/method.md``.

    Example:
        >>> from mmengine.config import Config
        >>> from mmd2a.registry import MODELS
        >>> cfg = Config.fromfile('configs/d2a_hmr_hrnet.py')
        >>> MODELS.build(cfg.model).joint_set
        'h36m14'
    """

    def __init__(
        self,
        backbone: Config | list[Config],
        patch_embedding: Config,
        encoder: Config,
        head: Config,
        depth_branch: Config | None = None,
        depth_embedding: Config | None = None,
        flow_head: Config | None = None,
        silhouette_decoder: Config | None = None,
        body_model: Config | None = None,
        joint_set: str = 'h36m14',
        root: Sequence[str] = ('left_hip', 'right_hip'),
        loss_vertices: Config | None = None,
        loss_keypoints3d: Config | None = None,
        loss_keypoints2d: Config | None = None,
        loss_silhouette: Config | None = None,
        keep_mask: bool = False,
        data_preprocessor: Config | None = None,
        init_cfg: Config | None = None,
    ) -> None:
        super().__init__(
            data_preprocessor=data_preprocessor
            or dict(type='mmd2a.BodyDataPreprocessor'),
            init_cfg=init_cfg,
        )
        channels = patch_embedding['in_channels']
        width = patch_embedding['embed_dims']
        with_depth = depth_branch is not None

        self.body_model = build_body(body_model)
        self.joint_set = joint_set
        names = self.body_model.joint_names(joint_set)
        self.root_ids = [names.index(name) for name in root]

        self.backbone = MODELS.build(backbone)
        self.patch_embedding = MODELS.build(patch_embedding)
        self.encoder = _build(encoder, embed_dims=width, with_depth=with_depth)
        self.depth_branch: nn.Module | None = None
        if with_depth:
            self.depth_branch = MODELS.build(depth_branch)
            if depth_embedding is None:
                if not hasattr(self.depth_branch, 'out_channels'):
                    raise ValueError(
                        f'{type(self.depth_branch).__name__} does not say how'
                        ' many channels it gives; add depth_embedding=dict('
                        "type='mmd2a.PatchEmbedding', in_channels=[...])"
                    )
                depth_embedding = dict(
                    type='mmd2a.PatchEmbedding',
                    in_channels=self.depth_branch.out_channels,
                )
            self.depth_embedding = _build(depth_embedding, embed_dims=width)
        self.head = _build(
            head,
            in_channels=width,
            depth_channels=width if with_depth else None,
            body_model=self.body_model,
        )
        self.loss_vertices = MODELS.build(
            loss_vertices or dict(type='mmd2a.VertexLoss')
        )
        self.loss_keypoints3d = MODELS.build(
            loss_keypoints3d or dict(type='mmd2a.JointLoss')
        )
        self.loss_keypoints2d = MODELS.build(
            loss_keypoints2d or dict(type='mmd2a.JointLoss')
        )

        self.flow_head: Any = None
        if flow_head is not None:
            # 2-D: the joints; 3-D: the joints and the coarse mesh.
            points = len(names)
            if flow_head.get('dims', 3) == 3:
                points += self.head.num_coarse_vertices
            self.flow_head = _build(
                flow_head, in_channels=width, num_points=points
            )
        self.silhouette_decoder: nn.Module | None = None
        self.keep_mask = keep_mask
        if silhouette_decoder is not None:
            self.silhouette_decoder = _build(
                silhouette_decoder, in_channels=width, skip_channels=channels
            )
            self.loss_silhouette = MODELS.build(
                loss_silhouette or dict(type='mmd2a.SilhouetteLoss')
            )

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[BodyDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run the network.

        Args:
            inputs: what :class:`BodyDataPreprocessor` gives: ``img``
                (B, 3, H, W) and, unless RGB only, ``depth`` (B, 2, H, W) and
                ``has_depth`` (B,).
            data_samples: labels (``mode='loss'``) or the samples that
                predictions are added to (``mode='predict'``).
            mode: ``'tensor'`` | ``'loss'`` | ``'predict'``.

        Returns:
            A dict of raw outputs, a dict of losses, or the data samples with
            ``pred`` filled.
        """
        output = self._tensor(inputs)
        if mode == 'tensor':
            return output
        if data_samples is None:
            raise ValueError(f"mode='{mode}' needs data_samples")
        if mode == 'loss':
            return self._loss(output, data_samples)
        if mode == 'predict':
            return self._predict(output, data_samples)
        raise ValueError(
            f"mode must be 'tensor', 'loss' or 'predict', got {mode!r}"
        )

    # ---- network ---------------------------------------------------------
    def _tensor(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Inputs -> mesh, joints, camera, and what the other heads give."""
        height, width = inputs['img'].shape[-2:]
        if height != width:
            raise ValueError(
                f'got crops of {height} x {width}: a weak-perspective camera'
                ' has one scale for both axes of crop coordinates, so crops'
                ' must be square; set PersonCrop(size=...) to one number'
            )
        # The layout the convolutions of every backend are fastest in.
        features = self.backbone(
            inputs['img'].contiguous(memory_format=torch.channels_last)
        )
        tokens, grid = self.patch_embedding(features)
        depth_tokens = depth_grid = has_depth = None
        if self.depth_branch is not None:
            if 'depth' not in inputs:
                raise ValueError(
                    'this model has a depth_branch but the batch has no depth:'
                    ' load it (LoadFrame(with_depth=True)) or set'
                    ' model.depth_branch=None'
                )
            depth_tokens, depth_grid = self.depth_embedding(
                self.depth_branch(inputs['depth'])
            )
            has_depth = inputs.get('has_depth')
        z = self.encoder(
            tokens,
            depth_tokens,
            grid,
            has_depth=has_depth,
            depth_grid=depth_grid,
        )
        output = self._centre(
            self.head(
                z,
                grid,
                depth_tokens=depth_tokens,
                has_depth=has_depth,
                depth_grid=depth_grid,
            )
        )
        if self.flow_head is not None:
            output['sigma'] = self.flow_head(z)
        if self.silhouette_decoder is not None and (
            self.training or self.keep_mask
        ):
            output['mask'] = self.silhouette_decoder(z, grid, features)
        return output

    def _centre(self, output: dict[str, Tensor]) -> dict[str, Tensor]:
        """Move the mesh to its root and add its joints, 3-D and projected."""
        joints = self.body_model.regress_joints(
            output['vertices'], self.joint_set
        )
        root = joints[:, self.root_ids].mean(1, keepdim=True)
        centred = dict(output)
        centred['vertices'] = output['vertices'] - root
        centred['coarse_vertices'] = output['coarse_vertices'] - root
        centred['keypoints3d'] = joints - root
        centred['keypoints2d'] = weak_perspective_project(
            centred['keypoints3d'], output['camera']
        )
        return centred

    # ---- training --------------------------------------------------------
    def _loss(
        self, output: dict[str, Tensor], data_samples: list[BodyDataSample]
    ) -> dict[str, Tensor]:
        """The terms of the objective."""
        gt = self._targets(data_samples)
        smpl_weight = gt['smpl_weight'][:, None]
        losses = dict(
            loss_vertices=self.loss_vertices(
                output['vertices'],
                gt['vertices'],
                smpl_weight.expand(output['vertices'].shape[:2]),
            ),
            loss_keypoints3d=self.loss_keypoints3d(
                output['keypoints3d'],
                gt['keypoints3d'],
                gt['keypoints3d_weight'],
            ),
            loss_keypoints2d=self.loss_keypoints2d(
                output['keypoints2d'],
                gt['keypoints2d'],
                gt['keypoints2d_weight'],
            ),
        )
        if self.flow_head is not None:
            losses['loss_rle'] = self.flow_head.loss(
                *self._distribution_terms(output, gt)
            )
        if self.silhouette_decoder is not None:
            losses['loss_silhouette'] = self.loss_silhouette(
                output['mask'], gt['mask'], gt['mask_weight']
            )
        return losses

    @torch.no_grad()
    def _targets(
        self, data_samples: list[BodyDataSample]
    ) -> dict[str, Tensor]:
        """Stack the labels and pose the ground-truth mesh."""
        first = data_samples[0].gt
        gt = {
            key: torch.stack([sample.gt.get(key) for sample in data_samples])
            for key in first.keys()
        }
        if gt['keypoints3d'].shape[1] != len(
            self.body_model.joint_names(self.joint_set)
        ):
            raise ValueError(
                f"the model's joint_set is '{self.joint_set}' but the labels"
                f' have {gt["keypoints3d"].shape[1]} joints; give the data set'
                f" joint_set='{self.joint_set}'"
            )
        vertices = self.body_model(
            gt['global_orient'], gt['body_pose'], gt['betas']
        ).vertices
        joints = self.body_model.regress_joints(vertices, self.joint_set)
        gt['vertices'] = vertices - joints[:, self.root_ids].mean(
            1, keepdim=True
        )
        root = gt['keypoints3d'][:, self.root_ids].mean(1, keepdim=True)
        gt['keypoints3d'] = gt['keypoints3d'] - root
        # Joints relative to an unlabelled root mean nothing.
        root_known = (gt['keypoints3d_weight'][:, self.root_ids] > 0).all(1)
        gt['keypoints3d_weight'] = (
            gt['keypoints3d_weight'] * root_known[:, None]
        )
        return gt

    def _distribution_terms(
        self, output: dict[str, Tensor], gt: dict[str, Tensor]
    ) -> tuple[Tensor, ...]:
        """Mean, sigma, target and weight of the points that have a density."""
        if self.flow_head.dims == 2:
            return (
                output['keypoints2d'],
                output['sigma'],
                gt['keypoints2d'],
                gt['keypoints2d_weight'],
            )
        mean, target = output['keypoints3d'], gt['keypoints3d']
        weight = gt['keypoints3d_weight']
        coarse = gt['vertices'][:, self.head.coarse_ids]
        return (
            torch.cat([mean, output['coarse_vertices']], 1),
            output['sigma'],
            torch.cat([target, coarse], 1),
            torch.cat(
                [weight, gt['smpl_weight'][:, None].expand(coarse.shape[:2])],
                1,
            ),
        )

    # ---- prediction ------------------------------------------------------
    def _predict(
        self, output: dict[str, Tensor], data_samples: list[BodyDataSample]
    ) -> list[BodyDataSample]:
        """Fill ``pred`` of every sample."""
        fields: dict[str, Tensor] = {
            key: output[key]
            for key in (
                'vertices',
                'keypoints3d',
                'keypoints2d',
                'camera',
                'coarse_vertices',
                'betas',
            )
            if key in output
        }
        if 'mask' in output:
            fields['mask'] = output['mask'].sigmoid()
        if self.flow_head is not None and self.flow_head.dims == 3:
            # One number per vertex: the mean over the axes.
            coarse = output['sigma'][:, -self.head.num_coarse_vertices :]
            fields['sigma'] = self.head.upsample_sigma(coarse).mean(-1)
        if 'body_pose' in output:
            for key in ('global_orient', 'body_pose'):
                fields[key] = matrix_to_axis_angle(output[key]).flatten(1)
        for index, sample in enumerate(data_samples):
            sample.pred = BaseDataElement(
                **{key: value[index].detach() for key, value in fields.items()}
            )
        return data_samples


def _build(cfg: Config, **derived: Any) -> Any:
    """Build a part; what the config states wins over what is derived."""
    return MODELS.build({**derived, **cfg})
