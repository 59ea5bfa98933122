"""Crops become one normalised batch, whatever each of them lacks."""

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.structures import BaseDataElement

from mmd2a.models.data_preprocessors import BodyDataPreprocessor
from mmd2a.structures import BodyDataSample


def batch(num=3, size=(16, 12), depth=True):
    generator = torch.Generator().manual_seed(0)
    inputs = dict(
        img=[
            torch.randint(
                0, 256, (3, *size), dtype=torch.uint8, generator=generator
            )
            for _ in range(num)
        ]
    )
    if depth:
        inputs['depth'] = [
            2 + torch.rand(1, *size, generator=generator) for _ in range(num)
        ]
    return dict(
        inputs=inputs,
        data_samples=[
            BodyDataSample(metainfo=dict(sample_idx=i)) for i in range(num)
        ],
    )


def test_images_are_rgb_with_mean_and_spread_removed():
    data = batch()
    mean, std = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    out = BodyDataPreprocessor(mean, std)(data)['inputs']['img']
    assert out.shape == (3, 3, 16, 12) and out.dtype == torch.float32
    for index, image in enumerate(data['inputs']['img']):
        for channel in range(3):
            torch.testing.assert_close(
                out[index, channel],
                (image[2 - channel].float() - mean[channel]) / std[channel],
            )


def test_channels_stay_when_asked_to():
    data = batch()
    out = BodyDataPreprocessor([0.0] * 3, [1.0] * 3, bgr_to_rgb=False)(data)
    assert (out['inputs']['img'][0] == data['inputs']['img'][0]).all()


def test_depth_gets_a_mask_and_a_flag_per_sample():
    data = batch()
    data['inputs']['depth'][1][:] = float('nan')
    data['inputs']['depth'][2][:, :4] = 0
    inputs = BodyDataPreprocessor()(data)['inputs']
    assert inputs['depth'].shape == (3, 2, 16, 12)
    assert torch.isfinite(inputs['depth']).all()
    assert inputs['has_depth'].tolist() == [1, 0, 1]
    assert (inputs['depth'][2, 1, :4] == 0).all()


def test_an_rgb_batch_has_no_depth():
    assert set(BodyDataPreprocessor()(batch(depth=False))['inputs']) == {'img'}


def test_depth_normalisation_is_configurable():
    data = batch()
    metric = BodyDataPreprocessor()(data)['inputs']['depth']
    data['inputs']['depth'] = [9 * z for z in data['inputs']['depth']]
    affine = BodyDataPreprocessor(depth_normalization=dict(mode='affine'))(
        data
    )['inputs']['depth']
    assert affine[:, 0].abs().mean() < metric[:, 0].abs().mean() * 9


def test_the_batch_given_is_left_alone():
    data = batch()
    image = data['inputs']['img'][0].clone()
    BodyDataPreprocessor()(data)
    assert isinstance(data['inputs']['img'], list)
    assert (data['inputs']['img'][0] == image).all()


def test_samples_and_inputs_move_to_the_device_of_the_model():
    preprocessor = BodyDataPreprocessor().to('meta')
    data = batch()
    for sample in data['data_samples']:
        sample.gt = BaseDataElement(betas=torch.zeros(10))
    out = preprocessor(data)
    assert out['inputs']['img'].device.type == 'meta'
    assert out['inputs']['depth'].device.type == 'meta'
    assert out['data_samples'][0].gt.betas.device.type == 'meta'


def test_inference_needs_no_data_samples():
    data = batch()
    del data['data_samples']
    assert 'data_samples' not in BodyDataPreprocessor()(data)


def test_an_already_stacked_batch_is_taken():
    data = batch()
    stacked = dict(
        data,
        inputs={
            key: torch.stack(value) for key, value in data['inputs'].items()
        },
    )
    one, other = (BodyDataPreprocessor()(d)['inputs'] for d in (data, stacked))
    assert all((one[key] == other[key]).all() for key in one)


def test_crops_of_different_size_are_named():
    data = batch()
    data['inputs']['img'][1] = data['inputs']['img'][1][:, :8]
    with pytest.raises(ValueError, match='PersonCrop') as error:
        BodyDataPreprocessor()(data)
    assert '(3, 8, 12)' in str(error.value)


def test_depth_of_another_size_is_named():
    data = batch()
    data['inputs']['depth'] = [z[:, :8] for z in data['inputs']['depth']]
    with pytest.raises(ValueError, match='8x12'):
        BodyDataPreprocessor()(data)


def test_only_its_record_is_in_a_checkpoint():
    assert list(BodyDataPreprocessor().state_dict()) == ['depth_record']


@pytest.mark.parametrize('kind', ['depth', 'disparity'])
def test_depth_without_a_unit_is_not_normalised_as_metric(kind):
    """It would be read as missing where it is negative."""
    data = batch()
    data['data_samples'][1].set_metainfo(dict(depth_kind=kind))
    with pytest.raises(ValueError, match=f"'{kind}'.*mode='affine'"):
        BodyDataPreprocessor()(data)
    affine = BodyDataPreprocessor(depth_normalization=dict(mode='affine'))
    data['inputs']['depth'] = [x - 10 for x in data['inputs']['depth']]
    assert affine(data)['inputs']['has_depth'].tolist() == [1, 1, 1]


