"""HMR gives the numbers it gives where MMHuman3D was made to run.

``native_stack.npz`` holds what MMHuman3D 0.11.0 computed on Python 3.8,
torch 1.12.1 and mmcv 1.6.1, without this package, for the seeds and the
random stand-in body below: HMR of configs/hmr/resnet50_hmr_pw3d.py (BN for
SyncBN, no pretrained backbone) in evaluation and in training. It has every
40th vertex, to save space. (The rest of it: ``test_oracle_functions.py``.)

No weights are stored: the same seed draws the same weights to this day.
"""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import mmd2a  # noqa: F401  (activates the bridge)

pytest.importorskip('mmhuman3d')
pytest.importorskip('smplx')

NUM_VERTICES, NUM_JOINTS, NUM_FACES = 6890, 24, 13776
PARENTS = [
    2**32 - 1,
    0,
    0,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    9,
    9,
    12,
    13,
    14,
    16,
    17,
    18,
    19,
    20,
    21,
]
BATCH = 4
LOSSES = ['keypoints2d', 'keypoints3d', 'smpl_betas', 'smpl_pose', 'vertex']


@pytest.fixture(scope='module')
def native():
    """What the native stack computed."""
    with np.load(
        Path(__file__).with_name('native_stack.npz'), allow_pickle=False
    ) as arrays:
        return dict(arrays)


@pytest.fixture(scope='module')
def random_body(tmp_path_factory):
    """Files in SMPL's format, of noise; the order of the draws matters."""
    random = np.random.RandomState(0)

    def rows_of_one(array):
        return array / array.sum(1, keepdims=True)

    template = random.rand(NUM_VERTICES, 3) - 0.5
    weights = rows_of_one(random.rand(NUM_VERTICES, NUM_JOINTS) ** 8)
    regressor = rows_of_one(random.rand(NUM_JOINTS, NUM_VERTICES) ** 20)
    arrays = dict(
        v_template=template,
        shapedirs=random.randn(NUM_VERTICES, 3, 10) * 0.01,
        posedirs=random.randn(NUM_VERTICES, 3, 207) * 0.001,
        J_regressor=regressor,
        weights=weights,
        kintree_table=np.array([PARENTS, range(NUM_JOINTS)], dtype=np.uint32),
        f=random.randint(0, NUM_VERTICES, (NUM_FACES, 3)).astype(np.uint32),
    )
    folder = tmp_path_factory.mktemp('random_body')
    # smplx reads pickles only.
    (folder / 'SMPL_NEUTRAL.pkl').write_bytes(pickle.dumps(arrays))
    for name, joints in (('extra', 9), ('h36m', 17)):
        np.save(
            folder / f'J_regressor_{name}.npy',
            rows_of_one(random.rand(joints, NUM_VERTICES) ** 20),
        )
    np.savez(
        folder / 'smpl_mean_params.npz',
        pose=np.tile([1, 0, 0, 1, 0, 0], 24).astype(np.float32),
        shape=np.zeros(10, np.float32),
        cam=np.array([0.9, 0, 0], np.float32),
    )
    return folder


@pytest.fixture(scope='module')
def hmr(random_body):
    """HMR as the config builds it, with weights of seed 0."""
    from mmhuman3d.models.architectures.builder import build_architecture

    torch.manual_seed(0)
    model = build_architecture(
        dict(
            type='ImageBodyModelEstimator',
            backbone=dict(
                type='ResNet',
                depth=50,
                out_indices=[3],
                norm_eval=False,
                norm_cfg=dict(type='BN', requires_grad=True),
            ),
            head=dict(
                type='HMRHead',
                feat_dim=2048,
                smpl_mean_params=str(random_body / 'smpl_mean_params.npz'),
            ),
            body_model_train=dict(
                type='SMPL',
                keypoint_src='smpl_54',
                keypoint_dst='smpl_54',
                model_path=str(random_body),
                keypoint_approximate=True,
                extra_joints_regressor=str(
                    random_body / 'J_regressor_extra.npy'
                ),
            ),
            body_model_test=dict(
                type='SMPL',
                keypoint_src='h36m',
                keypoint_dst='h36m',
                model_path=str(random_body),
                joints_regressor=str(random_body / 'J_regressor_h36m.npy'),
            ),
            convention='smpl_54',
            loss_keypoints3d=dict(type='SmoothL1Loss', loss_weight=100),
            loss_keypoints2d=dict(type='SmoothL1Loss', loss_weight=10),
            loss_vertex=dict(type='L1Loss', loss_weight=2),
            loss_smpl_pose=dict(type='MSELoss', loss_weight=3),
            loss_smpl_betas=dict(type='MSELoss', loss_weight=0.02),
            loss_adv=dict(
                type='GANLoss',
                gan_type='lsgan',
                real_label_val=1.0,
                fake_label_val=0.0,
                loss_weight=1,
            ),
            disc=dict(type='SMPLDiscriminator'),
        )
    )
    model.init_weights()
    return model


