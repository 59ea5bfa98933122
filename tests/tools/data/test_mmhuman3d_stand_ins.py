"""Stand-ins are what MMHuman3D's own loaders and body models expect.

Over 350 lines: each stand-in is read by the loader it is for.
"""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from mmhuman3d_stand_ins import make_stand_ins
from mmhuman3d_stand_ins.anatomy import SMPL_VERTEX_NUMBERS, find_landmarks
from mmhuman3d_stand_ins.body import StandInBody
from mmhuman3d_stand_ins.hybrik import twist_angles
from mmhuman3d_stand_ins.priors import sample_bodies

from mmd2a.body_models.embedded import load_embedded_body
from mmd2a.datasets import SyntheticPeople

pytest.importorskip('smplx')
pytest.importorskip('mmhuman3d')

PEOPLE, IMAGE_SIZE = 8, 128
# What the configs of HMR, SPIN, PARE, CLIFF, HybrIK and VIBE in MMHuman3D's
# repository name.
NAMED_BY_CONFIGS = [
    'body_models/smpl/SMPL_NEUTRAL.pkl',
    'body_models/smpl/SMPL_MALE.pkl',
    'body_models/smpl/SMPL_FEMALE.pkl',
    'body_models/J_regressor_extra.npy',
    'body_models/J_regressor_h36m.npy',
    'body_models/h36m_mean_beta.npy',
    'body_models/smpl_mean_params.npz',
    'gmm_08.pkl',
    'static_fits/h36m_fits.npy',
    'static_fits/coco_fits.npy',
    'occluders/pascal_occluders.npy',
    'pretrained/spin.pth',
    'pretrained/spin_pretrain.pth',
    'pretrained_models/hrnet_pretrain.pth',
    'checkpoints/resnet50_a1h2_176-001a1197.pth',
    'cache',
    *(
        f'preprocessed_datasets/{name}.npz'
        for name in (
            'h36m_mosh_train',
            'mpi_inf_3dhp_train',
            'lsp_train',
            'lspet_train',
            'mpii_train',
            'coco_2014_train',
            'cmu_mosh',
            'pw3d_train',
            'pw3d_test',
            'spin_mpi_inf_3dhp_train',
            'spin_lsp_train',
            'spin_lspet_train',
            'spin_mpii_train',
            'spin_coco_2014_train',
            'spin_pw3d_test',
            'eft_coco_all',
            'cliff_coco_train',
            'cliff_mpii_train',
            'hybrik_h36m_train',
            'hybrik_coco_2017_train',
            'hybrik_mpi_inf_3dhp_train',
            'hybrik_pw3d_test',
            'vibe_mpi_inf_3dhp_train',
            'vibe_insta_variety',
            'vibe_pw3d_test',
        )
    ),
]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder in which MMHuman3D's configs could be run."""
    folder = tmp_path_factory.mktemp('mmhuman3d')
    make_stand_ins(folder / 'data', PEOPLE, IMAGE_SIZE, num_workers=1)
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    """The folder, as the current one."""
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope='module')
def stand_in():
    return StandInBody()


@pytest.fixture(scope='module')
def bodies():
    return sample_bodies(6)


def build_smpl(convention, **settings):
    """A body model as MMHuman3D's configs ask for it."""
    from mmhuman3d.models.body_models.builder import build_body_model

    return build_body_model(
        dict(
            type='SMPL',
            model_path='data/body_models/smpl',
            keypoint_src=convention,
            keypoint_dst=convention,
            **settings,
        )
    )


def posed(smpl, bodies):
    with torch.no_grad():
        return smpl(
            **{
                name: torch.from_numpy(value).float()
                for name, value in bodies.items()
            }
        )


def read_human_data(name):
    from mmhuman3d.data.data_structures.human_data import HumanData

    return HumanData.fromfile(f'data/preprocessed_datasets/{name}.npz')


