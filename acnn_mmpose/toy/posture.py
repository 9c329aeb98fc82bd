"""Poses toy people: a skeleton in three dimensions, seen by an orthographic camera.

The skeleton is posed in a body frame (x to the person's left, y up, z to the front) with the
stature, the height of the person standing upright, as the unit of length. Then it is turned in
front of the camera, so limbs foreshorten as real ones do.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

Joint = IntEnum(  # the 16 joints of MPII, in their order, and the ends of the limbs
    'Joint',
    'R_ANKLE R_KNEE R_HIP L_HIP L_KNEE L_ANKLE PELVIS THORAX UPPER_NECK HEAD_TOP '
    'R_WRIST R_ELBOW R_SHOULDER L_SHOULDER L_ELBOW L_WRIST R_TOES R_HAND L_TOES L_HAND',
    start=0,
)


class Side(NamedTuple):
    """The joints of one body side, and the sign of its x axis in the body frame."""

    sign: int
    hip: Joint
    knee: Joint
    ankle: Joint
    toes: Joint
    shoulder: Joint
    elbow: Joint
    wrist: Joint
    hand: Joint


SIDES = (
    Side(-1, *map(Joint, (2, 1, 0, 16, 12, 11, 10, 17))),
    Side(1, *map(Joint, (3, 4, 5, 18, 13, 14, 15, 19))),
)

# Lengths in statures, after the medians of MPII: there the head (upper neck to head top) measures
# a sixth of 200 x scale, and the diagonal of the head box 0.208 of it.
BONES = {
    'head': 1 / 6,
    'neck': 0.037,
    'trunk': 0.29,
    'shoulders': 0.215,
    'hips': 0.115,
    'upper_arm': 0.165,
    'forearm': 0.145,
    'thigh': 0.25,
    'shank': 0.245,
}
BONE_SPREAD = 0.06  # relative standard deviation of a bone's length from person to person
HAND, FOOT = 0.04, 0.07  # wrist to middle of the hand, ankle to toes
HEAD_RADIUS, HEAD_BOX_DIAGONAL = 0.062, 0.208

# Joint angles in degrees as (low, high), drawn uniformly and apart for the left and the right.
# Flexion goes to the front and abduction to the side; a knee bends to the back. `roll` tilts the
# whole person in the image plane, to either side. A posture lists what differs from standing.
STANDING = {
    'roll': (0, 10),
    'lean': (-6, 12),
    'bend': (-10, 10),
    'trunk_turn': (-15, 15),
    'hip_flexion': (-8, 15),
    'hip_abduction': (3, 18),
    'knee': (0, 20),
    'shoulder_flexion': (-20, 35),
    'shoulder_abduction': (10, 65),
    'elbow': (0, 90),
    'forearm_turn': (-40, 40),
    'head_turn': (-25, 25),
    'head_nod': (-8, 15),
    'head_tilt': (-12, 12),
}
WALKING = {'hip_flexion': (-30, 42), 'knee': (0, 60), 'shoulder_flexion': (-40, 45)}
ARMS_RAISED = {'shoulder_abduction': (60, 165), 'elbow': (0, 100), 'hip_abduction': (0, 28)}
STRADDLING = {'hip_abduction': (12, 40), 'bend': (-25, 25), 'shoulder_abduction': (20, 120)}
SITTING = {'hip_flexion': (60, 95), 'knee': (65, 105), 'hip_abduction': (0, 25)}
CROUCHING = {'lean': (20, 50), 'hip_flexion': (30, 100), 'knee': (50, 120)}
LYING = {'roll': (60, 110)}
POSTURES = (STANDING, WALKING, ARMS_RAISED, STRADDLING, SITTING, CROUCHING, LYING)
POSTURE_ODDS = (0.33, 0.26, 0.18, 0.14, 0.03, 0.03, 0.03)

FRONT_VIEWS = 0.7  # part of the people seen from the front, the others from behind
YAW_SPREAD, YAW_LIMIT = 18.0, 50.0  # degrees by which people turn away from either view
ELEVATION = (0.0, 18.0)  # degrees by which the camera looks down


class Body(NamedTuple):
    """A posed person before the camera, in pixels: x to the right, y down, z to the camera."""

    joints: np.ndarray  # (20, 3), as in `Joint`
    trunk: np.ndarray  # (3, 3), whose columns are its unit vectors left, up and front
    head: np.ndarray  # (3, 3), the same of the head
    stature: float  # height standing upright

    def moved(self, offset: np.ndarray) -> Body:
        """Returns this body moved by ``offset``, float (2,) in pixels of the image."""
        return self._replace(joints=self.joints + np.append(offset, 0.0))


def pose_body(rng: np.random.Generator, stature: float) -> Body:
    """Poses a random person of ``stature`` pixels before the camera, its pelvis at the origin."""
    ranges = {**STANDING, **POSTURES[rng.choice(len(POSTURES), p=POSTURE_ODDS)]}
    angles = {name: rng.uniform(*limits, size=2) for name, limits in ranges.items()}
    bones = {
        name: length * np.clip(rng.normal(1, BONE_SPREAD), 0.85, 1.15)
        for name, length in BONES.items()
        if name != 'head'
    }
    joints, trunk, head = _bend(angles, {**bones, 'head': BONES['head']})
    camera = stature * _camera(rng, angles['roll'][0])
    return Body(joints @ camera.T, camera @ trunk / stature, camera @ head / stature, stature)


def _camera(rng: np.random.Generator, roll: float) -> np.ndarray:
    """Returns the matrix (3, 3) from the body frame to image axes for a random point of view."""
    yaw = np.clip(rng.normal(0, YAW_SPREAD), -YAW_LIMIT, YAW_LIMIT)
    yaw += 0 if rng.random() < FRONT_VIEWS else 180
    turn = _rotation('z', roll * rng.choice((-1, 1))) @ _rotation('x', rng.uniform(*ELEVATION))
    return np.diag([1, -1, 1]) @ turn @ _rotation('y', yaw)


def _rotation(axis: str, degrees: float) -> np.ndarray:
    """Returns the right-handed rotation (3, 3) about the 'x', 'y' or 'z' axis."""
    first, second = {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}[axis]
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix


def _bend(
    angles: dict[str, np.ndarray], bones: dict[str, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns joints, trunk and head in the body frame, with the stature as the unit of length."""
    turn, lean = angles['trunk_turn'][0], angles['lean'][0]
    trunk = _rotation('y', turn) @ _rotation('z', angles['bend'][0]) @ _rotation('x', lean)
    head = _rotation('y', turn + angles['head_turn'][0]) @ _rotation('z', angles['head_tilt'][0])
    head = head @ _rotation('x', lean / 3 + angles['head_nod'][0])  # people look where they go
    left, up, _ = np.eye(3)

    joints = np.zeros((len(Joint), 3))
    joints[Joint.THORAX] = trunk @ (up * bones['trunk'])
    joints[Joint.UPPER_NECK] = joints[Joint.THORAX] + trunk @ (up * bones['neck'])
    joints[Joint.HEAD_TOP] = joints[Joint.UPPER_NECK] + head @ (up * bones['head'])
    for i, side in enumerate(SIDES):
        joints[side.hip] = side.sign * left * bones['hips'] / 2
        joints[side.shoulder] = joints[Joint.THORAX] + trunk @ (
            side.sign * left * bones['shoulders'] / 2
        )
        own = {name: pair[i] for name, pair in angles.items()}
        _pose_leg(side, own, bones, joints)
        _pose_arm(side, own, bones, trunk, joints)
    return joints, trunk, head


