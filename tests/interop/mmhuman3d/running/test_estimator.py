"""An architecture of MMHuman3D as a model of MMEngine: the same numbers."""

import copy
import importlib.util

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper, OptimWrapper, build_optim_wrapper

pytest.importorskip('mmhuman3d')

from mmd2a.interop.mmhuman3d.settings.translation import translate_config
from mmd2a.registry import DATASETS, FUNCTIONS, MODELS


@pytest.fixture
def tiny(data_here, tiny_configs):
    """``tiny(name, **changes) -> translated config``."""

    def load(name, **changes):
        cfg = Config.fromfile(tiny_configs / f'{name}.py')
        cfg.merge_from_dict(changes)
        return translate_config(cfg)

    return load


@pytest.fixture
def batch(tiny):

    def load(name, train=True):
        cfg = tiny(name)
        loader = cfg.train_dataloader if train else cfg.test_dataloader
        torch.manual_seed(0)
        dataset = DATASETS.build(loader.dataset)
        collate = FUNCTIONS.get(loader.collate_fn.type)
        return collate([dataset[i] for i in range(3)])

    return load


def build(cfg):
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    return model


def native(cfg):
    """The architecture alone, as MMHuman3D builds it."""
    from mmengine.model import revert_sync_batchnorm
    from mmhuman3d.models.architectures.builder import build_architecture

    torch.manual_seed(0)
    model = revert_sync_batchnorm(build_architecture(cfg.model.architecture))
    model.init_weights()
    return model


def test_keys_of_the_state_dict_are_the_architectures(tiny):
    cfg = tiny('hmr')
    ours, theirs = build(cfg).state_dict(), native(cfg).state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_submodules_are_the_architectures_own(tiny):
    model = build(tiny('hmr'))
    assert model.backbone is model.architecture.backbone
    assert not any(
        'architecture' in name for name, _ in model.named_parameters()
    )


def test_modes_reach_architecture_and_submodules(tiny):
    model = build(tiny('hmr')).eval()
    assert not model.architecture.training and not model.backbone.training
    model.train()
    assert model.architecture.training and model.head.training


def test_a_copy_stands_alone(tiny):
    model = build(tiny('hmr'))
    twin = copy.deepcopy(model)
    assert twin.backbone is twin.architecture.backbone
    with torch.no_grad():
        twin.backbone.conv1.weight.zero_()
    assert model.backbone.conv1.weight.abs().sum() > 0


def test_the_training_step_is_the_architectures(tiny, batch):
    """Discriminator and generator: bit by bit what MMHuman3D computes."""
    cfg, data = tiny('hmr'), batch('hmr')
    ours, theirs = build(cfg).train(), native(cfg).train()
    wrapper = build_optim_wrapper(ours, cfg.optim_wrapper)
    optimizers = {
        name: torch.optim.Adam(getattr(theirs, name).parameters(), lr=1e-3)
        for name in ('backbone', 'head', 'disc')
    }
    for seed in range(2):  # of dropout
        torch.manual_seed(seed)
        log = ours.train_step(data, wrapper)
        torch.manual_seed(seed)
        expected = theirs.train_step(copy.deepcopy(data), optimizers)
        assert log == expected['log_vars']
        assert next(iter(log)) == 'loss'
    for (name, a), (_, b) in zip(
        ours.named_parameters(), theirs.named_parameters()
    ):
        assert torch.equal(a, b), name
    moved = build(cfg).disc.state_dict()
    assert any(
        not torch.equal(value, moved[key])
        for key, value in ours.disc.state_dict().items()
    )


def test_with_one_optimizer_losses_are_those_of_the_own_step(tiny, batch):
    cfg, data = tiny('plain_hmr'), batch('plain_hmr')
    model = build(cfg).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    theirs = native(cfg).train()
    torch.manual_seed(1)  # of dropout
    expected = theirs.train_step(data, {'all': optimizer})
    torch.manual_seed(1)
    losses = model(mode='loss', **data)
    _, log = model.parse_losses(losses)
    assert {k: v.item() for k, v in log.items()} == pytest.approx(
        expected['log_vars'], rel=1e-6
    )
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = model.backbone.conv1.weight.clone()
    assert 'loss' in model.train_step(data, wrapper)
    assert not torch.equal(model.backbone.conv1.weight, before)


def test_predictions_are_the_architectures(tiny, batch):
    cfg, data = tiny('hmr'), batch('hmr', train=False)
    with torch.no_grad():
        [ours] = build(cfg).eval().val_step(data)
        theirs = native(cfg).eval().forward_test(**data)
    assert set(ours) == set(theirs)
    for key in ('keypoints_3d', 'smpl_pose', 'vertices'):
        assert (ours[key] == theirs[key]).all()
    assert list(ours['image_idx'].ravel()) == [0, 1, 2]


