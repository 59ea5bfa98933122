"""MMHuman3D's HMR, PARE and CLIFF on the people of this package."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

pytest.importorskip('mmhuman3d')
pytest.importorskip('mmpose')

from mmd2a.body_models import SMPLBodyModel
from mmd2a.body_models.joint_sets import JOINT_SETS
from mmd2a.cli.tool_config import read_config
from mmd2a.geometry.rotations import axis_angle_to_matrix
from mmd2a.interop.mmhuman3d.running.body import (
    BodyForMMHuman3D,
    mean_parameters_file,
)
from mmd2a.interop.mmhuman3d.running.labels import (
    CROP_SIZE,
    labels_for_mmhuman3d,
    place_in_full_image,
)
from mmd2a.models.heads.mean_mesh import mean_rotations
from mmd2a.models.objectives.labels import stack_labels
from mmd2a.registry import DATASETS, MODELS
from mmd2a.weights import read_weights

CONFIGS = Path(__file__).parents[4] / 'configs' / 'mix'
NAMES = ('hmr', 'pare', 'cliff', 'hmr_field')


@pytest.fixture(autouse=True)
def own_scope():
    with DefaultScope.overwrite_default_scope('mmd2a'):
        yield


def config(name):
    return read_config(str(CONFIGS / f'mmhuman3d_{name}_synthetic.py'), {})


@pytest.fixture(scope='module')
def people(tmp_path_factory):
    """Two people, cropped as in training: turned, shifted, mirrored."""
    with DefaultScope.overwrite_default_scope('mmd2a'):
        dataset = config('hmr').train_dataloader.dataset
        dataset.update(
            data_root=str(tmp_path_factory.mktemp('people')),
            num_people=2,
            image_size=96,
            shard_size=2,
            num_workers=1,
        )
        dataset.pipeline[1].update(size=64, flip_prob=1, turn_prob=1)
        built = DATASETS.build(dataset)
        np.random.seed(0)  # noqa: NPY002  (it is what transforms draw from)
        return pseudo_collate([built[0], built[1]])


def build(name):
    torch.manual_seed(0)
    model = MODELS.build(config(name).model)
    model.init_weights()
    return model


def labels(people):
    return stack_labels(people['data_samples'], 'h36m14', 10)


@pytest.mark.parametrize('name', NAMES)
def test_a_training_step_reaches_every_parameter(name, people):
    """And starts from the weights that D2A-HMR starts from."""
    model = build(name).train()
    initial = read_weights('mmd2a://mobilenet-v2-imagenet')['state_dict']
    backbone = model.estimator.architecture.backbone.state_dict()
    shared = [key for key in backbone if f'backbone.{key}' in initial]
    assert len(shared) > 200
    for key in shared:
        torch.testing.assert_close(
            backbone[key].float(), initial[f'backbone.{key}'].float()
        )
    before = [p.clone() for p in model.parameters()]
    data = model.data_preprocessor(people, training=True)
    loss, log = model.parse_losses(model(**data, mode='loss'))
    assert all(value.isfinite() for value in log.values())
    loss.backward()
    torch.optim.AdamW(model.parameters(), lr=1e-3).step()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    moved = [not torch.equal(a, b) for a, b in zip(before, model.parameters())]
    assert np.mean(moved) > 0.9


@pytest.mark.parametrize('name', NAMES)
def test_predictions_are_evaluated_like_ours(name, people):
    model = build(name).eval()
    samples = model.test_step(people)
    for sample in samples:
        pred = sample.pred
        assert pred.vertices.shape == (model.body_model.num_vertices, 3)
        hips = pred.keypoints3d[[2, 3]].mean(0)
        torch.testing.assert_close(hips, torch.zeros(3), atol=1e-5, rtol=0)
        # What the head gave is what the mesh is.
        posed = model.body_model(
            pred.global_orient[None], pred.body_pose[None], pred.betas[None]
        ).vertices[0]
        moved = posed - pred.vertices
        assert moved.std(0).max() < 1e-4


def test_predicted_joints_lie_where_the_losses_see_them(people):
    """A camera that moves with the root shows the same as MMHuman3D's."""
    from mmhuman3d.utils.geometry import project_points

    model = build('hmr').eval()
    inputs = model.data_preprocessor(people)['inputs']
    with torch.no_grad():
        output = model(inputs)
        network = model.estimator.architecture
        given = network.head(network.backbone(inputs['img']))
        pose = given['pred_pose']
        joints = network.body_model_train(
            given['pred_shape'], pose[:, 1:], pose[:, :1], pose2rot=False
        )['joints']
    pixels = project_points(joints, given['pred_cam'], 5000, CROP_SIZE)
    torch.testing.assert_close(
        output['keypoints2d'],
        2 * pixels / (CROP_SIZE - 1),
        atol=0.02,
        rtol=0.02,
    )


