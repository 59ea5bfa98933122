"""MMDetection's CenterNet with our silhouette decoder as a second head."""

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

NAME, SCOPE = 'mmdet_centernet_silhouette', 'mmdet'

pytestmark = pytest.mark.usefixtures('own_scope')
for package in ('mmdet', 'pycocotools', 'shapely', 'terminaltables'):
    pytest.importorskip(package)


@pytest.fixture(scope='module')
def built():
    """Keeps what is slow to build between the tests of this file."""
    return {}


@pytest.fixture
def runner(small_config, built):
    if 'runner' not in built:
        built['runner'] = Runner.from_cfg(small_config(NAME))
    return built['runner']


def batch_of(runner, split='train'):
    loader = runner.build_dataloader(runner.cfg[f'{split}_dataloader'], seed=0)
    return next(iter(loader))


def test_twenty_steps_lower_both_losses_and_mmdet_evaluates(
    train, loss_history, tmp_path
):
    runner = train(NAME)
    for name in ('loss', 'loss_silhouette', 'loss_center_heatmap'):
        losses = loss_history(runner, name)
        assert len(losses) == 20
        assert losses[-5:].mean() < losses[:5].mean()
    checkpoint = torch.load(tmp_path / 'iter_20.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 20
    metrics = runner.test()
    assert 0 <= metrics['coco/bbox_mAP'] <= 1


def test_the_silhouette_teaches_the_features_of_the_detector(runner):
    model = runner.model.train()
    data = model.data_preprocessor(batch_of(runner), training=True)
    losses = model(**data, mode='loss')
    losses['loss_silhouette'].backward()
    assert model.backbone.conv1.weight.grad.abs().sum() > 0
    model.zero_grad()
    sum(model(**data, mode='loss').values()).backward()
    assert [
        name for name, p in model.named_parameters() if p.grad is None
    ] == []


def test_predictions_and_checkpoints_are_those_of_the_bare_head(runner):
    from mmdet.registry import MODELS

    wrapped = runner.model.eval()
    cfg = runner.cfg.model.copy()
    cfg.bbox_head = cfg.bbox_head.head
    bare = MODELS.build(cfg).eval()
    left_out = wrapped.load_state_dict(bare.state_dict(), strict=False)
    assert left_out.unexpected_keys == []
    assert {key.split('.')[1] for key in left_out.missing_keys} == {
        'patch_embedding',
        'decoder',
    }
    batch = batch_of(runner, 'test')
    with torch.no_grad():
        expected, got = (model.test_step(batch) for model in (bare, wrapped))
    for one, other in zip(expected, got):
        assert torch.equal(
            one.pred_instances.bboxes, other.pred_instances.bboxes
        )
        assert torch.equal(
            one.pred_instances.scores, other.pred_instances.scores
        )


def test_masks_move_with_the_boxes_through_mmdets_transforms(runner):
    dataset = runner.build_dataloader(
        runner.cfg.train_dataloader, seed=0
    ).dataset
    margin = 8  # hair and clothes stick out of the box of the body
    for i in range(4):
        truth = dataset[i]['data_samples'].gt_instances
        rows, columns = np.nonzero(truth.masks.masks[0])
        left, top, right, bottom = truth.bboxes.tensor[0].tolist()
        assert left - margin < columns.min() < columns.max() < right + margin
        assert top - margin < rows.min() < rows.max() < bottom + margin


def test_perfect_boxes_get_full_marks(runner):
    from mmengine.structures import InstanceData

    dataset = runner.build_dataloader(runner.cfg.test_dataloader).dataset
    samples = [dataset[i]['data_samples'] for i in range(4)]
    for sample in samples:
        sample.pred_instances = InstanceData(
            bboxes=torch.tensor([sample.instances[0]['bbox']]),
            scores=torch.ones(1),
            labels=torch.zeros(1, dtype=torch.long),
        )
    evaluator = runner.build_evaluator(runner.cfg.test_evaluator)
    evaluator.dataset_meta = dataset.metainfo
    evaluator.process(samples)
    assert evaluator.evaluate(4)['coco/bbox_mAP'] == 1
