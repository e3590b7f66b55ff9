#!/usr/bin/env bash
# Brings the HTTP/1 parser (cmake/llhttp.lock) to .deps/llhttp. Does nothing, and needs no network, when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=cmake/llhttp.lock
out=.deps/llhttp

stamp="$out/.complete-$(sha256sum <"$lock" | cut -c1-16)"
[ -e "$stamp" ] && exit 0

echo "fetching llhttp"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary :all: --require-hashes -r "$lock" -d "$work"
tar -xf "$work"/httptools-*.tar.gz -C "$work" --strip-components=1 --wildcards '*/vendor/llhttp/*'
rm -rf "$out"
mkdir -p "$out"
cp -r "$work"/vendor/llhttp/. "$out"
touch "$stamp"