@pytest.mark.parametrize('name', NAMES)
def test_the_truth_has_no_loss(name, people):
    """Labels and predictions are of one body, frame and unit."""
    model, gt = build(name), labels(people)
    turns = torch.cat([gt['global_orient'], gt['body_pose']], 1)
    truth = dict(
        pred_pose=axis_angle_to_matrix(turns.unflatten(1, (24, 3))),
        pred_shape=gt['betas'],
        pred_cam=torch.tensor([[0.9, 0.0, 0.0]]).expand(2, -1),
    )
    place = place_in_full_image(people['data_samples'], gt['K'], 64)
    losses = model.estimator.architecture.compute_losses(
        truth, dict(labels_for_mmhuman3d(gt), **place)
    )
    assert losses['keypoints2d_loss'] > 0
    for part in ('keypoints3d', 'smpl_pose', 'smpl_betas'):
        assert losses[f'{part}_loss'] < 1e-3, part


def test_cliff_projects_true_joints_onto_their_labels(people):
    """Through the full image, in turned and mirrored crops too."""
    from mmhuman3d.utils.geometry import perspective_projection

    gt = labels(people)
    place = place_in_full_image(people['data_samples'], gt['K'], 64)
    full = perspective_projection(
        gt['keypoints3d'],
        torch.eye(3).expand(2, -1, -1),
        torch.zeros(2, 3),
        place['focal_length'][:, 0],
        torch.cat([place['img_w'], place['img_h']], 1) / 2,
    )
    homogeneous = torch.cat([full, torch.ones_like(full[..., :1])], -1)
    pixels = homogeneous @ place['crop_trans'].mT
    torch.testing.assert_close(
        pixels,
        labels_for_mmhuman3d(gt)['keypoints2d'][..., :2],
        atol=0.01,
        rtol=1e-4,
    )


def test_cliff_is_told_what_mmhuman3d_tells_it(people):
    """Where the camera is not known, by its own guess of the focal length."""
    from mmhuman3d.data.datasets.pipelines.transforms import GetBboxInfo

    sample = people['data_samples'][0].clone()
    zoom, corner = 0.8, np.array([30.0, 12.0])
    sample.set_metainfo(
        dict(
            ori_shape=(120, 200),
            crop_matrix=np.array(
                [[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]]
            ),
        )
    )
    place = place_in_full_image([sample], torch.zeros(1, 3, 3), 64)
    centre = corner + (64 - 1) / 2 / zoom + 0.5
    told = GetBboxInfo()(
        dict(
            img=np.zeros((120, 200, 3)),
            center=centre,
            scale=np.array([64 / zoom] * 2),
        )
    )
    np.testing.assert_allclose(place['center'][0], centre, rtol=1e-6)
    np.testing.assert_allclose(
        place['bbox_info'][0], told['bbox_info'], rtol=1e-4, atol=1e-5
    )
    del sample.crop_matrix
    with pytest.raises(ValueError, match='crop_matrix'):
        place_in_full_image([sample], torch.zeros(1, 3, 3), 64)


def test_cliff_says_that_it_needs_samples(people):
    model = build('cliff')
    with pytest.raises(ValueError, match='needs data_samples'):
        model(model.data_preprocessor(people)['inputs'])


def test_rotations_may_be_split_anywhere():
    """MMHuman3D's labels are, 3 and 21; so may matrices be."""
    body = BodyForMMHuman3D(SMPLBodyModel(), 'h36m14')
    pose, betas = torch.randn(2, 24, 3) * 0.3, torch.randn(2, 10)
    whole = body(betas, pose[:, 1:].flatten(1), pose[:, 0])
    matrices = axis_angle_to_matrix(pose)
    for other in (
        body(betas, pose[:, 3:], pose[:, :3]),
        body(betas, matrices[:, 1:], matrices[:, :1], pose2rot=False),
    ):
        for key in ('vertices', 'joints'):
            torch.testing.assert_close(
                other[key], whole[key], atol=1e-5, rtol=1e-4
            )


def test_heads_start_from_the_mean_person_of_this_package():
    from mmhuman3d.utils.geometry import rot6d_to_rotmat

    pose = torch.from_numpy(np.load(mean_parameters_file())['pose'])
    torch.testing.assert_close(
        rot6d_to_rotmat(pose.reshape(24, 6)), mean_rotations()
    )


def test_both_packages_have_the_same_joints():
    from mmhuman3d.core.conventions.keypoints_mapping import KEYPOINTS_FACTORY

    theirs = [
        name.removesuffix('_extra').replace('headtop', 'head_top')
        for name in KEYPOINTS_FACTORY['lsp']
    ]
    assert theirs == list(JOINT_SETS['h36m14'])


@pytest.mark.parametrize(
    'key', ['body_model_train', 'convention', 'disc', 'registration']
)
def test_what_cannot_be_is_refused(key):
    cfg = config('hmr').model
    cfg.architecture[key] = dict(type='SMPL')
    with pytest.raises(ValueError, match=f'architecture.{key} is not for'):
        MODELS.build(cfg)
