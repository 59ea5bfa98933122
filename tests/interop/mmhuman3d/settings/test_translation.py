"""Configs in MMHuman3D's format become configs of MMEngine's runner."""

import pytest
from mmengine.config import Config

from mmd2a.interop.mmhuman3d.settings import translation
from mmd2a.interop.mmhuman3d.settings.translation import (
    is_mmhuman3d_config,
    translate_config,
)

MODEL = dict(type='ImageBodyModelEstimator')
PEOPLE = dict(type='HumanImageDataset', ann_file='people.npz')


def translated(**changes):
    cfg = dict(
        model=MODEL,
        optimizer=dict(type='Adam', lr=1e-3),
        optimizer_config=dict(grad_clip=None),
        lr_config=dict(policy='Fixed', by_epoch=False),
        runner=dict(type='EpochBasedRunner', max_epochs=3),
        data=dict(
            samples_per_gpu=4,
            workers_per_gpu=2,
            train=PEOPLE,
            test=dict(PEOPLE, ann_file='others.npz'),
        ),
        evaluation=dict(metric=['pa-mpjpe']),
        checkpoint_config=dict(interval=1),
        workflow=[('train', 1)],
    )
    cfg.update(changes)
    return translate_config(Config(cfg))


def test_what_is_mmengines_already_stays_as_it_is():
    cfg = translated()
    assert not is_mmhuman3d_config(cfg) and translate_config(cfg) is cfg


def test_the_given_config_is_left_as_it_is():
    cfg = Config(dict(model=MODEL, data=dict(test=PEOPLE)))
    before = cfg.to_dict()
    translate_config(cfg)
    assert cfg.to_dict() == before


def test_the_runner_is_brief_unless_the_config_names_another():
    assert translated().runner_type == 'mmd2a.MMHuman3DRunner'
    assert translated(runner_type='Runner').runner_type == 'Runner'


def test_loaders_have_the_sizes_and_data_of_the_config():
    cfg = translated()
    assert cfg.train_dataloader.batch_size == 4
    assert cfg.train_dataloader.num_workers == 2
    assert cfg.train_dataloader.sampler.shuffle
    assert cfg.train_dataloader.dataset.dataset == PEOPLE
    # No data.val: the test set is what MMHuman3D's configs have.
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.dataset.ann_file == 'others.npz'
        assert loader.dataset.test_mode and not loader.sampler.shuffle


def test_batches_are_put_together_whoever_names_the_function():
    # MMEngine marks a config named by package with its scope.
    pytest.importorskip('mmhuman3d')
    from mmd2a.interop.mmhuman3d.running.collate import mmhuman3d_collate

    batch = mmhuman3d_collate([dict(index=1), dict(index=2)], _scope_='mmd2a')
    assert batch['index'].tolist() == [1, 2]


def test_workers_persist_only_if_asked_to():
    # Persistent ones cannot be given the random numbers of their epoch.
    assert not translated().train_dataloader.persistent_workers
    for workers in (0, 2):
        cfg = translated(
            data=dict(
                train=PEOPLE, workers_per_gpu=workers, persistent_workers=True
            )
        )
        assert cfg.train_dataloader.persistent_workers == (workers > 0)


def test_data_may_be_named_with_or_without_scope():
    cfg = translated(model=dict(type='mmd2a.Mine'))
    assert cfg.model.architecture.type == 'mmd2a.Mine'
    assert (
        translated().model.architecture.type
        == 'mmhuman3d.ImageBodyModelEstimator'
    )


def test_without_evaluation_a_training_does_not_validate():
    cfg = translated(evaluation=None)
    assert 'val_dataloader' not in cfg and 'test_dataloader' in cfg


def test_a_config_to_evaluate_needs_no_optimizer():
    cfg = translate_config(
        Config(dict(model=MODEL, data=dict(samples_per_gpu=1, test=PEOPLE)))
    )
    assert 'train_cfg' not in cfg and cfg.test_evaluator.dataset.dataset


def test_evaluation_goes_to_loop_metric_and_checkpoints():
    cfg = translated(
        evaluation=dict(
            interval=2,
            metric=['pve'],
            save_best='pve',
            body_part=['hand'],
            gpu_collect=True,
        )
    )
    assert cfg.train_cfg.val_interval == 2
    assert cfg.val_evaluator.metric == ['pve']
    assert cfg.val_evaluator.body_part == ['hand']
    assert cfg.val_evaluator.collect_device == 'gpu'
    assert cfg.default_hooks.checkpoint.save_best == 'PVE'


