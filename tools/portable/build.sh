#!/usr/bin/env bash
# tools/portable/build.sh PLATFORM…: what ships, for other machines than this one: libpubsub_jni, libpubsub, pubsub and pubsub-emulator in
# build/portable/PLATFORM, stripped, with their debug files beside (NAME.debug). tools/portable/targets.sh names the platforms; without
# one it is every Linux. The same sources and pins make the same bytes, wherever and whenever.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/portable/targets.sh
. tools/portable/compiler.sh
[ $# -gt 0 ] || set -- $LINUX_PLATFORMS

configure() { # configure LIBRARIES
  rm -rf "$build"
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS=-g -DCMAKE_TOOLCHAIN_FILE=cmake/portable.cmake \
    "-DPUBSUB_SYSTEM=$system_name" "-DPUBSUB_MACHINE=$machine" "-DPUBSUB_LIBRARIES=$1" "-DPUBSUB_STATIC=$static" >"$folder/configure.log"
}

# No link from the one to the other: it would hold a checksum of the debug file, which tells where the compiler lay.
strip_into() { # strip_into FOLDER FILE
  local out
  out=$1/$(basename "$2")
  llvm-objcopy-14 --only-keep-debug "$2" "$out.debug"
  llvm-objcopy-14 --strip-unneeded "$2" "$out"
}

build() { # build PLATFORM
  local folder build libraries static=OFF suffix=so
  set_platform "$1"
  case $platform in *-musl) static=ON ;; macos-*) suffix=dylib ;; esac
  libraries=$(tools/portable/libraries.sh "$platform")
  folder=$top/build/portable/$platform
  build=$folder/build
  mkdir -p "$folder"
  make_compiler "$folder/bin"
  [ -e "$build/build.ninja" ] && [ ! cmake/portable.cmake -nt "$build/CMakeCache.txt" ] && grep -q "PUBSUB_LIBRARIES:.*=$libraries$" "$build/CMakeCache.txt" || configure "$libraries"
  echo "building for $platform"
  cmake --build "$build" -j"${JOBS:-$(nproc)}" --target pubsub pubsub-emulator pubsub_shared pubsub_jni >"$folder/build.log" || {
    tail -n 40 "$folder/build.log" >&2
    exit 1
  }
  for file in pubsub pubsub-emulator "libpubsub_jni.$suffix" "libpubsub.$suffix"; do
    strip_into "$folder" "$(readlink -f "$build/$file")"
  done
}

for name in "$@"; do
  (build "$name")
done
