#!/usr/bin/env bash
# tools/portable/libraries.sh PLATFORM: OpenSSL and zlib for PLATFORM, static, from their pinned sources, in .deps/portable/PLATFORM-…,
# whose path is printed. Takes minutes the first time, and nothing after. Those of earlier pins go.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/portable/targets.sh
. tools/portable/compiler.sh
set_platform "$1"
pins=$({ echo "$zig_target $openssl_target" && cat packaging/zig.txt packaging/sources/Cargo.lock tools/portable/{compiler,libraries}.sh; } |
  sha256sum | cut -c1-16)
prefix=$top/.deps/portable/$platform-$pins
[ -e "$prefix/.complete" ] && echo "$prefix" && exit 0

rm -rf "$top/.deps/portable/$platform"-????????????????
work=$top/build/portable/$platform/libraries
rm -rf "$work" "$prefix"
mkdir -p "$work" "$prefix/lib" "$prefix/include"
cp -r .deps/portable/sources/{openssl,zlib} "$work"
make_compiler "$work/bin"
flags=(-O3 -fPIC -g -fno-omit-frame-pointer -ffunction-sections -fdata-sections -fstack-protector-strong)
[ "$system_name" = Darwin ] || flags+=(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)

# What TLS to a service of Google needs: no engines or modules that would be loaded at run time, no protocols of old.
build_openssl() (
  cd "$work/openssl"
  CC=pubsub-cc AR=pubsub-ar RANLIB=pubsub-ranlib perl Configure "$openssl_target" no-shared no-module no-dso no-engine no-tests \
    no-docs no-apps no-legacy no-quic no-dtls no-ssl3 no-comp no-cmp no-cms no-ts no-srp no-sctp no-idea no-camellia no-aria \
    no-seed no-sm2 no-sm3 no-sm4 no-rc2 no-rc4 no-bf no-cast no-des no-md4 no-mdc2 no-rmd160 no-whirlpool no-gost no-afalgeng \
    no-uplink no-slh-dsa no-ml-dsa no-async --prefix=/usr --libdir=lib --openssldir=/etc/ssl "${flags[@]}"
  make -s build_generated
  make -s -j"${JOBS:-$(nproc)}" libcrypto.a libssl.a
  cp -r include/openssl "$prefix/include"
  cp libcrypto.a libssl.a "$prefix/lib"
)

build_zlib() (
  cd "$work/zlib"
  for source in adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil; do
    pubsub-cc "${flags[@]}" -DHAVE_UNISTD_H -D_LARGEFILE64_SOURCE=1 -c "$source.c" -o "$source.o"
  done
  pubsub-ar rcs "$prefix/lib/libz.a" ./*.o
  cp zlib.h zconf.h "$prefix/include"
)

echo "building OpenSSL and zlib for $platform (log: $work/log)" >&2
exec 3>&1 4>&2 >"$work/log" 2>&1
trap '[ -e "$prefix/.complete" ] || tail -n 40 "$work/log" >&4' EXIT
build_openssl
build_zlib
rm -rf "$work/openssl" "$work/zlib"
touch "$prefix/.complete"
echo "$prefix" >&3
