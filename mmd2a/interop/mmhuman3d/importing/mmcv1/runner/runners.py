"""``mmcv.runner``'s runners: names to subclass, none that runs."""

from typing import Any, NoReturn

from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.retired import (
    Retired,
    refuse,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.utils import Registry

RUNNERS = Registry('runner', scope='mmcv')
RUNNER_BUILDERS = Registry('runner builder', scope='mmcv')


class BaseRunner(Retired):
    """Was the base of runners; now ``mmengine.runner.Runner``."""


@RUNNERS.register_module()
class EpochBasedRunner(BaseRunner):
    """Trained epochs; now ``train_cfg=dict(by_epoch=True)``."""


@RUNNERS.register_module()
class IterBasedRunner(BaseRunner):
    """Trained iterations; now ``train_cfg=dict(by_epoch=False)``."""


def build_runner(
    cfg: dict, default_args: dict | None = None, **kwargs: Any
) -> NoReturn:
    """Made a runner; now ``mmengine.runner.Runner.from_cfg``.

    Raises:
        NotImplementedError: always.
    """
    refuse(f'{cfg.get("type", "build_runner")}, asked for by build_runner,')


# As mmcv 1.x was first to call it.
Runner = EpochBasedRunner
