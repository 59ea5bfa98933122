"""MMHuman3D's cameras and SMPLify run on the cameras and rotations here."""

import pickle

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

import mmd2a  # noqa: F401  (activates the bridge)

pytest.importorskip('mmhuman3d')
pytest.importorskip('smplx')

FOCAL, IMAGE = 5000.0, 224
CAMERA = dict(
    type='PerspectiveCameras',
    convention='opencv',
    in_ndc=False,
    focal_length=FOCAL,
    image_size=(IMAGE, IMAGE),
    principal_point=(IMAGE / 2, IMAGE / 2),
)
LBFGS = dict(type='LBFGS', max_iter=20, lr=1e-2, line_search_fn='strong_wolfe')
ADAM = dict(type='Adam', lr=1e-2, betas=(0.9, 0.999))


def project(points, focal=FOCAL, centre=(IMAGE / 2, IMAGE / 2)):
    """By hand: points (..., 3) in OpenCV's camera frame -> pixels."""
    points = np.asarray(points).astype(np.float64)
    return focal * points[..., :2] / points[..., 2:] + centre


@pytest.fixture(scope='module')
def bodies():
    """Two people, with a first guess of each: parameters of SMPL."""
    from mmhuman3d_stand_ins.priors import sample_bodies

    people = {
        name: torch.tensor(values, dtype=torch.float32)
        for name, values in sample_bodies(2).items()
    }
    people['transl'] = torch.tensor([[0.1, 0.0, 45.0], [0.0, -0.1, 50.0]])
    generator = torch.Generator().manual_seed(0)

    def near(values, spread):
        return values + spread * torch.randn(values.shape, generator=generator)

    return people, dict(
        global_orient=near(people['global_orient'], 0.1),
        body_pose=near(people['body_pose'], 0.1),
        betas=torch.zeros_like(people['betas']),
        transl=near(people['transl'], 0.05),
    )


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """The embedded body and a prior, as files that SMPLify reads."""
    from mmhuman3d_stand_ins.body import StandInBody
    from mmhuman3d_stand_ins.priors import pose_mixture, sample_bodies

    folder = tmp_path_factory.mktemp('registration')
    body = StandInBody()
    mixture = pose_mixture(sample_bodies(100)['body_pose'], 2)
    # smplx and MMHuman3D read pickles only.
    (folder / 'SMPL_NEUTRAL.pkl').write_bytes(pickle.dumps(body.smpl_file()))
    (folder / 'gmm_02.pkl').write_bytes(pickle.dumps(mixture))
    np.save(folder / 'J_regressor_extra.npy', body.extra_regressor)
    return folder


# SPIN's weights. MMHuman3D scales pixels to [-1, 1], so that these priors
# outweigh the keypoints by thousands.
PRIORS = dict(
    shape_prior_loss=dict(
        type='ShapePriorLoss', loss_weight=25.0, reduction='sum'
    ),
    joint_prior_loss=dict(
        type='JointPriorLoss', loss_weight=15.2**2, reduction='sum'
    ),
    pose_prior_loss=dict(
        type='MaxMixturePrior',
        num_gaussians=2,
        loss_weight=4.78**2,
        reduction='sum',
    ),
)


@pytest.fixture
def smplify(files):
    """Build it as in SPIN's config, which registers while it trains."""
    from mmhuman3d.models.registrants.builder import build_registrant

    def build(optimizer, num_iter, **losses):
        stage = dict(num_iter=num_iter, fit_global_orient=True)
        return build_registrant(
            dict(
                type='SMPLify',
                num_epochs=1,
                optimizer=optimizer,
                camera=CAMERA,
                body_model=dict(
                    type='SMPL',
                    keypoint_src='smpl_54',
                    keypoint_dst='smpl_49',
                    keypoint_approximate=True,
                    model_path=str(files),
                    extra_joints_regressor=str(
                        files / 'J_regressor_extra.npy'
                    ),
                ),
                stages=[
                    dict(
                        stage,
                        fit_transl=True,
                        fit_body_pose=False,
                        fit_betas=False,
                    ),
                    dict(
                        stage,
                        fit_transl=False,
                        fit_body_pose=True,
                        fit_betas=True,
                    ),
                ],
                keypoints2d_loss=dict(
                    type='KeypointMSELoss',
                    loss_weight=1.0,
                    reduction='sum',
                    sigma=100,
                ),
                device=torch.device('cpu'),
                **losses,
            )
        )

    return build


def observe(registrant, people):
    """Keypoints of people in the image, by hand, and which there are."""
    with torch.no_grad():
        posed = registrant.body_model(**people)
    target = torch.tensor(project(posed['joints']), dtype=torch.float32)
    return dict(
        keypoints2d=target, keypoints2d_conf=posed['joint_mask'].float()
    )


def register(registrant, guess, observed):
    fitted = registrant(
        **observed,
        **{f'init_{name}': value.clone() for name, value in guess.items()},
    )
    assert all(value.isfinite().all() for value in fitted.values())
    return fitted


