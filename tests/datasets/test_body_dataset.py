"""Bad samples: skipped and counted in training, raised in testing."""

import json
import logging
import pickle

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from torch.utils.data import DataLoader

from mmd2a.datasets import BadSampleError, BodyDataset
from mmd2a.files import UnusableFileError
from mmd2a.registry import DATASETS


class Listed(BodyDataset):
    """A data set of numbers."""

    def __init__(self, num: int, **kwargs) -> None:
        self.num = num
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        return [dict(img_path=f'{i}.jpg') for i in range(self.num)]


class Refuse:
    """A transform that takes only some samples."""

    def __init__(self, *bad: int) -> None:
        self.bad = bad

    def __call__(self, results: dict) -> dict:
        if results['sample_idx'] in self.bad:
            raise BadSampleError(
                'image not found', results['img_path'], 'check data_root'
            )
        return results


@pytest.fixture
def messages():
    """Warnings that reach the current logger."""
    found = []

    class Keep(logging.Handler):
        def emit(self, record):
            found.append(record.getMessage())

    logger = MMLogger.get_instance('test_body_dataset')
    handler = Keep(logging.WARNING)
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


def test_training_takes_the_next_usable_neighbour(messages):
    data = Listed(6, pipeline=[Refuse(2, 3)])
    assert data[2]['sample_idx'] == 4
    assert data[3]['sample_idx'] == 4
    assert data[5]['sample_idx'] == 5


def test_the_neighbour_of_the_last_sample_is_the_first():
    assert Listed(4, pipeline=[Refuse(3)])[3]['sample_idx'] == 0


def test_each_bad_sample_is_counted_and_reported_once(messages):
    data = Listed(6, pipeline=[Refuse(2, 3)])
    for _ in range(3):
        data[2], data[3]
    assert list(data.bad_samples) == [2, 3]
    assert len(messages) == 2
    assert 'sample 2 of 6' in messages[0] and '2.jpg' in messages[0]
    assert '2 bad so far' in messages[1]


def test_many_bad_samples_do_not_flood_the_log(messages):
    data = Listed(200, pipeline=[Refuse(*range(0, 200, 2))])
    for index in range(200):
        data[index]
    assert len(data.bad_samples) == 100
    assert len(messages) == data.NUM_NAMED + 4  # at 8, 16, 32, 64


def test_nothing_but_bad_samples_stops_with_the_first_reasons(messages):
    data = Listed(300, pipeline=[Refuse(*range(300))], max_refetch=20)
    with pytest.raises(RuntimeError, match='21 samples in a row') as error:
        data[7]
    assert '7.jpg' in str(error.value) and 'data_root' in str(error.value)


def test_a_small_data_set_is_swept_once():
    with pytest.raises(RuntimeError, match='3 samples in a row'):
        Listed(3, pipeline=[Refuse(0, 1, 2)])[1]


def test_testing_raises_with_path_and_fix():
    data = Listed(3, pipeline=[Refuse(1)], test_mode=True)
    assert data[0]['sample_idx'] == 0
    with pytest.raises(BadSampleError, match='sample 1 of 3') as error:
        data[1]
    assert '1.jpg' in str(error.value) and 'data_root' in str(error.value)


def test_a_pipeline_that_returns_nothing_is_a_bad_sample():
    def drop_first(results):
        return results if results['sample_idx'] else None

    data = Listed(3, pipeline=[drop_first])
    assert data[0]['sample_idx'] == 1
    data.test_mode = True
    with pytest.raises(BadSampleError, match='None'):
        data[0]


def test_other_errors_are_not_swallowed():
    def broken(results):
        raise TypeError('a bug')

    with pytest.raises(TypeError, match='a bug'):
        Listed(3, pipeline=[broken])[0]


def test_the_error_keeps_its_type_and_text_across_worker_processes():
    data = Listed(3, pipeline=[Refuse(1)], test_mode=True)
    loader = DataLoader(data, num_workers=1, collate_fn=pseudo_collate)
    with pytest.raises(BadSampleError, match='check data_root'):
        list(loader)
    error = BadSampleError('a', 'b', 'c')
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_transforms_learn_whether_they_test():
    seen = []
    for mode in (False, True):
        Listed(
            1,
            pipeline=[
                lambda results: seen.append(results['test_mode']) or results
            ],
            test_mode=mode,
        )[0]
    assert seen == [False, True]


