"""What to do about a body file that is not there, or not read."""

from pathlib import Path

from mmd2a.files import UnusableFileError, open_regular_file

REQUIRED_KEYS = (
    'v_template',
    'f',
    'shapedirs',
    'posedirs',
    'J_regressor',
    'weights',
    'kintree_table',
)
# The largest body of SMPL, in float64 with 300 shape components, has 90 MB.
MAX_BODY_BYTES = 2**28
EMBEDDED_HINT = (
    'Leave path=None to use the free body that comes with the package.'
)
CONVERSION_HINT = """\
Save its arrays once, in an environment where the `smplx` package reads the
licensed file, as an npz without pickled objects:

    import numpy as np, smplx
    m = smplx.SMPL('SMPL_NEUTRAL.pkl')
    parents = m.parents.numpy().copy()
    parents[0] = -1
    np.savez_compressed(
        'SMPL_NEUTRAL.npz',
        v_template=m.v_template.numpy(),            # (V, 3)
        f=m.faces.astype('int64'),                  # (F, 3)
        shapedirs=m.shapedirs.numpy(),              # (V, 3, num_betas)
        posedirs=m.posedirs.numpy().T.reshape(      # (V, 3, 207)
            len(m.v_template), 3, -1),
        J_regressor=m.J_regressor.numpy(),          # (24, V)
        weights=m.lbs_weights.numpy(),              # (V, 24)
        kintree_table=np.stack([parents, np.arange(24)]))"""


def explain_relative(path: Path | str, relative: str) -> str:
    """Say what to do with a body of the family that is not SMPL.

    Args:
        path: its file.
        relative: ``'SMPL-H'`` or ``'SMPL-X'``.

    Example:
        >>> explain_relative('x.npz', 'SMPL-X').split(':')[0]
        'x.npz is an SMPL-X body'
    """
    return (
        f'{path} is an {relative} body: bodies with hands and faces are read '
        'in a later release. Today, give a body of SMPL (24 joints, 6,890 '
        f'vertices) as an npz with {", ".join(REQUIRED_KEYS)}. '
        f'{EMBEDDED_HINT}'
    )


def explain_pickle(path: Path) -> str:
    """Say what to do with a pickled body, by what its bytes mention.

    Nothing is unpickled: names of arrays and classes stand in the bytes.

    Example:
        >>> explain_pickle(Path('SMPL_MALE.pkl')).split('.')[0]
        'SMPL_MALE'
    """
    try:
        with open_regular_file(path) as file:
            data = file.read(MAX_BODY_BYTES)
    except UnusableFileError:
        data = b''
    if b'lmk_' in data or b'hands_mean' in data:
        relative = 'SMPL-X' if b'lmk_' in data else 'SMPL-H'
        return f'{explain_relative(path, relative)} (And it is pickled.)'
    chumpy = (
        ' This one holds arrays of chumpy, as the first releases do: that '
        'environment needs `pip install chumpy`, which takes Python 3.10 and '
        'NumPy 1.23 at most.'
        if b'chumpy' in data
        else ''
    )
    return (
        f'{path} is a pickled body model. Pickles can run code when they '
        'are read, so only npz files are taken; a converter comes with the '
        f'next release.{chumpy} {CONVERSION_HINT}\n'
        f"Then pass path='SMPL_NEUTRAL.npz'. {EMBEDDED_HINT}"
    )


def explain_absence(path: Path) -> str:
    """Say what is at the place of a body file, and where bodies come from.

    Example:
        >>> explain_absence(Path('nowhere/SMPL_MALE.npz')).splitlines()[1][:25]
        'SMPL bodies are licensed:'
    """
    folder = path.parent.absolute()
    if path.is_dir():
        reason = 'a file is needed, and this is a folder'
        folder = path.absolute()
    elif path.is_symlink():
        reason = 'the link leads nowhere'
    elif folder.is_dir():
        reason = 'the folder exists, the file does not'
    else:
        reason = 'the folder does not exist either'
    near = (
        sorted(
            p.name for p in folder.glob('*') if p.suffix in ('.npz', '.pkl')
        )
        if folder.is_dir()
        else []
    )
    found = f' It holds: {", ".join(near[:8])}.' if near else ''
    return (
        f'no body model at {path.absolute()} ({reason}).{found}\n'
        f'SMPL bodies are licensed: register at https://smpl.is.tue.mpg.de, '
        f'download SMPL_python_v.1.1.0.zip and convert the pickled file '
        f'inside. {CONVERSION_HINT}\n{EMBEDDED_HINT}'
    )
