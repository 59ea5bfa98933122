"""A second task for any head: the silhouette of the people."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmd2a.registry import MODELS

Config = dict[str, Any]

DECODER = dict(type='mmd2a.SilhouetteDecoder')
LOSS = dict(type='mmd2a.SilhouetteLoss')


@MODELS.register_module()
class AuxiliarySilhouetteHead(BaseModule):
    """Make the features of a head draw the people as well, in training only.

    Wraps any head with ``loss(features, data_samples)`` and
    ``predict(features, data_samples)``: the dense heads of MMDetection and
    the heads of MMPose. To its losses comes ``loss_silhouette``; its
    predictions stay as they are, and a checkpoint of the bare head loads.

    ::

        features ─┬────────────────────────── head ── losses, predictions
                  └─ patch embedding ─ decoder ── loss_silhouette

    The target is the union of the masks of an image: ``gt_instances.masks``
    (MMDetection) or ``gt_fields.mask`` (MMPose). Images without either do not
    count.

    B: batch, (h_i, w_i): size of feature map i.

    Args:
        head: config of the head.
        patch_embedding: arguments of :class:`~mmd2a.models.PatchEmbedding`.
            The mask is predicted eight times finer than its grid. Its
            ``in_channels`` and ``embed_dims`` are handed to the decoder.
        decoder: config of the decoder, a ``SilhouetteDecoder`` by default.
            None: the second task is off.
        loss: config of the loss, a ``SilhouetteLoss`` by default. None: the
            second task is off.
        init_cfg: as in :class:`mmengine.model.BaseModule`.
        **kwargs: what detectors hand to their heads, such as ``test_cfg``;
            what the config of the head says wins.

    The silhouette branch of D2A-HMR, as a part for other models.

    Example:
        >>> head = AuxiliarySilhouetteHead(
        ...     head=dict(type='mmpose.RLEHead', in_channels=16,
        ...               num_joints=17),
        ...     patch_embedding=dict(in_channels=16, embed_dims=32))
        >>> type(head.head).__name__, type(head.decoder).__name__
        ('RLEHead', 'SilhouetteDecoder')
    """

    def __init__(
        self,
        head: Config,
        patch_embedding: Config,
        decoder: Config | None = DECODER,
        loss: Config | None = LOSS,
        init_cfg: Config | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(init_cfg)
        self.head = MODELS.build(head, default_args=kwargs)
        self.patch_embedding: nn.Module | None = None
        if decoder is not None and loss is not None:
            self.patch_embedding = MODELS.build(
                patch_embedding, default_args=dict(type='mmd2a.PatchEmbedding')
            )
            self.decoder = MODELS.build(
                decoder,
                default_args=dict(
                    in_channels=patch_embedding['embed_dims'],
                    skip_channels=patch_embedding['in_channels'],
                ),
            )
            self.loss_silhouette = MODELS.build(loss)
        self.register_load_state_dict_pre_hook(_take_bare_head)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the head returns."""
        return self.head(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Return the predictions of the head."""
        return self.head.predict(*args, **kwargs)

    def loss(
        self,
        features: Sequence[Tensor],
        batch_data_samples: Sequence[BaseDataElement],
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, Tensor]:
        """Return the losses of the head and ``loss_silhouette``.

        Args:
            features: feature maps (B, C_i, h_i, w_i).
            batch_data_samples: B samples with labels.
        """
        losses = self.head.loss(features, batch_data_samples, *args, **kwargs)
        return {**losses, **self._loss(features, batch_data_samples)}

    def loss_and_predict(
        self,
        features: Sequence[Tensor],
        batch_data_samples: Sequence[BaseDataElement],
        *args: Any,
        **kwargs: Any,
    ) -> tuple[dict[str, Tensor], Any]:
        """Return both, as two-stage detectors ask of their first stage."""
        losses, predictions = self.head.loss_and_predict(
            features, batch_data_samples, *args, **kwargs
        )
        return {
            **losses,
            **self._loss(features, batch_data_samples),
        }, predictions

    def _loss(
        self, features: Sequence[Tensor], samples: Sequence[BaseDataElement]
    ) -> dict[str, Tensor]:
        if self.patch_embedding is None:
            return {}
        logits = self.decoder(self.patch_embedding(features), features)
        return dict(
            loss_silhouette=self.loss_silhouette(
                logits, *_stack_masks(samples, logits)
            )
        )


def _stack_masks(
    samples: Sequence[BaseDataElement], logits: Tensor
) -> tuple[Tensor, Tensor]:
    """Masks (B, 1, H, W), padded like the images, and who has one (B,)."""
    masks = [_person_mask(sample, logits.device) for sample in samples]
    shapes = [tuple(mask.shape) for mask in masks if mask is not None]
    shapes += [
        getattr(sample, 'batch_input_shape', (0, 0)) for sample in samples
    ]
    # With no mask at all the loss is 0, whatever the target's size.
    height, width = (max(max(sizes), 1) for sizes in zip(*shapes))
    target = logits.new_zeros(len(samples), 1, height, width)
    for i, mask in enumerate(masks):
        if mask is not None:
            # Batches are padded at the right and bottom.
            target[i, 0, : mask.shape[0], : mask.shape[1]] = mask
    weight = logits.new_tensor([float(mask is not None) for mask in masks])
    return target, weight


def _person_mask(
    sample: BaseDataElement, device: torch.device
) -> Tensor | None:
    """Union (H, W) of the masks of a sample, None where it has none."""
    masks = getattr(getattr(sample, 'gt_instances', None), 'masks', None)
    if masks is None:
        masks = getattr(getattr(sample, 'gt_fields', None), 'mask', None)
    if masks is None:
        return None
    if not isinstance(masks, Tensor):  # MMDetection's mask structures
        masks = masks.to_tensor(torch.float32, device)
    masks = masks.to(device, torch.float32)
    return masks.amax(0) if len(masks) else masks.new_zeros(masks.shape[1:])


def _take_bare_head(
    module: nn.Module, state: dict[str, Any], prefix: str, *_: Any
) -> None:
    """Move weights that the head saved when it was not wrapped."""
    own = module.state_dict()
    for key in [key for key in state if key.startswith(prefix)]:
        name = key[len(prefix) :]
        if name not in own and f'head.{name}' in own:
            state[f'{prefix}head.{name}'] = state.pop(key)
