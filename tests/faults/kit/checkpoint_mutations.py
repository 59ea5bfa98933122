"""Checkpoints that are not what they seem."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from kit.array_mutations import object_array, write_bomb
from kit.mutations import Canary, add


def of_checkpoint(change: Callable[[dict], object]):
    """Change what is in a checkpoint, in the format it is in."""

    def apply(path: Path, _) -> None:
        zipped = zipfile.is_zipfile(path)
        checkpoint = torch.load(path, weights_only=True)
        changed = change(checkpoint)
        torch.save(
            checkpoint if changed is None else changed,
            path,
            _use_new_zipfile_serialization=zipped,
        )

    return apply


def _weight(change: Callable[[torch.Tensor], object]):
    def edit(checkpoint: dict) -> dict:
        state = checkpoint['state_dict']
        return {
            **checkpoint,
            'state_dict': {**state, '0.weight': change(state['0.weight'])},
        }

    return of_checkpoint(edit)


def _entry(key: str, value: object):
    return of_checkpoint(lambda c: {**c, key: value})


def _record(name: str, change: Callable[[bytes], bytes], **options):
    """Change a record of a zipped checkpoint."""

    def apply(path: Path, _) -> None:
        with zipfile.ZipFile(path) as file:
            members = {n: file.read(n) for n in file.namelist()}
        with zipfile.ZipFile(path, 'w', **options) as file:
            for key, data in members.items():
                if key.endswith(name):
                    data = change(data)
                file.writestr(key, data)

    return apply


class _HugeArray:
    """Asks NumPy for 8 terabytes on the way in."""

    def __reduce__(self):
        reconstruct = np.empty(0).__reduce__()[0]
        return reconstruct, (np.ndarray, (10**12,), b'b')


class _Attribute:
    """Asks for an attribute of an allowed class."""

    def __reduce__(self):
        return getattr, (np.ndarray, 'tofile')


_BOTH = ('checkpoint', 'old_checkpoint')
for _name, _change in {
    'a canary inside': _entry('meta', Canary()),
    'a canary for weights': _entry('state_dict', Canary()),
    'a canary in an array': _entry('meta', object_array()),
    'an array of terabytes': _entry('meta', _HugeArray()),
    'an attribute of a class': _entry('meta', _Attribute()),
    'weights in a list': _entry('state_dict', [1, 2]),
    'weights as text': _entry('state_dict', 'weights'),
    'weights None': _entry('state_dict', None),
    'weights a number': _entry('state_dict', 3),
    'no weights': _entry('state_dict', {}),
    'weights missing': of_checkpoint(lambda c: dict(meta=c['meta'])),
    'a list': of_checkpoint(lambda c: [c]),
    'a tensor': of_checkpoint(lambda c: torch.zeros(3)),
    'a number': of_checkpoint(lambda c: 3),
    'a text': of_checkpoint(lambda c: 'weights'),
    'a weight of text': _weight(lambda w: 'weight'),
    'a weight of None': _weight(lambda w: None),
    'a weight in lists': _weight(lambda w: w.tolist()),
    'a weight transposed': _weight(lambda w: w.T.contiguous()),
    'a weight flat': _weight(torch.flatten),
    'a weight with NaN': _weight(lambda w: w * float('nan')),
    'a weight infinite': _weight(lambda w: w / 0),
    'a weight of 10 terabytes': _weight(
        lambda w: w[:1, :1].expand(10**7, 10**5)
    ),
    'a weight sparse': _weight(torch.Tensor.to_sparse),
    'a weight on no device': _weight(lambda w: w.to('meta')),
    'a weight complex': _weight(lambda w: w.to(torch.complex64)),
    'keys of numbers': of_checkpoint(
        lambda c: dict(state_dict=dict(enumerate(c['state_dict'].values())))
    ),
    'another model': of_checkpoint(
        lambda c: dict(state_dict={'a.b': torch.zeros(2)})
    ),
}.items():
    add(_BOTH, _name, _change)
for _name, _change in {
    'weights alone': of_checkpoint(lambda c: c['state_dict']),
    'prefix of a wrapper': of_checkpoint(
        lambda c: dict(
            state_dict={f'module.{k}': v for k, v in c['state_dict'].items()}
        )
    ),
    'meta of text': _entry('meta', 'meta'),
    'a weight in float64': _weight(torch.Tensor.double),
    'a weight by columns': _weight(lambda w: w.T.contiguous().T),
}.items():
    add(_BOTH, _name, _change, 'same')
add(_BOTH, 'a weight in float16', _weight(torch.Tensor.half), 'form')
add('checkpoint', 'storage cut', _record('data/0', lambda d: d[:16]))
add('checkpoint', 'storage longer', _record('data/0', lambda d: d * 2))
add('checkpoint', 'storage empty', _record('data/0', lambda d: b''))
add(
    'checkpoint', 'pickle cut', _record('data.pkl', lambda d: d[: len(d) // 2])
)
add('checkpoint', 'pickle empty', _record('data.pkl', lambda d: b''))
add(
    'checkpoint', 'other byte order', _record('byteorder', lambda d: b'middle')
)
add(
    'checkpoint',
    'compressed',
    _record('data/0', lambda d: d, compression=zipfile.ZIP_DEFLATED),
    'either',
)
add(
    'checkpoint',
    'bomb',
    lambda path, _: write_bomb(path, 'archive/data/0', b''),
)
add(
    _BOTH,
    'a TorchScript program',
    lambda path, _: torch.jit.save(
        torch.jit.script(torch.nn.Linear(2, 2)), str(path)
    ),
)
add(_BOTH, 'an npz', lambda path, _: np.savez(open(path, 'wb'), x=np.ones(2)))
