#!/usr/bin/env bash
# tools/dist_twice.sh: builds everything that is released once more, OpenSSL and zlib too, from a copy of the committed sources in another
# folder, and compares it with dist/, byte for byte. Takes as long as the first time did.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -e dist/SHA256SUMS ] || { echo "nothing lies in dist: make dist" >&2 && exit 1; }
again=$(mktemp -d "${TMPDIR:-/tmp}/spark-pubsub-again.XXXXXX")
trap 'rm -rf "$again"' EXIT
git archive HEAD | tar -x -C "$again"
mkdir -p "$again/.deps/portable"
for name in src protos portable/zig portable/sources; do
  cp -r ".deps/$name" "$again/.deps/$name"
done
(cd "$again" && tools/dist.sh >build.log 2>&1) || { tail -n 40 "$again/build.log" >&2 && exit 1; }
released() { # released SUMS: all but the debug files, which tell where the compiler lay
  grep -v -e '-debug\.tar\.gz$' "$1" | sort -k2
}
if ! diff <(released dist/SHA256SUMS) <(released "$again/dist/SHA256SUMS"); then
  echo "two builds of the same sources are not equal: the lines above" >&2
  exit 1
fi
echo "equal: $(released dist/SHA256SUMS | wc -l) files, built twice in different folders"
