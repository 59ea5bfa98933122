"""Let a CUDA build of torchvision be imported next to a CPU build of torch.

PyPI's torchvision is built for CUDA. On a CPU torch its compiled part does
not load, which torchvision tolerates, except that it describes two operators
(``nms`` and ``qnms``) to ``torch.library`` that then do not exist:
``RuntimeError: operator torchvision::nms does not exist``. Declaring the two,
without an implementation, is enough for models, transforms and utilities.
"""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_TRIGGER = 'torchvision._meta_registrations'
_SCHEMAS = (
    'nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
    'qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
)
# A torch.library.Library withdraws its declarations when it is collected.
_declared: list = []


class _SchemaDeclarer(MetaPathFinder):
    """Acts just before torchvision describes its operators; finds nothing.

    ``torchvision`` imports ``extension``, which tries to load the compiled
    part, before the module looked for here, so what is missing is known.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname == _TRIGGER and not _declared:
            extension = sys.modules.get('torchvision.extension')
            if extension is not None and not extension._has_ops():
                _declare()
        return None


def _declare() -> None:
    import torch

    library = torch.library.Library('torchvision', 'FRAGMENT')
    for schema in _SCHEMAS:
        library.define(schema)
    _declared.append(library)


def activate() -> None:
    """Declare the two operators when torchvision is imported without them."""
    if not any(isinstance(f, _SchemaDeclarer) for f in sys.meta_path):
        sys.meta_path.insert(0, _SchemaDeclarer())


def describe() -> str:
    """Say whether torchvision's compiled operators are there, and why."""
    if importlib.util.find_spec('torchvision') is None:
        return 'torchvision is not installed'
    if _declared:
        return (
            'stand-in active: compiled part of torchvision does not fit '
            'this torch'
        )
    if 'torchvision' not in sys.modules:
        return 'not needed so far: torchvision has not been imported'
    return 'inert: torchvision has its compiled operators'
