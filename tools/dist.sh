#!/usr/bin/env bash
# tools/dist.sh [OUT]: everything that is released, for every platform (PLATFORMS="…" for some), in OUT (dist/): a Maven repository, wheels,
# archives, Debian's packages, an image of the emulator. The same sources make the same bytes: tools/dist_twice.sh looks.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/portable/targets.sh
out=${1:-dist}
stage=$PWD/build/dist
mapfile -t platforms < <(tr ' ' '\n' <<<"${PLATFORMS:-$LINUX_PLATFORMS}")
tools/portable/build.sh "${platforms[@]}"
mapfile -t linux < <(printf 'build/portable/%s\n' "${platforms[@]}" | grep /linux-)
tools/portable/check_floor.sh "${linux[@]}"

rm -rf "$stage"
mkdir -p "$stage/spark" "$stage/natives"
cp -r spark/pom.xml spark/src "$stage/spark"
for name in "${platforms[@]}"; do
  mkdir -p "$stage/natives/$name"
  cp build/portable/"$name"/libpubsub_jni.{so,dylib} "$stage/natives/$name" 2>/dev/null || true
  [ -n "$(ls "$stage/natives/$name")" ] || { echo "$name: no library of it was built" >&2 && exit 1; }
done
echo "building the jar of ${platforms[*]}"
# Not offline: the bill of materials asks the registry for the terms of what is inside.
mvn -B -q --no-transfer-progress -f "$stage/spark/pom.xml" -Pdist -DskipTests -Dnative.dir="$stage/none" -Dnatives.dir="$stage/natives" \
  -Dproject.top="$PWD" package
PYTHONDONTWRITEBYTECODE=1 python3 packaging/dist/make.py "$stage/spark/target" "$out"
size=$(stat -c %s "$out"/maven/io/sparkpubsub/spark-pubsub/*/spark-pubsub-*[0-9].jar)
[ "$size" -le $((25 * 1024 * 1024)) ] || { echo "the jar takes $size bytes, more than 25 MiB" >&2 && exit 1; }
