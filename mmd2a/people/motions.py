"""Hand-written motions: key poses, in time, of what people do.

A motion is a few key poses on a phase from 0 to 1, joined by a smooth curve.
Each is written once, for one side; mirroring, amplitude, phase, a personal
style and noise make the variety (see :mod:`.poses`). Angles in degrees, named
as in :mod:`.angles`; what a key pose does not name keeps its value at rest.

Over 350 lines because it is one table.
"""

from typing import NamedTuple

import numpy as np

from mmd2a.people.angles import angle_vector

__all__ = ['ACROBATICS', 'EVERYDAY', 'Motion', 'pose_at']


class Motion(NamedTuple):
    """Key poses of one motion.

    Attributes:
        name: what the person does.
        keys: (phase, angles) pairs, ascending in phase, in [0, 1].
        cyclic: whether phase 1 joins phase 0.
        noise: standard deviation of the noise put on every angle, degrees.
        limbs_free: share of people whose arms do something else, sampled.
        lift: height over the floor at mid-phase, metres (jumps, flips).
        balanced: whether the person stands on the lowest foot or hand, so
            that the centre of mass belongs above it.
        seat: whether the person sits on something.
        weight: how often the motion is drawn.
    """

    name: str
    keys: tuple[tuple[float, np.ndarray], ...]
    cyclic: bool = False
    noise: float = 5.0
    limbs_free: float = 0.0
    lift: float = 0.0
    balanced: bool = True
    seat: bool = False
    weight: float = 1.0


def pose_at(motion: Motion, phase: float) -> np.ndarray:
    """Interpolate the key poses (cubic Hermite) at a phase in [0, 1]: (A,)."""
    times = np.array([t for t, _ in motion.keys])
    poses = np.stack([p for _, p in motion.keys])
    if len(times) == 1:
        return poses[0].copy()
    if motion.cyclic:
        times = np.concatenate([[times[-1] - 1], times, [times[0] + 1]])
        poses = np.concatenate([poses[-1:], poses, poses[:1]])
    i = int(
        np.clip(np.searchsorted(times, phase, 'right') - 1, 0, len(times) - 2)
    )
    s = np.clip((phase - times[i]) / (times[i + 1] - times[i]), 0, 1)
    s = s * s * (3 - 2 * s)
    return (1 - s) * poses[i] + s * poses[i + 1]


def _keys(*keys: tuple[float, dict]) -> tuple[tuple[float, np.ndarray], ...]:
    return tuple((time, angle_vector(**angles)) for time, angles in keys)


def _half_cycle(first: dict, second: dict) -> tuple:
    """A gait: two key poses, then both again with sides swapped."""

    def swap(angles: dict) -> dict:
        names = {
            k: k.replace('left_', '#')
            .replace('right_', 'left_')
            .replace('#', 'right_')
            for k in angles
        }
        return {
            names[k]: -v
            if k in ('spine_twist', 'roll', 'spine_side', 'neck_twist')
            else v
            for k, v in angles.items()
        }

    return _keys(
        (0.0, first), (0.25, second), (0.5, swap(first)), (0.75, swap(second))
    )


