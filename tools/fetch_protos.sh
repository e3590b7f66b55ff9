#!/usr/bin/env bash
# Brings the official .proto files (cmake/protos.pom.xml) to .deps/protos. Does nothing, and needs no network,
# when they are there.
set -euo pipefail
cd "$(dirname "$0")/.."
pom=cmake/protos.pom.xml
out=.deps/protos

stamp="$out/.complete-$(sha256sum <"$pom" | cut -c1-16)"
[ -e "$stamp" ] && exit 0

echo "fetching the .proto files of Pub/Sub"
rm -rf "$out"
mkdir -p "$out"
# Maven wants its output outside of the folder of the pom.
mvn -B -q --no-transfer-progress -f "$pom" -Dprotos.dir="$PWD/$out" package
# Older generators cannot read proto3 "optional". No field so marked needs its presence known here.
find "$out/google/pubsub" "$out/google/rpc" -name '*.proto' -exec sed -i 's/^\( *\)optional /\1/' {} +
touch "$stamp"
