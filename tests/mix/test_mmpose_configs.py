"""The shipped mmpose mixes train and evaluate in MMEngine's runner."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from mmengine.structures import InstanceData

pytest.importorskip('mmpose')

NAMES = (
    'mmpose_rle_realnvp',
    'mmpose_topdown_depth_encoder',
    'mmpose_topdown_field',
)
pytestmark = [
    pytest.mark.usefixtures('own_scope'),
    pytest.mark.parametrize('name', NAMES),
]
EIGHT = {'train_dataloader.batch_size': 8}


def test_twenty_steps_lower_the_loss_and_mmpose_evaluates(
    name, train, loss_history, tmp_path
):
    runner = train(name, **EIGHT)
    losses = loss_history(runner)
    assert len(losses) == 20
    assert losses[-5:].mean() < losses[:5].mean()
    checkpoint = torch.load(tmp_path / 'iter_20.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 20
    metrics = runner.test()
    assert {'PCK', 'EPE', 'coco/AP'} <= set(metrics)
    assert np.isfinite(list(metrics.values())).all()


def test_mmpose_recognises_perfect_keypoints_and_draws_them(
    name, small_config
):
    cfg = small_config(name)
    runner = Runner.from_cfg(cfg)
    dataset = runner.build_dataloader(cfg.test_dataloader).dataset
    samples = [dataset[i]['data_samples'] for i in range(4)]
    for sample in samples:
        truth = sample.gt_instances
        sample.pred_instances = InstanceData(
            keypoints=truth.keypoints,
            bboxes=truth.bboxes,
            keypoint_scores=np.ones(truth.keypoints.shape[:2]),
        )
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
