"""Names and arguments that users write stay, or say what to write instead.

``public_api.json`` holds what the last release registered, and its modules
with the names they gave away. A new one is taken
from a checkout of that release, not from the code under test:

    PYTHONPATH=CHECKOUT python tests/test_public_api.py

writes it.
"""

import importlib
import inspect
import json
import pkgutil
import warnings
from pathlib import Path
from typing import Any

import pytest

import mmd2a
from mmd2a import registry

SNAPSHOT = Path(__file__).with_name('public_api.json')
# Arguments that are spelled otherwise now: {(name, old argument): what the
# error of the old spelling says to write}. Kept for one release.
CHANGED: dict[tuple[str, str], str] = {
    ('D2AHMR', name): f'objective=dict({name}=...)'
    for name in (
        'joint_set',
        'root',
        'loss_vertices',
        'loss_keypoints3d',
        'loss_keypoints2d',
    )
}
# Arguments whose default is another one now, each with the reason.
# None stood for a default part; now the part is the default and None is off.
OTHER_DEFAULTS: dict[tuple[str, str], str] = dict.fromkeys(
    [
        ('D2AHMR', 'body_model'),
        ('D2AHMR', 'data_preprocessor'),
        ('D2AHMR', 'depth_embedding'),
        ('D2AHMR', 'loss_silhouette'),
        ('CoarseMeshHead', 'body_model'),
        ('SMPLHead', 'body_model'),
        ('RLEFlowHead', 'flow'),
        ('RLEFlowHead', 'loss'),
        ('KeypointRLELoss', 'flow'),
        ('AuxiliarySilhouetteHead', 'decoder'),
        ('AuxiliarySilhouetteHead', 'loss'),
    ],
    'None is off, the default is written out',
) | {('SilhouetteDecoder', 'skip_channels'): 'tokens alone are decoded too'}


def arguments(part: Any) -> dict[str, str]:
    """What a registered part takes: {argument: default}.

    ``'**'`` stands for what it hands on to a base of another package, whose
    arguments are not ours to pin.
    """
    owners = inspect.getmro(part) if inspect.isclass(part) else [part]
    found: dict[str, str] = {}
    for owner in owners:
        if not owner.__module__.startswith('mmd2a.'):
            return found | {'**': 'handed on'}
        function = vars(owner).get('__init__', owner)
        if inspect.isclass(function):  # without a constructor of its own
            continue
        hands_on = False
        for name, parameter in inspect.signature(function).parameters.items():
            if name == 'self':
                continue
            if parameter.kind == parameter.VAR_KEYWORD:
                hands_on = True
            elif parameter.default is parameter.empty:
                found.setdefault(name, 'required')
            else:
                found.setdefault(name, repr(parameter.default))
        if not hands_on:
            break
    return found


def registered() -> dict[str, dict[str, dict[str, str]]]:
    """Everything this package registers: {registry: {name: arguments}}."""
    api: dict[str, dict[str, dict[str, str]]] = {}
    for name in registry.__all__:
        table = getattr(registry, name)
        table.import_from_location()
        parts = {
            key: arguments(part)
            for key, part in sorted(table.module_dict.items())
            if part.__module__.startswith('mmd2a.')
        }
        if parts:
            api[name] = parts
    return api


def importable() -> dict[str, list[str]]:
    """Every module of this package, packages with the names they give away."""
    return {
        info.name: list(
            getattr(importlib.import_module(info.name), '__all__', ())
            if info.ispkg
            else ()
        )
        for info in pkgutil.walk_packages(mmd2a.__path__, 'mmd2a.')
    }


SAVED = json.loads(SNAPSHOT.read_text()) if SNAPSHOT.exists() else {}
OLD = SAVED.get('registered', {})
PARTS = [(table, name) for table in OLD for name in OLD[table]]


@pytest.mark.parametrize(('table', 'name'), PARTS)
def test_name_and_arguments_are_still_taken(table, name):
    part = getattr(registry, table).get(f'mmd2a.{name}')
    assert part is not None
    now = arguments(part)
    for argument, default in OLD[table][name].items():
        if (name, argument) in CHANGED:
            assert argument not in now
            continue
        assert argument in now
        if (name, argument) not in OTHER_DEFAULTS:
            assert now[argument] == default, argument
    new = now.keys() - OLD[table][name].keys()
    assert not {key for key in new if now[key] == 'required'}


@pytest.mark.parametrize(('name', 'argument'), CHANGED)
def test_an_old_spelling_is_told_the_new_one(name, argument):
    [table] = [table for table in OLD if name in OLD[table]]
    parts = getattr(registry, table)
    required = {
        key: None
        for key, default in arguments(parts.get(f'mmd2a.{name}')).items()
        if default == 'required'
    }
    with pytest.raises(TypeError) as error:
        parts.build(dict(required, type=f'mmd2a.{name}', **{argument: None}))
    message = str(error.value)
    assert argument in message and CHANGED[name, argument] in message
    assert '\n' not in message


def test_no_row_of_a_table_is_out_of_date():
    """Each names an argument that the last release took."""
    old = {
        (name, argument)
        for table in OLD.values()
        for name, taken in table.items()
        for argument in taken
    }
    assert CHANGED.keys() | OTHER_DEFAULTS.keys() <= old
    assert not CHANGED.keys() & OTHER_DEFAULTS.keys()


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    snapshot = dict(registered=registered(), modules=importable())
    text = json.dumps(snapshot, indent=1, sort_keys=True)
    SNAPSHOT.write_text(text + '\n')