def test_all_files_named_by_configs_are_there(folder):
    assert [
        path
        for path in NAMED_BY_CONFIGS
        if not (folder / 'data' / path).exists()
    ] == []
    assert not list((folder / 'data').rglob('*.incomplete'))
    readme = (folder / 'data/README.txt').read_text()
    assert 'Nothing here comes' in readme


def test_the_real_files_are_never_overwritten(tmp_path):
    real = tmp_path / 'data/body_models/smpl/SMPL_NEUTRAL.pkl'
    real.parent.mkdir(parents=True)
    real.write_bytes(b'licensed')
    with pytest.raises(FileExistsError, match='Choose another folder'):
        make_stand_ins(tmp_path / 'data', PEOPLE, IMAGE_SIZE)
    assert [path for path in tmp_path.rglob('*') if path.is_file()] == [real]
    assert real.read_bytes() == b'licensed'


def test_nothing_else_is_in_the_folder(folder):
    from mmhuman3d_stand_ins.tree import _TOP_LEVEL

    assert {path.name for path in (folder / 'data').iterdir()} == set(
        _TOP_LEVEL
    )


# ---- the body ------------------------------------------------------------
def test_landmarks_have_the_numbers_that_smplx_reads():
    from smplx.vertex_ids import vertex_ids

    theirs = list(vertex_ids['smplh'].values())
    assert set(SMPL_VERTEX_NUMBERS.values()) - set(theirs) == {411}
    assert len(theirs) == len(SMPL_VERTEX_NUMBERS) - 1
    assert SMPL_VERTEX_NUMBERS['nose'] == vertex_ids['smplh']['nose']
    assert SMPL_VERTEX_NUMBERS['left_heel'] == vertex_ids['smplh']['LHeel']
    assert SMPL_VERTEX_NUMBERS['right_ring'] == vertex_ids['smplh']['rring']


def test_landmarks_lie_on_the_right_anatomy():
    body = load_embedded_body()
    at = {
        name: body['v_template'][vertex]
        for name, vertex in find_landmarks(body).items()
    }
    # Down the hand, fingers get shorter behind the middle one, and lie in a
    # row from front to back; so do toes from the inside out.
    hand = [
        at[f'left_{finger}']
        for finger in ('thumb', 'index', 'middle', 'ring', 'pinky')
    ]
    assert np.all(np.diff([point[2] for point in hand]) < -0.01)
    assert np.argmax([point[0] for point in hand]) == 2
    assert at['left_bigtoe'][0] < at['left_smalltoe'][0] - 0.03
    assert at['left_heel'][2] < at['left_bigtoe'][2] - 0.2
    assert at['head_top'][1] > at['nose'][1] > at['left_thumb'][1]
    for name, point in at.items():
        if name.startswith('left_'):
            mirrored = at[name.replace('left_', 'right_')] * [-1, 1, 1]
            np.testing.assert_allclose(point, mirrored, atol=1e-5)


def test_smpl_of_mmhuman3d_is_our_body(here, stand_in, bodies, body):
    theirs = posed(build_smpl('smpl_45'), bodies)
    ours = posed(body, bodies)
    order = torch.from_numpy(stand_in.order)
    assert (theirs['vertices'] - ours.vertices[:, order]).abs().max() < 1e-5
    assert (theirs['joints'][:, :24] - ours.joints).abs().max() < 1e-5


def test_faces_of_the_files_are_those_of_our_body(here, stand_in, body):
    with open('data/body_models/smpl/SMPL_FEMALE.pkl', 'rb') as file:
        faces = pickle.load(file)['f'].astype(np.int64)
    assert np.array_equal(stand_in.order[faces], body.faces.numpy())


@pytest.mark.parametrize(
    'convention, settings',
    [
        (
            'smpl_54',
            dict(
                extra_joints_regressor='data/body_models/'
                'J_regressor_extra.npy',
                keypoint_approximate=True,
            ),
        ),
        (
            'h36m',
            dict(joints_regressor='data/body_models/J_regressor_h36m.npy'),
        ),
    ],
)
def test_keypoints_are_those_of_mmhuman3d(
    here, stand_in, bodies, convention, settings
):
    theirs = posed(build_smpl(convention, **settings), bodies)['joints']
    ours = stand_in.keypoints(**bodies)[convention]
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


