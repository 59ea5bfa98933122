"""A motion, and readers of glTF that share no code with the writers."""

import json
import struct
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

DTYPES = {5121: '<u1', 5123: '<u2', 5125: '<u4', 5126: '<f4'}
WIDTHS = dict(SCALAR=1, VEC3=3, VEC4=4, MAT4=16)


@pytest.fixture(scope='session')
def motion(body):
    """Five random poses, half turns among them, and what the body makes."""
    rng = np.random.default_rng(0)
    global_orient, body_pose = rng.normal(0, 1, (5, 3)), np.zeros((5, 23, 3))
    body_pose[:] = rng.normal(0, 0.5, body_pose.shape)
    # Half turns, of the root and of joints, and at x = 90 degrees, where two
    # Euler angles of z, x, y are one.
    global_orient[1] = np.pi, 0, 0
    global_orient[2] = 0, np.pi, 0
    body_pose[3, 4] = 0, 0, np.pi
    body_pose[3, 17] = np.pi / np.sqrt(2), np.pi / np.sqrt(2), 0
    body_pose[4, 0] = np.pi / 2, 0, 0
    given = dict(
        global_orient=torch.tensor(global_orient),
        body_pose=torch.tensor(body_pose).flatten(1),
        betas=torch.tensor(rng.normal(0, 1, 10)),
        transl=torch.tensor(rng.normal(0, 1, (5, 3)) + [0, 0, 4]),
    )
    betas = given['betas'].expand(5, -1)
    with torch.no_grad():
        posed = body(
            given['global_orient'], given['body_pose'], betas, given['transl']
        )
    return SimpleNamespace(
        given=given,
        vertices=posed.vertices.double().numpy(),
        joints=posed.joints.double().numpy(),
    )


@pytest.fixture(scope='session')
def mesh(body, motion):
    """A posed body in front of the camera: vertices and faces."""
    return motion.vertices[0], body.faces.numpy()