@pytest.mark.parametrize(
    'optimizer, num_iter', [(ADAM, 25), (LBFGS, 3)], ids=['Adam', 'LBFGS']
)
def test_registration_brings_keypoints_to_the_image(
    optimizer, num_iter, smplify, bodies
):
    people, guess = bodies
    registrant = smplify(optimizer, num_iter)
    observed = observe(registrant, people)
    known = observed['keypoints2d_conf'][0].bool().numpy()

    def error(parameters):
        """Mean distance in pixels of each person."""
        with torch.no_grad():
            joints = registrant.body_model(**parameters)['joints']
        distance = np.linalg.norm(
            project(joints) - observed['keypoints2d'].numpy(), axis=-1
        )
        return distance[:, known].mean(1)

    fitted = register(registrant, guess, observed)
    assert (error(guess) > 5).all()
    assert (error(fitted) < 0.5 * error(guess)).all()


def test_registration_with_priors_lowers_what_it_minimises(
    smplify, bodies, files
):
    people, guess = bodies
    priors = {name: dict(config) for name, config in PRIORS.items()}
    priors['pose_prior_loss']['prior_folder'] = str(files)
    registrant = smplify(ADAM, 25, **priors)
    observed = observe(registrant, people)

    def total(parameters):
        with torch.no_grad():
            losses = registrant.evaluate(**parameters, **observed)
        assert set(losses) >= {*PRIORS, 'keypoint2d_loss'}
        return losses['total_loss']

    fitted = register(registrant, guess, observed)
    assert total(fitted) < 0.7 * total(guess)


def test_cameras_of_mmhuman3d_project_as_opencv_does():
    from mmhuman3d.core.cameras import build_cameras

    points = torch.rand(2, 9, 3, generator=torch.Generator().manual_seed(0))
    points = points + torch.tensor([-0.5, -0.5, 3.0])
    for centre in [(112.0, 112.0), (80.0, 130.0)]:
        camera = build_cameras({**CAMERA, 'principal_point': centre})
        pixels = camera.transform_points_screen(points)[..., :2]
        np.testing.assert_allclose(
            pixels, project(points, centre=centre), rtol=0, atol=1e-3
        )


@pytest.mark.parametrize('centre', [(320, 240), (300, 250)])
def test_poses_of_opencv_are_given_from_camera_to_world(centre):
    """What MMHuman3D's table of conventions says of OpenCV."""
    from mmhuman3d.core.cameras import build_cameras
    from mmhuman3d.utils.camera_utils import project_points

    R = Rotation.from_rotvec([0.3, -0.5, 0.2]).as_matrix()
    T, K = np.array([0.1, -0.2, 4.0]), np.diag([600.0, 620.0, 1.0])
    K[:2, 2] = centre
    points = np.random.default_rng(0).uniform(-1, 1, (9, 3))
    expected = (points @ R.T + T) @ K.T
    expected = expected[:, :2] / expected[:, 2:]
    cameras = [
        build_cameras(
            dict(
                type='perspective',
                convention='opencv',
                in_ndc=False,
                K=K[None],
                R=R.T[None],
                T=(-R.T @ T)[None],
                image_size=(480, 640),
            )
        )
    ]
    if centre == (320, 240):
        # MMHuman3D's conversion moves any other point (its issue 365).
        cameras.append(cameras[0].to_ndc())
        assert cameras[1].in_ndc()
    for camera in cameras:
        pixels = project_points(points, cameras=camera)
        np.testing.assert_allclose(pixels[:, :2], expected, rtol=0, atol=0.01)


@pytest.mark.parametrize(
    'kind',
    [
        'perspective',
        'orthographic',
        'fovperspective',
        'fovorthographic',
        'weakperspective',
    ],
)
def test_every_camera_can_be_sliced_joined_and_moved(kind):
    from mmhuman3d.core.cameras import build_cameras

    camera = build_cameras(
        dict(
            type=kind,
            K=torch.eye(4).repeat(3, 1, 1),
            image_size=(100, 200),
            R=torch.eye(3).repeat(3, 1, 1),
            T=torch.arange(9.0).view(3, 3),
        )
    )
    points = torch.rand(3, 5, 3) + 1
    whole = camera.transform_points_screen(points)
    joined = camera[0].concat(camera[1])
    assert len(joined) == 2 and len(camera.to('cpu')) == 3
    assert joined.transform_points_screen(points[:2]).allclose(whole[:2])
    assert camera[1].transform_points_screen(points[1]).allclose(whole[1])


def test_meshes_of_mmhuman3d_say_what_they_need(tmp_path):
    from mmhuman3d.utils.mesh_utils import save_meshes_as_plys

    with pytest.raises(ImportError, match='pytorch3d is not installed'):
        save_meshes_as_plys(
            [str(tmp_path / 'a.ply')],
            verts=torch.zeros(1, 3, 3),
            faces=torch.zeros(1, 1, 3),
        )
