"""Sheets of people during a real validation."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch.utils.data import Dataset

from mmd2a.structures import BodyDataSample
from mmd2a.visualization import MeshVisualizationHook, MeshVisualizer


class People(Dataset):
    """Five crops with depth, as a pipeline packs them."""

    metainfo = dict()

    def __len__(self):
        return 5

    def __getitem__(self, i):
        image = torch.full((3, 16, 16), 40, dtype=torch.uint8)
        image[0] = 200  # blue: images are BGR
        sample = BodyDataSample(metainfo=dict(sample_idx=i))
        depth = torch.linspace(1, 2, 256).view(1, 16, 16)
        return dict(inputs=dict(img=image, depth=depth), data_samples=sample)


class Standing(BaseModel):
    """Predicts the resting body for everyone."""

    def __init__(self, body):
        super().__init__()
        self.body_model = body
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        vertices = self.body_model.v_template * torch.tensor([1.0, -1, -1])
        for sample in data_samples:
            sample.pred = BaseDataElement(
                vertices=vertices - vertices.mean(0),
                camera=torch.tensor([0.9, 0, 0]),
            )
        return data_samples


class Nothing(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(none=0.0)


def run(
    body, folder, hook, validations=1, visualizer=None, test=False, **more
):
    """Validate (or test) with a real Runner; returns the pictures' names."""
    kind = 'test' if test else 'val'
    loader = dict(
        dataset=People(),
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='pseudo_collate'),
    )
    runner = Runner(
        model=Standing(body),
        work_dir=str(folder),
        experiment_name=f'{folder.name}',
        custom_hooks=[hook],
        visualizer=visualizer
        or dict(
            type='mmd2a.MeshVisualizer',
            name=f'visualizer_{folder.name}',
            tile=32,
            vis_backends=[dict(type='LocalVisBackend')],
        ),
        log_level='ERROR',
        **{
            f'{kind}_dataloader': loader,
            f'{kind}_evaluator': [Nothing()],
            f'{kind}_cfg': dict(),
            **more,
        },
    )
    for _ in range(validations):
        runner.test() if test else runner.val()
        runner.message_hub.update_info('iter', 1)
    return runner, sorted(folder.rglob('vis_image/*.png'))


def test_a_validation_leaves_one_sheet_of_at_most_max_images(body, tmp_path):
    drawn = []
    visualizer = MeshVisualizer(
        name=f'visualizer_{tmp_path.name}',
        tile=32,
        vis_backends=[
            dict(type='LocalVisBackend', save_dir=str(tmp_path / 'pictures'))
        ],
    )
    draw = visualizer.draw
    visualizer.draw = lambda *args: drawn.append(args) or draw(*args)
    hook = MeshVisualizationHook(max_images=3)
    _, files = run(body, tmp_path, hook, visualizer=visualizer)
    assert [file.name for file in files] == ['val_people_0.png']
    images, samples, depths, captions = drawn[0]
    assert len(images) == len(samples) == len(depths) == 3
    assert captions == ['sample 0', 'sample 1', 'sample 2']
    # The pipeline's BGR has become RGB.
    np.testing.assert_array_equal(images[0][0, 0], [40, 40, 200])
    np.testing.assert_array_equal(visualizer.faces, body.faces.numpy())


def test_a_test_leaves_a_sheet_of_its_own(body, tmp_path):
    _, files = run(body, tmp_path, MeshVisualizationHook(), test=True)
    assert [file.name for file in files] == ['test_people_0.png']


def test_a_test_builds_nothing_of_the_training(body, tmp_path):
    elsewhere = dict(batch_size=2, dataset=dict(type='NotOnThisMachine'))
    training = dict(
        train_dataloader=elsewhere,
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
    )
    validation = dict(
        val_dataloader=elsewhere, val_cfg=dict(), val_evaluator=[Nothing()]
    )
    hook = MeshVisualizationHook()
    _, files = run(body, tmp_path, hook, test=True, **training, **validation)
    assert [file.name for file in files] == ['test_people_0.png']


def test_only_every_interval_th_validation_is_drawn(body, tmp_path):
    hook = MeshVisualizationHook(interval=2)
    calls = []
    hook._record, record = (
        lambda *args: calls.append(len(hook._people)) or record(*args),
        hook._record,
    )
    run(body, tmp_path, hook, validations=3)
    assert calls == [4, 0, 4]


def test_only_the_main_process_keeps_people(body, tmp_path, monkeypatch):
    monkeypatch.setattr(
        'mmd2a.visualization.visualization_hook.is_main_process', lambda: False
    )
    _, files = run(body, tmp_path, MeshVisualizationHook())
    assert files == []


def test_another_visualizer_is_refused_with_the_line_to_write(body, tmp_path):
    plain = dict(type='Visualizer', name=f'plain_{tmp_path.name}')
    with pytest.raises(TypeError, match=r'mmd2a\.MeshVisualizer'):
        run(body, tmp_path, MeshVisualizationHook(), visualizer=plain)


@pytest.mark.parametrize('bad', [dict(interval=0), dict(max_images=0)])
def test_numbers_below_one_are_refused(bad):
    with pytest.raises(ValueError, match='at least 1'):
        MeshVisualizationHook(**bad)
