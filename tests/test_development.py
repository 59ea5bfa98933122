"""What contributors and their machines read is in order."""

import re
from pathlib import Path

import pytest
import yaml

from mmd2a import __version__

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / '.github' / 'workflows').glob('*.yml'))
YAML = [
    *WORKFLOWS,
    *sorted((ROOT / '.github' / 'ISSUE_TEMPLATE').glob('*.yml')),
    ROOT / 'CITATION.cff',
    ROOT / '.pre-commit-config.yaml',
    ROOT / 'model-index.yml',
    ROOT / 'configs' / 'metafile.yml',
]


@pytest.mark.parametrize('file', YAML, ids=lambda file: file.name)
def test_yaml_is_yaml(file):
    assert yaml.safe_load(file.read_text())


@pytest.mark.parametrize('file', WORKFLOWS, ids=lambda file: file.stem)
def test_workflows_run_the_scripts_of_the_readme(file):
    jobs = yaml.safe_load(file.read_text())['jobs']
    for name, job in jobs.items():
        commands = [step['run'] for step in job['steps'] if 'run' in step]
        assert commands[0].startswith('bash tools/run_tests.sh'), name
        named = re.findall(r'(?:tools|tests)/[\w./]+', ' '.join(commands))
        assert all((ROOT / path).exists() for path in named)


def test_continuous_integration_lints_tests_and_builds():
    ci = yaml.safe_load((ROOT / '.github/workflows/ci.yml').read_text())
    versions = ci['jobs']['test']['strategy']['matrix']['python']
    assert versions == ['3.10', '3.11', '3.12']
    assert {'lint', 'test', 'wheel'} <= ci['jobs'].keys()


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == __version__
    assert {'cff-version', 'title', 'message', 'authors'} <= citation.keys()