def test_annotation_files_of_mmengine_are_read(tmp_path):
    entries = [
        dict(
            img_path='a.jpg',
            depth_path='a.png',
            mask_path=None,
            bbox=[0, 0, 4, 4],
            joint_set='h36m14',
        ),
        dict(img_path='/elsewhere/b.jpg', bbox=[0, 0, 4, 4]),
    ]
    (tmp_path / 'ann.json').write_text(
        json.dumps(dict(metainfo=dict(source='x'), data_list=entries))
    )
    data = DATASETS.build(
        dict(
            type='mmd2a.BodyDataset',
            ann_file='ann.json',
            data_root=str(tmp_path),
            data_prefix=dict(
                img_path='images', depth_path='depth', mask_path='masks'
            ),
        )
    )
    first, second = data.get_data_info(0), data.get_data_info(1)
    assert first['img_path'] == str(tmp_path / 'images' / 'a.jpg')
    assert first['depth_path'] == str(tmp_path / 'depth' / 'a.png')
    assert first['mask_path'] is None
    assert second['img_path'] == '/elsewhere/b.jpg'
    assert 'depth_path' not in second
    assert data.metainfo['source'] == 'x'


def test_entries_survive_serialisation_unchanged():
    class Arrays(BodyDataset):
        def load_data_list(self):
            return [dict(K=np.eye(3) * i, depth_path=None) for i in range(3)]

    data = Arrays()
    assert (data.get_data_info(2)['K'] == 2 * np.eye(3)).all()
    assert data.get_data_info(2)['depth_path'] is None


def test_annotations_of_nobody_are_named(tmp_path):
    empty = tmp_path / 'empty.json'
    empty.write_text('{"metainfo": {}, "data_list": []}')
    with pytest.raises(UnusableFileError, match=r'0 people .*: .*empty\.json'):
        BodyDataset(ann_file=str(empty), pipeline=[])


@pytest.mark.parametrize('test_mode', [False, True])
@pytest.mark.parametrize('serialize', [False, True])
def test_a_data_set_is_a_sequence(test_mode, serialize):
    data = Listed(4, test_mode=test_mode, serialize_data=serialize)
    assert [sample['sample_idx'] for sample in data] == [0, 1, 2, 3]
    for index in range(-4, 0):
        assert data[index]['img_path'] == f'{4 + index}.jpg'
        assert data.get_data_info(index)['sample_idx'] == 4 + index
    assert data[np.int64(3)]['img_path'] == '3.jpg'
    for index in (4, 5, -5, 1000):
        with pytest.raises(IndexError, match=f'sample {index} .* 4 samples'):
            data[index]
        with pytest.raises(IndexError):
            data.get_data_info(index)
    for index in (1.0, '1', None):
        with pytest.raises(TypeError):
            data[index]


def test_iteration_ends_also_with_bad_samples():
    data = Listed(6, pipeline=[Refuse(4, 5)])
    assert [x['sample_idx'] for x in data] == [0, 1, 2, 3, 0, 0]


@pytest.mark.parametrize('serialize', [False, True])
def test_an_entry_is_known_by_what_it_holds(serialize):
    class Boxes(BodyDataset):
        def __init__(self, *boxes):
            self.boxes = boxes
            super().__init__(serialize_data=serialize)

        def load_data_list(self):
            return [dict(img_path='a.jpg', bbox=box) for box in self.boxes]

    def ids(data):
        return [data.get_data_info(i)['entry_id'] for i in range(len(data))]

    first, second = ids(Boxes([0, 1, 2, 3], [4, 5, 6, 7]))
    assert first != second
    # Another data set, process or subset knows it by the same name.
    assert ids(Boxes([4, 5, 6, 7])) == [second]
    assert ids(Boxes([0, 0, 1, 1], [4, 5, 6, 7]).get_subset([1])) == [second]