# One key pose a line reads as a table.
# fmt: off
#: Motions of the splits train, val and test.
EVERYDAY: tuple[Motion, ...] = (
    Motion('stand', _keys(
        (0., dict(arm_abduction=9, elbow=12, left_hip_flexion=4,
                  left_knee=8, hip_abduction=4)),
        (.5, dict(roll=3, left_hip_abduction=10, left_knee=20,
                  left_hip_flexion=14, right_hip_abduction=-3, elbow=20,
                  arm_abduction=12, spine_side=-4)),
        (1., dict(hip_abduction=14, arm_abduction=10, elbow=10))),
        limbs_free=.55, weight=1.3),
    Motion('walk', _half_cycle(
        dict(left_hip_flexion=27, left_knee=6, right_hip_flexion=-13,
             right_knee=14, right_ankle=-8, right_toes=18,
             left_arm_flexion=-20, right_arm_flexion=22, left_elbow=12,
             right_elbow=28, spine_twist=-9, spine_flexion=4,
             arm_abduction=9),
        dict(left_hip_flexion=6, left_knee=14, right_hip_flexion=18,
             right_knee=56, elbow=18, arm_abduction=9, spine_flexion=5)),
        cyclic=True, limbs_free=.15, weight=2.),
    Motion('run', _half_cycle(
        dict(left_hip_flexion=42, left_knee=40, right_hip_flexion=-22,
             right_knee=55, right_ankle=-25, left_arm_flexion=-42,
             right_arm_flexion=42, elbow=88, arm_abduction=14, pitch=9,
             spine_twist=-14),
        dict(left_hip_flexion=14, left_knee=32, right_hip_flexion=30,
             right_knee=110, elbow=86, arm_abduction=14, pitch=9)),
        cyclic=True, lift=.04, balanced=False, weight=1.3),
    Motion('sit', _keys(
        (0., dict(hip_flexion=84, knee=84, hip_abduction=9, elbow=58,
                  arm_flexion=28, arm_abduction=9, arm_twist=8)),
        (.35, dict(hip_flexion=92, knee=96, hip_abduction=16,
                   spine_flexion=30, elbow=78, arm_flexion=48)),
        (.7, dict(hip_flexion=78, left_knee=55, right_knee=96, pitch=-12,
                  arm_flexion=-14, arm_abduction=22, elbow=24)),
        (1., dict(left_hip_flexion=104, left_hip_abduction=-7,
                  left_knee=88, right_hip_flexion=84, right_knee=84,
                  elbow=70, arm_flexion=32))),
        balanced=False, seat=True, limbs_free=.4, weight=1.5),
    Motion('sit_on_floor', _keys(
        (0., dict(hip_flexion=88, knee=8, pitch=-14, arm_flexion=-38,
                  elbow=12, arm_abduction=14, hip_abduction=8)),
        (.5, dict(hip_flexion=112, knee=104, pitch=-14, arm_flexion=62,
                  elbow=58, arm_twist=30, hip_abduction=8)),
        (1., dict(hip_flexion=92, hip_abduction=42, hip_twist=38, knee=126,
                  arm_flexion=34, elbow=46, spine_flexion=14))),
        balanced=False, limbs_free=.2),
    Motion('kneel', _keys(
        (0., dict(hip_flexion=0, knee=88, ankle=-38, elbow=28,
                  arm_flexion=14, arm_abduction=9)),
        (.5, dict(left_hip_flexion=86, left_knee=88, right_hip_flexion=0,
                  right_knee=92, right_ankle=-30, arm_flexion=34, elbow=52)),
        (1., dict(hip_flexion=58, knee=138, ankle=-42, spine_flexion=12,
                  pitch=12, arm_flexion=32, elbow=40))),
        balanced=False, limbs_free=.4),
    Motion('squat', _keys(
        (0., dict(arm_flexion=18, knee=20, hip_flexion=18,
                  hip_abduction=11)),
        (.5, dict(hip_flexion=72, knee=82, ankle=16, arm_flexion=78,
                  elbow=18, spine_flexion=14, hip_abduction=18,
                  hip_twist=14, pitch=12)),
        (1., dict(hip_flexion=112, knee=132, ankle=22, arm_flexion=64,
                  elbow=42, spine_flexion=28, hip_abduction=24,
                  hip_twist=20, pitch=10))), limbs_free=.2, weight=1.2),
    Motion('lift_from_floor', _keys(
        (0., dict(hip_flexion=68, spine_flexion=46, knee=48, arm_flexion=72,
                  elbow=16, pitch=28, ankle=10)),
        (.6, dict(hip_flexion=34, spine_flexion=20, knee=28, arm_flexion=44,
                  elbow=58)),
        (1., dict(hip_flexion=6, knee=6, arm_flexion=42, elbow=92,
                  spine_flexion=-8)))),
    Motion('bend', _keys(
        (0., dict(spine_flexion=20, hip_flexion=22, knee=10,
                  arm_flexion=30)),
        (.5, dict(spine_flexion=52, hip_flexion=66, knee=14, pitch=30,
                  arm_flexion=84, elbow=8)),
        (1., dict(spine_side=26, roll=9, left_arm_abduction=14,
                  right_arm_abduction=150, right_elbow=22,
                  hip_abduction=16)))),
    Motion('climb', _keys(
        (0., dict(left_hip_flexion=84, left_knee=92, left_hip_abduction=18,
                  right_hip_flexion=4, right_knee=12, left_arm_flexion=100,
                  left_elbow=58, right_arm_flexion=162, right_elbow=22,
                  right_ankle=-20)),
        (.5, dict(hip_flexion=38, knee=58, arm_flexion=138, elbow=46,
                  arm_abduction=16, hip_abduction=22, hip_twist=20)),
        (1., dict(left_hip_flexion=12, left_knee=20, right_hip_flexion=98,
                  right_knee=102, right_hip_abduction=24,
                  left_arm_flexion=168, left_elbow=12, right_arm_flexion=88,
                  right_elbow=82, spine_side=-9))), balanced=False),
    Motion('reach', _keys(
        (0., dict(left_arm_flexion=74, left_elbow=14, spine_twist=-14,
                  right_arm_abduction=12, right_elbow=24)),
        (.5, dict(left_arm_flexion=158, left_arm_abduction=14, left_elbow=8,
                  spine_side=-10, ankle=-16, toes=22, neck_flexion=-22,
                  right_elbow=20)),
        (1., dict(arm_flexion=156, arm_abduction=12, elbow=20,
                  neck_flexion=-24, spine_flexion=-10)))),
    Motion('wave', _keys(
        (0., dict(left_arm_abduction=112, left_arm_flexion=18,
                  left_elbow=78, left_arm_twist=-62,
                  right_arm_abduction=9)),
        (.5, dict(left_arm_abduction=142, left_elbow=38, left_arm_twist=-50,
                  right_arm_abduction=12, right_elbow=18)),
        (1., dict(arm_abduction=134, elbow=34, arm_twist=-40)))),
    Motion('throw', _keys(
        (0., dict(left_arm_abduction=84, left_arm_flexion=-10,
                  left_elbow=96, left_arm_twist=-64, spine_twist=26,
                  right_arm_flexion=58, right_elbow=34, roll=4,
                  left_hip_flexion=4, left_knee=28, right_hip_flexion=24,
                  right_knee=14, hip_abduction=12)),
        (.5, dict(left_arm_abduction=70, left_arm_flexion=94, left_elbow=42,
                  spine_twist=-6, spine_flexion=12, right_arm_flexion=8,
                  right_elbow=52, right_hip_flexion=30, right_knee=26,
                  left_hip_flexion=-8, left_knee=24, hip_abduction=10)),
        (1., dict(left_arm_flexion=40, left_arm_abduction=-16,
                  left_elbow=14, spine_twist=-28, spine_flexion=30,
                  right_hip_flexion=44, right_knee=34,
                  left_hip_flexion=-16, left_knee=36,
                  right_arm_flexion=-24, right_elbow=28)))),
    Motion('kick', _keys(
        (0., dict(left_hip_flexion=-22, left_knee=84, right_knee=16,
                  right_hip_flexion=8, arm_abduction=38, pitch=6,
                  spine_twist=14)),
        (.6, dict(left_hip_flexion=52, left_knee=24, left_ankle=-25,
                  right_knee=12, right_hip_flexion=4, pitch=-8,
                  left_arm_flexion=-34, right_arm_flexion=48,
                  arm_abduction=28, elbow=28)),
        (1., dict(left_hip_flexion=86, left_knee=6, right_knee=10, pitch=-14,
                  arm_abduction=44, elbow=24)))),
    Motion('lunge', _keys(
        (0., dict(left_hip_flexion=58, left_knee=58, right_hip_flexion=-18,
                  right_knee=22, right_toes=25, right_ankle=-8, elbow=48,
                  arm_abduction=14)),
        (.5, dict(left_hip_flexion=88, left_knee=92, right_hip_flexion=-14,
                  right_knee=78, right_toes=36, elbow=88, arm_flexion=24)),
        (1., dict(left_hip_abduction=42, left_hip_flexion=52, left_knee=74,
                  left_hip_twist=28, right_hip_abduction=38, elbow=30,
                  arm_abduction=52, spine_side=8))), limbs_free=.3),
    Motion('punch', _keys(
        (0., dict(elbow=118, arm_flexion=48, arm_abduction=8,
                  left_hip_flexion=20, left_knee=22, right_hip_flexion=-6,
                  right_knee=24, hip_abduction=9, spine_flexion=10)),
        (.5, dict(left_arm_flexion=84, left_elbow=8, left_arm_abduction=8,
                  right_arm_flexion=44, right_elbow=122, spine_twist=-24,
                  left_hip_flexion=26, left_knee=30, right_hip_flexion=-10,
                  right_knee=28, hip_abduction=9)),
        (1., dict(left_arm_abduction=78, left_arm_flexion=48, left_elbow=92,
                  spine_twist=-32, right_elbow=124, right_arm_flexion=40,
                  hip_abduction=13, knee=24, hip_flexion=18)))),
    Motion('jump', _keys(
        (0., dict(hip_flexion=54, knee=78, ankle=14, arm_flexion=-38,
                  spine_flexion=24, elbow=14, pitch=10)),
        (.5, dict(hip_flexion=4, knee=10, ankle=-32, arm_flexion=142,
                  arm_abduction=18, elbow=22, spine_flexion=-8)),
        (.7, dict(hip_flexion=72, knee=88, arm_abduction=68, elbow=34,
                  hip_abduction=14)),
        (1., dict(hip_flexion=58, knee=68, arm_flexion=50, elbow=38,
                  spine_flexion=20, pitch=8))), lift=.35, balanced=False),
    Motion('jumping_jack', _keys(
        (0., dict(arm_abduction=8, hip_abduction=1, knee=8, hip_flexion=4)),
        (1., dict(arm_abduction=158, hip_abduction=27, elbow=14))),
        lift=.06),
    Motion('dance', _keys(
        (0., dict(left_arm_abduction=74, left_elbow=58, left_arm_twist=-34,
                  right_arm_abduction=46, right_elbow=88, spine_side=12,
                  spine_twist=12, left_knee=32, left_hip_flexion=22,
                  hip_abduction=12)),
        (.33, dict(arm_abduction=92, elbow=28, spine_twist=-18,
                   right_knee=46, right_hip_flexion=40,
                   right_hip_abduction=24, right_hip_twist=30)),
        (.66, dict(left_arm_flexion=148, left_arm_abduction=28,
                   left_elbow=44, right_arm_abduction=78, right_elbow=10,
                   left_hip_flexion=-18, left_knee=32, pitch=8,
                   neck_twist=28)),
        (1., dict(arm_flexion=44, arm_abduction=52, elbow=104, knee=34,
                  hip_flexion=28, hip_abduction=18, spine_side=-12))),
        cyclic=False, noise=8, weight=1.3),
    Motion('crawl', _half_cycle(
        dict(pitch=82, left_hip_flexion=108, left_knee=92,
             right_hip_flexion=62, right_knee=84, left_arm_flexion=68,
             right_arm_flexion=104, elbow=10, neck_flexion=-38, ankle=-36,
             wrist=-50),
        dict(pitch=82, hip_flexion=84, knee=90, left_arm_flexion=92,
             right_arm_flexion=82, right_elbow=22, neck_flexion=-36,
             ankle=-36, wrist=-50)),
        cyclic=True, balanced=False),
    Motion('push_up', _keys(
        (0., dict(pitch=72, arm_flexion=84, elbow=6, hip_flexion=2,
                  toes=45, ankle=12, neck_flexion=-28, wrist=-50)),
        (1., dict(pitch=84, arm_flexion=20, arm_abduction=48, elbow=104,
                  hip_flexion=2, toes=45, ankle=10, neck_flexion=-28,
                  wrist=-50))), balanced=False, weight=.7),
    Motion('lie_on_back', _keys(
        (0., dict(pitch=-90, arm_abduction=24, hip_abduction=8)),
        (.4, dict(pitch=-90, hip_flexion=52, knee=84, arm_abduction=72,
                  elbow=34, hip_abduction=9)),
        (.7, dict(pitch=-90, left_hip_flexion=48, left_knee=78,
                  arm_abduction=124, elbow=78, arm_twist=-50)),
        (1., dict(pitch=-84, hip_flexion=78, knee=94, arm_flexion=24,
                  elbow=88, spine_flexion=24, neck_flexion=24))),
        balanced=False),
    Motion('lie_on_front', _keys(
        (0., dict(pitch=90, neck_twist=48, arm_abduction=32, ankle=-40)),
        (1., dict(pitch=88, spine_flexion=-22, arm_flexion=116, elbow=84,
                  neck_flexion=-24, left_knee=78, ankle=-40))),
        balanced=False, weight=.7),
    Motion('lie_on_side', _keys(
        (0., dict(roll=88, hip_flexion=42, knee=58, left_arm_flexion=84,
                  left_elbow=78, right_arm_flexion=38, right_elbow=58)),
        (1., dict(roll=80, left_hip_flexion=14, left_knee=34,
                  right_hip_flexion=58, right_knee=72,
                  left_arm_abduction=112, left_elbow=88,
                  right_arm_flexion=28, right_elbow=24))), balanced=False,
        weight=.7),
    Motion('use_phone', _keys(
        (0., dict(left_arm_flexion=34, left_elbow=118, left_arm_twist=28,
                  neck_flexion=24, right_elbow=14, right_arm_abduction=7)),
        (1., dict(arm_flexion=34, elbow=104, arm_twist=30,
                  neck_flexion=28))), weight=.8),
    Motion('cross_arms', _keys(
        (0., dict(arm_flexion=34, elbow=102, arm_twist=44,
                  arm_abduction=4)),
        (1., dict(arm_abduction=46, arm_flexion=-18, elbow=92,
                  arm_twist=44, hip_abduction=9))), weight=.7),
)

