"""``mmcv.runner.base_module``: modules that initialise their weights."""

from mmengine.model import BaseModule, ModuleDict, ModuleList, Sequential

__all__ = ['BaseModule', 'ModuleDict', 'ModuleList', 'Sequential']
