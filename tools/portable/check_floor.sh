#!/usr/bin/env bash
# tools/portable/check_floor.sh [FOLDER…]: that what was built for Linux loads on the oldest system that is promised: no symbol newer than
# glibc 2.17 (what is for musl: none of glibc), and no library but that system's own. FOLDER: of one platform; without one it is every
# platform in build/portable, and nothing where none was built.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/portable/targets.sh
shopt -s nullglob
[ $# -gt 0 ] || set -- build/portable/linux-*/
[ $# -gt 0 ] || echo "nothing portable was built here (make natives): its floor is not checked"
failed=0

newest_symbol() { # newest_symbol FILE
  objdump -T "$1" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -n 1
}

foreign_libraries() { # foreign_libraries FILE ALLOWED
  readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vxE "$2" || true
}

check() { # check FILE PLATFORM
  local newest libraries allowed floor=$GLIBC_FLOOR
  newest=$(newest_symbol "$1" || true)
  case $2 in
    *-musl) allowed='libc\.so' floor=none ;;
    *) allowed='lib(c|m|dl|rt|pthread)\.so\.[0-9]+|ld-linux.*' ;;
  esac
  printf '  %-18s %-24s %s\n' "$(basename "$1")" "${newest:-no symbol of glibc}" "floor: $floor"
  if [ -n "$newest" ] && { [ "$floor" = none ] || [ "$(printf '%s\n' "${newest#GLIBC_}" "$floor" | sort -V | tail -n 1)" != "$floor" ]; }; then
    objdump -T "$1" | grep -F "$newest" >&2
    failed=1
  fi
  libraries=$(foreign_libraries "$1" "$allowed")
  [ -z "$libraries" ] || { echo "$1 needs libraries that a system may lack: $libraries" >&2 && failed=1; }
}

for folder in "$@"; do
  name=$(basename "$folder")
  files=("$folder"/libpubsub_jni.so "$folder"/libpubsub.so.*.[0-9] "$folder"/pubsub "$folder"/pubsub-emulator)
  [ -e "${files[0]}" ] || { echo "$name: not built" && continue; }
  echo "$name"
  for file in "${files[@]}"; do
    check "$file" "$name"
  done
done
exit $failed
