#!/usr/bin/env bash
# Make the viewer library of the page anew: mmd2a/viewer/assets/three.min.js.
#
#   bash tools/viewer/bundle_three.sh [--check]
#
# --check   write nothing; say whether the kept file is the one made here
#
# Needs Node.js and its npm, which fetches three.js and esbuild, the versions
# below. What the page uses of three.js, and no more, becomes one script that
# defines `THREE`, with the licence at its top: it is copied into every page,
# and goes wherever the page goes.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
. "$root/tools/usage.sh"
usage_unless 0 "$@"
three=0.187.0
esbuild=0.28.2
kept="$root/mmd2a/viewer/assets/three.min.js"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private": true}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts \
    "three@$three" "esbuild@$esbuild"
cat > entry.js <<'END'
export {
  BufferAttribute, BufferGeometry, Camera, Color, DirectionalLight, Euler,
  Group, HemisphereLight, Mesh, MeshLambertMaterial,
  Quaternion, SRGBColorSpace, Scene, Vector3, WebGLRenderer,
} from 'three';
export { GLTFExporter } from 'three/addons/exporters/GLTFExporter.js';
END
{
    echo '/*!'
    echo "three.js $three, https://threejs.org, the parts that this page uses"
    echo
    cat node_modules/three/LICENSE
    echo '*/'
} > made.js
# An inline script ends where `</script` is read, in a string or not.
npx esbuild entry.js --bundle --minify --format=iife --global-name=THREE \
    --target=es2020 --charset=utf8 --legal-comments=none --log-level=warning |
    sed -E 's#</script#<\\/script#g; s/[ \t]+$//' >> made.js

if [ "${1:-}" = --check ]; then
    cmp made.js "$kept" && echo "$kept is what this script makes"
else
    mv made.js "$kept"
    echo "$kept: three.js $three, $(wc -c < "$kept") bytes"
fi
