"""The config of a command line tool, and mistakes in it told in one line."""

import argparse
import difflib
import importlib.util
import inspect
import os.path as osp
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.hub import get_config
from mmengine.runner import Runner

from mmd2a.body_models import BodyMismatchError, share_body
from mmd2a.cli.config_files import read_config_file
from mmd2a.cli.option_values import is_config_value, parse_config_value
from mmd2a.files import UnusableFileError

# Per package the set of our script that installs it, because its own
# requirements cannot be met, and those of them that it imports all the same.
_ECOSYSTEM = {
    'mmpose': ('runtime', ('mmdet', 'munkres', 'six', 'xtcocotools')),
    'mmdet': ('full', ('pycocotools', 'shapely', 'six', 'terminaltables')),
    'mmpretrain': (
        'full',
        ('einops', 'importlib_metadata', 'modelindex', 'torchvision'),
    ),
    'mmhuman3d': ('full', ('einops',)),
}
# What MMEngine needs to write a log elsewhere than into files.
_LOGGERS = {
    'TensorboardVisBackend': 'tensorboard',
    'WandbVisBackend': 'wandb',
    'MLflowVisBackend': 'mlflow',
    'ClearMLVisBackend': 'clearml',
    'NeptuneVisBackend': 'neptune',
    'DVCLiveVisBackend': 'dvclive',
    'AimVisBackend': 'aim',
}
# What a run takes from its config, and what each is called.
_NEEDED = {
    'train': dict(
        model='model',
        train_dataloader='training data',
        optim_wrapper='optimiser',
        train_cfg='training loop',
    ),
    'test': dict(
        model='model',
        test_dataloader='test data',
        test_evaluator='evaluator',
        test_cfg='test loop',
    ),
}


class UsageError(Exception):
    """A mistake on the command line or in a config, told in one line."""