@pytest.fixture(scope='module')
def inputs():
    """A batch of noise."""
    random = np.random.RandomState(1)

    def noise(*shape):
        return torch.tensor(random.randn(*shape).astype(np.float32))

    return dict(
        img=noise(BATCH, 3, 224, 224),
        keypoints2d=noise(BATCH, 54, 3).abs(),
        keypoints3d=noise(BATCH, 54, 4).abs(),
        smpl_body_pose=noise(BATCH, 23, 3) * 0.2,
        smpl_global_orient=noise(BATCH, 3) * 0.2,
        smpl_betas=noise(BATCH, 10) * 0.2,
        smpl_transl=torch.zeros(BATCH, 3),
        has_smpl=torch.ones(BATCH, 1),
        sample_idx=torch.arange(BATCH),
        img_metas=[dict(image_path='a')] * BATCH,
    )


@pytest.fixture(scope='module')
def predicted(hmr, inputs):
    """In evaluation, before :func:`trained` moves running statistics.

    For the images, and for each the next one of the batch.
    """
    hmr.eval()
    rest = {name: inputs[name] for name in ('img_metas', 'sample_idx')}
    with torch.no_grad():
        return [
            hmr.forward_test(img=img, **rest)
            for img in (inputs['img'], inputs['img'].roll(1, 0))
        ]


@pytest.fixture(scope='module')
def trained(hmr, inputs, predicted):
    """Losses, and the gradient of the first convolution."""
    hmr.train()
    for module in hmr.modules():
        if isinstance(module, torch.nn.Dropout):
            module.eval()
    losses = hmr.compute_losses(
        hmr.head(hmr.backbone(inputs['img'])), hmr.prepare_targets(inputs)
    )
    sum(losses.values()).backward()
    return losses, hmr.backbone.conv1.weight.grad


# With these weights an image moves predictions by this order only, so the
# tolerances must be far below; see the test that another image is noticed.
TOLERANCES = dict(
    keypoints_3d=1e-7,
    smpl_pose=1e-6,
    smpl_beta=1e-6,
    camera=1e-6,
    vertices=1e-6,
)


def errors(predicted, native):
    """Largest difference of each prediction, in units of its tolerance."""
    found = {**predicted, 'vertices': predicted['vertices'][:, ::40]}
    return {
        name: np.abs(np.asarray(found[name]) - native[f'test_{name}']).max()
        / tolerance
        for name, tolerance in TOLERANCES.items()
    }


def test_predictions_are_those_of_the_native_stack(predicted, native):
    assert max(errors(predicted[0], native).values()) < 1


def test_predictions_for_another_image_are_not(predicted, native):
    assert min(errors(predicted[1], native).values()) > 10


def test_losses_are_those_of_the_native_stack(trained, native):
    losses, _ = trained
    assert sorted(losses) == [f'{name}_loss' for name in LOSSES]
    for name, loss in losses.items():
        # Relative: they are between 5e-4 and 20.
        np.testing.assert_allclose(
            loss.item(), native[f'loss_{name}'], rtol=1e-6
        )


def test_gradients_are_those_of_the_native_stack(trained, native):
    _, gradient = trained
    error = gradient.numpy() - native['grad_conv1']
    assert np.abs(error).max() < 1e-6
    assert np.linalg.norm(error) < 2e-5 * np.linalg.norm(native['grad_conv1'])


def test_backbone_is_the_residual_network_that_torchvision_has(hmr, inputs):
    """Where every block counts: residuals above start at zero."""
    torchvision = pytest.importorskip('torchvision')
    backbone = copy.deepcopy(hmr.backbone)
    generator = torch.Generator().manual_seed(0)
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values in (module.weight.data, module.running_var):
                values.uniform_(0.5, 1.0, generator=generator)
            module.bias.data.normal_(std=0.1, generator=generator)
    reference = torchvision.models.resnet50(weights=None)
    reference.fc = torch.nn.Identity()
    reference.load_state_dict(backbone.state_dict())
    backbone.eval(), reference.eval()
    with torch.no_grad():
        found = backbone(inputs['img'][:2])[-1].mean((2, 3))
        expected = reference(inputs['img'][:2])
    assert (expected[0] - expected[1]).norm() > 1e-2 * expected.norm()
    assert (found - expected).norm() < 1e-5 * expected.norm()
