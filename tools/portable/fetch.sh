#!/usr/bin/env bash
# Brings what the portable builds need to .deps/portable, pinned and checked, and nothing that is there already:
#   zig      the cross compiler (packaging/zig.txt)
#   sources  OpenSSL and zlib (packaging/sources/Cargo.lock)
# nghttp2, protobuf-c and the .proto files are those of every build (tools/bootstrap.sh build).
set -euo pipefail
cd "$(dirname "$0")/../.."
deps=.deps/portable
mkdir -p "$deps"

fresh() { # fresh NAME PINS…: whether NAME was made from these pins
  [ -e "$deps/$1/.complete-$(cat "${@:2}" | sha256sum | cut -c1-16)" ]
}

complete() { # complete NAME PINS…
  touch "$deps/$1/.complete-$(cat "${@:2}" | sha256sum | cut -c1-16)"
}

fetch_zig() {
  ! fresh zig packaging/zig.txt || return 0
  echo "fetching the cross compiler (90 MB)"
  rm -rf "$deps/zig"
  python3 -m pip install -q --root-user-action=ignore --disable-pip-version-check --no-deps --require-hashes --target "$deps/zig" -r packaging/zig.txt
  complete zig packaging/zig.txt
}

fetch_sources() {
  local vendored
  ! fresh sources packaging/sources/Cargo.{toml,lock} || return 0
  echo "fetching the sources of OpenSSL and zlib"
  rm -rf "$deps/sources"
  mkdir -p "$deps/sources"
  vendored=$(mktemp -d)
  (cd packaging/sources && cargo vendor -q --locked "$vendored" >/dev/null)
  mv "$vendored/openssl-src/openssl" "$deps/sources/openssl"
  mv "$vendored/libz-sys/src/zlib" "$deps/sources/zlib"
  rm -rf "$vendored"
  complete sources packaging/sources/Cargo.{toml,lock}
}

fetch_zig
fetch_sources