def _pose_leg(side: Side, angles: dict, bones: dict, joints: np.ndarray) -> None:
    """Places knee, ankle and toes of one side in ``joints``, from its hip on."""
    thigh = _rotation('z', side.sign * angles['hip_abduction'])
    thigh = thigh @ _rotation('x', -angles['hip_flexion'])
    shank = thigh @ _rotation('x', angles['knee'])
    joints[side.knee] = joints[side.hip] - thigh[:, 1] * bones['thigh']
    joints[side.ankle] = joints[side.knee] - shank[:, 1] * bones['shank']
    down = joints[side.ankle] - joints[side.knee]
    down /= np.linalg.norm(down)
    front = np.array([0.3 * side.sign, -0.3, 1.0])  # made nearly square to the shank
    front -= 0.8 * down * (front @ down)
    joints[side.toes] = joints[side.ankle] + FOOT * front / np.linalg.norm(front)


def _pose_arm(side: Side, angles: dict, bones: dict, trunk: np.ndarray, joints: np.ndarray) -> None:
    """Places elbow, wrist and hand of one side in ``joints``, from its shoulder on."""
    upper = trunk @ _rotation('z', side.sign * angles['shoulder_abduction'])
    upper = upper @ _rotation('x', -angles['shoulder_flexion'])
    fore = upper @ _rotation('y', side.sign * angles['forearm_turn'])
    fore = fore @ _rotation('x', -angles['elbow'])
    joints[side.elbow] = joints[side.shoulder] - upper[:, 1] * bones['upper_arm']
    joints[side.wrist] = joints[side.elbow] - fore[:, 1] * bones['forearm']
    joints[side.hand] = joints[side.wrist] - fore[:, 1] * HAND


def head_box(body: Body) -> np.ndarray:
    """Returns the corners of the head box, float64 (2, 2) as ((left, top), (right, bottom)).

    As in MPII its diagonal is 0.208 of the stature whatever the pose.
    """
    neck, top = body.joints[[Joint.UPPER_NECK, Joint.HEAD_TOP], :2]
    half_length = BONES['head'] / 2 - HEAD_RADIUS
    half = np.abs(body.head[:2, 1]) * half_length + HEAD_RADIUS
    half *= body.stature * HEAD_BOX_DIAGONAL / 2 / np.linalg.norm(half)
    return (neck + top) / 2 + np.stack([-half, half])