#: Motions of the held-out split: none of them is in the others.
ACROBATICS: tuple[Motion, ...] = (
    Motion('cartwheel', _keys(
        (0., dict(roll=58, arm_abduction=156, left_hip_abduction=6,
                  right_hip_abduction=46, left_knee=24,
                  left_hip_flexion=24)),
        (.5, dict(roll=176, arm_abduction=160, hip_abduction=44)),
        (1., dict(roll=288, arm_abduction=158, left_hip_abduction=48,
                  right_hip_abduction=20, right_knee=20))),
        balanced=False, weight=1.5),
    Motion('handstand', _keys(
        (0., dict(pitch=176, arm_flexion=172, neck_flexion=-24, ankle=-36)),
        (.5, dict(pitch=172, arm_flexion=168, left_hip_flexion=74,
                  right_hip_flexion=-20, neck_flexion=-24, ankle=-36)),
        (1., dict(pitch=178, arm_flexion=168, hip_abduction=44,
                  neck_flexion=-20, ankle=-36))), balanced=False,
        weight=1.2),
    Motion('back_flip', _keys(
        (0., dict(pitch=-62, arm_flexion=156, spine_flexion=-22, knee=18)),
        (.5, dict(pitch=-176, hip_flexion=108, knee=118, arm_flexion=58,
                  elbow=44, spine_flexion=34, neck_flexion=18)),
        (1., dict(pitch=-294, hip_flexion=70, knee=62, arm_flexion=42,
                  elbow=20))), lift=.9, balanced=False, weight=1.2),
    Motion('front_flip', _keys(
        (0., dict(pitch=70, hip_flexion=68, knee=54, arm_flexion=94,
                  spine_flexion=30)),
        (.5, dict(pitch=182, hip_flexion=114, knee=124, spine_flexion=44,
                  arm_flexion=50, elbow=64, neck_flexion=28)),
        (1., dict(pitch=292, hip_flexion=44, knee=38, arm_abduction=58))),
        lift=.9, balanced=False),
    Motion('bridge', _keys(
        (0., dict(pitch=-96, spine_flexion=-25, hip_flexion=-25, knee=84,
                  arm_flexion=172, neck_flexion=-40)),
        (1., dict(pitch=-100, spine_flexion=-25, hip_flexion=-22, knee=58,
                  left_hip_flexion=52, left_knee=8, arm_flexion=172,
                  neck_flexion=-40))), balanced=False, weight=.8),
    Motion('pitch_ball', _keys(
        (0., dict(left_hip_flexion=108, left_knee=98, right_knee=12,
                  arm_flexion=62, elbow=104, arm_twist=34, spine_twist=-24,
                  spine_flexion=8)),
        (.4, dict(left_hip_flexion=52, left_knee=22, left_hip_abduction=28,
                  right_knee=44, right_hip_flexion=24,
                  right_hip_abduction=24, left_arm_flexion=72,
                  left_arm_abduction=28, right_arm_abduction=88,
                  right_arm_flexion=-26, right_elbow=34, spine_twist=-30)),
        (.65, dict(left_hip_flexion=76, left_knee=52,
                   right_hip_flexion=-22, right_knee=34, right_toes=32,
                   right_arm_abduction=94, right_arm_flexion=-14,
                   right_elbow=92, right_arm_twist=-70, left_elbow=94,
                   left_arm_flexion=26, spine_flexion=-8, pitch=10)),
        (1., dict(left_hip_flexion=92, left_knee=44, right_hip_flexion=-18,
                  right_knee=58, right_arm_flexion=74,
                  right_arm_abduction=-22, right_elbow=10,
                  spine_flexion=42, spine_twist=32, pitch=24,
                  left_elbow=84, left_arm_flexion=-30))),
        weight=2.5),
    Motion('splits', _keys(
        (0., dict(left_hip_flexion=88, right_hip_flexion=-72, knee=4,
                  arm_abduction=84)),
        (1., dict(hip_abduction=82, arm_abduction=78, hip_twist=30))),
        balanced=False),
    Motion('high_kick', _keys(
        (0., dict(left_hip_flexion=118, left_knee=8, right_knee=8,
                  pitch=-18, arm_abduction=44, elbow=34)),
        (1., dict(left_hip_abduction=104, left_hip_flexion=34, left_knee=10,
                  roll=-26, spine_side=-14, right_knee=10, elbow=94,
                  arm_flexion=34)))),
    Motion('arabesque', _keys(
        (0., dict(left_hip_flexion=-64, left_knee=8, pitch=28,
                  spine_flexion=-18, right_arm_flexion=92,
                  left_arm_abduction=88, left_ankle=-40)),
        (1., dict(left_hip_flexion=-72, left_knee=84, pitch=22,
                  spine_flexion=-24, left_arm_flexion=-44,
                  right_arm_flexion=136)))),
)
