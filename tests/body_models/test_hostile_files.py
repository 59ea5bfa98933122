"""No file of a body runs code, hangs or floods memory; each is refused.

Every trial runs in a process of its own, which may take 700 MB and a minute. A
file that is hostile would make a folder, ``made``, if anything of it ran.
Over 350 lines: one list of files.
"""

import io
import multiprocessing
import os
import pickle
import resource
import signal
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from mmd2a.body_models import SMPLBodyModel
from mmd2a.body_models.conversion import (
    convert_body_file,
    convert_regressor_file,
)
from mmd2a.body_models.regressor_files import read_regressor
from mmd2a.files import UnusableFileError

ROOM = 700 * 2**20
SECONDS = 60


def convert(path, out):
    convert_body_file(path, out, gender='neutral')


def convert_mano(path, out):
    whole = path.parent / 'whole.pkl'
    convert_body_file(whole, out, 'neutral', mano=(path, path))


def convert_regressor(path, out):
    convert_regressor_file(path, out)


def body(path, out):
    SMPLBodyModel(path)


def regressor(path, out):
    read_regressor('h36m14', path, 300)


def attempt(reader, path, out, pipe):
    """Read a file here, and say what came of it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # Not that of pytest.
    signal.alarm(SECONDS)
    taken = Path('/proc/self/statm').read_text().split()[0]
    room = int(taken) * resource.getpagesize() + 2 * ROOM
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        reader(path, out)
        verdict = 'was read'
    except UnusableFileError as error:
        verdict = str(error)
    except BaseException as error:
        verdict = f'{type(error).__name__}, no clear refusal: {error}'
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pipe.send((verdict, 1024 * (after - before)))


def verdict_of(reader, path, out):
    fork = multiprocessing.get_context('fork')
    ours, theirs = fork.Pipe(duplex=False)
    process = fork.Process(target=attempt, args=(reader, path, out, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        process.join()
        pytest.fail(f'the process ended by itself: {process.exitcode}')
    finally:
        process.join()


# --- pickles ----------------------------------------------------------------


class Runs:
    """Would call a function."""

    def __init__(self, function, *args):
        self.recipe = function, args

    def __reduce__(self):
        return self.recipe


MKDIR = os.mkdir.__module__.encode()


def text(value):
    """A short string as an opcode."""
    data = str(value).encode()
    return b'X' + struct.pack('<I', len(data)) + data


def dumped(make, protocol=2):
    return lambda made, arrays: pickle.dumps(make(made, arrays), protocol)


def spoiled(key, make):
    """A body one array of which is something else."""
    return dumped(lambda made, arrays: {**arrays, key: make(made)})


def array_state(dtype_state, shape, data, spec='O8'):
    """An array whose type is said to be otherwise than it is."""
    dtype = Runs(np.dtype, spec, False, True)
    dtype.recipe += (dtype_state,)
    made = Runs(np.core.multiarray._reconstruct, np.ndarray, (0,), b'b')
    made.recipe += ((1, shape, dtype, False, data),)
    return made


def shadowed_check():
    """A matrix that brings its own check, with an index outside."""
    matrix = outside()
    matrix.check_format = dict
    return matrix


def nested_tuple(depth):
    value = ()
    for _ in range(depth):
        value = (value, value)
    return value


def memo_bomb(made, arrays):
    """Tuples, each twice in the next, as a key: 2^60 of them to hash."""
    head = pickle.dumps(nested_tuple(60), 2)[:-1]
    return b'\x80\x02}' + head[2:] + b'K\x01s.'


def changed_after_check(made, arrays):
    """A matrix whose index is set, outside, once it has been checked."""
    matrix = sparse.csc_matrix(np.eye(3))
    matrix.indices = matrix.indices.copy()
    good = pickle.dumps([matrix, matrix.indices], 2)[:-1]
    # The array is the second of the list: NumPy takes a[0] = 10^6.
    start = good.rindex(b'h')
    return good[:start] + good[start:-1] + b'K\x00J\x40\x42\x0f\x00s0e.'


GOOD = 'v_template'
PICKLES = {
    'reduce': dumped(lambda made, a: Runs(os.mkdir, made)),
    'reduce of protocol 0': dumped(lambda made, a: Runs(os.mkdir, made), 0),
    'reduce of protocol 5': dumped(lambda made, a: Runs(os.mkdir, made), 5),
    'reduce beside a body': dumped(
        lambda made, a: dict(a, note=[{'a': (Runs(os.mkdir, made),)}])
    ),
    'an array of objects that run': spoiled(
        GOOD, lambda made: np.array([Runs(os.mkdir, made), 1.0], object)
    ),
    'getattr': lambda made, a: (
        b'\x80\x02cbuiltins\ngetattr\ncos\npath\nX\x02\x00\x00\x00os\x86R.'
    ),
    'eval': dumped(
        lambda made, a: Runs(eval, f'__import__("os").mkdir({made!r})')
    ),
    'exec': dumped(
        lambda made, a: Runs(exec, f'import os; os.mkdir({made!r})')
    ),
    'pickle in a pickle': dumped(
        lambda made, a: Runs(pickle.loads, pickle.dumps(Runs(os.mkdir, made)))
    ),
    'np.load of another file': dumped(
        lambda made, a: Runs(np.load, 'a.npy', None, True)
    ),
    'an object by newobj': lambda made, a: (
        b'\x80\x02csubprocess\nPopen\n]('
        + text('mkdir')
        + text(made)
        + b'e\x85\x81.'
    ),
    'an object by newobj_ex': lambda made, a: (
        b'\x80\x04csubprocess\nPopen\n)}'
        + text('args')
        + b']('
        + text('mkdir')
        + text(made)
        + b'es\x92.'
    ),
    'inst': lambda made, a: b'(' + text(made) + b'i' + MKDIR + b'\nmkdir\n.',
    'obj': lambda made, a: b'(c' + MKDIR + b'\nmkdir\n' + text(made) + b'o.',
    'a dotted name': lambda made, a: (
        b'\x80\x04'
        + text('os')
        + text('path.os.mkdir')
        + b'\x93'
        + text(made)
        + b'\x85R.'
    ),
    'a dotted name below NumPy': lambda made, a: (
        b'\x80\x04'
        + text('numpy')
        + text('os.mkdir')
        + b'\x93'
        + text(made)
        + b'\x85R.'
    ),
    'a name of Python 2': lambda made, a: (
        b'\x80\x02c__builtin__\nexecfile\n' + text(made) + b'\x85R.'
    ),
    'an extension': lambda made, a: (
        b'\x80\x02\x82\x07' + text(made) + b'\x85R.'
    ),
    'a persistent id': lambda made, a: b'Pstorage\n.',
    'a persistent object': lambda made, a: b'\x80\x02' + text(made) + b'Q.',
    'build on a class': lambda made, a: (
        b'\x80\x02cscipy.sparse\ncsc_matrix\nN}'
        + text('toarray')
        + text(made)
        + b's\x86b.'
    ),
    'build with attributes': lambda made, a: (
        pickle.dumps(np.zeros(3), 2)[:-1]
        + b'N}'
        + text('dtype')
        + text('O')
        + b's\x86b.'
    ),
    'build on a dict': lambda made, a: (
        b'\x80\x02ccollections\nOrderedDict\n)R}'
        + text('items')
        + text(made)
        + b'sb.'
    ),
    'a default factory that runs': dumped(
        lambda made, a: Runs(__import__('collections').defaultdict, os.mkdir)
    ),
    'a chumpy leaf that runs': lambda made, a: (
        b'\x80\x02cchumpy.ch\nCh\n)\x81}'
        + text('x')
        + b'c'
        + MKDIR
        + b'\nmkdir\n'
        + text(made)
        + b'\x85Rsb.'
    ),
    'chumpy that computes': lambda made, a: (
        b'\x80\x02cchumpy.ch_ops\nadd\n)\x81.'
    ),
    'a chumpy lambda': lambda made, a: b'\x80\x02cchumpy.ch\nChLambda\n)\x81.',
    'objects said to be bytes': spoiled(
        GOOD,
        lambda made: array_state(
            (3, '|', None, None, None, 8, 8, 0), (1,), b'A' * 8
        ),
    ),
    'a field behind the end': spoiled(
        GOOD,
        lambda made: array_state(
            (3, '|', None, ('a',), {'a': (np.dtype('f8'), 10**6)}, 8, 1, 16),
            (1,),
            b'A' * 8,
            'V8',
        ),
    ),
    'a number with an object in it': dumped(
        lambda made, a: Runs(
            np.core.multiarray.scalar, np.dtype([('a', 'O')]), b'A' * 8
        )
    ),
    'a matrix with its own check': spoiled(
        'J_regressor', lambda made: shadowed_check()
    ),
    'a matrix changed after its check': changed_after_check,
    'a key that takes forever': memo_bomb,
    'a set that takes forever': dumped(
        lambda made, a: Runs(frozenset, [nested_tuple(60)])
    ),
    'text of what is endless': dumped(
        lambda made, a: Runs(str, nested_tuple(60))
    ),
    'a body of an endless list': spoiled(
        GOOD, lambda made: [nested_tuple(60)]
    ),
    'nested a million deep': lambda made, a: (
        b'\x80\x02' + b']' * 10**6 + b'a' * (10**6 - 1) + b'.'
    ),
    'millions of steps': lambda made, a: b'\x80\x02(' + b'}' * (2**24) + b'l.',
    'bytes without end': lambda made, a: (
        b'\x80\x04\x8e' + struct.pack('<Q', 2**40) + b'abc.'
    ),
    'a bytearray without end': lambda made, a: (
        b'\x80\x05\x96' + struct.pack('<Q', 2**34) + b'abc.'
    ),
    'text without end': lambda made, a: (
        b'\x80\x04\x8d' + struct.pack('<Q', 2**40) + b'abc.'
    ),
    'a frame without end': lambda made, a: (
        b'\x80\x04\x95' + struct.pack('<Q', 2**60) + b'N.'
    ),
    'a frame of 8 GB': lambda made, a: (
        b'\x80\x04\x95' + struct.pack('<Q', 2**33) + b'N.'
    ),
    'a number of 2 GB': lambda made, a: (
        b'\x80\x02\x8b' + struct.pack('<i', 2**31 - 1) + b'\xff.'
    ),
    'a number of a million digits': lambda made, a: (
        b'I' + b'9' * 10**6 + b'\n.'
    ),
    'a memo at 2^32': lambda made, a: b'\x80\x02Nr\xff\xff\xff\xff.',
    'zeros by a number': dumped(lambda made, a: Runs(bytes, 10**12)),
    'an array without its bytes': spoiled(
        GOOD,
        lambda made: array_state(
            (3, '<', None, None, None, -1, -1, 0), (10**9, 3), b'1' * 8, 'f8'
        ),
    ),
    'an array of 10^11 objects': spoiled(
        GOOD,
        lambda made: array_state(
            (3, '|', None, None, None, -1, -1, 63), (10**11,), [1]
        ),
    ),
    'an empty array of ndarray itself': dumped(
        lambda made, a: Runs(np.ndarray, (10**11,))
    ),
    'a sparse matrix of 10^9 rows': spoiled(
        'J_regressor', lambda made: sparse.csc_matrix((10**9, 300))
    ),
    'a sparse matrix outside itself': spoiled(
        'J_regressor', lambda made: outside()
    ),
    'NaN': spoiled(GOOD, lambda made: np.full((300, 3), np.nan)),
    'infinite': spoiled(
        'posedirs', lambda made: np.full((300, 3, 207), np.inf)
    ),
    'text for numbers': spoiled(
        'weights', lambda made: np.full((300, 24), 'a')
    ),
    'complex numbers': spoiled(
        'weights', lambda made: np.ones((300, 24), complex)
    ),
    'a shape of NaN': spoiled(
        GOOD,
        lambda made: array_state(
            (3, '<', None, None, None, -1, -1, 0), (np.nan, 3), b'', 'f8'
        ),
    ),
    'no rows': spoiled(GOOD, lambda made: np.zeros((0, 3))),
    'a list of arrays': dumped(lambda made, a: [a]),
    'not a body': dumped(lambda made, a: dict(poses=np.zeros(3))),
    'cut off': lambda made, a: pickle.dumps(a, 2)[:-1000],
    'cut at the first byte': lambda made, a: b'\x80',
    'empty': lambda made, a: b'',
    'a page': lambda made, a: b'<!DOCTYPE html><html>Log in</html>',
    'binary noise': lambda made, a: bytes(range(256)) * 99,
}


def outside():
    matrix = sparse.csc_matrix(np.eye(24, 300))
    matrix.indices[0] = 10**6
    return matrix


# --- archives ---------------------------------------------------------------


def npy(array=None, header=None, data=b''):
    file = io.BytesIO()
    if header is not None:
        np.lib.format.write_array_header_1_0(file, header)
        return file.getvalue() + data
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def archive(change, compression=zipfile.ZIP_STORED):
    """An npz of a body after ``change(members, made)``: name -> bytes."""

    def write(made, arrays):
        members = {f'{key}.npy': npy(a) for key, a in arrays.items()}
        change(members, made)
        file = io.BytesIO()
        with zipfile.ZipFile(file, 'w', compression) as out:
            for name, data in members.items():
                out.writestr(name, data)
        return file.getvalue()

    return write


def member(data, name=f'{GOOD}.npy', **options):
    def change(members, made):
        members[name] = data(made) if callable(data) else data

    return archive(change, **options)


def header(shape, descr='<f4'):
    return npy(header=dict(shape=shape, fortran_order=False, descr=descr))


def renamed(members, made, prefix):
    for name in [*members]:
        members[prefix + name] = members.pop(name)


def bomb_of(size, arrays):
    """Zeros, of the shape that they are said to have, in a thousandth."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED, True, 1) as out:
        for key, array in arrays.items():
            if key != GOOD:
                out.writestr(f'{key}.npy', npy(array))
        with out.open(f'{GOOD}.npy', 'w', force_zip64=True) as inside:
            inside.write(header((size // 12, 3)))
            for _ in range(size // 2**24):
                inside.write(bytes(2**24))
    return file.getvalue()


def lying_bomb(made, arrays):
    """One that is said to unfold to little."""
    data = bytearray(
        archive(
            lambda members, made: members.update(
                {f'{GOOD}.npy': header((2**24, 3)) + bytes(3 * 2**26)}
            ),
            zipfile.ZIP_DEFLATED,
        )(made, arrays)
    )
    real = struct.pack('<I', 128 + 3 * 2**26)
    while (start := data.find(real)) >= 0:
        data[start : start + 4] = struct.pack('<I', 3728)
    return bytes(data)


def symbolic_link(made, arrays):
    """A member that archives unpack to a link."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as out:
        for key, array in arrays.items():
            info = zipfile.ZipInfo(f'{key}.npy')
            data = npy(array)
            if key == GOOD:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                data = b'/etc/passwd'
            out.writestr(info, data)
    return file.getvalue()


def torch_archive(made, arrays):
    file = io.BytesIO()
    torch.save(Runs(os.mkdir, made), file)
    return file.getvalue()


def many_members(made, arrays):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as out:
        for i in range(20_000):
            out.writestr(f'{i}', b'')
    return file.getvalue()


def entries(number, wide=False):
    """The list of an archive without the archive."""
    size = 46 * number
    listed = (b'PK\x01\x02' + bytes(42)) * number
    if wide:  # As archives beyond 4 GB state it.
        listed += struct.pack(
            '<4sQ2H2L4Q',
            b'PK\x06\x06',
            44,
            45,
            45,
            0,
            0,
            *[number] * 2,
            size,
            0,
        )
        listed += struct.pack('<4sLQL', b'PK\x06\x07', 0, size, 1)
    said = 0xFFFF if wide else 0
    return listed + struct.pack(
        '<4s4H2LH',
        b'PK\x05\x06',
        *[0] * 2,
        *[said] * 2,
        0xFFFFFFFF if wide else size,
        0,
        0,
    )


def flagged(made, arrays):
    """Members that say they are encrypted."""
    data = bytearray(member(npy(arrays[GOOD]))(made, arrays))
    for magic, place in ((b'PK\x03\x04', 6), (b'PK\x01\x02', 8)):
        start = -1
        while (start := data.find(magic, start + 1)) >= 0:
            data[start + place] |= 1
    return bytes(data)


ARCHIVES = {
    'an array of objects that run': member(
        lambda made: npy(np.array([Runs(os.mkdir, made)], object))
    ),
    'torch': torch_archive,
    'a pickle for an array': member(
        lambda made: pickle.dumps(Runs(os.mkdir, made))
    ),
    'a bomb': lambda made, a: bomb_of(9 * 2**27, a),
    'a bomb that lies': lying_bomb,
    '10^9 rows': member(header((10**9, 3))),
    '10^18 rows': member(header((10**18, 3))),
    'rows below zero': member(header((-1, 3))),
    'a header that runs': member(
        lambda made: header((300, 3)).replace(
            b"'<f4'", f'__import__("os").mkdir({made!r})'.encode()
        )
    ),
    'a header of 1 GB': member(
        b'\x93NUMPY\x02\x00' + b'\xff\xff\xff\x3f' + b'{'
    ),
    'a link': symbolic_link,
    'names above': archive(lambda m, made: renamed(m, made, '../')),
    'absolute names': archive(lambda m, made: renamed(m, made, '/')),
    'NaN': member(npy(np.full((300, 3), np.nan))),
    'whole numbers': member(npy(np.ones((300, 3), int))),
    'dates': member(npy(np.zeros((300, 3), 'M8[s]'))),
    'records': member(npy(np.zeros((300, 3), [('a', 'f4')]))),
    'another shape': member(npy(np.ones((3, 300)))),
    'no numbers': member(npy(np.ones((0, 3)))),
    'no array': member(b'hello'),
    'encrypted': flagged,
    'more members than arrays': many_members,
    'millions of members': lambda made, a: entries(1_500_000),
    'millions of members, widely': lambda made, a: entries(1_500_000, True),
    'cut off': lambda made, a: member(npy(np.ones((300, 3))))(made, a)[:-999],
    'one byte changed': lambda made, a: (
        lambda data: data[:3000] + bytes([data[3000] ^ 255]) + data[3001:]
    )(member(npy(a[GOOD]))(made, a)),
    'bzip2': archive(lambda m, made: None, zipfile.ZIP_BZIP2),
}

# --- regressors -------------------------------------------------------------

REGRESSORS = {
    'objects that run': lambda made, a: npy(
        np.array([Runs(os.mkdir, made)], object)
    ),
    '10^9 rows': lambda made, a: header((10**9, 300)),
    'NaN': lambda made, a: npy(np.full((14, 300), np.nan)),
    'zeros': lambda made, a: npy(np.zeros((14, 300))),
    'of another body': lambda made, a: npy(np.full((14, 6890), 1 / 6890)),
    'no rows': lambda made, a: npy(np.zeros((0, 300))),
    'cut off': lambda made, a: npy(np.full((14, 300), 1 / 300))[:-99],
    'a pickle': lambda made, a: pickle.dumps(Runs(os.mkdir, made)),
}
TRIALS = [
    *((convert, 'pkl', name, make) for name, make in PICKLES.items()),
    *((convert, 'npz', name, make) for name, make in ARCHIVES.items()),
    *((regressor, 'npy', name, make) for name, make in REGRESSORS.items()),
]
# The other readers go the same ways.
MORE_TRIALS = [
    *((body, 'npz', name, make) for name, make in ARCHIVES.items()),
    *(
        (convert_regressor, 'pkl', name, make)
        for name, make in [*REGRESSORS.items(), *PICKLES.items()]
        if name != 'of another body'
    ),
    *((convert_mano, 'pkl', name, make) for name, make in PICKLES.items()),
]


def marked(trials, *marks):
    return [
        pytest.param(
            *trial,
            id=f'{trial[0].__name__}-{trial[2]}'.replace(' ', '_'),
            marks=marks,
        )
        for trial in trials
    ]


@pytest.mark.parametrize(
    'reader, suffix, name, make',
    marked(TRIALS) + marked(MORE_TRIALS, pytest.mark.slow),
)
def test_a_hostile_file_is_refused(
    official, tmp_path, reader, suffix, name, make
):
    arrays = official('smpl', num_shape=10)
    arrays = {k: v for k, v in arrays.items() if isinstance(v, np.ndarray)}
    path = tmp_path / f'spoiled.{suffix}'
    made = tmp_path / 'made'
    path.write_bytes(make(str(made), arrays))
    if reader is convert_mano:
        whole = tmp_path / 'whole.pkl'
        whole.write_bytes(pickle.dumps(official('smplh'), 2))
    verdict, memory = verdict_of(reader, path, tmp_path / 'out')
    assert str(path) in verdict and 'no clear refusal' not in verdict
    assert 'o fix:' in verdict or 'Convert the' in verdict, verdict
    assert '\n' not in verdict and len(verdict) < 1000
    assert not made.exists()
    assert not (tmp_path / 'out').exists()  # nothing half-written
    assert memory < ROOM


@pytest.mark.parametrize('kind', ['folder', 'pipe', 'device', 'loop', 'long'])
def test_what_is_no_file_is_refused(tmp_path, kind):
    path = tmp_path / ('x' * 300 if kind == 'long' else 'body.pkl')
    if kind == 'folder':
        path.mkdir()
    elif kind == 'pipe':
        os.mkfifo(path)
    elif kind != 'long':
        path.symlink_to('/dev/zero' if kind == 'device' else path)
    for reader in (convert, convert_regressor, regressor):
        verdict, _ = verdict_of(reader, path, tmp_path / 'out')
        assert path.name in verdict and '\n' not in verdict
        assert 'no clear refusal' not in verdict


def test_the_trials_would_see_a_file_that_runs(official, tmp_path):
    """Python's own unpickler makes the folder, and memory is counted."""

    def trusting(path, out):
        pickle.loads(path.read_bytes())

    path = tmp_path / 'spoiled.pkl'
    names = ('reduce', 'reduce of protocol 5', 'inst', 'obj', 'eval', 'exec')
    for name in (*names, 'pickle in a pickle', 'a dotted name'):
        made = tmp_path / name
        path.write_bytes(PICKLES[name](str(made), {}))
        verdict_of(trusting, path, tmp_path / 'out')
        assert made.exists(), name
    pickled = PICKLES['a matrix changed after its check']('', {})
    assert pickle.loads(pickled)[0].indices[0] == 10**6
    _, memory = verdict_of(
        lambda path, out: bytearray(2**28).count(1), path, tmp_path / 'out'
    )
    assert memory > 2**27
