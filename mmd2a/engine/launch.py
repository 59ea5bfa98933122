"""What the command line tools have in common.

A tool reads a config, changes it by its arguments, prepares the run and hands
it to MMEngine's runner; mistakes a user can make end in one readable line.
"""
import argparse
import difflib
import importlib.util
import os
import os.path as osp
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, DictAction
from mmengine.runner import Runner, find_latest_checkpoint

from mmd2a.engine.distributed import (
    LAUNCHERS,
    LauncherError,
    setup_distributed,
    shutdown_distributed,
)

# Per package the set of our script that installs it, because its own
# requirements cannot be met, and those of them that it imports all the same.
_ECOSYSTEM = {
    'mmpose': ('runtime', ('mmdet', 'munkres', 'six', 'xtcocotools')),
    'mmdet': ('full', ('pycocotools', 'shapely', 'six', 'terminaltables')),
    'mmpretrain': ('full', ('einops', 'importlib_metadata', 'modelindex',
                            'torchvision')),
    'mmhuman3d': ('full', ('einops', )),
}


class UsageError(Exception):
    """A mistake on the command line or in a config, told in one line."""


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that every tool of the ecosystem has."""
    parser.add_argument(
        '--work-dir', help='folder for logs, checkpoints and results; by '
        'default work_dirs/ and the name of the config')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={},
        metavar='KEY=VALUE', help='change settings of the config, e.g. '
        'train_cfg.max_epochs=5 or model.encoder.depth=2; lists as '
        'key="[a,b]"')
    parser.add_argument(
        '--launcher', choices=LAUNCHERS, default='none',
        help='who starts the processes of a distributed run')
    # torch.distributed.launch passes it; torchrun uses the environment.
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0,
                        help=argparse.SUPPRESS)


def load_config(args: argparse.Namespace,
                translate: Callable[[Config], Config] | None = None
                ) -> Config:
    """Read the config that the arguments name and apply them to it.

    Args:
        args: parsed arguments with ``config`` and those of
            :func:`add_run_arguments`.
        translate: makes a config of MMEngine of one in another format, after
            the arguments are applied; raises ``NotImplementedError`` for what
            it cannot.

    Raises:
        UsageError: the file is not there, is no config, has settings that
            cannot be translated, or names a package that is not installed.
    """
    if args.launcher == 'pytorch':
        os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = _read_config(args.config)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs', Path(args.config).stem)
    cfg.merge_from_dict(args.cfg_options)
    if translate is not None:
        try:
            cfg = translate(cfg)
        except NotImplementedError as error:
            raise UsageError(f'{args.config}: {error}') from error
    check_packages(cfg)
    return cfg


def check_packages(cfg: Config) -> None:
    """Check that the packages whose parts a config names are installed.

    Raises:
        UsageError: naming the part and the command that installs it.
    """
    # Names without a prefix are looked up in the default scope.
    scope = cfg.get('default_scope') or 'mmengine'
    for name in (scope, *_type_names(cfg.to_dict())):
        package = name.split('.')[0]
        if package not in _ECOSYSTEM:
            continue
        packages, needed = _ECOSYSTEM[package]
        for module in (package, *needed):
            if importlib.util.find_spec(module) is None:
                why = f', which {package} needs,' if module in needed else ''
                raise UsageError(
                    f'the config uses {name}, but {module}{why} is not '
                    f'installed. Install it with `bash tools/install.sh '
                    f'{packages}` (not with pip alone, which would pull in '
                    'packages that do not build).')


def build_runner(cfg: Config, launcher: str) -> Runner:
    """Start the distributed run, if it is one, and build the runner."""
    setup_distributed(cfg, launcher)
    return Runner.from_cfg(cfg)


def use_amp(cfg: Config) -> None:
    """Train in mixed precision: float16 on a GPU, bfloat16 on the CPU.

    Raises:
        UsageError: the config has an optimiser wrapper of another kind.
    """
    wrapper = cfg.optim_wrapper
    if 'constructor' in wrapper and 'optimizer' not in wrapper:
        raise UsageError('--amp is for models with one optimiser, but the '
                         'config has an optimiser per module')
    kind = wrapper.get('type', 'OptimWrapper')
    kind = getattr(kind, '__name__', kind)  # a class in a pure-Python config
    if kind in ('AmpOptimWrapper', 'CPUAmpOptimWrapper',
                'mmd2a.CPUAmpOptimWrapper'):
        return
    if kind != 'OptimWrapper':
        raise UsageError(f'--amp replaces OptimWrapper, but the config has '
                         f'optim_wrapper.type={kind!r}')
    if torch.cuda.is_available():
        wrapper.type = 'AmpOptimWrapper'
        wrapper.setdefault('loss_scale', 'dynamic')
    else:
        wrapper.type = 'mmd2a.CPUAmpOptimWrapper'


def scale_lr(cfg: Config) -> None:
    """Let MMEngine scale the learning rate to the total batch size.

    Raises:
        UsageError: the config does not say what its rate was chosen for.
    """
    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise UsageError(
            '--auto-scale-lr needs to know the batch size that the learning '
            'rate of the config is for: add '
            'auto_scale_lr=dict(base_batch_size=...)')
    cfg.auto_scale_lr.enable = True


def resume_from(cfg: Config, checkpoint: str) -> None:
    """Continue a training: from a file, or ``'auto'``, from the latest.

    With ``'auto'`` and nothing to continue from, training starts anew. A work
    folder that was moved is understood.

    Raises:
        UsageError: the named checkpoint is not there.
    """
    cfg.resume = True
    if checkpoint != 'auto':
        _check_file(checkpoint)
        cfg.load_from = checkpoint
        return
    latest = find_latest_checkpoint(cfg.work_dir)
    if latest and not osp.isfile(latest) and '://' not in latest:
        latest = osp.join(cfg.work_dir, osp.basename(latest))
        if not osp.isfile(latest):
            raise UsageError(
                f'{cfg.work_dir}/last_checkpoint names a checkpoint that is '
                'gone. Resume from one that is there with --resume PATH, or '
                'start in another --work-dir')
    cfg.load_from = latest
    cfg.resume = bool(latest)


def load_weights(cfg: Config, checkpoint: str) -> None:
    """Take the weights from a checkpoint, and nothing else.

    Raises:
        UsageError: the named checkpoint is not there.
    """
    _check_file(checkpoint)
    cfg.load_from = checkpoint
    cfg.resume = False


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool's main function; tell usage errors in one line.

    Other errors keep their traceback. Processes part properly at the end.
    """
    try:
        main()
    except (UsageError, LauncherError) as error:
        sys.exit(f'error: {error}')
    finally:
        if sys.exc_info()[0] is None:
            shutdown_distributed()


def _read_config(path: str) -> Config:
    if not osp.isfile(path):
        folder = Path(path).parent
        known = [str(file) for place in {folder, Path('configs')}
                 for file in place.glob('*.py')]
        near = difflib.get_close_matches(path, known, n=1, cutoff=0.5)
        hint = (f'; did you mean {near[0]}?' if near
                else '; the configs of this package are in configs/')
        raise UsageError(f'there is no config {path}{hint}')
    try:
        return Config.fromfile(path)
    except (OSError, SyntaxError) as error:
        raise UsageError(f'{path} cannot be read as a config: {error}'
                         ) from error


def _check_file(checkpoint: str) -> None:
    if '://' not in checkpoint and not osp.isfile(checkpoint):
        raise UsageError(f'there is no checkpoint {checkpoint}')


def _type_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get('type'), str):
            yield value['type']
        for child in value.values():
            yield from _type_names(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _type_names(child)
