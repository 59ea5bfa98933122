"""ImpHMR: human mesh recovery by imagining the person from all sides."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmd2a.body_models import SMPLBodyModel
from mmd2a.geometry import as_yaw
from mmd2a.models.estimators.imagined_views import check_views, imagined_views
from mmd2a.models.estimators.mesh_estimator import MeshEstimator, require_depth
from mmd2a.models.estimators.predicted_fields import predicted_fields
from mmd2a.models.fields import View
from mmd2a.models.heads.mesh_density import build_mesh_density, density_loss
from mmd2a.models.losses import build_mask_loss
from mmd2a.models.objectives.imagined_losses import (
    check_num_views,
    imagined_losses,
    joined,
)
from mmd2a.models.objectives.silhouettes import start_drawing
from mmd2a.registry import MODELS
from mmd2a.structures import BodyDataSample, TokenMap

Config = dict[str, Any]

EMBEDDED_BODY = dict(type='mmd2a.SMPLBodyModel')
RENDERER = dict(type='mmd2a.VolumeRenderer')
UNIFORM_YAW = dict(type='mmd2a.UniformYaw')
SILHOUETTE_LOSS = dict(type='mmd2a.SilhouetteLoss')
DATA_PREPROCESSOR = dict(type='mmd2a.BodyDataPreprocessor')
PIVOTS = ('root', 'middle')


@MODELS.register_module()
class ImpHMR(MeshEstimator):
    r"""Recover a body mesh from a field of the person, seen from any angle.

    ::

        image ── backbone ── patch_embedding ── field
                                                  │
        φ ──────────────────────────────────── renderer
                                                  │
        mesh_φ ──── head ─────────────────┬───── map_φ
        mask_φ ──── silhouette_decoder ───┤
        sigma_0 ─── flow_head ────────────┘

    The answer is that of φ = 0. While training the person is also imagined
    from random angles, where no image but the labels tell what is seen:

    .. math:: L = L_{reg}(0) +
              E_{\varphi \sim p(\varphi)} [L_{imag}(\varphi)] +
              E_{\varphi_1, \varphi_2} [L_{cons}(\varphi_1, \varphi_2)]

    L_reg compares with the labels, L_imag with the labels turned by −φ about
    the vertical through the root, its mask with the drawn mesh; L_cons
    compares two views with each other. So whoever has 2-D labels alone is
    imagined all the same, and learns by L_cons.

    Beyond the paper, as D2A-HMR has them: ``flow_head`` adds the density of
    the joints and the mesh of the answer, ``depth_seed`` lets measured depth
    say where the field is dense.

    Every part of an ablation is one argument: ``imagination=None``,
    ``silhouette_decoder=None``, ``consistency=None``, ``field.conditioning``.
    Every parameter receives a gradient in every combination.

    B: batch, J: joints, V: vertices, H, W: crop, (h, w): rendered map.
    Metres, radians, OpenCV camera frame; the field is in half-widths of the
    crop.

    Args:
        backbone: config of the image backbone, or a list of configs that are
            run one after the other.
        patch_embedding: config of :class:`PatchEmbedding` of its maps. Its
            ``embed_dims`` is handed to the field.
        field: config of :class:`FeatureField`. Its ``out_channels`` is handed
            to head and decoder.
        head: config of the regressor on a rendered map.
        objective: config of :class:`MeshObjective`: joints, root, L_reg.
        renderer: config of :class:`VolumeRenderer`.
        imagination: config of the :class:`MeshObjective` that is L_imag
            without its mask; None: off.
        silhouette_decoder: config of the decoder of masks at any angle, which
            tells how many times it doubles a map (``num_blocks``); None: off.
        loss_silhouette: config of the loss of these masks. None: the decoder
            is kept as it is, frozen.
        consistency: config of :class:`ViewConsistency`, L_cons; None: off.
        flow_head: config of the distribution-matching head, such as
            :class:`RLEFlowHead`, on the map of φ = 0; None, as in the paper:
            off.
        depth_seed: config of :class:`DepthSeed`; None, as in the paper: off.
        yaw: config of p(φ).
        num_views: angles drawn for each sample; L_cons compares each with the
            next.
        pivot: what views turn about: the person's 'root', where the canonical
            view found it, or the 'middle' of the crop.
        frozen: names of parts that stay as they are.
        body_model: config of the body, for head and objectives.
        keep_mask: also decode the silhouette when predicting.
        views: angles, **degrees**, from which people are also imagined when
            predicting, into ``views_yaw``, ``views_vertices``,
            ``views_keypoints3d`` and ``views_mask`` of ``pred``; (): none.
        num_samples: draws of the joints from their density that are added to
            ``pred``; 0: none.
        data_preprocessor: config of the data preprocessor; None: inputs come
            as the network takes them.
        init_cfg: as in :class:`mmengine.model.BaseModule`.

    Raises:
        ValueError: nothing to train, fewer views than are compared, or
            ``views`` that are no angles.

    Cho et al., "Implicit 3D Human Mesh Recovery using Consistency with Pose
    and Shape from Unseen-view", CVPR 2023, arXiv:2306.17651. What the paper
    does not state is listed in ``docs/imphmr.md``.

    Example:
        >>> from mmengine.config import Config
        >>> from mmd2a.registry import MODELS
        >>> cfg = Config.fromfile('configs/imphmr/imphmr_hrnet.py')
        >>> model = MODELS.build(cfg.model).eval()
        >>> seen = model(dict(img=torch.zeros(1, 3, 96, 96)))
        >>> from_left = model.imagine(seen, yaw=torch.pi / 2)
        >>> from_left['vertices'].shape, from_left['mask'].shape[-2:]
        (torch.Size([1, 6907, 3]), torch.Size([64, 64]))
    """

    def __init__(
        self,
        backbone: Config | list[Config],
        patch_embedding: Config,
        field: Config,
        head: Config,
        objective: Config,
        renderer: Config = RENDERER,
        imagination: Config | None = None,
        silhouette_decoder: Config | None = None,
        loss_silhouette: Config | None = SILHOUETTE_LOSS,
        consistency: Config | None = None,
        flow_head: Config | None = None,
        depth_seed: Config | None = None,
        yaw: Config = UNIFORM_YAW,
        num_views: int = 2,
        pivot: str = 'root',
        frozen: Sequence[str] = (),
        body_model: SMPLBodyModel | Config = EMBEDDED_BODY,
        keep_mask: bool = False,
        views: Sequence[float] = (),
        num_samples: int = 0,
        data_preprocessor: Config | None = DATA_PREPROCESSOR,
        init_cfg: Config | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if pivot not in PIVOTS:
            raise ValueError(f'pivot={pivot!r} must be one of {PIVOTS}')
        check_num_views(num_views, consistency)
        self.num_views = num_views
        self.pivot = pivot
        self.keep_mask, self.num_samples = keep_mask, num_samples
        self.views = check_views(views)
        self.backbone = MODELS.build(backbone)
        self.patch_embedding = MODELS.build(patch_embedding)
        self.field = MODELS.build(
            field, default_args=dict(in_channels=patch_embedding['embed_dims'])
        )
        self.depth_seed: Any = None
        if depth_seed is not None:
            self.depth_seed = MODELS.build(depth_seed)
        self.renderer = MODELS.build(renderer)
        self.yaw = MODELS.build(yaw)

        self.objective = MODELS.build(
            objective, default_args=dict(body_model=body_model)
        )
        body = dict(body_model=self.body_model)
        width = dict(in_channels=self.field.out_channels)
        self.head = MODELS.build(head, default_args={**width, **body})
        self.flow_head: Any = None
        if flow_head is not None:
            self.flow_head = build_mesh_density(
                flow_head,
                self.head,
                self.field.out_channels,
                len(self.objective.joint_names),
                self.body_model.num_vertices,
            )
        self.imagination: Any = None
        if imagination is not None:
            joints = dict(joint_set=self.objective.joint_set)
            # One body, whatever a tool has entered in all objectives.
            self.imagination = MODELS.build({**joints, **imagination, **body})
        self.silhouette_decoder: Any = None
        self.loss_silhouette: nn.Module | None = None
        if silhouette_decoder is not None:
            self.silhouette_decoder = MODELS.build(
                silhouette_decoder, default_args=width
            )
            finer = 2**self.silhouette_decoder.num_blocks
            self._mask_size = tuple(finer * n for n in self.renderer.size)
            if loss_silhouette is not None:
                self.loss_silhouette = build_mask_loss(
                    loss_silhouette, 'loss_silhouette'
                )
        self.consistency: Any = None
        if consistency is not None:
            self.consistency = MODELS.build(
                consistency,
                default_args=dict(num_betas=self.body_model.num_betas),
            )
        of_head = (self.objective, self.imagination, self.consistency)
        self._freeze_what_no_term_reaches(
            dict(
                silhouette_decoder=self.loss_silhouette is not None,
                head=self.flow_head is not None
                or any(
                    each is not None and each.has_terms for each in of_head
                ),
            )
        )
        self._freeze(frozen)

    # ---- network ---------------------------------------------------------
    def _tensor(self, inputs: dict[str, Tensor]) -> dict[str, Any]:
        """The field of each image, and what its canonical view shows."""
        # The layout the convolutions of every backend are fastest in.
        features = self.backbone(
            inputs['img'].contiguous(memory_format=torch.channels_last)
        )
        field = self.field.conditioned(
            self.patch_embedding(features), self._seed(inputs)
        )
        view = View(inputs['img'].new_zeros(len(inputs['img'])))
        output = self._see(field, view, self.keep_mask, self.flow_head)
        return dict(output, field=field)

    def _seed(self, inputs: dict[str, Tensor]) -> Any:
        """Where depth saw a surface; None: a model without depth."""
        if self.depth_seed is None:
            return None
        require_depth(inputs, 'a depth_seed', 'depth_seed=None')
        return self.depth_seed(inputs['depth'], inputs.get('has_depth'))

    def imagine(
        self, output: dict[str, Any], yaw: Tensor | float
    ) -> dict[str, Tensor]:
        """See the people of an output from an angle.

        The field is rendered anew, nothing of the canonical mesh is turned.

        Args:
            output: what the network gave, ``mode='tensor'``.
            yaw: angle φ (B,), or one for all, radians. The camera goes
                clockwise, seen from above: at π/2 it stands at the left.

        Returns:
            What the head tells of that view: ``vertices`` (B, V, 3) and
            ``keypoints3d`` (B, J, 3) relative to their root, and parameters,
            in the axes of that camera; ``mask``, logits (B, 1, 8 h, 8 w), of
            a model with a decoder; ``opacity`` and ``depth`` (B, 1, h, w).

        Raises:
            ValueError: an angle that is not finite.
        """
        camera = output['camera'].detach()
        view = View(as_yaw(yaw, camera))
        if self.pivot == 'root':
            # Where the crop shows the root, which is at z = 0.
            root = (camera[:, :1] * camera[:, 1:]).clamp(-1, 1)
            view = view._replace(pivot=nn.functional.pad(root, (0, 1)))
        with_mask = self.silhouette_decoder is not None
        return self._see(output['field'], view, with_mask)

    def _see(
        self, field: Any, view: View, with_mask: bool, flow_head: Any = None
    ) -> dict[str, Any]:
        """A view of the field: map -> mesh, joints, mask and their density."""
        seen = self.renderer(field, view)
        z = TokenMap.from_map(seen.features)
        output = self.objective.centre(self.head(z))
        output.update(opacity=seen.opacity, depth=seen.depth)
        if with_mask and self.silhouette_decoder is not None:
            output['mask'] = self.silhouette_decoder(z)
        if flow_head is not None:
            output['sigma'] = flow_head(z.tokens)
        return output

    # ---- training --------------------------------------------------------
    def _loss(
        self, output: dict[str, Any], data_samples: list[BodyDataSample]
    ) -> dict[str, Tensor]:
        """L_reg, L_imag and L_cons, term by term."""
        gt = self.objective.targets(data_samples)
        losses = self.objective(output, gt)
        if self.flow_head is not None:
            losses['loss_rle'] = density_loss(
                self.flow_head, self.head, output, gt
            )
        terms = (self.imagination, self.loss_silhouette, self.consistency)
        if any(term is not None for term in terms):
            losses.update(self._imagined_losses(output, gt))
        if not losses:
            why = (
                'objective.loss_*, flow_head, imagination, consistency are '
                'all None'
            )
            raise ValueError(f'there is nothing to train: {why}')
        return losses

    def _imagined_losses(
        self, output: dict[str, Any], gt: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """L_imag over all views, L_cons over neighbours among them."""
        camera = output['camera']
        yaws = [
            self.yaw(len(camera), camera.device) for _ in range(self.num_views)
        ]
        turned = joined([self.objective.turned(gt, yaw) for yaw in yaws])
        if self.loss_silhouette is not None:
            masks = start_drawing(
                turned, self.body_model.faces, self._mask_size
            )
        views = [self.imagine(output, yaw) for yaw in yaws]
        losses = imagined_losses(
            views, yaws, turned, self.imagination, self.consistency
        )
        if self.loss_silhouette is not None:
            seen = torch.cat([view['mask'] for view in views])
            losses['loss_silhouette'] = self.loss_silhouette(
                seen, *masks.result()
            )
        return losses

    # ---- prediction ------------------------------------------------------
    def _fields(self, output: dict[str, Any]) -> dict[str, Tensor]:
        """What is told of every sample."""
        fields = predicted_fields(
            output, self.head, self.flow_head, self.num_samples
        )
        if self.views:
            fields.update(imagined_views(self.imagine, output, self.views))
        return fields
