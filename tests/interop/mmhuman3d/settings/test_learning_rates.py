"""Translated learning rates are those of mmcv 1.x, at every iteration."""

import math

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmd2a.interop.mmhuman3d.settings.learning_rates import translate_lr_config

EPOCHS, LENGTH, BASE = 6, 4, 0.5


def rates(lr_config, epochs=EPOCHS, iters=None):
    """Rate of each iteration, with schedulers stepped as MMEngine does."""
    wrapper = OptimWrapper(torch.optim.SGD([torch.zeros(1)], lr=BASE))
    schedulers = []
    for cfg in translate_lr_config(lr_config, epochs, iters):
        if cfg.pop('convert_to_iter_based', False):
            cls = PARAM_SCHEDULERS.get(cfg.pop('type'))
            schedulers.append(
                cls.build_iter_from_epoch(
                    optimizer=wrapper, epoch_length=LENGTH, **cfg
                )
            )
        else:
            schedulers.append(
                PARAM_SCHEDULERS.build(
                    cfg, default_args=dict(optimizer=wrapper)
                )
            )
    found = []
    for iteration in range(EPOCHS * LENGTH):
        found.append(wrapper.get_lr()['lr'][0])
        for scheduler in schedulers:
            if not scheduler.by_epoch:
                scheduler.step()
        if (iteration + 1) % LENGTH == 0:
            for scheduler in schedulers:
                if scheduler.by_epoch:
                    scheduler.step()
    return found


def expected(regular, warmup=lambda iteration: 1.0):
    """By the formulas of mmcv 1.x: of (epoch, iteration), times warm-up."""
    return [
        regular(i // LENGTH, i) * warmup(i) for i in range(EPOCHS * LENGTH)
    ]


def cosine(share, low=0.0):
    return low + 0.5 * (BASE - low) * (math.cos(math.pi * share) + 1)


TOTAL = EPOCHS * LENGTH
CASES = [
    (dict(policy='Fixed', by_epoch=False), lambda e, i: BASE),
    (
        dict(policy='step', step=[2, 4], gamma=0.3),
        lambda e, i: BASE * 0.3 ** ((e >= 2) + (e >= 4)),
    ),
    (dict(policy='step', step=2), lambda e, i: BASE * 0.1 ** (e // 2)),
    (
        dict(policy='step', step=[5], by_epoch=False),
        lambda e, i: BASE * 0.1 ** (i >= 5),
    ),
    (
        dict(policy='CosineAnnealing', min_lr=0.1),
        lambda e, i: cosine(e / EPOCHS, 0.1),
    ),
    (
        dict(policy='CosineAnnealing', min_lr_ratio=0.01),
        lambda e, i: cosine(e / EPOCHS, 0.01 * BASE),
    ),
    (
        dict(policy='CosineAnnealing', min_lr=0, by_epoch=False),
        lambda e, i: cosine(i / TOTAL),
    ),
    (
        dict(policy='poly', power=0.9, min_lr=0.02),
        lambda e, i: (BASE - 0.02) * (1 - e / EPOCHS) ** 0.9 + 0.02,
    ),
]


@pytest.mark.parametrize(('lr_config', 'regular'), CASES)
def test_rates_are_those_of_mmcv(lr_config, regular):
    assert rates(lr_config) == pytest.approx(expected(regular), rel=1e-9)


@pytest.mark.parametrize('kind', ['linear', 'constant'])
@pytest.mark.parametrize(
    ('lr_config', 'regular'),
    [
        CASES[0],
        CASES[1],
        (
            dict(policy='CosineAnnealing', min_lr=0),
            lambda e, i: cosine(e / EPOCHS),
        ),
    ],
)
def test_rates_with_warm_up_are_those_of_mmcv(kind, lr_config, regular):
    length, ratio = 7, 0.2

    def warmup(i):
        if i >= length:
            return 1.0
        return (
            ratio if kind == 'constant' else 1 - (1 - i / length) * (1 - ratio)
        )

    assert rates(
        dict(lr_config, warmup=kind, warmup_iters=length, warmup_ratio=ratio)
    ) == pytest.approx(expected(regular, warmup), rel=1e-9)


@pytest.mark.parametrize(
    ('lr_config', 'regular'),
    [
        (
            dict(policy='poly', min_lr=0.1),
            lambda e, i: (BASE - 0.1) * (1 - i / TOTAL) + 0.1,
        ),
        (
            dict(policy='CosineAnnealing', min_lr=0.1),
            lambda e, i: cosine(i / TOTAL, 0.1),
        ),
    ],
)
def test_rates_of_a_training_by_iterations_are_those_of_mmcv(
    lr_config, regular
):
    assert rates(lr_config, None, TOTAL) == pytest.approx(
        expected(regular), rel=1e-9
    )


@pytest.mark.parametrize(
    'lr_config',
    [
        dict(policy='OneCycle'),
        dict(policy='step', step=[1], min_lr=1e-5),
        dict(policy='Fixed', warmup='exp', warmup_iters=2),
        dict(
            policy='Fixed',
            warmup='linear',
            warmup_iters=2,
            warmup_by_epoch=True,
        ),
        dict(policy='poly', by_epoch=False),
        dict(type='MyHook'),
        dict(policy='poly', min_lr=1e-3, warmup='linear', warmup_iters=2),
    ],
)
def test_rates_that_would_differ_are_refused(lr_config):
    with pytest.raises(NotImplementedError, match='param_scheduler'):
        translate_lr_config(lr_config, epochs=5)


def test_counting_epochs_in_a_training_by_iterations_is_refused():
    with pytest.raises(NotImplementedError, match='by_epoch'):
        translate_lr_config(
            dict(policy='step', step=[1], by_epoch=True), None, iters=9
        )


def test_a_warm_up_of_no_iterations_is_none():
    lr_config = dict(
        policy='step',
        step=[2],
        warmup='linear',
        warmup_iters=0,
        warmup_ratio=0.1,
    )
    assert rates(lr_config) == rates(dict(policy='step', step=[2]))
