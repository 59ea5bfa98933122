"""MMHuman3D's datasets evaluate, whoever predicted what in which order."""

import numpy as np
import pytest

pytest.importorskip('mmhuman3d')

from mmengine.config import Config

from mmd2a.interop.mmhuman3d.settings.translation import translate_config
from mmd2a.registry import METRICS


@pytest.fixture
def metric(data_here, tiny_configs):
    cfg = translate_config(Config.fromfile(tiny_configs / 'hmr.py'))

    def build(**changes):
        return METRICS.build(dict(cfg.val_evaluator, **changes))

    return build


def predictions(count):
    rng = np.random.default_rng(0)
    return dict(
        keypoints_3d=rng.normal(size=(count, 17, 3)).astype(np.float32),
        smpl_pose=np.tile(np.eye(3, dtype=np.float32), (count, 24, 1, 1)),
        smpl_beta=np.zeros((count, 10), np.float32),
        image_idx=np.arange(count)[:, None],
    )


def part(whole, *numbers):
    return {key: value[list(numbers)] for key, value in whole.items()}


def test_results_are_those_of_the_dataset(metric, tmp_path):
    ours = metric()
    whole = predictions(len(ours.dataset))
    ours.process(None, [whole])
    expected = ours.dataset.evaluate(
        [whole], str(tmp_path), metric=['pa-mpjpe', 'mpjpe']
    )
    assert ours.evaluate(2) == expected
    assert set(expected) == {'PA-MPJPE', 'MPJPE'}


def test_batches_may_come_in_any_order_and_more_than_once(metric):
    ours = metric()
    whole = predictions(len(ours.dataset))
    ours.process(None, [whole])
    expected = ours.evaluate(len(ours.dataset))
    ours.process(None, [part(whole, 2, 1)])
    ours.process(None, [part(whole, 0, 1)])
    assert ours.evaluate(len(ours.dataset)) == expected


def test_nothing_is_left_for_the_next_evaluation(metric):
    ours = metric()
    ours.process(None, [predictions(len(ours.dataset))])
    ours.evaluate(2)
    assert ours.results == []
    with pytest.raises(KeyError):
        ours.evaluate(2)


def test_the_datasets_file_is_kept_where_asked(metric, tmp_path):
    ours = metric(res_folder=str(tmp_path / 'results'))
    ours.process(None, [predictions(len(ours.dataset))])
    ours.evaluate(2)
    assert (tmp_path / 'results/result_keypoints.json').is_file()


def test_names_of_metrics_may_get_a_prefix(metric):
    ours = metric(prefix='pw3d', metric='mpjpe')
    ours.process(None, [predictions(len(ours.dataset))])
    assert list(ours.evaluate(2)) == ['pw3d/MPJPE']


def test_an_unknown_metric_is_the_datasets_to_refuse(metric):
    ours = metric(metric='speed')
    ours.process(None, [predictions(len(ours.dataset))])
    with pytest.raises(KeyError, match='speed'):
        ours.evaluate(2)
