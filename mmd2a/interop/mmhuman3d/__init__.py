"""Run MMHuman3D, written for mmcv 1.x, under MMEngine and mmcv 2.x.

Nothing is installed over or patched. Modules of MMHuman3D, and only they,
find when they import ``mmcv`` a view of mmcv 2 and MMEngine by the names of
mmcv 1.x, and stand-ins for libraries that are absent. Everybody else in the
process goes on seeing what is installed.

- ``importing``: who finds MMHuman3D's modules, and what they find
- ``settings``: its configs as configs of MMEngine's runner
- ``running``: its data sets, architectures and metrics in that runner
- ``d2a``: what D2A-HMR adds to its estimator
- ``registered_parts``: what configs name of all this

The bridge waits until ``mmhuman3d`` is imported, or something is looked up by
``type='mmhuman3d.X'``, and is inert where mmcv itself is 1.x.
"""

from typing import Any

from mmd2a.interop.mmhuman3d.importing.finder import (
    activate,
    describe,
    extend_to,
)

__all__ = [
    'activate',
    'describe',
    'extend_to',
    'is_mmhuman3d_config',
    'translate_config',
]


def __getattr__(name: str) -> Any:
    # These need MMEngine, which `import mmd2a` does without.
    if name in ('is_mmhuman3d_config', 'translate_config'):
        from mmd2a.interop.mmhuman3d.settings import translation

        return getattr(translation, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
