#!/usr/bin/env bash
# tools/check_hardening.sh [FOLDER]: prints how hard what ships makes it for an error to become an intrusion, and fails where
# something is missing. FOLDER: a release build.
#
#   RELRO     the tables of functions are read-only once the program runs (full: all of them, bound at its start)
#   NX        no page is both writable and executable, the stack neither
#   PIE       the program is loaded at a random address (libraries always are)
#   canary    a write past an array on the stack ends the program before its function returns
#   fortify   copies into an object whose size is known are checked against it (level 3: known at run time too; level 2
#             where the compiler is older than gcc 12)
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-build/release}
failed=0

row() { # row FILE RELRO NX PIE CANARY FORTIFY
  printf '%-22s %-7s %-5s %-5s %-7s %-8s\n' "$@"
  case " ${*:2} " in *" no "*) failed=1 ;; esac
}

# BIND_NOW says that all is bound at the start. Only a program without an interpreter and without libraries needs it not.
relro_of() {
  grep -q GNU_RELRO <<<"$headers" || { echo no && return; }
  grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$dynamic" && echo full && return
  grep -qE 'NEEDED|INTERP' <<<"$dynamic$headers" && echo no || echo full
}

nx_of() {
  grep -qE 'GNU_STACK.* RWE|LOAD.* RWE' <<<"$headers" && echo no && return
  grep -q GNU_STACK <<<"$headers" && echo yes || echo no
}

pie_of() {
  readelf -hW "$1" | grep -q 'Type:.*DYN' && echo yes || echo no
}

symbol_of() {
  grep -qE "$1" <<<"$symbols" && echo yes || echo no
}

check() {
  local file=$1 headers dynamic symbols
  headers=$(readelf -lW "$file")
  dynamic=$(readelf -dW "$file")
  symbols=$(readelf -sW "$file")
  row "$(basename "$file")" "$(relro_of)" "$(nx_of)" "$(pie_of "$file")" \
    "$(symbol_of '__stack_chk_(fail|guard)')" "$(symbol_of '__(memcpy|snprintf|vsnprintf)_chk')"
}

# The level does not show in a file: the commands that made it say it.
check_level() {
  python3 - "$folder/compile_commands.json" <<'PYTHON'
import json
import re
import sys

levels = {}
for entry in json.load(open(sys.argv[1])):
    levels.setdefault((re.findall(r"-D_FORTIFY_SOURCE=(\d)", entry["command"]) or ["none"])[-1], []).append(entry["file"])
print("_FORTIFY_SOURCE:", ", ".join(f"level {level} in {len(files)} files" for level, files in sorted(levels.items())))
if set(levels) - {"3", "2"}:
    sys.exit("without it: " + ", ".join(levels["none"][:5]))
PYTHON
}

printf '%-22s %-7s %-5s %-5s %-7s %-8s\n' "" RELRO NX PIE canary fortify
for name in libpubsub.so libpubsub_jni.so pubsub pubsub-emulator; do
  check "$(readlink -f "$folder/$name")"
done
check_level || failed=1
exit $failed
