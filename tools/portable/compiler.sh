# Sourced, after set_platform. Puts the cross compiler's tools on the path, by names without a folder, which end up in what is built:
# pubsub-cc, pubsub-ar, pubsub-ranlib. Everything that makes two builds differ is taken away: the date, and the folder.
top=$PWD
zig=$(realpath .deps/portable/zig/ziglang/zig)
export ZIG_GLOBAL_CACHE_DIR=$top/.deps/portable/cache ZIG_LOCAL_CACHE_DIR=$top/.deps/portable/cache
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1767225600} ZERO_AR_DATE=1 LC_ALL=C TZ=UTC

# What it compiles of its own (the ends of a C library) takes no flags of ours, but these.
export CCC_OVERRIDE_OPTIONS="# +-ffile-prefix-map=${zig%/zig}=zig"

make_compiler() { # make_compiler FOLDER
  mkdir -p "$1"
  printf '#!/bin/sh\nexec "%s" cc -target %s -fno-sanitize=undefined "-ffile-prefix-map=%s=zig" "-ffile-prefix-map=%s=." "$@"\n' \
    "$zig" "$zig_target" "${zig%/zig}" "$top" >"$1/pubsub-cc"
  printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$zig" >"$1/pubsub-ar"
  printf '#!/bin/sh\nexec "%s" ranlib "$@"\n' "$zig" >"$1/pubsub-ranlib"
  chmod +x "$1"/pubsub-*
  PATH=$1:$PATH
}
