"""Data and evaluation of an MMHuman3D config as MMEngine's loaders."""

from typing import Any

# Read by mmcv 1.x's evaluation hook itself; everything else goes to the
# `evaluate` of the dataset.
_HOOK_KEYS = (
    'interval',
    'start',
    'by_epoch',
    'save_best',
    'rule',
    'key_indicator',
    'broadcast_bn_buffer',
    'greater_keys',
    'less_keys',
)


def translate_data(
    source: dict[str, Any], work_dir: str | None
) -> dict[str, Any]:
    """Take ``data`` out of a config and make loaders and evaluators of it.

    ``data.val`` is what MMHuman3D evaluates with while training; where there
    is none, ``data.test`` is taken. ``evaluation=None`` trains without.

    Args:
        source: the config; ``data`` is removed, of ``evaluation`` what is
            for the dataset.
        work_dir: where test results of the datasets are kept.

    Returns:
        ``train_dataloader``, ``val_dataloader``, ``val_evaluator``,
        ``test_dataloader``, ``test_evaluator`` and their empty loops, as far
        as the config has them.

    Raises:
        NotImplementedError: a setting has no counterpart.

    Example:
        >>> data = dict(samples_per_gpu=4, workers_per_gpu=0,
        ...             train=dict(type='HumanImageDataset'))
        >>> translate_data(dict(data=data), None)['train_dataloader'][
        ...     'batch_size']
        4
    """
    data = dict(source.pop('data'))
    train, val, test = (
        data.pop(key, None) for key in ('train', 'val', 'test')
    )
    loader = _loader(data)
    evaluation = source.get('evaluation', {})
    source['evaluation'] = (
        None
        if evaluation is None
        else {key: evaluation[key] for key in _HOOK_KEYS if key in evaluation}
    )
    result: dict[str, Any] = {}
    if train is not None:
        result['train_dataloader'] = dict(
            loader,
            sampler=dict(type='DefaultSampler', shuffle=True),
            dataset=_dataset(train),
        )
    validate_with = val if val is not None else test
    if (
        train is not None
        and evaluation is not None
        and (validate_with is not None)
    ):
        result.update(_evaluate('val', loader, validate_with, evaluation))
    if test is not None:
        result.update(
            _evaluate(
                'test', loader, test, evaluation or {}, res_folder=work_dir
            )
        )
    return result


def _loader(data: dict[str, Any]) -> dict[str, Any]:
    workers = data.pop('workers_per_gpu', 0)
    # MMHuman3D's are: they cannot be given the random numbers of an epoch.
    persistent = data.pop('persistent_workers', False) and workers > 0
    loader = dict(
        batch_size=data.pop('samples_per_gpu', 1),
        num_workers=workers,
        persistent_workers=persistent,
        collate_fn=dict(type='mmd2a.mmhuman3d_collate'),
        worker_init_fn=dict(type='mmd2a.init_worker'),
    )
    if data:
        raise NotImplementedError(
            f'`data` has {sorted(data)}, which MMHuman3D does not read: '
            'known are samples_per_gpu, workers_per_gpu, persistent_workers, '
            'train, val and test'
        )
    return loader


def _dataset(dataset: Any, **arguments: Any) -> dict[str, Any]:
    return dict(type='mmd2a.mmhuman3d_dataset', dataset=dataset, **arguments)


def _evaluate(
    name: str,
    loader: dict,
    dataset: Any,
    evaluation: dict,
    res_folder: str | None = None,
) -> dict[str, Any]:
    options = {
        key: value
        for key, value in evaluation.items()
        if key not in _HOOK_KEYS
    }
    if options.pop('gpu_collect', False):
        options['collect_device'] = 'gpu'
    elif options.get('tmpdir') is not None:
        options['collect_dir'] = options['tmpdir']
    options.pop('tmpdir', None)
    if res_folder is not None:
        options.setdefault('res_folder', res_folder)
    built = _dataset(dataset, test_mode=True)
    return {
        f'{name}_cfg': {},
        f'{name}_dataloader': dict(
            loader,
            sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
            dataset=built,
        ),
        f'{name}_evaluator': dict(
            type='mmd2a.MMHuman3DMetric', dataset=built, **options
        ),
    }