class _OptionAction(DictAction):
    """``DictAction`` that reads dicts, and tells mistakes in one line."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        for value in values:
            if '=' not in value:
                raise UsageError(
                    f'{option_string} {value}: options are '
                    f'KEY=VALUE, such as {value}=None'
                )
        dicts = [v for v in values if is_config_value(v.split('=', 1)[1])]
        others = [value for value in values if value not in dicts]
        try:
            super().__call__(parser, namespace, others, option_string)
            for key, _, text in (value.partition('=') for value in dicts):
                getattr(namespace, self.dest)[key] = parse_config_value(text)
        except (AssertionError, ValueError) as error:
            raise UsageError(f'{option_string}: {error}') from error


def add_option_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``, which changes settings of the config."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=_OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='change settings of the config, e.g. '
        'train_cfg.max_epochs=5 or model.encoder.depth=2; lists as '
        'key="[a,b]", parts as key="dict(type=\'name\')"',
    )


def read_config(config: str, options: dict[str, Any]) -> Config:
    """Read a config, change it by ``--cfg-options``, share its body.

    Args:
        config: a file, or a name such as ``mmd2a::d2a_hmr/d2a_hmr_hrnet.py``.
        options: values by their dotted names.

    Raises:
        UsageError: the file is not there or is no config, an option does not
            fit it, or its parts name different bodies.
    """
    if '::' in config:
        cfg = _read_named_config(config)
    else:
        cfg = _read_config_file(config)
    for option in options:
        _check_option(cfg, option)
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError) as error:  # options that contradict others
        raise UsageError(
            f'--cfg-options do not fit each other: {error}'
        ) from error
    try:
        share_body(cfg)
    except BodyMismatchError as error:
        raise UsageError(f'{config}: {error}') from error
    return cfg


def require_parts(cfg: Config, run: str) -> None:
    """Check that a config has what a run needs.

    Args:
        cfg: the config.
        run: ``train`` or ``test``.

    Raises:
        UsageError: naming what it lacks.
    """
    for key, name in _NEEDED[run].items():
        if cfg.get(key) is None:
            raise UsageError(
                f'the config has no {name}: `{key}` is not set. Whole configs '
                'are in configs/d2a_hmr and configs/mix; those in '
                'configs/_base_ are pieces of them'
            )


def check_packages(cfg: Config) -> None:
    """Check that the packages that a config makes use of are installed.

    Raises:
        UsageError: naming the part and the command that installs it.
    """
    # Names without a prefix are looked up in the default scope.
    scope = cfg.get('default_scope') or 'mmengine'
    for name in (scope, *_type_names(cfg.to_dict())):
        package, *_, kind = name.split('.') * 2
        logger = _LOGGERS.get(kind)
        if logger is not None and importlib.util.find_spec(logger) is None:
            raise UsageError(
                f'the config logs to {name}, but {logger} is not installed. '
                f'Install it with `pip install {logger}`, or log to files '
                'alone with --cfg-options visualizer.vis_backends='
                "\"[{'type': 'LocalVisBackend'}]\""
            )
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
                    'packages that do not build).'
                )


def check_file(path: str, what: str) -> None:
    """Check that a file is there; addresses on the net are not tried.

    Args:
        path: the file.
        what: what it is, for the message.

    Raises:
        UsageError: naming the file.

    Example:
        >>> check_file('https://example.com/model.pth', 'checkpoint')
    """
    if '://' not in path and not osp.isfile(osp.expanduser(path)):
        raise UsageError(f'there is no {what} {path}')


def _read_config_file(path: str) -> Config:
    if not osp.isfile(path):
        folder = Path(path).parent
        known = [
            str(file)
            for place in {folder, Path('configs')}
            for file in place.glob('*.py')
        ]
        near = difflib.get_close_matches(path, known, n=1, cutoff=0.5)
        hint = (
            f'; did you mean {near[0]}?'
            if near
            else '; name another, the configs of this package are in configs/'
        )
        raise UsageError(f'there is no config {path}{hint}')
    try:
        return read_config_file(path)
    except UnusableFileError as error:
        raise UsageError(str(error)) from error


def _read_named_config(name: str) -> Config:
    package = name.split('::')[0]
    # MMEngine would try to install a package that is not there.
    if not package.isidentifier() or importlib.util.find_spec(package) is None:
        raise UsageError(
            f'there is no config {name}: {package} is not installed'
        )
    try:
        return get_config(name)
    except (AssertionError, OSError, ValueError) as error:
        raise UsageError(
            f'there is no config {name}; names are PACKAGE::FOLDER/FILE.py, '
            'such as mmd2a::d2a_hmr/d2a_hmr_hrnet.py'
        ) from error


def _check_option(cfg: Config, option: str) -> None:
    """Follow a dotted name into a config as far as it is there."""
    value: Any = cfg
    path = ''
    for part in option.split('.'):
        if isinstance(value, (list, tuple)):
            if not part.isdigit() or int(part) >= len(value):
                raise UsageError(
                    f'--cfg-options {option}: {path} is a list, its entries '
                    f'are 0 to {len(value) - 1}'
                )
            value = value[int(part)]
        elif not isinstance(value, (dict, Config)):
            raise UsageError(
                f'--cfg-options {option}: {path} is {value!r}, '
                'there is nothing in it to change'
            )
        elif part not in value:
            _check_spelling(option, part, list(value))
            return
        else:
            value = value[part]
        path = f'{path}.{part}'.lstrip('.')


def _check_spelling(option: str, new: str, known: list[str]) -> None:
    """Refuse a new key that looks like a misspelt one.

    Keys that differ in a digit, such as 2d and 3d, are not misspelt, nor are
    those that a runner has.
    """
    near = [
        key
        for key in difflib.get_close_matches(new, known, cutoff=0.8)
        if re.sub(r'\d', '', key) != re.sub(r'\d', '', new)
    ]
    if near and new not in inspect.signature(Runner).parameters:
        raise UsageError(
            f'--cfg-options {option}: the config has no {new} '
            f'there; did you mean {near[0]}?'
        )


def _type_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get('type'), str):
            yield value['type']
        for child in value.values():
            yield from _type_names(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _type_names(child)
