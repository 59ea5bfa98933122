"""The shipped mmpose mixes train and evaluate in MMEngine's runner."""
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

import mmd2a  # noqa: F401  (as the tools do, before any other package)

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / 'configs' / 'mix').glob('mmpose_*.py'))


@pytest.fixture(scope='module')
def people(tmp_path_factory):
    return str(tmp_path_factory.mktemp('people'))


@pytest.fixture(autouse=True)
def scope():
    """The scope that a runner sets must not outlive its test."""
    with DefaultScope.overwrite_default_scope('mmd2a'):
        yield


def small(config, work_dir, people):
    """The config for eight people and 20 steps, all else as shipped."""
    cfg = Config.fromfile(config)
    for split, count in dict(train=8, val=4, test=4).items():
        loader = cfg[f'{split}_dataloader']
        loader.batch_size = 8
        loader.dataset.update(data_root=people, num_people=count,
                              image_size=96, shard_size=4, num_workers=1)
    # At the end of an epoch MMEngine's loop sleeps.
    cfg.train_dataloader.sampler.type = 'InfiniteSampler'
    cfg.train_cfg = dict(by_epoch=False, max_iters=20, val_interval=20)
    cfg.param_scheduler = None
    cfg.default_hooks.logger.interval = 1
    cfg.default_hooks.checkpoint.update(by_epoch=False, interval=20)
    cfg.log_processor = dict(by_epoch=False, window_size=1)
    cfg.env_cfg = {}
    cfg.visualizer.update(name=f'{config.stem}_visualizer', vis_backends=[])
    cfg.work_dir, cfg.experiment_name = str(work_dir), config.stem
    return cfg


@pytest.mark.parametrize('config', CONFIGS, ids=lambda path: path.stem)
def test_twenty_steps_lower_the_loss_and_mmpose_evaluates(
        config, people, tmp_path):
    pytest.importorskip('mmpose')
    runner = Runner.from_cfg(small(config, tmp_path, people))
    runner.train()
    losses, _ = runner.message_hub.get_scalar('train/loss').data
    assert len(losses) == 20
    assert losses[-5:].mean() < losses[:5].mean()
    checkpoint = torch.load(tmp_path / 'iter_20.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 20
    metrics = runner.test()
    assert {'PCK', 'EPE', 'coco/AP'} <= set(metrics)
    assert np.isfinite(list(metrics.values())).all()


@pytest.mark.parametrize('config', CONFIGS, ids=lambda path: path.stem)
def test_mmpose_recognises_perfect_keypoints_and_draws_them(
        config, people, tmp_path):
    pytest.importorskip('mmpose')
    from mmengine.evaluator import Evaluator
    from mmengine.structures import InstanceData
    cfg = small(config, tmp_path, people)
    runner = Runner.from_cfg(cfg)
    dataset = runner.build_dataloader(cfg.test_dataloader).dataset
    samples = [dataset[i]['data_samples'] for i in range(4)]
    for sample in samples:
        truth = sample.gt_instances
        sample.pred_instances = InstanceData(
            keypoints=truth.keypoints, bboxes=truth.bboxes,
            keypoint_scores=np.ones(truth.keypoints.shape[:2]))
    evaluator = Evaluator(cfg.test_evaluator)
    evaluator.dataset_meta = dataset.metainfo
    evaluator.process(samples)
    metrics = evaluator.evaluate(4)
    assert metrics['PCK'] == metrics['coco/AP'] == 1 and metrics['EPE'] == 0

    visualizer = runner.visualizer
    visualizer.set_dataset_meta(dataset.metainfo)
    blank = np.zeros((96, 96, 3), np.uint8)
    visualizer.add_datasample('person', blank, samples[0], draw_gt=False)
    assert visualizer.get_image().any()
