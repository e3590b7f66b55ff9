#!/usr/bin/env bash
# tools/check_format.sh CLANG_FORMAT FILE…: are the files formatted, and their comments (which clang-format leaves alone) no wider than
# their code? Other versions of clang-format than the pinned one differ in details, so only that one is believed.
set -euo pipefail
pinned=14
clang_format=$1
shift
wide=$(LC_ALL=C.UTF-8 grep -nHE '^.{101,}$' "$@" || true)
if [ -n "$wide" ]; then
  echo "$wide"
  echo "format: lines of more than 100 columns"
  exit 1
fi
version=$("$clang_format" --version | sed 's/.*version \([0-9]*\).*/\1/')
if [ "$version" != "$pinned" ]; then
  echo "format: not checked (clang-format is version $version, not $pinned)"
  exit 0
fi
"$clang_format" --dry-run --Werror "$@"
echo "format: clean"
