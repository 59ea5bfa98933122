"""Annotations, configs and motions with wrong values at every place."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from kit.mutations import CANARY, add

NAN, INFINITY = float('nan'), float('inf')


def of_json(change: Callable[[dict], object]):
    """Change what a JSON file says."""

    def apply(path: Path, _) -> None:
        value = json.loads(path.read_text())
        changed = change(value)
        path.write_text(json.dumps(value if changed is None else changed))

    return apply


def of_text(change: Callable[[str], str]):
    """Change a text."""

    def apply(path: Path, _) -> None:
        path.write_text(change(path.read_text()))

    return apply


def put(data: bytes | str):
    """Replace the whole file."""
    data = data.encode() if isinstance(data, str) else data
    return lambda path, _: path.write_bytes(data) and None


def of_entry(key: str, value: object):
    """Give one field of the first person another value."""
    return of_json(lambda a: a['data_list'][0].update({key: value}))


# --- annotations: every field, every wrong type -----------------------------
_PATHS = ('img_path', 'depth_path', 'mask_path')
_NUMBERS = (
    'bbox',
    'K',
    'global_orient',
    'body_pose',
    'betas',
    'transl',
    'keypoints2d',
    'keypoints3d',
)
_WEIGHTS = ('smpl_weight', 'keypoints2d_weight', 'keypoints3d_weight')
_FIELDS = (*_PATHS, *_NUMBERS, *_WEIGHTS, 'joint_set')
_VALUES = {
    'text': 'nonsense',
    'no text': '',
    'a number': -7,
    'an empty list': [],
    'an object': {'a': 1},
    'a list of text': ['a', 'b'],
    'a ragged list': [[1, 2], [3]],
    'a list of None': [None, None, None],
    'a list of NaN': [NAN] * 3,
    'three infinities': [INFINITY] * 3,
    'huge numbers': [1e300] * 4,
    'a hundred thousand numbers': [0.5] * 100_000,
    'a deep list': [[[[[1.0]]]]],
}
for _key in _FIELDS:
    for _name, _value in _VALUES.items():
        # One number in brackets is that number; few betas are a body's first.
        if _name == 'a deep list' and _key in ('betas', 'smpl_weight'):
            continue
        add('annotations', f'{_key} is {_name}', of_entry(_key, _value))
    missing = 'refused' if _key in ('img_path', 'joint_set') else 'form'
    # The pipeline may name the joint set instead.
    pipeline = ('PackBodySample(joint_set=)',)
    add(
        'annotations',
        f'{_key} is None',
        of_entry(_key, None),
        missing,
        pipeline,
    )
    add(
        'annotations',
        f'{_key} is missing',
        of_json(lambda a, key=_key: a['data_list'][0].pop(key) and None),
        missing,
        pipeline,
    )
    if _key not in _WEIGHTS:
        add('annotations', f'{_key} is true', of_entry(_key, True))
for _name, _change in {
    'bbox is of three': ('bbox', [1, 2, 3]),
    'bbox is of five': ('bbox', [1, 2, 30, 40, 5]),
    'bbox is inside out': ('bbox', [36, 44, 10, 4]),
    'bbox is a point': ('bbox', [10, 10, 10, 10]),
    'K is zero': ('K', [[0, 0, 0]] * 3),
    'K is of two rows': ('K', [[60, 0, 24], [0, 60, 24]]),
    'K has no focal length': ('K', [[0, 0, 24], [0, 0, 24], [0, 0, 1]]),
    'K has NaN': ('K', [[NAN, 0, 24], [0, 60, 24], [0, 0, 1]]),
    'body_pose is of 72': ('body_pose', [0.1] * 72),
    'betas have infinity': ('betas', [INFINITY] + [0.0] * 9),
    'weight is negative': ('smpl_weight', -1),
    'weight is NaN': ('smpl_weight', NAN),
    'weights are 13': ('keypoints2d_weight', [1] * 13),
    'a weight is infinite': ('keypoints3d_weight', [INFINITY] + [1] * 13),
    'joints are 17': ('keypoints3d', [[0, 0, 3]] * 17),
    'joints are of four': ('keypoints3d', [[0, 0, 3, 1, 1]] * 14),
    'joint_set is unknown': ('joint_set', 'h36m15'),
    'path with a NUL': ('img_path', 'a\0b.jpg'),
    'path of 500 letters': ('img_path', 'a' * 500),
    'path of a folder': ('img_path', '.'),
    'path of endless zeros': ('img_path', '/dev/zero'),
    'depth of endless zeros': ('depth_path', '/dev/zero'),
    'mask of endless noise': ('mask_path', '/dev/random'),
    'depth of the picture': ('depth_path', 'picture.jpg'),
    'mask of the depth': ('mask_path', 'depth.npy'),
    'picture of the annotations': ('img_path', 'people.json'),
}.items():
    add(
        'annotations',
        _name,
        of_entry(*_change),
        names=('/dev/zero', '/dev/random', 'depth.npy'),
    )
for _name, _change in {
    'list of texts': lambda a: dict(a, data_list=['a', 'b']),
    'list of None': lambda a: dict(a, data_list=[None]),
    'list of lists': lambda a: dict(a, data_list=[[1], [2]]),
    'list of numbers': lambda a: dict(a, data_list=[1, 2]),
    'list of one empty object': lambda a: dict(a, data_list=[{}]),
    'list is an object': lambda a: dict(a, data_list=a['data_list'][0]),
    'list is a text': lambda a: dict(a, data_list='people'),
    'list is a number': lambda a: dict(a, data_list=3),
    'list is None': lambda a: dict(a, data_list=None),
    'list is missing': lambda a: dict(metainfo=a['metainfo']),
    'list is empty': lambda a: dict(a, data_list=[]),
    'one entry is a text': lambda a: a['data_list'].insert(1, 'person'),
    'metainfo is a list': lambda a: dict(a, metainfo=[1]),
    'metainfo is a text': lambda a: dict(a, metainfo='meta'),
    'metainfo is None': lambda a: dict(a, metainfo=None),
    'metainfo is missing': lambda a: dict(data_list=a['data_list']),
    'a bare list': lambda a: a['data_list'],
    'a bare text': lambda a: 'people',
    'a bare number': lambda a: 42,
    'null': lambda a: {},
}.items():
    add('annotations', _name, of_json(_change))
DEEP = '[' * 100_000 + ']' * 100_000
for _name, _apply in {
    'nested without end': put(f'{{"metainfo": {{}}, "data_list": {DEEP}}}'),
    'number of 5000 digits': of_text(
        lambda text: text.replace('1.0', '1' * 5000, 1)
    ),
    'comma at the end': of_text(lambda text: text[:-1] + ',}'),
    'single quotes': of_text(lambda text: text.replace('"', "'")),
    'two documents': of_text(lambda text: text * 2),
    'python': of_text(lambda text: text.replace('null', 'None') + '#'),
}.items():
    add('annotations', _name, _apply)
add(
    'annotations',
    'UTF-16',
    lambda path, _: path.write_bytes(path.read_text().encode('utf-16')),
    'either',
)
add(
    'annotations',
    'byte order mark',
    lambda path, _: path.write_bytes(b'\xef\xbb\xbf' + path.read_bytes()),
    'either',
)
add(
    'annotations', 'indented', of_text(lambda t: t.replace(',', ',\n')), 'same'
)

# --- configs ----------------------------------------------------------------
LAUGHS = 'a: &a [x, x, x, x, x, x, x, x, x]\n' + ''.join(
    f'{new}: &{new} [{", ".join([f"*{old}"] * 9)}]\n'
    for old, new in zip('abcdefghij', 'bcdefghijk')
)
for _name, _text in {
    'tag that calls': f'a: !!python/object/apply:os.mkdir [{CANARY}]\n',
    'tag that makes': f'a: !!python/object/new:os.mkdir [{CANARY}]\n',
    'tag of a name': 'a: !!python/name:os.system\n',
    'tag of a module': 'a: !!python/module:os\n',
    'tag of a class': 'a: !!python/object:mmengine.config.Config {}\n',
    'unknown tag': 'a: !thing {b: 1}\n',
    'a billion laughs': LAUGHS,
    'nested without end': f'a: {DEEP}\n',
    'contains itself': 'a: &a [*a]\n',
    'a list': '- a\n- b\n',
    'a word': 'word\n',
    'a number': '42\n',
    'tabs': 'a:\n\tb: 1\n',
    'two documents': 'a: 1\n---\nb: 2\n',
    'unclosed': 'a: [1, 2\n',
    'unknown anchor': 'a: *b\n',
    'keys of numbers': '1: 2\n',
    'key of a list': '? [1, 2]\n: 3\n',
    'base missing': '_base_: nowhere.yml\n',
    'base is itself': '_base_: base.yml\n',
    'base is a number': '_base_: 3\n',
    'base is a folder': '_base_: ..\n',
    'base without end': '_base_: /dev/zero\n',
}.items():
    # The base may be the file to blame.
    names = ('nowhere.yml', '/dev/zero', '..', 'base.yml', 'config.py')
    add('config_yml', _name, put(_text), names=names)
add('config_yml', 'tag of a tuple', put('a: !!python/tuple [1]\n'), 'form')
for _name, _value in {
    'a list': [1, 2],
    'a text': 'config',
    'a number': 42,
    'null': None,
    'base missing': {'_base_': 'nowhere.json'},
    'base is itself': {'_base_': 'config.json'},
    'base is a number': {'_base_': 3},
    'base is an object': {'_base_': {'a': 1}},
    'base of numbers': {'_base_': [1, 2]},
    'base is a folder': {'_base_': '..'},
    'base without end': {'_base_': '/dev/zero'},
    'base is a picture': {'_base_': 'x.jpg'},
}.items():
    add(
        'config_json',
        _name,
        put(json.dumps(_value)),
        names=('nowhere.json', '/dev/zero', 'x.jpg', '..'),
    )
add('config_json', 'nested without end', put(f'{{"a": {DEEP}}}'))
add('config_json', 'comma at the end', of_text(lambda t: t[:-1] + ',}'))
# MMEngine leaves the name of a missing module for whoever builds from it, and
# evaluates the names of bases.
_ALLOWED = ('missing import', 'base is computed')
for _name, _text in {
    'syntax': 'model = dict(',
    'unknown name': 'model = dict(depth=depth)\n',
    'wrong call': 'model = dict(1, 2, 3)\n',
    'missing import': 'import nowhere_to_be_found\n',
    'raises': 'raise RuntimeError("no data")\n',
    'divides by zero': 'a = 1 / 0\n',
    'indented': '  a = 1\n',
    'base missing': "_base_ = 'nowhere.py'\n",
    'base is itself': "_base_ = 'config.py'\n",
    'base is a number': '_base_ = 3\n',
    'base twice': "_base_ = ['base.yml', 'base.yml']\n",
    'base without end': "_base_ = '/dev/zero'\n",
    'base is computed': "_base_ = ''.join(['base', '.yml'])\n",
    'unknown base variable': "_base_ = 'base.yml'\na = _base_.b.c\n",
    'replaces a number by a part': (
        "_base_ = 'base.yml'\ndefault_scope = dict(a=1)\n"
        'train_cfg = dict(max_epochs=dict(_delete_=3))\n'
    ),
    'reserved name': "filename = 'x'\ntext = 'y'\n",
}.items():
    add(
        'config_py',
        _name,
        put(_text),
        'form' if _name in _ALLOWED else 'refused',
        names=('nowhere.py', '/dev/zero'),
    )
add('config_py', 'NUL', put(b'a = 1\0\n'))
add('config_py', 'latin-1', put('a = "ü"\n'.encode('latin-1')))

# --- motions ----------------------------------------------------------------


def _line(number: int, change: Callable[[str], str]):
    def edit(text: str) -> str:
        lines = text.splitlines()
        lines[number] = change(lines[number])
        return '\n'.join(lines) + '\n'

    return of_text(edit)


def _word(position: int, word: str):
    """Replace a number of the last frame."""

    def change(line: str) -> str:
        words = line.split()
        words[position] = word
        return ' '.join(words)

    return _line(-1, change)


def _swap(old: str, new: str, count: int = 1):
    return of_text(lambda text: text.replace(old, new, count))


for _name, _apply in {
    'NaN': _word(7, 'nan'),
    'NaN of a place': _word(0, 'NaN'),
    'infinity': _word(7, 'inf'),
    'a huge number': _word(7, '1e300'),
    'a word': _word(7, 'word'),
    'a number short': _line(-1, lambda line: line.rsplit(' ', 1)[0]),
    'a frame short': of_text(lambda t: t[: t.rstrip().rindex('\n') + 1]),
    'no frames': of_text(
        lambda t: t[: t.index('Frames')] + 'Frames: 0\nFrame Time: 0.03\n'
    ),
    'frames are a word': _swap('Frames: 12', 'Frames: twelve'),
    'frames are negative': _swap('Frames: 12', 'Frames: -12'),
    'frames without end': _swap('Frames: 12', f'Frames: {10**15}'),
    'frames missing': _swap('Frames: 12\n', ''),
    'frame time missing': _swap('Frame Time: 0.0333\n', ''),
    'motion missing': of_text(lambda t: t[: t.index('MOTION')]),
    'hierarchy missing': of_text(lambda t: t[t.index('MOTION') :]),
    'offset of two': _swap('OFFSET 0 0 0', 'OFFSET 0 0'),
    'offset of words': _swap('OFFSET 0 0 0', 'OFFSET a b c'),
    'offsets missing': of_text(lambda t: re.sub(r'OFFSET .*\n', '', t)),
    'offset with NaN': of_text(
        lambda t: re.sub(r'(JOINT LeftLeg\n{\nOFFSET) .*', r'\1 nan 1 1', t)
    ),
    'bones of no length': of_text(
        lambda t: re.sub(r'(JOINT .*\n{\nOFFSET) .*', r'\1 0 0 0', t)
    ),
    'another axis': _swap('Zrotation', 'Wrotation'),
    'the same axis twice': _swap('Yrotation', 'Zrotation'),
    'channels fewer than said': _swap(
        'CHANNELS 3 Zrotation Yrotation', 'CHANNELS 3 Zrotation'
    ),
    'channels without names': _swap(
        'CHANNELS 3 Zrotation Yrotation Xrotation', 'CHANNELS'
    ),
    'a joint missing': _swap('JOINT LeftArm', 'JOINT Tail'),
    'two joints of a name': _swap('JOINT RightArm', 'JOINT LeftArm'),
    'joint without name': _swap('JOINT LeftLeg', 'JOINT'),
    'braces closed twice': _swap('}\n', '}\n}\n'),
    'motion twice': _swap('MOTION', 'MOTION\nMOTION'),
}.items():
    add('bvh', _name, _apply)
add('bvh', 'windows lines', of_text(lambda t: t.replace('\n', '\r\n')), 'same')
add('bvh', 'empty lines', of_text(lambda t: t.replace('{', '\n{\n')), 'same')