def test_depth_dropout_takes_depth_away_as_often_as_asked():
    torch.manual_seed(0)
    preprocess = BodyDataPreprocessor(depth_dropout=0.25)
    data = batch(num=400, size=(4, 4))
    inputs = preprocess(data, training=True)['inputs']
    lost = inputs['has_depth'] == 0
    assert lost.float().mean() == pytest.approx(0.25, abs=0.06)
    plain = BodyDataPreprocessor()(data)['inputs']['depth']
    assert torch.equal(inputs['depth'][~lost], plain[~lost])
    # As where there is no file: neither depth nor a valid pixel.
    data['inputs']['depth'][0][:] = torch.nan
    nothing = BodyDataPreprocessor()(data)['inputs']['depth'][:1]
    assert torch.equal(
        inputs['depth'][lost], nothing.expand(int(lost.sum()), -1, -1, -1)
    )


def test_depth_dropout_leaves_testing_alone():
    inputs = BodyDataPreprocessor(depth_dropout=1.0)(batch())['inputs']
    assert inputs['has_depth'].tolist() == [1, 1, 1]


def test_without_dropout_no_random_number_is_drawn():
    """A model trained before gives the same numbers."""
    before = torch.get_rng_state()
    BodyDataPreprocessor()(batch(), training=True)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize('training', [True, False])
def test_ignored_depth_is_missing_depth(training):
    inputs = BodyDataPreprocessor(ignore_depth=True)(batch(), training)
    assert (inputs['inputs']['depth'] == 0).all()
    assert inputs['inputs']['has_depth'].tolist() == [0, 0, 0]


def test_swapped_depth_is_that_of_the_next():
    own, others = (
        BodyDataPreprocessor(swap_depth=swap)(batch())['inputs']
        for swap in (False, True)
    )
    for key in ('depth', 'has_depth'):
        assert torch.equal(others[key], own[key].roll(1, 0))
    assert torch.equal(others['img'], own['img'])


@pytest.mark.parametrize('share', [-0.1, 1.1])
def test_impossible_dropout_is_refused(share):
    with pytest.raises(ValueError, match='depth_dropout'):
        BodyDataPreprocessor(depth_dropout=share)


@pytest.fixture
def warnings_of(caplog):
    """Run a preprocessor in testing and return what it says."""
    logger = MMLogger.get_instance('preprocessor')
    logger.addHandler(caplog.handler)

    def run(preprocess, *batches):
        caplog.clear()
        for data in batches:
            preprocess(data)
        return [record.getMessage() for record in caplog.records]

    yield run
    logger.removeHandler(caplog.handler)


def missing(num=3):
    data = batch(num)
    data['inputs']['depth'][1][:] = torch.nan
    return data


def restored(preprocess):
    """Through a checkpoint, strictly."""
    fresh = BodyDataPreprocessor()
    fresh.load_state_dict(preprocess.state_dict(), strict=True)
    return fresh


def test_a_model_that_never_met_missing_depth_says_so_once(warnings_of):
    preprocess = BodyDataPreprocessor()
    for _ in range(2):
        preprocess(batch(), training=True)
    preprocess = restored(preprocess)
    assert warnings_of(preprocess, batch()) == []
    (message,) = warnings_of(preprocess, missing(), missing())
    assert '1 of 3 samples' in message and '6 samples' in message
    assert 'depth_dropout' in message


@pytest.mark.parametrize('how', ['dropout', 'data'])
def test_a_model_that_met_missing_depth_is_silent(warnings_of, how):
    if how == 'dropout':
        preprocess = BodyDataPreprocessor(depth_dropout=1.0)
        preprocess(batch(), training=True)
    else:
        preprocess = BodyDataPreprocessor()
        preprocess(missing(), training=True)
    preprocess(batch(), training=True)
    assert warnings_of(restored(preprocess), missing()) == []


def test_a_model_that_has_not_been_trained_is_silent(warnings_of):
    assert warnings_of(BodyDataPreprocessor(), missing()) == []


def test_older_checkpoints_load_and_what_they_met_is_unknown(warnings_of):
    model = torch.nn.Module()
    model.data_preprocessor = BodyDataPreprocessor()
    state = model.state_dict()
    del state['data_preprocessor.depth_record']
    model.load_state_dict(state, strict=True)
    preprocess = model.data_preprocessor
    # Trained on with depth only: what was before remains unknown.
    preprocess(batch(), training=True)
    (message,) = warnings_of(preprocess, missing())
    assert 'does not say' in message
    preprocess = restored(preprocess)
    preprocess(missing(), training=True)
    assert preprocess.depth_record[1] == 1
    assert warnings_of(preprocess, missing()) == []