@pytest.mark.parametrize(
    ('metric', 'rule'),
    [('pa-mpjpe', 'less'), ('3dauc', 'greater'), ('pa-3dpck', 'greater')],
)
def test_the_best_checkpoint_is_known_by_the_metrics_name(metric, rule):
    from mmd2a.engine import AtomicCheckpointHook

    settings = dict(
        translated(
            evaluation=dict(metric=[metric], save_best=metric)
        ).default_hooks.checkpoint
    )
    settings.pop('type')
    assert AtomicCheckpointHook(**settings).rules == [rule]


def test_checkpoints_are_kept_as_asked():
    hook = translated(
        checkpoint_config=dict(interval=5, max_keep_ckpts=2)
    ).default_hooks.checkpoint
    assert (hook.type, hook.interval, hook.max_keep_ckpts) == (
        'mmd2a.AtomicCheckpointHook',
        5,
        2,
    )
    none = translated(checkpoint_config=None).default_hooks.checkpoint
    assert none.interval == -1 and not none.save_last


def test_an_iteration_based_runner_counts_iterations():
    cfg = translated(
        runner=dict(type='IterBasedRunner', max_iters=9),
        evaluation=dict(interval=3, metric='mpjpe'),
    )
    assert cfg.train_cfg == dict(by_epoch=False, max_iters=9, val_interval=3)
    assert not cfg.default_hooks.checkpoint.by_epoch
    assert not cfg.log_processor.by_epoch


def test_one_optimizer_is_mmengines_usual_case():
    cfg = translated(
        optimizer=dict(type='AdamW', lr=1, paramwise_cfg=dict(bias_lr_mult=2)),
        optimizer_config=dict(grad_clip=dict(max_norm=3)),
        find_unused_parameters=True,
    )
    assert cfg.optim_wrapper == dict(
        type='OptimWrapper',
        optimizer=dict(type='AdamW', lr=1),
        paramwise_cfg=dict(bias_lr_mult=2),
        clip_grad=dict(max_norm=3),
    )
    assert cfg.model_wrapper_cfg.find_unused_parameters
    assert not cfg.model_wrapper_cfg.broadcast_buffers


def test_an_optimizer_per_module_is_for_the_architecture_to_step():
    cfg = translated(
        optimizer=dict(
            backbone=dict(type='Adam', lr=1), disc=dict(type='SGD', lr=2)
        ),
        use_adversarial_train=True,
    )
    assert set(cfg.optim_wrapper) == {'constructor', 'backbone', 'disc'}
    assert cfg.optim_wrapper.disc.optimizer == dict(type='SGD', lr=2)
    assert cfg.model_wrapper_cfg.type == 'mmd2a.MMHuman3DDistributed'


def test_clipping_that_mmhuman3d_does_not_do_is_not_done_and_said(monkeypatch):
    said = []
    monkeypatch.setattr(
        translation, 'print_log', lambda note, **kwargs: said.append(note)
    )
    cfg = translated(
        optimizer=dict(head=dict(type='Adam', lr=1)),
        optimizer_config=dict(grad_clip=2.0),
    )
    assert 'clip_grad' not in cfg.optim_wrapper.head
    assert len(said) == 1 and 'grad_clip=2.0 has no effect' in said[0]


def test_mmengines_optimizer_may_stand_instead():
    wrapper = dict(
        type='OptimWrapper',
        accumulative_counts=2,
        optimizer=dict(type='SGD', lr=1),
    )
    cfg = translated(
        optimizer=None, optimizer_config=None, optim_wrapper=wrapper
    )
    assert cfg.optim_wrapper == wrapper


def test_a_module_can_be_left_out_from_the_command_line():
    cfg = translated(optimizer=dict(backbone=dict(type='Adam'), disc=None))
    assert set(cfg.optim_wrapper) == {'constructor', 'backbone', 'disc'}
    assert cfg.optim_wrapper.disc is None


def test_the_kind_of_runner_can_be_changed_from_the_command_line():
    cfg = translated(
        runner=dict(type='IterBasedRunner', max_epochs=None, max_iters=4)
    )
    assert cfg.train_cfg.max_iters == 4 and not cfg.train_cfg.by_epoch


def test_settings_of_mmengine_change_what_was_translated():
    cfg = translated(
        train_cfg=dict(max_epochs=9),
        env_cfg=dict(cudnn_benchmark=True),
        default_hooks=dict(checkpoint=dict(interval=5)),
        lr_config=None,
        param_scheduler=dict(type='StepLR', step_size=2),
    )
    assert cfg.train_cfg.max_epochs == 9 and cfg.train_cfg.by_epoch
    assert cfg.default_hooks.checkpoint.type == 'mmd2a.AtomicCheckpointHook'
    assert cfg.default_hooks.checkpoint.interval == 5
    assert cfg.env_cfg.mp_cfg.mp_start_method == 'fork'
    assert cfg.param_scheduler.type == 'StepLR'


