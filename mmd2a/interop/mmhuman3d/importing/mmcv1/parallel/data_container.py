"""``mmcv.parallel.data_container``: a field that knows how to be batched."""

from typing import Any

from torch import Tensor

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in

__getattr__ = found_in(__name__)


class DataContainer:
    """Data that says itself how samples become a batch.

    Args:
        data: a tensor, or anything.
        stack: stack tensors; otherwise a batch is a list.
        padding_value: fills tensors up to the size of the largest.
        cpu_only: keep as it is, for what is no tensor.
        pad_dims: how many of the last dimensions may differ in size, None
            for none.

    Example:
        >>> DataContainer(torch.zeros(3, 4), stack=True)
        DataContainer(tensor([[0., 0., 0., 0.],
                [0., 0., 0., 0.],
                [0., 0., 0., 0.]]))
    """

    def __init__(
        self,
        data: Any,
        stack: bool = False,
        padding_value: float = 0,
        cpu_only: bool = False,
        pad_dims: int | None = 2,
    ) -> None:
        if pad_dims not in (None, 1, 2, 3):
            raise ValueError(f'pad_dims must be 1, 2, 3 or None: {pad_dims}')
        self._data = data
        self._stack = stack
        self._padding_value = padding_value
        self._cpu_only = cpu_only
        self._pad_dims = pad_dims

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.data!r})'

    def __len__(self) -> int:
        return len(self.data)

    @property
    def data(self) -> Any:
        """What is contained."""
        return self._data

    @property
    def datatype(self) -> Any:
        """Type of what is contained; a string for tensors."""
        if isinstance(self.data, Tensor):
            return self.data.type()
        return type(self.data)

    @property
    def stack(self) -> bool:
        """Whether tensors are stacked."""
        return self._stack

    @property
    def padding_value(self) -> float:
        """What smaller tensors are filled with."""
        return self._padding_value

    @property
    def cpu_only(self) -> bool:
        """Whether it stays as it is, on no device."""
        return self._cpu_only

    @property
    def pad_dims(self) -> int | None:
        """How many of the last dimensions may differ in size."""
        return self._pad_dims

    def size(self, *args: Any) -> Any:
        """Size of the tensor contained."""
        return self._tensor().size(*args)

    def dim(self) -> int:
        """Number of dimensions of the tensor contained."""
        return self._tensor().dim()

    def _tensor(self) -> Tensor:
        if not isinstance(self.data, Tensor):
            raise AttributeError(
                f'only tensors have a size, and this DataContainer holds a '
                f'{type(self.data).__name__}'
            )
        return self.data