def test_regressors_are_means_of_the_surface(stand_in):
    for regressor in (stand_in.extra_regressor, stand_in.h36m_regressor):
        np.testing.assert_allclose(regressor.sum(1), 1, atol=1e-5)


def test_hybrik_finds_the_pose_from_joints_and_twists(here, stand_in, bodies):
    from mmhuman3d.models.body_models.builder import build_body_model
    from scipy.spatial.transform import Rotation

    smpl = build_body_model(
        dict(
            type='HybrIKSMPL',
            model_path='data/body_models/smpl',
            extra_joints_regressor='data/body_models/J_regressor_h36m.npy',
        )
    )
    twist = twist_angles(stand_in, bodies['body_pose'], bodies['betas'])
    skeleton = torch.from_numpy(
        stand_in.keypoints(**bodies)['hybrik_29']
    ).float()
    skeleton = skeleton - skeleton[:, :1]
    with torch.no_grad():
        found = smpl.eval()(
            pose_skeleton=skeleton,
            global_orient=None,
            betas=torch.from_numpy(bodies['betas']).float(),
            phis=torch.from_numpy(
                np.stack([np.cos(twist), np.sin(twist)], -1)
            ).float(),
        )
    assert (found['joints'] - skeleton[:, :24]).abs().max() < 1e-5
    true = Rotation.from_rotvec(bodies['body_pose'].reshape(-1, 3))
    rotations = found['poses'].reshape(len(skeleton), -1, 3, 3)[:, 1:24]
    error = (
        true.inv() * Rotation.from_matrix(rotations.reshape(-1, 3, 3).numpy())
    ).magnitude()
    # Leaves of its skeleton do not know what bending does to the skin, which
    # is a degree or two at feet and head.
    assert np.degrees(np.median(error)) < 0.1
    assert np.degrees(error).max() < 5


# ---- what is known of poses ----------------------------------------------
def test_regressors_start_upright(here):
    from mmhuman3d.utils.geometry import rot6d_to_rotmat

    mean = np.load('data/body_models/smpl_mean_params.npz')
    pose = rot6d_to_rotmat(torch.from_numpy(mean['pose'])[None])
    pose = pose.view(1, 24, 3, 3)
    with torch.no_grad():
        joints = build_smpl('smpl_45')(
            body_pose=pose[:, 1:],
            global_orient=pose[:, :1],
            betas=torch.zeros(1, 10),
            pose2rot=False,
        )['joints'][0]
    nose, pelvis, ankle = joints[24], joints[0], joints[7]
    assert nose[1] < pelvis[1] < ankle[1]  # the camera has y down
    assert nose[2] < pelvis[2]  # and looks in the face


def test_pose_prior_prefers_natural_poses(here):
    from mmhuman3d.models.losses.prior_loss import MaxMixturePrior

    prior = MaxMixturePrior(prior_folder='data', num_gaussians=8)
    natural = torch.from_numpy(sample_bodies(20, 5)['body_pose']).float()
    odd = natural[
        :, torch.randperm(69, generator=torch.Generator().manual_seed(0))
    ]
    cost = [
        prior(poses, reduction_override='none') for poses in (natural, odd)
    ]
    assert cost[0].isfinite().all()
    assert cost[0].median() < 0.5 * cost[1].median()


def test_static_fits_are_near_the_truth(here):
    from mmhuman3d.models.utils import FitsDict

    fits = FitsDict(fits='static')
    nothing = torch.zeros(2)
    pose, betas = fits[
        (['coco', 'h36m'], torch.tensor([1, 2]), nothing, nothing)
    ]
    smpl = read_human_data('h36m_mosh_train')['smpl']
    assert (
        np.abs(
            pose[:, 3:].numpy() - smpl['body_pose'][[1, 2]].reshape(2, -1)
        ).max()
        < 0.6
    )
    assert np.abs(betas.numpy() - smpl['betas'][[1, 2]]).max() < 0.6


