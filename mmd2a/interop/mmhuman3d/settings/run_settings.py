"""Loops, hooks and logs of an MMHuman3D config as MMEngine's."""

from typing import Any

# How MMHuman3D's evaluation hook ranks its metrics.
_GREATER = ['3dpck', 'pa-3dpck', '3dauc', 'pa-3dauc']
_LESS = ['mpjpe', 'pa-mpjpe', 'pve', 'pa-pve', '3drmse']
_BACKENDS = dict(
    TensorboardLoggerHook='TensorboardVisBackend',
    WandbLoggerHook='WandbVisBackend',
)


def translate_run(
    source: dict[str, Any], trains: bool, validates: bool
) -> dict[str, Any]:
    """Take runner, hooks, logs and seeds out of a config and translate them.

    Args:
        source: the config; settings dealt with are removed.
        trains: whether there is anything to train with.
        validates: whether the training evaluates.

    Returns:
        ``train_cfg``, ``default_hooks`` and the rest of a runtime, as
        ``configs/_base_/default_runtime.py`` sets it for our own models.

    Raises:
        NotImplementedError: a setting has no counterpart.

    Example:
        >>> translate_run(dict(runner=dict(type='IterBasedRunner',
        ...                                max_iters=9)), True, False
        ...               )['train_cfg']
        {'by_epoch': False, 'max_iters': 9}
    """
    evaluation = source.pop('evaluation', None) or {}
    runner = source.pop('runner', None)
    total_epochs = source.pop('total_epochs', None)
    if runner is None:
        runner = dict(type='EpochBasedRunner', max_epochs=total_epochs)
    by_epoch = runner.get('type') == 'EpochBasedRunner'
    checkpoint = _checkpoint(source.pop('checkpoint_config', None), by_epoch)
    val_interval = evaluation.get('interval', 1)
    if validates:
        checkpoint.update(_best(evaluation))
    interval, backends = _logs(source.pop('log_config', None) or {})
    result = dict(
        default_scope='mmd2a',
        default_hooks=dict(
            runtime_info=dict(type='RuntimeInfoHook'),
            timer=dict(type='IterTimerHook'),
            logger=dict(
                type='LoggerHook',
                interval=interval,
                log_metric_by_epoch=by_epoch,
            ),
            param_scheduler=dict(type='ParamSchedulerHook'),
            sampler_seed=dict(type='DistSamplerSeedHook'),
            epoch_seed=dict(type='mmd2a.EpochSeedHook'),
            resume=dict(type='mmd2a.ResumeHook'),
            guard=dict(type='mmd2a.NonFiniteGuardHook'),
            checkpoint=checkpoint,
        ),
        custom_hooks=[dict(type='SyncBuffersHook')],
        visualizer=dict(
            type='Visualizer', name='visualizer', vis_backends=backends
        ),
        log_processor=dict(
            type='LogProcessor', window_size=interval, by_epoch=by_epoch
        ),
        log_level=source.pop('log_level', 'INFO'),
        env_cfg=_environment(source),
        randomness=dict(
            seed=source.pop('seed', None),
            deterministic=source.pop('deterministic', False),
        ),
        **_start(source),
    )
    if trains:
        result['train_cfg'] = _loop(runner, by_epoch)
        if validates:
            result['train_cfg']['val_interval'] = val_interval
            result['train_cfg'].update(_first_evaluation(evaluation))
    return result


def _loop(runner: dict[str, Any], by_epoch: bool) -> dict[str, Any]:
    # From the command line a setting can be None, but not removed.
    runner = {key: value for key, value in runner.items() if value is not None}
    kind = runner.pop('type', None)
    length = 'max_epochs' if by_epoch else 'max_iters'
    if kind not in ('EpochBasedRunner', 'IterBasedRunner') or (
        set(runner) != {length}
    ):
        raise NotImplementedError(
            f'`runner` is {dict(type=kind, **runner)}: translated are '
            'dict(type="EpochBasedRunner", max_epochs=...) and '
            'dict(type="IterBasedRunner", max_iters=...)'
        )
    return {'by_epoch': by_epoch, length: runner[length]}


