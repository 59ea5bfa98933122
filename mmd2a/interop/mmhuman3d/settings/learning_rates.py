"""Learning rate policies of mmcv 1.x as MMEngine's schedulers."""

from typing import Any

_ADVICE = (
    'write `param_scheduler` of MMEngine into the config and set '
    '`lr_config=None`'
)


def translate_lr_config(
    lr_config: dict[str, Any], epochs: int | None, iters: int | None = None
) -> list[dict[str, Any]]:
    """Turn ``lr_config`` into ``param_scheduler``, with the same rates.

    Args:
        lr_config: policy ``step``, ``fixed``, ``CosineAnnealing`` or ``poly``
            in any capitals, with or without linear or constant warm-up.
        epochs: length of a training by epochs, or None.
        iters: length of a training by iterations.

    Raises:
        NotImplementedError: MMEngine has no scheduler with the same rates.

    Example:
        >>> translate_lr_config(dict(policy='step', step=[3], gamma=0.5), 10)
        [{'type': 'MultiStepLR', 'milestones': [3], 'gamma': 0.5,
          'by_epoch': True}]
    """
    settings = dict(lr_config)
    if 'policy' not in settings:
        raise NotImplementedError(
            f'lr_config names no `policy`, only {sorted(settings)}: {_ADVICE}'
        )
    policy = str(settings.pop('policy')).lower()
    warmup = {
        key: settings.pop(key)
        for key in list(settings)
        if key.startswith('warmup')
    }
    by_epoch = settings.pop('by_epoch', epochs is not None)
    if by_epoch and epochs is None:
        raise NotImplementedError(
            'lr_config.by_epoch=True in a training by iterations: MMEngine '
            f'counts no epochs there; {_ADVICE}'
        )
    translators = dict(
        step=_step, fixed=_fixed, cosineannealing=_cosine, poly=_poly
    )
    if policy not in translators:
        raise NotImplementedError(
            f'lr_config.policy={policy!r} has no translation: {_ADVICE}'
        )
    schedulers = translators[policy](settings, by_epoch, epochs, iters)
    if settings:
        raise NotImplementedError(
            f'lr_config has {sorted(settings)}, which the policy {policy!r} '
            f'of mmcv 1.x does not take or MMEngine cannot do: {_ADVICE}'
        )
    ends_at_zero = all(
        not scheduler.get(key)
        for scheduler in schedulers
        for key in ('eta_min', 'eta_min_ratio')
    )
    scheduler = _warmup(warmup)
    if scheduler and not ends_at_zero:
        raise NotImplementedError(
            'lr_config with warm-up and a minimum rate: MMEngine chains '
            f'schedulers by multiplication, which is not the same; {_ADVICE}'
        )
    return scheduler + schedulers


def _fixed(
    settings: dict, by_epoch: bool, epochs: int | None, iters: int | None
) -> list[dict]:
    return []


def _step(
    settings: dict, by_epoch: bool, epochs: int | None, iters: int | None
) -> list[dict]:
    step = settings.pop('step')
    gamma = settings.pop('gamma', 0.1)
    if settings.get('min_lr') is None:
        settings.pop('min_lr', None)
    if isinstance(step, int):
        return [
            dict(type='StepLR', step_size=step, gamma=gamma, by_epoch=by_epoch)
        ]
    return [
        dict(
            type='MultiStepLR',
            milestones=list(step),
            gamma=gamma,
            by_epoch=by_epoch,
        )
    ]


def _cosine(
    settings: dict, by_epoch: bool, epochs: int | None, iters: int | None
) -> list[dict]:
    scheduler: dict[str, Any] = dict(type='CosineAnnealingLR')
    for theirs, ours in (
        ('min_lr', 'eta_min'),
        ('min_lr_ratio', 'eta_min_ratio'),
    ):
        value = settings.pop(theirs, None)
        if value is not None:
            scheduler[ours] = value
    if epochs is None:
        return [dict(scheduler, T_max=iters, by_epoch=False)]
    if not by_epoch:
        scheduler['convert_to_iter_based'] = True
    return [dict(scheduler, T_max=epochs, by_epoch=True)]


def _poly(
    settings: dict, by_epoch: bool, epochs: int | None, iters: int | None
) -> list[dict]:
    if not by_epoch and epochs is not None:
        raise NotImplementedError(
            'lr_config.policy="poly" with by_epoch=False in a training by '
            f'epochs: their length in iterations is not known here; {_ADVICE}'
        )
    length = epochs if epochs is not None else iters
    assert length is not None
    # MMEngine reaches the minimum one step before `end`, mmcv 1.x at the end.
    return [
        dict(
            type='PolyLR',
            power=settings.pop('power', 1.0),
            eta_min=settings.pop('min_lr', 0.0),
            begin=0,
            end=length + 1,
            by_epoch=by_epoch,
        )
    ]


def _warmup(settings: dict) -> list[dict]:
    kind = settings.pop('warmup', None)
    length = settings.pop('warmup_iters', 0)
    ratio = settings.pop('warmup_ratio', 0.1)
    by_epoch = settings.pop('warmup_by_epoch', False)
    if kind is None or length <= 0:
        return []
    if by_epoch or kind not in ('linear', 'constant') or settings:
        raise NotImplementedError(
            f'lr_config.warmup={kind!r} with warmup_by_epoch={by_epoch}: '
            'linear and constant warm-up over a number of iterations are '
            f'translated; for others {_ADVICE}'
        )
    name, key = (
        ('LinearLR', 'start_factor')
        if kind == 'linear'
        else ('ConstantLR', 'factor')
    )
    # The full rate holds from iteration `warmup_iters` on, as in mmcv 1.x.
    return [
        {
            'type': name,
            key: ratio,
            'by_epoch': False,
            'begin': 0,
            'end': length + 1,
        }
    ]
