"""A model with tensors in and tensors out, for exporters."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

__all__ = ['DTYPES', 'ExportedMesh']

#: What convolutions and attention are computed in.
DTYPES = dict(fp32=torch.float32, fp16=torch.float16, bf16=torch.bfloat16)

# Nearly all of the arithmetic. Meshes, cameras and sigma stay in float32: a
# metre in bfloat16 is rounded to 4 mm.
_PARTS = ('backbone', 'patch_embedding', 'encoder')
# Not told of a single mesh, or the mesh once more.
_LEFT_OUT = ('coarse_vertices',)


class ExportedMesh(nn.Module):
    """Crops in, a fixed row of named fields out.

    B: batch, (S, S): size of the crops.

    Args:
        model: estimator in evaluation mode; its parts are changed in place if
            ``dtype`` is not float32.
        size: S.
        dtype: what backbone, tokens and encoder are computed in; inputs and
            outputs are float32.

    Attributes:
        input_names: ``img`` and, of a model that takes depth, ``depth`` and
            ``has_depth``.
        output_names: fields of the model, in the order of the outputs.

    Example:
        >>> from mmd2a.apis import get_model
        >>> mesh = ExportedMesh(get_model('mmd2a::d2a_hmr_mobilenet-v2'), 128)
        >>> fields = dict(zip(mesh.output_names, mesh(*mesh.draw(2))))
        >>> fields['vertices'].shape
        torch.Size([2, 6907, 3])
    """

    def __init__(
        self,
        model: nn.Module,
        size: int,
        dtype: torch.dtype = torch.float32,
        with_depth: bool = True,
    ) -> None:
        super().__init__()
        self.model: Any = model
        self.size = size
        names = ('img', 'depth', 'has_depth')
        self.input_names = names if with_depth else names[:1]
        if dtype != torch.float32:
            for name in _PARTS:
                part = getattr(model, name, None)
                if part is not None:
                    _compute_in(part, dtype)
        self.output_names: tuple[str, ...] = ()
        with torch.no_grad():
            self.output_names = tuple(self._fields(*self.draw(1)))

    def draw(self, batch: int) -> tuple[Tensor, ...]:
        """Random inputs of a batch, half of them with depth."""
        generator = torch.Generator().manual_seed(batch)
        shape = (batch, 3, self.size, self.size)
        img = torch.randn(shape, generator=generator)
        if len(self.input_names) == 1:
            return (img,)
        has_depth = (torch.arange(batch) % 2).float()
        depth = torch.randn(shape, generator=generator)[:, :2]
        depth[:, 1] = (depth[:, 1] > 0).float()
        depth = depth * depth[:, 1:] * has_depth[:, None, None, None]
        return img, depth, has_depth

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Answer a batch.

        Args:
            *inputs: ``img`` (B, 3, S, S) RGB, normalised; ``depth``
                (B, 2, S, S), value and validity as the preprocessor gives
                them, and ``has_depth`` (B,), 1 for crops that have any.

        Returns:
            The fields of ``output_names``, (B, ...) float32.
        """
        fields = self._fields(*inputs)
        return tuple(fields[name] for name in self.output_names)

    def _fields(self, *inputs: Tensor) -> dict[str, Tensor]:
        output = self.model(dict(zip(self.input_names, inputs)))
        return {
            name: value.float()
            for name, value in self.model._fields(output).items()
            if name not in _LEFT_OUT
        }


def _compute_in(part: nn.Module, dtype: torch.dtype) -> None:
    """Have a part compute in a type, and take and give float32."""

    def narrow(module: nn.Module, args: Any) -> Any:
        return _to(args, dtype)

    def widen(module: nn.Module, args: Any, output: Any) -> Any:
        return _to(output, torch.float32)

    part.to(dtype)
    part.register_forward_pre_hook(narrow)
    part.register_forward_hook(widen)


def _to(values: Any, dtype: torch.dtype) -> Any:
    return tree_map_only(
        Tensor,
        lambda value: value.to(dtype) if value.is_floating_point() else value,
        values,
    )
