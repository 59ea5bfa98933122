"""Put a link to this checkout where an editable install has no files.

    pip install --no-deps --no-build-isolation --editable .
    python tools/link_editable.py

MMEngine and mim look for a package beside its metadata. After an editable
install nothing is there, so `with read_base(): from mmd2a.configs... import *`
and mim would not find it. The link is entered in the record of the install:
`pip uninstall mmd2a` removes it. tools/install.sh does this for you.
"""

import csv
import os
import sysconfig
from importlib.metadata import Distribution
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / 'mmd2a'


def main() -> None:
    site = Path(sysconfig.get_path('purelib'))
    link = site / PACKAGE.name
    if link.is_symlink() and link.resolve() == PACKAGE:
        return
    installed = next(
        Distribution.discover(name=PACKAGE.name, path=[str(site)]), None
    )
    if installed is None or link.exists():
        raise SystemExit(
            f'error: there is no editable install of {PACKAGE.name} in {site}'
        )
    os.symlink(PACKAGE, link)
    [record] = [
        file.locate()
        for file in installed.files or ()
        if file.name == 'RECORD'
    ]
    with open(record, 'a', newline='') as file:
        csv.writer(file).writerow([PACKAGE.name, '', ''])


if __name__ == '__main__':
    main()
