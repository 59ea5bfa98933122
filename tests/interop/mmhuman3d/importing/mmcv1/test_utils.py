"""Registries and logging as mmcv 1.x had them."""

import logging

import pytest

from mmd2a.interop.mmhuman3d.importing.mmcv1 import cnn, utils


@pytest.fixture
def parts():
    registry = utils.Registry('parts', scope='toy')

    @registry.register_module()
    class Part:
        def __init__(self, size, color='red'):
            self.size, self.color = size, color

    return registry


def test_a_part_is_built_of_its_config(parts):
    cfg = dict(type='Part', size=1)
    part = parts.build(cfg, default_args=dict(size=2, color='blue'))
    assert (part.size, part.color) == (1, 'blue')
    assert cfg == dict(type='Part', size=1)  # still as it was


@pytest.mark.parametrize('name', ['Part', 'toy.Part'])
def test_a_part_is_found_with_and_without_its_scope(parts, name):
    assert parts.get(name) is parts.module_dict['Part']
    assert name in parts


def test_a_class_or_function_may_be_given_itself(parts):
    assert parts.build(dict(type=complex, real=1)) == 1
    assert parts.build(dict(type=lambda number: number + 1, number=1)) == 2


@pytest.mark.parametrize(
    'cfg, error, match',
    [
        ('Part', TypeError, 'must be a dict'),
        (dict(size=1), KeyError, '"type" is missing'),
        (dict(type=3), TypeError, 'registered name or a class'),
        (dict(type='Nothing'), KeyError, 'not in the registry parts of toy'),
        (dict(type='mmd2a.Nothing'), KeyError, 'Nothing'),
    ],
)
def test_what_cannot_be_built_is_named(parts, cfg, error, match):
    with pytest.raises(error, match=match):
        parts.build(cfg)


def test_errors_of_a_part_keep_their_type(parts):
    with pytest.raises(TypeError, match='size'):
        parts.build(dict(type='Part'))


def test_a_name_is_registered_once(parts):
    with pytest.raises(KeyError, match='already registered'):
        parts.register_module(module=int, name='Part')
    parts.register_module(module=int, name=['Part', 'Int'], force=True)
    assert parts.get('Part') is parts.get('Int') is int


def test_a_parent_lends_its_way_to_build():
    child = utils.Registry('child', parent=cnn.MODELS, scope='toy')
    assert child.build_func is cnn.MODELS.build_func
    # mmcv 1.x allows many children of one package.
    utils.Registry('another', parent=cnn.MODELS, scope='toy')


def test_registries_of_one_package_may_share_a_mirror():
    from mmd2a.interop.mmhuman3d.importing.registry import REGISTRIES

    heads = utils.Registry('heads', scope='mmhuman3d')
    necks = utils.Registry('necks', scope='mmhuman3d')
    mirror = REGISTRIES['MODELS'].module_dict
    try:
        heads.register_module(module=int, name='SharedName')
        necks.register_module(module=float, name='SharedName')
        assert mirror['SharedName'] is int
        assert necks.get('SharedName') is float
    finally:
        del mirror['SharedName']


def test_a_logger_writes_each_line_once(tmp_path, capsys):
    file = tmp_path / 'run.log'
    logger = utils.get_logger('toy_view', log_file=str(file))
    assert utils.get_logger('toy_view') is logger
    assert utils.get_logger('toy_view.part').handlers == []
    utils.print_log('hello', logger='toy_view')
    utils.print_log('hidden', logger='toy_view', level=logging.DEBUG)
    utils.print_log('from below', logger='toy_view.part')
    assert file.read_text().count('hello') == 1
    assert 'toy_view - INFO - hello' in file.read_text()
    assert 'from below' in file.read_text()
    assert 'hidden' not in file.read_text()
    utils.print_log('to the console')
    utils.print_log('nowhere', logger='silent')
    assert capsys.readouterr().out == 'to the console\n'


def test_names_that_moved_are_found():
    import mmengine

    from mmd2a.interop.mmhuman3d.importing import mmcv1

    assert mmcv1.Config is mmengine.Config
    assert mmcv1.dump is mmengine.dump
    assert mmcv1.mkdir_or_exist is mmengine.utils.mkdir_or_exist
    assert mmcv1.fileio.FileClient is mmengine.fileio.FileClient
    assert mmcv1.cnn.normal_init is mmengine.model.normal_init
    assert mmcv1.utils.get_git_hash is mmengine.utils.get_git_hash
