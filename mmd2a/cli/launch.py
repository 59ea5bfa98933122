"""What the command line tools have in common.

A tool reads a config, changes it by its arguments, prepares the run and hands
it to MMEngine's runner; mistakes a user can make end in one readable line.
"""

import argparse
import logging
import os
import os.path as osp
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import torch
import torch.distributed as torch_dist
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmd2a.cli.brief import add_brief_argument, is_brief
from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.one_line import one_line
from mmd2a.cli.start import Start
from mmd2a.cli.tool_config import (
    UsageError,
    add_option_argument,
    check_packages,
    read_config,
)
from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.engine.checkpoint_loading import (
    load_every_parameter,
    restrict_checkpoint_loading,
)
from mmd2a.engine.distributed import (
    LAUNCHERS,
    setup_distributed,
    shutdown_distributed,
)
from mmd2a.engine.pretrained_init import require_pretrained_weights
from mmd2a.engine.progress_hook import ProgressHook
from mmd2a.engine.stopping import (
    Stopped,
    end_children,
    handle_stop_signals,
    requested_stop,
)
from mmd2a.weights import SCHEME, find_weights


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that every tool of the ecosystem has."""
    parser.add_argument(
        '--work-dir',
        help='folder for logs, checkpoints and results; by '
        'default work_dirs/ and the name of the config',
    )
    add_option_argument(parser)
    add_brief_argument(parser)
    parser.add_argument(
        '--launcher',
        choices=LAUNCHERS,
        default='none',
        help='who starts the processes of a distributed run',
    )
    # torch.distributed.launch passes it; torchrun uses the environment.
    parser.add_argument(
        '--local-rank',
        '--local_rank',
        type=int,
        default=0,
        help=argparse.SUPPRESS,
    )


def load_config(
    args: argparse.Namespace,
    translate: Callable[[Config], Config] | None = None,
) -> Config:
    """Read the config that the arguments name and apply them to it.

    Args:
        args: parsed arguments with ``config`` and those of
            :func:`add_run_arguments`.
        translate: makes a config of MMEngine of one in another format, after
            the arguments are applied; raises ``NotImplementedError`` for what
            it cannot.

    Raises:
        UsageError: as :func:`read_config`; or the config has settings that
            cannot be translated, or names a package that is not installed.
    """
    if args.launcher == 'pytorch':
        os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = read_config(args.config, args.cfg_options)
    cfg.work_dir = (
        args.work_dir
        or cfg.get('work_dir')
        or osp.join('work_dirs', Path(args.config).stem)
    )
    if translate is not None:
        try:
            cfg = translate(cfg)
        except NotImplementedError as error:
            raise UsageError(f'{args.config}: {error}') from error
    check_packages(cfg)
    return cfg


def build_runner(
    cfg: Config, launcher: str, start: Start | None = None
) -> Runner:
    """Start the distributed run, if it is one, and build the runner.

    Args:
        cfg: the config. ``runner_type`` may name a subclass of MMEngine's
            ``Runner``.
        launcher: who started the processes.
        start: the checkpoint to start from; None leaves it to the config.

    Raises:
        UsageError: the checkpoint that ``load_from`` names is not there, or
            the runner is of another kind.
    """
    if cfg.get('load_from') and start is None:
        cfg.load_from = checkpoint_address(cfg.load_from)
    kind = _kind_of_runner(cfg)
    restrict_checkpoint_loading()
    require_pretrained_weights()
    setup_distributed(cfg, launcher)
    runner = kind.from_cfg(cfg)
    if start is not None:
        start.apply(runner)
    if is_brief():
        runner.register_hook(ProgressHook())
    return runner


def forget_training(runner: Runner) -> None:
    """Have a runner that only tests build nothing of the training.

    MMEngine builds the training set when a hook asks for ``runner.iter``; it
    may be elsewhere, and takes its time. The config keeps it.
    """
    runner._train_loop = None
    runner._val_loop = None


def _kind_of_runner(cfg: Config) -> type[Runner]:
    kind = cfg.get('runner_type', 'Runner')
    if isinstance(kind, str):
        name = kind
        with RUNNERS.switch_scope_and_registry(
            cfg.get('default_scope')
        ) as registry:
            kind = registry.get(name)
        if kind is None:
            raise UsageError(
                f'the config has runner_type={name!r}, which is not '
                'registered: name its module in custom_imports, or leave '
                "runner_type out for MMEngine's Runner"
            )
    if not issubclass(kind, Runner):
        raise UsageError(
            f'the config has runner_type={kind.__name__!r}, which is no '
            'Runner of MMEngine; checkpoints, resuming and stopping here '
            'need one: leave runner_type out, or make it a subclass of Runner'
        )
    return kind


def require_every_parameter(runner: Runner) -> None:
    """Have the runner refuse a checkpoint that lacks parameters of its model.

    ``test`` then raises a ``CheckpointError``, see
    :func:`mmd2a.engine.checkpoint_loading.load_every_parameter`.
    """
    runner.register_hook(_EveryParameter())


class _EveryParameter(Hook):
    # Before hooks that take for granted that there are weights.
    priority = 'HIGHEST'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        name = str(runner._load_from)
        try:
            load_every_parameter(model, checkpoint, name)
        except CheckpointError as error:
            if not name.startswith(SCHEME):
                raise
            made_with = find_weights(name)[0].made_with
            raise CheckpointError(
                f'{error}. They were made with {made_with}'
            ) from error


def use_amp(cfg: Config) -> None:
    """Train in mixed precision: float16 on a GPU, bfloat16 on the CPU.

    Raises:
        UsageError: the config has an optimiser wrapper of another kind, or
            a model of mmpose that would train on the CPU.
    """
    wrapper = cfg.optim_wrapper
    if 'constructor' in wrapper and 'optimizer' not in wrapper:
        raise UsageError(
            '--amp is for models with one optimiser, but the '
            'config has an optimiser per module'
        )
    kind = wrapper.get('type', 'OptimWrapper')
    kind = getattr(kind, '__name__', kind)  # a class in a pure-Python config
    if kind in (
        'AmpOptimWrapper',
        'CPUAmpOptimWrapper',
        'mmd2a.CPUAmpOptimWrapper',
    ):
        return
    if kind != 'OptimWrapper':
        raise UsageError(
            f'--amp replaces OptimWrapper, but the config has '
            f'optim_wrapper.type={kind!r}'
        )
    if torch.cuda.is_available():
        wrapper.type = 'AmpOptimWrapper'
        wrapper.setdefault('loss_scale', 'dynamic')
    elif _is_of_mmpose(cfg):
        raise UsageError(
            '--amp on a CPU is bfloat16, which NumPy lacks, and heads of '
            'mmpose compute accuracies in NumPy: train without --amp on a '
            'CPU'
        )
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
            'auto_scale_lr=dict(base_batch_size=...)'
        )
    cfg.auto_scale_lr.enable = True


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool's main function; tell mistakes and stops in one line.

    Told are mistakes on the command line, in a config or in files, and what
    the system refuses; see :func:`mmd2a.cli.one_line.one_line`.
    Told to stop (Ctrl-C, SIGTERM, SIGUSR1), it ends the processes that it
    started and exits with 128 + n. Other errors keep their traceback.
    Processes part properly at the end.
    """
    try:
        with handle_stop_signals():
            _run_until_told(main)
    except Exception as error:
        line = one_line(error)
        if line is None:
            raise
        sys.exit(f'error: {line}')
    except Stopped as stop:
        _leave(stop)
    finally:
        if sys.exc_info()[0] is None:
            shutdown_distributed()


def _run_until_told(main: Callable[[], None]) -> None:
    try:
        main()
    except Exception as error:
        # Told to stop, other ranks and workers go as well, which looks like
        # a failure from here.
        signum = requested_stop()
        if signum is None:
            raise
        raise Stopped(signum) from error


def _leave(stop: Stopped) -> NoReturn:
    end_children()
    if is_main_process():
        sys.stderr.write(f'{stop}\n')
    if torch_dist.is_initialized():
        # Parting takes all ranks, which may be gone.
        sys.stdout.flush()
        sys.stderr.flush()
        logging.shutdown()
        os._exit(stop.exit_code)
    sys.exit(stop.exit_code)


def _is_of_mmpose(cfg: Config) -> bool:
    kind = cfg.get('model', {}).get('type', '')
    name = kind if isinstance(kind, str) else kind.__module__ + '.'
    scope = name.split('.')[0] if '.' in name else cfg.get('default_scope')
    return scope == 'mmpose'
