"""A silhouette beside the losses of any head."""

import numpy as np
import pytest
import torch
from mmengine.model import BaseModule
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from mmd2a.mixing import AuxiliarySilhouetteHead

EMBEDDING = dict(in_channels=8, embed_dims=16, patch_size=8)


class ToyHead(BaseModule):
    """A dense head in its least form."""

    def __init__(self, channels, test_cfg=None):
        super().__init__()
        self.conv = torch.nn.Conv2d(channels, 1, 1)
        self.test_cfg = test_cfg

    def forward(self, features):
        return self.conv(features[0])

    def loss(self, features, batch_data_samples, scale=1):
        return dict(loss_toy=self(features).square().mean() * scale)

    def predict(self, features, batch_data_samples):
        return self(features)

    def loss_and_predict(self, features, batch_data_samples, proposal_cfg):
        return self.loss(features, batch_data_samples), proposal_cfg


@pytest.fixture
def head():
    torch.manual_seed(0)
    return AuxiliarySilhouetteHead(
        head=dict(type=ToyHead, channels=8), patch_embedding=EMBEDDING
    )


@pytest.fixture
def features():
    return (
        torch.randn(2, 8, 16, 16, generator=torch.Generator().manual_seed(1)),
    )


def sample(mask=None, **metainfo):
    element = BaseDataElement(metainfo=metainfo)
    if mask is not None:
        element.gt_fields = PixelData(mask=mask)
    return element


def test_it_adds_one_loss_and_leaves_the_others(head, features):
    samples = [sample(torch.ones(1, 64, 64)), sample(torch.zeros(1, 64, 64))]
    bare = head.head.loss(features, samples, scale=3)
    losses = head.loss(features, samples, scale=3)
    assert set(losses) == {'loss_toy', 'loss_silhouette'}
    assert losses['loss_toy'] == bare['loss_toy']
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in head.parameters())


def test_it_adds_nothing_to_predictions(head, features):
    head.eval()
    assert torch.equal(head.predict(features, []), head.head(features))
    assert torch.equal(head(features), head.head(features))


def test_the_first_stage_of_a_two_stage_detector_can_wear_it(head, features):
    losses, proposals = head.loss_and_predict(
        features, [sample(), sample()], proposal_cfg='given'
    )
    assert set(losses) == {'loss_toy', 'loss_silhouette'}
    assert proposals == 'given'


def test_what_a_detector_hands_to_its_head_reaches_the_head():
    head = AuxiliarySilhouetteHead(
        head=dict(type=ToyHead, channels=8),
        patch_embedding=EMBEDDING,
        test_cfg=dict(max_per_img=7),
    )
    assert head.head.test_cfg == dict(max_per_img=7)


def test_images_without_a_mask_do_not_count(head, features):
    """Neither their value nor their gradient; with none at all it is 0."""
    mask = torch.zeros(1, 64, 64)
    mask[:, 10:50, 20:40] = 1
    alone = head.loss(tuple(f[:1] for f in features), [sample(mask)])
    leaf = features[0].clone().requires_grad_()
    both = head.loss((leaf,), [sample(mask), sample()])
    torch.testing.assert_close(
        both['loss_silhouette'], alone['loss_silhouette']
    )
    both['loss_silhouette'].backward()
    assert leaf.grad[0].any() and not leaf.grad[1].any()
    nobody = head.loss(features, [sample(), sample()])['loss_silhouette']
    assert nobody == 0 and nobody.requires_grad


def test_a_smaller_mask_is_padded_like_its_image(head, features):
    """mmdet and mmpretrain pad batches at the right and bottom."""
    small, whole = torch.ones(1, 64, 32), torch.zeros(1, 64, 64)
    whole[..., :32] = 1
    shape = dict(batch_input_shape=(64, 64))
    padded = head.loss(features, [sample(small, **shape)] * 2)
    assert (
        padded['loss_silhouette']
        == head.loss(features, [sample(whole, **shape)] * 2)['loss_silhouette']
    )


def test_the_silhouette_is_the_union_of_the_instances(head, features):
    masks = torch.zeros(3, 64, 64)
    masks[0, :20], masks[1, 10:30] = 1, 1
    crowd = BaseDataElement(gt_instances=InstanceData(masks=masks))
    union = sample(masks.amax(0, keepdim=True))
    assert (
        head.loss(features, [crowd] * 2)['loss_silhouette']
        == head.loss(features, [union] * 2)['loss_silhouette']
    )


def test_mmdets_masks_are_understood_empty_ones_too(head, features):
    pytest.importorskip('mmdet')
    from mmdet.structures.mask import BitmapMasks

    bits = np.zeros((1, 64, 64), np.uint8)
    bits[0, 5:40] = 1

    def detection(masks):
        return BaseDataElement(gt_instances=InstanceData(masks=masks))

    nobody = BitmapMasks(np.zeros((0, 64, 64), np.uint8), 64, 64)
    got = head.loss(
        features, [detection(BitmapMasks(bits, 64, 64)), detection(nobody)]
    )
    expected = head.loss(
        features, [sample(torch.tensor(bits)), sample(torch.zeros(1, 64, 64))]
    )
    assert got['loss_silhouette'] == expected['loss_silhouette']


def test_a_checkpoint_of_the_bare_head_loads(head):
    bare = ToyHead(8).state_dict()
    left = head.load_state_dict(dict(bare), strict=False)
    assert left.unexpected_keys == []
    assert not [key for key in left.missing_keys if key.startswith('head.')]
    assert torch.equal(head.head.conv.weight, bare['conv.weight'])
    # Its own does, strictly.
    head.load_state_dict(head.state_dict())


def test_a_head_of_mmpose_draws_silhouettes():
    pytest.importorskip('mmpose')
    from mmpose.structures import PoseDataSample

    head = AuxiliarySilhouetteHead(
        head=dict(
            type='mmpose.RLEHead',
            in_channels=8,
            num_joints=5,
            loss=dict(type='mmpose.RLELoss', use_target_weight=True),
        ),
        patch_embedding=dict(in_channels=8, embed_dims=16),
    )
    person = PoseDataSample(gt_fields=PixelData(mask=torch.ones(1, 64, 48)))
    person.gt_instance_labels = InstanceData(
        keypoint_labels=torch.rand(1, 5, 2), keypoint_weights=torch.ones(1, 5)
    )
    losses = head.loss(
        (torch.randn(2, 8, 1, 1),), [person, person], train_cfg={}
    )
    assert {'loss_kpt', 'loss_silhouette'} <= set(losses)


@pytest.mark.parametrize('off', ['decoder', 'loss'])
def test_none_leaves_the_head_alone(off, features):
    alone = AuxiliarySilhouetteHead(
        head=dict(type=ToyHead, channels=8),
        patch_embedding=EMBEDDING,
        **{off: None},
    )
    samples = [sample(torch.ones(1, 64, 64))] * 2
    assert alone.loss(features, samples).keys() == {'loss_toy'}
    assert all(
        name.startswith('head.') for name, _ in alone.named_parameters()
    )


def test_what_the_config_of_the_head_says_wins():
    def build(**own):
        return AuxiliarySilhouetteHead(
            head=dict(type=ToyHead, channels=8, **own),
            patch_embedding=EMBEDDING,
            test_cfg='of the detector',
        ).head

    assert build().test_cfg == 'of the detector'
    assert build(test_cfg='own').test_cfg == 'own'
