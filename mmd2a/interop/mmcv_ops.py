"""Let packages import ``mmcv.ops`` where mmcv has no compiled operators.

mmcv-lite has every Python module of mmcv but not ``mmcv._ext``, the compiled
one, so ``import mmcv.ops`` fails, and with it ``import mmpose.models``, which
needs it for two heads only. A stand-in lets the import pass; what needs a
compiled operator says so when it is called.
"""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

_EXTENSION = 'mmcv._ext'
#: The commands that put the full mmcv in the place of mmcv-lite. Without its
#: dependencies: pip would pull in others than the ones that are there.
FULL_MMCV = (
    'pip uninstall --yes mmcv-lite',
    'pip install ninja',
    "CFLAGS='-g0 -O1' MMCV_WITH_OPS=1 MAX_JOBS=2 "
    'pip install --no-build-isolation --no-deps mmcv==2.1.0',
)


class _StandInExtension(ModuleType):
    """Has every operator by name; each raises when it is called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)

        def missing_operator(*args: Any, **kwargs: Any) -> NoReturn:
            raise NotImplementedError(
                f'the compiled operator {name!r} of mmcv was called, but the '
                'installed mmcv has none (mmcv-lite). Replace it by a full '
                'mmcv (compiles for 10 to 25 minutes, needs a C++ compiler; '
                f'see docs/install.md): `{" && ".join(FULL_MMCV)}`'
            )

        missing_operator.__name__ = name
        return missing_operator


class _StandInLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandInExtension(spec.name, 'Stand-in for compiled operators.')

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


class _ExtensionFinder(MetaPathFinder):
    """Finds ``mmcv._ext`` when nobody else does: it stands last in line."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != _EXTENSION:
            return None
        return ModuleSpec(fullname, _StandInLoader(), origin='mmd2a.interop')


def activate() -> None:
    """Offer the stand-in to imports to come; a real extension always wins."""
    if not any(isinstance(f, _ExtensionFinder) for f in sys.meta_path):
        sys.meta_path.append(_ExtensionFinder())


def describe() -> str:
    """Say which compiled operators mmcv has, and why."""
    if importlib.util.find_spec('mmcv') is None:
        return 'mmcv is not installed'
    spec = importlib.util.find_spec(_EXTENSION)
    if spec is None:
        return 'no compiled operators (mmcv-lite); stand-in not active'
    if isinstance(spec.loader, _StandInLoader):
        return 'stand-in active: mmcv-lite has no compiled operators'
    return 'inert: mmcv has its compiled operators'
