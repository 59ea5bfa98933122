"""Write the page of the weights that ship, docs/model_zoo.md, of their index.

    python tools/weights/write_model_zoo.py

A test fails while the page and the index differ.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from mmd2a.cli.launch import run_tool
from mmd2a.files import write_text
from mmd2a.weights import WEIGHTS_FOLDER, WeightsEntry, read_index

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'model_zoo.md'
HEAD = """# Model zoo

Made by `python tools/weights/write_model_zoo.py` of the index of the weights,
`mmd2a/weights/data/index.json`; what is wrong here is wrong there.

Weights come with the package. Nothing is downloaded, a file whose sha256 is
not that of the index is refused, and every entry says what it was trained on.
`mmd2a://NAME` is their address wherever a checkpoint is accepted: `load_from`,
`init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')`,
`tools/test.py CONFIG NAME`, `tools/analysis/draw_sheet.py CONFIG NAME`.

```python
from mmd2a.weights import read_index

print(*read_index())
```

Weights of your own get a name the same way
(`tools/weights/export_weights.py --folder FOLDER`) and are found where the
environment variable `MMD2A_WEIGHTS` names that folder.

Intervals are 95 % over people, of the mean: what other people drawn alike
would give, not what another training would. Errors are in mm.
"""
MODEL = """A model in a program:

```python
from mmd2a.apis import get_model

model = get_model('mmd2a::{name}')
```
"""


def page(entries: dict[str, WeightsEntry]) -> str:
    """The whole page."""
    models = [entry for entry in entries.values() if not entry.parts]
    initial = [entry for entry in entries.values() if entry.parts]
    lines = [HEAD]
    if not entries:
        lines.append('No weights ship yet.\n')
    if models:
        lines.append(MODEL.format(name=models[0].name))
    for title, group in (('Models', models), ('Initial weights', initial)):
        if group:
            lines += [f'## {title}\n', *overview(group), '']
    for entry in (*models, *initial):
        lines += [*card(entry), '']
    return '\n'.join(lines).rstrip() + '\n'


def overview(entries: list[WeightsEntry]) -> Iterator[str]:
    """A table with a row per entry."""
    yield '| name | config | numbers | file | licence |'
    yield '|---|---|---|---|---|'
    for entry in entries:
        yield (
            f'| [{entry.name}](#{anchor(entry.name)}) | '
            f'`configs/{entry.config}` | {entry.num_parameters / 1e6:.2f} M | '
            f'{entry.size / 1e6:.1f} MB | {entry.licence} |'
        )


def card(entry: WeightsEntry) -> Iterator[str]:
    """What is known of one entry."""
    yield f'## {entry.name}\n'
    if entry.parts:
        parts = ', '.join(f'`{part}`' for part in entry.parts)
        yield f'Initial weights: {parts}.\n'
    else:
        yield '```bash'
        config, *changes = entry.made_with.split(' ', 1)
        yield ' '.join(['python tools/test.py', config, entry.name, *changes])
        yield '```\n'
    yield f'- address: `{entry.address}`'
    yield f'- sha256: `{entry.sha256}`'
    yield f'- licence: {entry.licence}'
    yield f'- made with: `{entry.made_with}`'
    yield '- trained on: ' + '; '.join(
        f'{data["name"]} ({data["licence"]})'
        + (f', {data["what"]}' if 'what' in data else '')
        for data in entry.training_data
    )
    for key, value in entry.recipe.items():
        yield f'- {key}: ' + (f'`{value}`' if key == 'command' else f'{value}')
    for limit in entry.limits:
        yield f'- fails: {limit}'
    for name, result in entry.results.items():
        yield f'\nOn {name}' + (
            f' ({result["note"]})' if 'note' in result else ''
        )
        if 'command' in result:
            yield f'(`{result["command"]}`)'
        yield '\n| metric | value | 95 % interval | people |'
        yield '|---|---|---|---|'
        for metric, of_it in result['metrics'].items():
            interval = (
                f'{of_it["low"]:g} to {of_it["high"]:g}'
                if 'low' in of_it
                else ''
            )
            yield (
                f'| {metric} | {of_it["value"]:g} | {interval} | '
                f'{of_it.get("samples", "")} |'
            )
    for picture in entry.pictures:
        yield f'\n![{picture["caption"]}]({picture["file"]})'


def anchor(title: str) -> str:
    """What a heading is linked by."""
    return title.lower().replace('.', '')


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--out', type=Path, default=PAGE)
    parser.add_argument(
        '--folder', type=Path, default=WEIGHTS_FOLDER, help='of the index'
    )
    args = parser.parse_args()
    write_text(args.out, page(read_index(args.folder)))
    print(f'wrote {args.out}')


if __name__ == '__main__':
    run_tool(main)
