"""Optimisers of an MMHuman3D config as MMEngine's optimiser wrappers."""

from typing import Any

_WRITE_WRAPPER = (
    "Write MMEngine's `optim_wrapper` into the config and set "
    'optimizer=None and optimizer_config=None'
)


def translate_optimizer(
    source: dict[str, Any], trains: bool, notes: list[str]
) -> dict[str, Any]:
    """Take the optimiser settings out of a config and translate them.

    One optimiser is MMEngine's usual case. Optimisers named after submodules
    (``optimizer=dict(backbone=..., head=...)``) belong to architectures that
    step them in their own ``train_step``.

    Args:
        source: the config; settings dealt with are removed.
        trains: whether there is anything to train with.
        notes: what a user should know is added here.

    Returns:
        ``optim_wrapper`` and, where needed, ``model_wrapper_cfg``.

    Raises:
        NotImplementedError: a setting has no counterpart.

    Example:
        >>> translate_optimizer(dict(optimizer=dict(type='Adam', lr=0.1)),
        ...                     True, [])['optim_wrapper']['optimizer']
        {'type': 'Adam', 'lr': 0.1}
    """
    optimizer = source.pop('optimizer', None)
    config = source.pop('optimizer_config', None) or {}
    own_steps = source.pop('use_adversarial_train', False)
    find_unused = source.pop('find_unused_parameters', False)
    own = source.pop('optim_wrapper', None)
    if not trains:
        return {}
    if own is not None:
        return _given(own, optimizer, config)
    if optimizer is None:
        raise NotImplementedError(
            'the config has data to train with and no '
            '`optimizer`; give one, or data.train=None'
        )
    per_module = _is_per_module(optimizer)
    if not per_module:
        optimizer = {
            key: value for key, value in optimizer.items() if value is not None
        }
    if config.pop('type', 'OptimizerHook') != 'OptimizerHook' or (
        set(config) - {'grad_clip'}
    ):
        raise NotImplementedError(
            f'`optimizer_config` has {sorted(config)} or a type of its own; '
            f'only grad_clip is translated. {_WRITE_WRAPPER}'
        )
    clip = config.get('grad_clip')
    if per_module:
        if clip is not None:
            notes.append(
                f'optimizer_config.grad_clip={clip} has no effect with an '
                'optimiser per module: the architecture steps them itself, '
                'in MMHuman3D as here'
            )
        return _per_module(optimizer)
    wrapper = _wrapper(optimizer)
    if clip is not None and not isinstance(clip, dict):
        raise NotImplementedError(
            f'optimizer_config.grad_clip={clip!r} says not what it limits: '
            f'grad_clip=dict(max_norm={clip!r})'
        )
    if clip is not None:
        wrapper['clip_grad'] = dict(clip)
    if own_steps:
        notes.append(
            'use_adversarial_train=True with a single optimiser: it is '
            'stepped by the runner, once per iteration'
        )
    result: dict[str, Any] = dict(optim_wrapper=wrapper)
    if find_unused:
        result['model_wrapper_cfg'] = dict(
            type='MMDistributedDataParallel',
            find_unused_parameters=True,
            broadcast_buffers=False,
        )
    return result


def _given(
    wrapper: dict[str, Any], optimizer: dict | None, config: dict[str, Any]
) -> dict[str, Any]:
    if optimizer is not None or config.get('grad_clip') is not None:
        raise NotImplementedError(
            'the config has `optim_wrapper` and `optimizer` or grad_clip: '
            'change the settings of `optimizer` (optimizer.lr=...), or leave '
            'both to `optim_wrapper` with optimizer=None '
            'optimizer_config=None'
        )
    return dict(optim_wrapper=wrapper)


def _is_per_module(optimizer: dict[str, Any]) -> bool:
    given = [value for value in optimizer.values() if value is not None]
    return all(isinstance(value, dict) for value in given)


def _per_module(optimizers: dict[str, dict | None]) -> dict[str, Any]:
    wrappers = {
        name: None if cfg is None else _wrapper(cfg)
        for name, cfg in optimizers.items()
    }
    return dict(
        optim_wrapper=dict(
            constructor='mmd2a.PerModuleOptimWrapperConstructor', **wrappers
        ),
        model_wrapper_cfg=dict(type='mmd2a.MMHuman3DDistributed'),
    )


def _wrapper(optimizer: dict[str, Any]) -> dict[str, Any]:
    optimizer = dict(optimizer)
    if 'type' not in optimizer:
        raise NotImplementedError(
            f'an optimizer has no type, only {sorted(optimizer)}'
        )
    constructor = optimizer.pop('constructor', 'DefaultOptimizerConstructor')
    if constructor != 'DefaultOptimizerConstructor':
        raise NotImplementedError(
            f"optimizer.constructor={constructor!r} is mmcv 1.x's kind. "
            f'{_WRITE_WRAPPER}'
        )
    wrapper: dict[str, Any] = dict(type='OptimWrapper', optimizer=optimizer)
    paramwise = optimizer.pop('paramwise_cfg', None)
    if paramwise is not None:
        wrapper['paramwise_cfg'] = paramwise
    return wrapper