class GLB:
    """A binary glTF file, taken apart by the specification alone."""

    def __init__(self, path):
        data = path.read_bytes()
        magic, version, length = struct.unpack_from('<4sII', data)
        assert (magic, version, length) == (b'glTF', 2, len(data))
        size, kind = struct.unpack_from('<I4s', data, 12)
        assert kind == b'JSON' and size % 4 == 0
        self.json = json.loads(data[20 : 20 + size])
        start = 20 + size
        size, kind = struct.unpack_from('<I4s', data, start)
        assert kind == b'BIN\0' and size % 4 == 0
        self.binary = data[start + 8 :]
        assert len(self.binary) == size
        assert self.json['buffers'] == [dict(byteLength=size)]

    def array(self, number):
        accessor = self.json['accessors'][number]
        view = self.json['bufferViews'][accessor['bufferView']]
        dtype = np.dtype(DTYPES[accessor['componentType']])
        width = WIDTHS[accessor['type']]
        offset = view.get('byteOffset', 0) + accessor.get('byteOffset', 0)
        # Alignment, and everything inside its view, inside the buffer.
        assert offset % 4 == 0 and offset % dtype.itemsize == 0
        size = accessor['count'] * width * dtype.itemsize
        assert accessor['count'] > 0
        assert size + accessor.get('byteOffset', 0) <= view['byteLength']
        assert offset + size <= len(self.binary)
        if 'byteStride' in view:
            assert view['byteStride'] == width * dtype.itemsize
        array = np.frombuffer(
            self.binary, dtype, accessor['count'] * width, offset
        ).reshape(-1, width)
        assert np.isfinite(array).all()
        if 'min' in accessor:
            assert (array.min(0) == np.float32(accessor['min'])).all()
            assert (array.max(0) == np.float32(accessor['max'])).all()
        if accessor['type'] == 'MAT4':
            return array.reshape(-1, 4, 4).swapaxes(1, 2)
        return array[:, 0] if width == 1 else array

    def mesh(self, number=0):
        """Attributes of a mesh's only primitive, and its faces."""
        [primitive] = self.json['meshes'][number]['primitives']
        assert primitive.get('mode', 4) == 4
        views = self.json['bufferViews']
        accessors = self.json['accessors']
        attributes = {}
        for name, accessor in primitive['attributes'].items():
            attributes[name] = self.array(accessor)
            view = views[accessors[accessor]['bufferView']]
            row = attributes[name][0].nbytes
            assert view['target'] == 34962
            assert view.get('byteStride', row) % 4 == 0
        assert 'min' in accessors[primitive['attributes']['POSITION']]
        assert len({len(array) for array in attributes.values()}) == 1
        normals = np.linalg.norm(attributes['NORMAL'], axis=1)
        np.testing.assert_allclose(normals, 1, atol=1e-5)
        indices = primitive['indices']
        assert views[accessors[indices]['bufferView']]['target'] == 34963
        corners = self.array(indices)
        assert len(corners) % 3 == 0
        assert corners.max() < len(attributes['POSITION'])
        return attributes, corners.reshape(-1, 3)

    def animation(self):
        """{(node, path): (times, values)} of the only animation."""
        [animation] = self.json['animations']
        tracks = {}
        for channel in animation['channels']:
            target = channel['target']['node'], channel['target']['path']
            sampler = animation['samplers'][channel['sampler']]
            assert sampler['interpolation'] == 'LINEAR'
            times = self.array(sampler['input'])
            assert {'min', 'max'} <= self.json['accessors'][
                sampler['input']
            ].keys()
            assert times[0] >= 0 and (np.diff(times) > 0).all()
            assert target not in tracks
            tracks[target] = times, self.array(sampler['output'])
        return tracks

    def pose(self, frame):
        """Vertices and places of the joints at a key of the animation."""
        nodes, tracks = self.json['nodes'], self.animation()

        def value(node, path, default):
            if (node, path) in tracks:
                times, values = tracks[node, path]
                return values.reshape(len(times), -1)[frame]
            return np.array(nodes[node].get(path, default), float)

        def local(node):
            matrix = np.eye(4)
            matrix[:3, :3] = Rotation.from_quat(
                value(node, 'rotation', [0, 0, 0, 1])
            ).as_matrix()
            matrix[:3, 3] = value(node, 'translation', [0, 0, 0])
            return matrix

        placed = {}

        def place(node, matrix):
            assert node not in placed, 'a node with two parents'
            placed[node] = matrix @ local(node)
            for child in nodes[node].get('children', ()):
                place(child, placed[node])

        for root in self.json['scenes'][self.json['scene']]['nodes']:
            place(root, np.eye(4))
        [(person, node)] = [
            (i, node) for i, node in enumerate(nodes) if 'skin' in node
        ]
        skin = self.json['skins'][node['skin']]
        joints = np.stack([placed[j] for j in skin['joints']])
        motions = joints @ self.array(skin['inverseBindMatrices'])

        attributes, _ = self.mesh(node['mesh'])
        mesh = self.json['meshes'][node['mesh']]
        [primitive] = mesh['primitives']
        rest = attributes['POSITION'].astype(float)
        targets = primitive.get('targets', ())
        amounts = value(person, 'weights', mesh.get('weights', ()))
        assert len(targets) == len(amounts)
        for target, amount in zip(targets, amounts):
            rest = rest + amount * self.array(target['POSITION'])
        rest = np.column_stack([rest, np.ones(len(rest))])
        total, vertices = 0, 0
        for number in range(2):
            if f'JOINTS_{number}' not in attributes:
                continue
            ids = attributes[f'JOINTS_{number}']
            weights = attributes[f'WEIGHTS_{number}'].astype(float)
            assert (ids[weights == 0] == 0).all() and (weights >= 0).all()
            assert ids.max() < len(joints)
            for k in range(4):
                moved = np.einsum('vab,vb->va', motions[ids[:, k]], rest)
                vertices = vertices + weights[:, k, None] * moved
            total = total + weights.sum(1)
        np.testing.assert_allclose(total, 1, atol=1e-6)
        return vertices[:, :3], joints[:, :3, 3]


@pytest.fixture(scope='session')
def read_glb():
    """``read_glb(path) -> GLB``."""
    return GLB