# ---- people --------------------------------------------------------------
@pytest.mark.parametrize(
    'name', ['h36m_mosh_train', 'lsp_train', 'eft_coco_all']
)
def test_keypoints_of_human_data_are_where_the_people_are_drawn(here, name):
    from mmhuman3d.core.conventions.keypoints_mapping import convert_kps

    drawn = SyntheticPeople(
        'data/datasets/synthetic_people',
        num_people=PEOPLE,
        image_size=IMAGE_SIZE,
        joint_set='smpl24',
        shard_size=4,
    )
    data = read_human_data(name)
    found, mask = convert_kps(data['keypoints2d'], 'human_data', 'smpl')
    assert mask.all()
    for i in range(PEOPLE):
        label = drawn.get_data_info(i)
        np.testing.assert_allclose(
            found[i, :, :2], label['keypoints2d'], atol=0.01
        )
        inside = label['keypoints2d_visibility'] > 0
        assert np.array_equal(found[i, :, 2] > 0, inside)
        assert (here / 'data/datasets/h36m' / data['image_path'][i]).samefile(
            label['img_path']
        )


def test_labels_are_those_of_the_real_data_sets(here):
    assert 'smpl' in read_human_data('h36m_mosh_train')
    assert 'keypoints3d' not in read_human_data('eft_coco_all')
    assert not {'smpl', 'keypoints3d'} & set(read_human_data('mpii_train'))
    genders = read_human_data('pw3d_test')['meta']['gender']
    assert set(genders) == {'m', 'f'}


def test_keypoints_of_openpose_are_labelled_too(here):
    from mmhuman3d.core.conventions.keypoints_mapping import convert_kps

    data = read_human_data('lsp_train')
    _, mask = convert_kps(
        data['keypoints2d'],
        'human_data',
        'smpl_49',
        mask=data['keypoints2d_mask'],
    )
    assert mask.all()


def test_hybrik_skeletons_project_to_the_image(here):
    data = read_human_data('hybrik_h36m_train')
    pixels, camera = data['keypoints3d'], data['keypoints3d_cam']
    known = data['keypoints3d_mask'] > 0
    assert known.sum() == 29
    inverse = data['cam_param']['intrinsic']
    ray = np.concatenate(
        [pixels[..., :2], np.ones_like(pixels[..., :1])], -1
    ) @ inverse.transpose(0, 2, 1)
    depth = pixels[..., 2:3] + data['root_cam'][:, None, 2:]
    np.testing.assert_allclose(
        (ray * depth)[:, known], camera[:, known, :3], atol=1e-3
    )
    assert 1000 < np.median(camera[:, known, 2]) < 20000  # millimetres


def test_videos_move_smoothly(here):
    from scipy.spatial.transform import Rotation

    data = read_human_data('vibe_mpi_inf_3dhp_train')
    assert data['features'].shape == (len(data['image_path']), 2048)
    video = [path.split('/')[0] for path in data['image_path']]
    poses = data['smpl']['body_pose'][: video.count(video[0])]
    turn = (
        Rotation.from_rotvec(poses.reshape(-1, 3))
        .as_matrix()
        .reshape(len(poses), 23, 3, 3)
    )
    steps = np.linalg.norm(np.diff(turn, axis=0), axis=(-2, -1))
    assert len(poses) >= 16 and steps.max() < 0.3


def test_same_seed_makes_same_files(folder):
    def content():
        return {
            path: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (folder / 'data').rglob('*')
            if path.is_file()
        }

    before = content()
    (folder / 'data/cache/coco_2014_train_smpl_54.npz').touch()  # outdated
    make_stand_ins(folder / 'data', PEOPLE, IMAGE_SIZE, num_workers=1)
    assert content() == before
