#!/usr/bin/env bash
# Run MMHuman3D's own tests under the bridge, from a checkout of it:
#   bash tools/analysis/run_mmhuman3d_tests.sh CHECKOUT [PYTEST ARGUMENTS]
# They run in a copy, since some write into it. Those that need licensed body
# models, test data, ffmpeg, a download or pytorch3d fail, the rest pass.
# The last lines say how many, and whether mmcv or MMEngine were changed.
set -eu
checkout=$(cd "${1:?path of a checkout of MMHuman3D}" && pwd)
shift
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$checkout"/{tests,configs,demo} "$copy"
cd "$copy"
export PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}"
# Longer tracebacks than a line overflow Python's compiler on some failures.
${PYTHON:-python} -m pytest -p mmd2a.interop.mmhuman3d.importing.pytest_plugin \
    -p no:cacheprovider --continue-on-collection-errors --tb=line -q \
    tests "$@"
