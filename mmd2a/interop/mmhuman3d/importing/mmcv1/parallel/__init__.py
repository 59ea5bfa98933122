"""``mmcv.parallel``: batches of containers, and models that unpack them."""

from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.collate import collate
from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.data_container import (
    DataContainer,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.data_parallel import (
    MMDataParallel,
    MMDistributedDataParallel,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.registry import (
    MODULE_WRAPPERS,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.scatter_gather import (
    scatter,
    scatter_kwargs,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.utils import (
    is_module_wrapper,
)

__all__ = [
    'MODULE_WRAPPERS',
    'DataContainer',
    'MMDataParallel',
    'MMDistributedDataParallel',
    'collate',
    'is_module_wrapper',
    'scatter',
    'scatter_kwargs',
]
