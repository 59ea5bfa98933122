"""Write the tables of README and docs from the json they are made of.

    python tools/analysis/write_tables.py            # all of them, anew
    python tools/analysis/write_tables.py --check    # do they differ?
    python tools/analysis/write_tables.py --add docs/tables/NAME.json \
        --row LABEL --results results.json --command 'bash ...'

A table stands in a document between two comments, and nobody edits it there:

    <!-- table: docs/tables/NAME.json -->
    <!-- end of table -->

Its json is what tools/analysis/ablate.py wrote, or rows of single
evaluations, ``title``, ``protocol``, ``metrics`` and ``rows``: label ->
``command`` (what prints these numbers), ``commit`` and ``values``; or, for a
model that ships, ``weights`` and ``set``: the numbers are those of the index.
--add puts what tools/test.py --out wrote into such a row.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablate import describe_commit
from ablation_report import as_markdown

from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import UsageError, check_file
from mmd2a.files import read_json, read_text, write_json, write_text
from mmd2a.weights import find_weights

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = '<!-- table: {} -->', '<!-- end of table -->'
_PLACE = re.compile(
    re.escape(BEGIN).replace(r'\{\}', r'(\S+)') + r'\n.*?' + re.escape(END),
    re.DOTALL,
)


def render(table: Mapping[str, Any]) -> str:
    """Draw a table of either kind as Markdown."""
    if all('seeds' in row for row in table['rows'].values()):
        return as_markdown(table)
    metrics = table['metrics']
    lines = [
        f'**{table["title"]}** ({table["protocol"]})',
        '',
        '| | ' + ' | '.join(metrics) + ' |',
        '|---|' + '---|' * len(metrics),
    ]
    sources: dict[str, list[str]] = {}
    for label, row in table['rows'].items():
        values = _values(row, table['protocol'])
        cells = [_number(values.get(metric)) for metric in metrics]
        lines.append(f'| {label} | ' + ' | '.join(cells) + ' |')
        source = f'`{row.get("command")}`'
        if 'weights' in row:
            source = f'`mmd2a://{row["weights"]}`, in the index of weights'
        elif row.get('commit'):
            source += f' (commit {row["commit"]})'
        sources.setdefault(source, []).append(label)
    told = [
        f'{" and ".join(rows)}: {source}' for source, rows in sources.items()
    ]
    return '\n'.join([*lines, '', 'From: ' + ';\n'.join(told) + '.'])


def _values(row: Mapping[str, Any], protocol: str) -> dict[str, float]:
    """Numbers of a row by the names of its columns."""
    if 'weights' not in row:
        return row['values']
    entry, _ = find_weights(row['weights'])
    measured = entry.results[row['set']]['metrics']
    return {
        **{name: value['value'] for name, value in measured.items()},
        **{
            name.removeprefix(f'{protocol}/'): value['value']
            for name, value in measured.items()
            if name.startswith(f'{protocol}/')
        },
    }


def _number(value: float | None) -> str:
    if value is None:
        return '–'
    return f'{value:.1f}' if abs(value) >= 10 else f'{value:.3g}'


def rewritten(text: str, path: str) -> str:
    """Return a document with its tables written anew."""
    if text.count(BEGIN.format('')[:11]) != len(_PLACE.findall(text)):
        raise UsageError(f'{path}: a table has no line "{END}"')

    def draw(match: re.Match) -> str:
        table = read_json(str(ROOT / match[1]))
        return f'{BEGIN.format(match[1])}\n{render(table)}\n{END}'

    return _PLACE.sub(draw, text)


def add_row(args: argparse.Namespace) -> None:
    """Put what an evaluation wrote into a row."""
    for path in (args.add, args.results):
        check_file(path, 'file')
    table, results = read_json(args.add), read_json(args.results)
    start = f'{table["protocol"]}/'
    values = {k.removeprefix(start): v for k, v in results.items()}
    absent = [name for name in table['metrics'] if name not in values]
    if absent:
        raise UsageError(f'{args.results} has no {", ".join(absent)}')
    table['rows'][args.row] = dict(
        command=args.command,
        commit=describe_commit(),
        values={name: round(values[name], 4) for name in table['metrics']},
    )
    write_json(args.add, table, indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--check', action='store_true', help='write nothing; 1 if any differs'
    )
    parser.add_argument('--add', metavar='TABLE.json')
    parser.add_argument('--row', metavar='LABEL')
    parser.add_argument('--results', metavar='RESULTS.json')
    parser.add_argument('--command')
    args = parser.parse_args()
    if args.add:
        if not (args.row and args.results and args.command):
            raise UsageError('--add needs --row, --results and --command')
        add_row(args)
    different = []
    for path in [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]:
        text = read_text(str(path))
        new = rewritten(text, path.name)
        if new != text:
            different.append(path.relative_to(ROOT))
            if not args.check:
                write_text(str(path), new)
    for path in different:
        print(f'{path} differs' if args.check else f'{path} written')
    if args.check and different:
        raise SystemExit(1)


if __name__ == '__main__':
    run_tool(main)