def _checkpoint(
    config: dict[str, Any] | None, by_epoch: bool
) -> dict[str, Any]:
    if config is None:
        return dict(
            type='mmd2a.AtomicCheckpointHook',
            interval=-1,
            save_last=False,
            by_epoch=by_epoch,
        )
    config = dict(config)
    hook = dict(
        type='mmd2a.AtomicCheckpointHook',
        interval=config.pop('interval', -1),
        by_epoch=config.pop('by_epoch', by_epoch),
    )
    # Buffers of ranks are always brought in line before a checkpoint.
    config.pop('sync_buffer', None)
    for key in (
        'save_optimizer',
        'out_dir',
        'max_keep_ckpts',
        'save_last',
        'filename_tmpl',
    ):
        if key in config:
            hook[key] = config.pop(key)
    if config:
        raise NotImplementedError(
            f'`checkpoint_config` has {sorted(config)}, which has no '
            "counterpart: what a checkpoint's `meta` holds is written by "
            'MMEngine, and the latest one is named in `last_checkpoint`'
        )
    return hook


def _best(evaluation: dict[str, Any]) -> dict[str, Any]:
    best = evaluation.get('save_best')
    if 'key_indicator' in evaluation or isinstance(best, bool):
        if best is True and evaluation.get('key_indicator') is None:
            raise NotImplementedError(
                'evaluation.save_best=True does not say by which metric: '
                'name it, evaluation.save_best="pa-mpjpe"'
            )
        best = evaluation.get('key_indicator')
    if best is None:
        return {}
    settings = dict(
        # MMHuman3D's datasets report their metrics in capitals.
        save_best=best if best == 'auto' else str(best).upper(),
        greater_keys=list(evaluation.get('greater_keys', _GREATER)),
        less_keys=list(evaluation.get('less_keys', _LESS)),
    )
    if evaluation.get('rule') is not None:
        settings['rule'] = evaluation['rule']
    return settings


def _first_evaluation(evaluation: dict[str, Any]) -> dict[str, int]:
    start = evaluation.get('start')
    if start is None:
        return {}
    if start < 1 or start % evaluation.get('interval', 1):
        raise NotImplementedError(
            f'evaluation.start={start}: MMEngine begins with a multiple of '
            'evaluation.interval and never before the training'
        )
    return dict(val_begin=start)


def _logs(config: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    interval = config.get('interval', 10)
    backends: list[dict[str, Any]] = [dict(type='LocalVisBackend')]
    for hook in config.get('hooks', []):
        hook = dict(hook)
        kind = hook.pop('type')
        hook.pop('by_epoch', None)  # decided by the runner
        if kind in _BACKENDS and not set(hook) - {'init_kwargs'}:
            backends.append(dict(type=_BACKENDS[kind], **hook))
        elif kind != 'TextLoggerHook' or hook:
            raise NotImplementedError(
                f'log_config.hooks has {kind} with {sorted(hook)}: take it '
                'out and write a `visualizer` of MMEngine with one of its '
                '`vis_backends`'
            )
    return interval, backends


def _environment(source: dict[str, Any]) -> dict[str, Any]:
    return dict(
        cudnn_benchmark=source.pop('cudnn_benchmark', False),
        mp_cfg=dict(
            mp_start_method=source.pop('mp_start_method', 'fork'),
            opencv_num_threads=source.pop('opencv_num_threads', 0),
        ),
    )


def _start(source: dict[str, Any]) -> dict[str, Any]:
    resume_from = source.pop('resume_from', None)
    load_from = source.pop('load_from', None)
    return dict(
        load_from=resume_from or load_from, resume=resume_from is not None
    )
