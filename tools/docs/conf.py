"""How Sphinx makes a site of README, docs and docstrings.

See tools/docs/build_site.sh, which calls it. The source is a copy of the
project's files at their places, so that the links of pages lead where they do
in a checkout, and what is written here stays out of it.
"""

import importlib
from pathlib import Path

import mmd2a

# One page of the reference each.
ROOMS = (
    'apis',
    'apis.result_files',
    'body_models',
    'datasets',
    'datasets.transforms',
    'depth',
    'engine',
    'evaluation',
    'files',
    'geometry',
    'interop.mmhuman3d',
    'mixing',
    'models.data_preprocessors',
    'models.decoders',
    'models.encoders',
    'models.estimators',
    'models.fields',
    'models.flows',
    'models.heads',
    'models.losses',
    'models.necks',
    'models.objectives',
    'people',
    'structures',
    'viewer',
    'visualization',
    'weights',
)

project = 'mmd2a'
author = copyright = 'the authors of mmd2a'
version = release = mmd2a.__version__
extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.mathjax',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
]
root_doc = 'docs/contents'
source_suffix = {'.md': 'markdown', '.rst': 'restructuredtext'}
include_patterns = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs/**']
html_theme = 'furo'
html_title = f'mmd2a {release}'

myst_heading_anchors = 4
autodoc_default_options = {'members': True, 'show-inheritance': True}
autodoc_member_order = 'bysource'
autodoc_typehints = 'description'
napoleon_use_ivar = True
# What a type is called where another package has no index of its names, and
# folders, which a site does not list.
suppress_warnings = ['ref.python', 'myst.xref_ambiguous']


def write_reference(app) -> None:
    """Write a page for each room, and the list of all pages."""
    docs = Path(app.srcdir, 'docs')
    folder = docs / 'reference'
    folder.mkdir(exist_ok=True)
    for room in ROOMS:
        module = importlib.import_module(f'mmd2a.{room}')
        lines = [f'# mmd2a.{room}', '', (module.__doc__ or '').strip(), '']
        for name in sorted(getattr(module, '__all__', ())):
            kind = _directive(getattr(module, name))
            if kind:
                lines += [
                    '```{eval-rst}',
                    f'.. {kind}:: mmd2a.{room}.{name}',
                    '```',
                    '',
                ]
        (folder / f'{room}.md').write_text('\n'.join(lines))
    pages = sorted(
        page.stem for page in docs.glob('*.md') if page.stem != 'index'
    )
    (docs / 'contents.rst').write_text(
        '\n'.join(
            [
                'Contents',
                '========',
                '',
                '.. toctree::',
                '   :caption: mmd2a',
                '',
                '   README </README>',
                '   Which page do I want? <index>',
                '',
                '.. toctree::',
                '   :caption: Pages',
                '',
                *(f'   {page}' for page in pages),
                '',
                '.. toctree::',
                '   :caption: Reference',
                '',
                *(f'   reference/{room}' for room in ROOMS),
                '',
                '.. toctree::',
                '   :caption: Project',
                '',
                '   /CONTRIBUTING',
                '   /CHANGELOG',
                '',
            ]
        )
    )


def _directive(value: object) -> str:
    if isinstance(value, type):
        return 'autoclass'
    return 'autofunction' if callable(value) else ''


def setup(app) -> None:
    """Have the reference written before pages are looked for."""
    app.connect('builder-inited', write_reference)
