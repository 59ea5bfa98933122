"""What the estimators of meshes have in common, whatever their network."""

import logging
from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor

from mmd2a.body_models import SMPLBodyModel
from mmd2a.structures import BodyDataSample

Config = dict[str, Any]


class MeshEstimator(BaseModel):
    """Answer in three modes, keep parts as they are, fill predictions.

    A subclass has an ``objective`` and tells ``_tensor`` (inputs to raw
    outputs), ``_loss`` (raw outputs and labels to terms) and ``_fields`` (raw
    outputs to the fields of ``pred``).

    Args:
        data_preprocessor: config of the data preprocessor; None: inputs come
            as the network takes them.
        init_cfg: as in :class:`mmengine.model.BaseModule`.
    """

    objective: Any

    def __init__(
        self,
        data_preprocessor: Config | None = None,
        init_cfg: Config | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.frozen: tuple[str, ...] = ()

    @property
    def body_model(self) -> SMPLBodyModel:
        """The body of the objective."""
        return self.objective.body_model

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[BodyDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run the network.

        Args:
            inputs: what :class:`BodyDataPreprocessor` gives: ``img``
                (B, 3, H, W) and, for a model that takes depth, ``depth``
                (B, 2, H, W) and ``has_depth`` (B,).
            data_samples: labels (``mode='loss'``) or the samples that
                predictions are added to (``mode='predict'``).
            mode: ``'tensor'`` | ``'loss'`` | ``'predict'``.

        Returns:
            A dict of raw outputs, a dict of losses, or the data samples with
            ``pred`` filled.

        Raises:
            ValueError: crops that are not square, labels that are missing.
        """
        _require_square(inputs['img'])
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

    def train(self, mode: bool = True) -> 'MeshEstimator':
        """Set the mode of all parts but the frozen ones."""
        super().train(mode)
        for name in self.frozen:
            getattr(self, name).eval()
        return self

    def _tensor(self, inputs: dict[str, Tensor]) -> dict[str, Any]:
        """Inputs -> raw outputs."""
        raise NotImplementedError

    def _loss(
        self, output: dict[str, Any], data_samples: list[BodyDataSample]
    ) -> dict[str, Tensor]:
        """Raw outputs and labels -> terms."""
        raise NotImplementedError

    def _fields(self, output: dict[str, Any]) -> dict[str, Tensor]:
        """Raw outputs -> fields of ``pred``, (B, ...)."""
        raise NotImplementedError

    def _predict(
        self, output: dict[str, Any], data_samples: list[BodyDataSample]
    ) -> list[BodyDataSample]:
        """Fill ``pred`` of every sample."""
        fields = self._fields(output)
        for index, sample in enumerate(data_samples):
            sample.pred = BaseDataElement(
                **{key: value[index].detach() for key, value in fields.items()}
            )
        return data_samples

    def _freeze_what_no_term_reaches(self, trained: dict[str, bool]) -> None:
        """Keep what is off out of the optimiser's and DDP's hands.

        Args:
            trained: whether any term trains the part of that name.
        """
        for name, is_trained in trained.items():
            part = getattr(self, name)
            if part is not None and not is_trained:
                part.requires_grad_(False)
                print_log(
                    f'model.{name} is frozen: every loss that trains it is '
                    'None',
                    logger='current',
                    level=logging.WARNING,
                )

    def _freeze(self, frozen: Sequence[str]) -> None:
        """Check ``frozen``, and take the gradients of these parts."""
        parts = {
            name
            for name, part in self.named_children()
            if any(True for _ in part.parameters())
        }
        self.frozen = tuple(frozen)
        unknown = [name for name in self.frozen if name not in parts]
        if unknown:
            raise ValueError(
                f'frozen={self.frozen}: {", ".join(unknown)} is no part of '
                f'this model that learns; it has {", ".join(sorted(parts))}'
            )
        for name in self.frozen:
            getattr(self, name).requires_grad_(False)
        # Backbones with frozen_stages freeze them when told to train, which
        # is after a distributed wrapper has noted who gets gradients.
        self.train(self.training)
        if not any(each.requires_grad for each in self.parameters()):
            raise ValueError(f'frozen={self.frozen} leaves nothing to train')


def require_depth(inputs: dict[str, Tensor], part: str, without: str) -> None:
    """Say that a part of the model needs depth, and how to do without.

    Raises:
        ValueError: the batch has no depth.

    Example:
        >>> require_depth({}, 'a depth_branch', 'depth_branch=None')
        Traceback (most recent call last):
        ValueError: this model has a depth_branch but the batch has no depth:
        load it (LoadFrame(with_depth=True)) or set model.depth_branch=None
    """
    if 'depth' not in inputs:
        raise ValueError(
            f'this model has {part} but the batch has no depth:'
            ' load it (LoadFrame(with_depth=True)) or set'
            f' model.{without}'
        )


def _require_square(crops: Tensor) -> None:
    """Say what to set where crops are not square."""
    height, width = crops.shape[-2:]
    if height != width:
        raise ValueError(
            f'got crops of {height} x {width}: a weak-perspective camera'
            ' has one scale for both axes of crop coordinates, so crops'
            ' must be square; set PersonCrop(size=...) to one number'
        )