def test_registration_improves_the_fits_it_keeps(tiny, batch):
    cfg, data = tiny('spin'), batch('spin')
    model = build(cfg).train()
    fits = model.architecture.fits_dict.fits_dict
    before = {name: values.clone() for name, values in fits.items()}
    log = model.train_step(data, build_optim_wrapper(model, cfg.optim_wrapper))
    assert 'camera_loss' in log and log['loss'] > 0
    assert any(not torch.equal(before[name], fits[name]) for name in fits)


def test_losses_of_a_discriminator_need_an_optimizer_of_its_own(tiny, batch):
    with pytest.raises(NotImplementedError, match='optimiser per module'):
        build(tiny('hmr'))(mode='loss', **batch('hmr'))


def test_mixed_precision_with_own_steps_is_refused():
    from mmd2a.interop.mmhuman3d.running.optimizers import (
        ArchitectureOptimizer,
    )

    scaled = AmpOptimWrapper.__new__(AmpOptimWrapper)
    with pytest.raises(NotImplementedError, match='--amp'):
        ArchitectureOptimizer(scaled)


def test_a_step_that_steps_nothing_is_an_error(tiny, batch, monkeypatch):
    cfg, data = tiny('hmr'), batch('hmr')
    model = build(cfg)
    monkeypatch.setattr(
        type(model.architecture),
        'train_step',
        lambda self, data, optimizer: dict(log_vars={}, loss=None),
    )
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    with pytest.raises(RuntimeError, match='stepped none'):
        model.train_step(data, wrapper)


def test_an_optimizer_for_what_is_not_there_is_named(tiny):
    cfg = tiny('hmr', **{'optimizer.neck': dict(type='Adam', lr=1e-3)})
    with pytest.raises(KeyError, match='neck'):
        build_optim_wrapper(build(cfg), cfg.optim_wrapper)


def test_part_silhouettes_need_a_renderer_and_say_so(tiny, batch):
    if importlib.util.find_spec('pytorch3d'):
        pytest.skip('pytorch3d is here')
    cfg = tiny(
        'hmr',
        **{
            'model.loss_segm_mask': dict(
                type='CrossEntropyLoss', loss_weight=60
            )
        },
    )
    model = build(cfg)
    with pytest.raises(NotImplementedError, match='loss_segm_mask=None'):
        model.train_step({}, build_optim_wrapper(model, cfg.optim_wrapper))


def test_a_missing_file_is_named_with_what_to_do(tiny):
    for setting in ('head.smpl_mean_params', 'body_model_train.model_path'):
        cfg = tiny('hmr', **{f'model.{setting}': 'nowhere.npz'})
        with pytest.raises(
            FileNotFoundError,
            match=('for `model` .*nowhere.npz.*make_mmhuman3d_stand_ins'),
        ):
            build(cfg)


@pytest.mark.parametrize(
    ('content', 'error', 'says'),
    [
        (None, FileNotFoundError, 'make_mmhuman3d_stand_ins'),
        (b'not an archive', ValueError, 'cannot be read'),
        (b'', ValueError, 'cannot be read'),
    ],
)
def test_annotations_that_cannot_be_read_are_named(
    tmp_path, content, error, says
):
    (tmp_path / 'preprocessed_datasets').mkdir()
    if content is not None:
        (tmp_path / 'preprocessed_datasets/people.npz').write_bytes(content)
    with pytest.raises(error, match=f'for `data` .*{says}'):
        DATASETS.build(
            dict(
                type='mmd2a.mmhuman3d_dataset',
                dataset=dict(
                    type='HumanImageDataset',
                    dataset_name='h36m',
                    pipeline=[],
                    data_prefix=str(tmp_path),
                    ann_file='people.npz',
                    convention='smpl_54',
                ),
            )
        )


def test_one_optimizer_may_serve_an_architecture_that_returns_losses():
    from mmhuman3d.models.architectures.base_architecture import (
        BaseArchitecture,
    )
    from mmhuman3d.models.architectures.builder import ARCHITECTURES

    @ARCHITECTURES.register_module(force=True)
    class OneNumber(BaseArchitecture):
        def __init__(self):
            super().__init__()
            self.number = torch.nn.Parameter(torch.ones(()))

        def forward_train(self, img):
            return dict(square_loss=(self.number * img.cuda()).square())

        def forward_test(self, img):
            return dict(value=self.number * img.cuda())

    model = MODELS.build(
        dict(
            type='mmd2a.MMHuman3DEstimator',
            architecture=dict(type='OneNumber'),
        )
    )
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    log = model.train_step(dict(img=torch.ones(1)), wrapper)
    assert log['loss'].item() == 1
    assert model.number.item() == pytest.approx(0.8)
    assert list(model.state_dict()) == ['number']
    [prediction] = model.test_step(dict(img=torch.ones(1)))
    assert prediction['value'] == pytest.approx(0.8)