def test_the_older_name_of_the_best_metric_wins_as_in_mmhuman3d():
    cfg = translated(
        evaluation=dict(save_best='mpjpe', key_indicator='pa-mpjpe')
    )
    assert cfg.default_hooks.checkpoint.save_best == 'PA-MPJPE'


def test_runs_have_a_folder():
    assert translated().work_dir == 'work_dirs/mmhuman3d'
    assert translated(work_dir='mine').work_dir == 'mine'


def test_what_starts_ranks_is_not_taken_silently(monkeypatch):
    said = []
    monkeypatch.setattr(
        translation, 'print_log', lambda note, **kwargs: said.append(note)
    )
    translated(gpu_ids=[1], dist_params=dict(backend='mpi'))
    assert ['gpu_ids' in said[0], 'mpi' in said[1]] == [True, True]
    translated(dist_params=dict(backend='nccl'))
    assert len(said) == 2


def test_logs_go_where_they_went():
    cfg = translated(
        log_config=dict(
            interval=7,
            hooks=[
                dict(type='TextLoggerHook'),
                dict(type='TensorboardLoggerHook'),
            ],
        )
    )
    assert cfg.default_hooks.logger.interval == 7
    assert [backend.type for backend in cfg.visualizer.vis_backends] == [
        'LocalVisBackend',
        'TensorboardVisBackend',
    ]


def test_seeds_files_and_hooks_are_carried_over():
    cfg = translated(
        seed=3,
        deterministic=True,
        cudnn_benchmark=True,
        resume_from='a.pth',
        custom_hooks=[dict(type='EMAHook')],
        my_variable=1,
        default_hooks=dict(guard=None),
    )
    assert cfg.randomness == dict(seed=3, deterministic=True)
    assert cfg.env_cfg.cudnn_benchmark and cfg.my_variable == 1
    assert cfg.load_from == 'a.pth' and cfg.resume
    assert cfg.custom_hooks[-1].type == 'EMAHook'
    assert cfg.default_hooks.guard is None and cfg.default_hooks.logger
    loaded = translated(load_from='b.pth')
    assert loaded.load_from == 'b.pth' and not loaded.resume


def test_the_random_numbers_survive_resuming():
    cfg = translated()
    assert cfg.default_hooks.epoch_seed.type == 'mmd2a.EpochSeedHook'
    assert cfg.train_dataloader.worker_init_fn.type == 'mmd2a.init_worker'
    assert cfg.default_hooks.guard.type == 'mmd2a.NonFiniteGuardHook'


def test_a_translated_config_survives_being_written_and_read(tmp_path):
    cfg = translated(lr_config=dict(policy='step', step=[2]))
    cfg.dump(tmp_path / 'config.py')
    assert Config.fromfile(tmp_path / 'config.py').to_dict() == cfg.to_dict()


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        (dict(fp16=dict(loss_scale=512)), '--amp'),
        (dict(momentum_config=dict(policy='cyclic')), 'param_scheduler'),
        (dict(workflow=[('train', 1), ('val', 1)]), 'evaluation.interval'),
        (dict(runner=dict(type='MyRunner')), 'EpochBasedRunner'),
        (dict(runner=None), 'max_epochs'),
        (dict(lr_config=dict(policy='cyclic')), 'param_scheduler'),
        (dict(checkpoint_config=dict(create_symlink=True)), 'last_checkpoint'),
        (
            dict(log_config=dict(hooks=[dict(type='PaviLoggerHook')])),
            'vis_backends',
        ),
        (dict(optimizer_config=dict(type='Mine')), 'optim_wrapper'),
        (
            dict(optimizer=dict(type='SGD', constructor='Mine')),
            'optim_wrapper',
        ),
        (dict(optimizer=None), 'optimizer'),
        (dict(optimizer=dict(lr=1)), 'no type'),
        (dict(optimizer_config=dict(grad_clip=2.0)), 'max_norm=2.0'),
        (dict(optim_wrapper=dict(optimizer=dict(lr=1))), 'optimizer.lr'),
        (dict(train_dataloader=dict(batch_size=2)), 'data.samples_per_gpu'),
        (dict(evaluation=dict(save_best=True)), 'pa-mpjpe'),
        (dict(data=dict(train=PEOPLE, samples_per_cpu=3)), 'samples_per_gpu'),
        (dict(evaluation=dict(start=3, interval=2)), 'interval'),
    ],
)
def test_what_cannot_be_translated_is_named_with_what_to_do(changes, says):
    with pytest.raises(NotImplementedError, match=says):
        translated(**changes)
