"""Parts of other packages, imported without the rest of their package.

A name such as ``mmpose.MobileNetV2`` makes MMEngine import every model, and by
way of them every data set and metric, of mmpose: a second, and six hundred
files, for one class of two hundred lines. Who only predicts needs that class.
"""

import ast
import importlib
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from mmengine.config import ConfigDict

from mmd2a.import_hooks import when_imported

__all__ = ['import_part', 'with_parts_imported']

_OURS = ('mmd2a', 'mmengine')
# Module names are a process's own, and stand-ins are for one import.
_IMPORTING = threading.RLock()


def with_parts_imported(cfg: Any) -> Any:
    """Put classes in place of the names of other packages' models.

    Args:
        cfg: of a model; left as it is.

    Returns:
        A copy, in which ``type='mmpose.MobileNetV2'`` is that class. Names
        that :func:`import_part` does not find stay: the registry has the last
        word.

    Example:
        >>> cfg = dict(backbone=dict(type='mmpose.MobileNetV2'))
        >>> with_parts_imported(cfg)['backbone']['type'].__name__
        'MobileNetV2'
    """
    if isinstance(cfg, Mapping):
        copy = {key: with_parts_imported(value) for key, value in cfg.items()}
        if isinstance(copy.get('type'), str):
            copy['type'] = import_part(copy['type']) or copy['type']
        return ConfigDict(copy) if isinstance(cfg, ConfigDict) else copy
    if isinstance(cfg, (list, tuple)):
        return type(cfg)(with_parts_imported(value) for value in cfg)
    return cfg


def import_part(name: str) -> type | None:
    """Import the module of one model of another package, and no other.

    The packages on the way say by ``from .mobilenet_v2 import MobileNetV2``
    which module has it; they are read, not run. Run they are when somebody
    imports them: nothing of them stays behind here.

    Args:
        name: ``PACKAGE.CLASS``, as in a config.

    Returns:
        The class; None if it is ours, is not found, or its module needs the
        rest of its package.

    Example:
        >>> import_part('mmpose.HRNet').__module__
        'mmpose.models.backbones.hrnet'
        >>> import_part('mmd2a.D2AHMR') is import_part('absent.Part') is None
        True
    """
    scope, _, part = name.partition('.')
    if not part.isidentifier() or scope in _OURS:
        return None
    with _IMPORTING:
        try:
            registry = importlib.import_module(f'{scope}.registry').MODELS
            for location in registry._locations:
                module = _module_of(location, part)
                if module is not None:
                    with _packages_not_run(module):
                        return getattr(importlib.import_module(module), part)
        except (AttributeError, ImportError, OSError, SyntaxError):
            pass  # Importing all of it says what is wrong.
    return None


def _module_of(package: str, name: str) -> str | None:
    """The module that a package takes a name from, by its import lines."""
    folder = _folder(package)
    if folder is None:
        return None
    for node in ast.parse((folder / '__init__.py').read_text()).body:
        if not isinstance(node, ast.ImportFrom) or node.level != 1:
            continue
        module = f'{package}.{node.module}'
        names = {alias.asname or alias.name for alias in node.names}
        is_file = (folder / f'{node.module}.py').is_file()
        if name in names and is_file:
            return module
        if {name, '*'} & names and not is_file:
            found = _module_of(module, name)
            if found is not None:
                return found
    return None


def _folder(package: str) -> Path | None:
    top, *below = package.split('.')
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0], *below)
    return folder if (folder / '__init__.py').is_file() else None


@contextmanager
def _packages_not_run(module: str) -> Iterator[None]:
    """Have packages above a module stand there without their content."""
    names = module.split('.')[:-1]
    packages = ['.'.join(names[: i + 1]) for i in range(1, len(names))]
    stand_ins: dict[str, ModuleType] = {}
    for package in packages:
        if package not in sys.modules:
            stand_ins[package] = sys.modules[package] = _empty(package)
    try:
        yield
    finally:
        for package, stand_in in stand_ins.items():
            if sys.modules.get(package) is stand_in:
                del sys.modules[package]
            when_imported(package, _bind_modules)


def _bind_modules(package: ModuleType) -> None:
    """Make modules that came before their package attributes of it."""
    prefix = f'{package.__name__}.'
    for name, module in tuple(sys.modules.items()):
        attribute = name.removeprefix(prefix)
        if name.startswith(prefix) and '.' not in attribute:
            if not hasattr(package, attribute):
                setattr(package, attribute, module)


def _empty(package: str) -> ModuleType:
    spec = ModuleSpec(package, None, is_package=True)
    spec.submodule_search_locations = [str(_folder(package))]
    return module_from_spec(spec)
