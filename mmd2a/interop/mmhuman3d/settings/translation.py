"""Configs of MMHuman3D as configs of MMEngine's runner."""

import logging
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmd2a.interop.mmhuman3d.settings.data_settings import translate_data
from mmd2a.interop.mmhuman3d.settings.learning_rates import translate_lr_config
from mmd2a.interop.mmhuman3d.settings.optimizer_settings import (
    translate_optimizer,
)
from mmd2a.interop.mmhuman3d.settings.run_settings import translate_run

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def is_mmhuman3d_config(cfg: Config) -> bool:
    """Say whether a config is in the format of MMHuman3D (mmcv 1.x).

    Example:
        >>> is_mmhuman3d_config(Config(dict(model={}, data=dict(train={}))))
        True
        >>> is_mmhuman3d_config(Config(dict(
        ...     model={}, train_dataloader=dict(dataset={}))))
        False
    """
    return (
        'model' in cfg
        and isinstance(cfg.get('data'), dict)
        and not any('dataset' in (cfg.get(key) or {}) for key in _LOADERS)
    )


def translate_config(cfg: Config) -> Config:
    """Turn a config of MMHuman3D into one that MMEngine's runner takes.

    Model, data, optimisers, learning rates, checkpoints, evaluation and logs
    are what MMHuman3D's ``tools/train.py`` makes of the config, run by this
    package's hooks (atomic checkpoints, a guard against NaN, random numbers
    that survive resuming). Settings of MMEngine in it (``custom_hooks``,
    ``param_scheduler``, ``default_hooks``, ``optim_wrapper`` ...) are merged
    into the result and win; variables that the config only uses itself are
    carried over. Without ``work_dir`` it is work_dirs/ and the config's name.

    Args:
        cfg: the config, as MMHuman3D reads it, changed by ``--cfg-options``
            or not. It is left as it is.

    Returns:
        A config of MMEngine; the given one, if it is that already.

    Raises:
        NotImplementedError: a setting has no counterpart, with what to use
            instead. Nothing is dropped silently.

    Example:
        >>> cfg = translate_config(Config(dict(
        ...     model=dict(type='HybrIK_trainer'),
        ...     optimizer=dict(type='Adam', lr=1e-3),
        ...     lr_config=dict(policy='fixed'),
        ...     runner=dict(type='EpochBasedRunner', max_epochs=2),
        ...     data=dict(samples_per_gpu=4, workers_per_gpu=1,
        ...               train=dict(type='HumanImageDataset')))))
        >>> cfg.optim_wrapper.optimizer.type, cfg.train_cfg.max_epochs
        ('Adam', 2)
    """
    if not is_mmhuman3d_config(cfg):
        return cfg
    source = _unmarked(cfg.to_dict())
    notes: list[str] = []
    _refuse(source)
    if source.get('work_dir') is None:
        name = Path(cfg.filename).stem if cfg.filename else 'mmhuman3d'
        source['work_dir'] = f'work_dirs/{name}'
    result: dict[str, Any] = dict(
        runner_type='mmd2a.MMHuman3DRunner', model=_model(source.pop('model'))
    )
    result.update(translate_data(source, source.get('work_dir')))
    trains = result.get('train_dataloader') is not None
    result.update(
        translate_run(source, trains, validates='val_dataloader' in result)
    )
    result.update(translate_optimizer(source, trains, notes))
    result.update(_schedule(source, result, trains))
    _drop_command_line(source, notes)
    for note in notes:
        print_log(note, logger='current', level=logging.WARNING)
    result['custom_hooks'] += source.pop('custom_hooks', None) or []
    translated = Config(result, filename=cfg.filename)
    translated.merge_from_dict(source)
    return translated


def _unmarked(value: Any) -> Any:
    """Drop the scope that MMEngine adds where ``_base_`` names a package.

    Names without prefix are MMHuman3D's, in whichever package the config is.
    """
    if isinstance(value, dict):
        return {
            key: _unmarked(child)
            for key, child in value.items()
            if key != '_scope_'
        }
    if isinstance(value, (list, tuple)):
        return type(value)(_unmarked(child) for child in value)
    return value


def _refuse(source: dict[str, Any]) -> None:
    for key in _LOADERS:
        if key in source:
            raise NotImplementedError(
                f"the config has `data`, as MMHuman3D's do, and `{key}`: say "
                'data.samples_per_gpu, data.workers_per_gpu or data.'
                f'{key.partition("_")[0]} instead'
            )
    if source.pop('fp16', None) is not None:
        raise NotImplementedError(
            '`fp16` of mmcv 1.x is not translated: start tools/train.py with '
            '--amp'
        )
    if source.pop('momentum_config', None) is not None:
        raise NotImplementedError(
            '`momentum_config` is not translated: set it to None and put one '
            "of MMEngine's momentum schedulers into `param_scheduler`"
        )
    workflow = source.pop('workflow', None) or [('train', 1)]
    if [tuple(flow) for flow in workflow] != [('train', 1)]:
        raise NotImplementedError(
            f'`workflow={workflow}`: MMEngine trains, and validates after '
            'every `evaluation.interval`; leave [("train", 1)]'
        )


def _model(model: dict[str, Any]) -> dict[str, Any]:
    architecture = dict(model)
    if '.' not in architecture.get('type', '.'):
        architecture['type'] = f'mmhuman3d.{architecture["type"]}'
    return dict(type='mmd2a.MMHuman3DEstimator', architecture=architecture)


def _drop_command_line(source: dict[str, Any], notes: list[str]) -> None:
    for key in ('gpus', 'gpu_ids'):
        if source.pop(key, None) is not None:
            notes.append(
                f'`{key}` has no effect: MMEngine takes the GPUs '
                'in CUDA_VISIBLE_DEVICES'
            )
    backend = (source.pop('dist_params', None) or {}).get('backend', 'nccl')
    if backend != 'nccl':
        notes.append(
            f'dist_params.backend={backend!r} has no effect: nccl is '
            'taken where there are GPUs, gloo elsewhere'
        )


def _schedule(
    source: dict[str, Any], result: dict[str, Any], trains: bool
) -> dict[str, Any]:
    lr_config = source.pop('lr_config', None)
    if not trains or lr_config is None or 'param_scheduler' in source:
        return {}
    train_cfg = result['train_cfg']
    schedulers = translate_lr_config(
        lr_config, train_cfg.get('max_epochs'), train_cfg.get('max_iters')
    )
    return dict(param_scheduler=schedulers) if schedulers else {}
