#!/usr/bin/env bash
# Sets up what a part of the project needs, on Debian or Ubuntu, and nothing that is there already:
#   tools/bootstrap.sh build     compilers, libraries, pinned sources
#   tools/bootstrap.sh python    virtual environment with the pinned PySpark in .deps/venv
#   tools/bootstrap.sh spark V   the same environment with Spark V instead, in .deps/spark-V
#   tools/bootstrap.sh portable  the cross compiler, OpenSSL and zlib, for builds that are taken to other machines
#   tools/bootstrap.sh browser   Chromium and its driver, where the system has them: the test of the emulator's page
#   tools/bootstrap.sh arm64     qemu-user, and what a program for aarch64 needs to run under it
#   tools/bootstrap.sh fuzz      clang with libFuzzer, and its tools for coverage
#   tools/bootstrap.sh docs      Doxygen, for the page of the C library
#   tools/bootstrap.sh go        Go, for the peer of the benchmarks
#   tools/bootstrap.sh peers     what else `make bench` compares with: Kafka, Google's Java client
# System packages come by apt, with sudo when not root; on another system the script says what to install and
# stops. A second run does nothing and needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .deps
exec 9>.deps/.lock
flock 9 # one at a time

# A line a need: what proves that it is there, and the package that brings it.
build_needs='
command:gcc gcc
command:make make
command:cmake cmake
command:ninja ninja-build
command:patch patch
command:xz xz-utils
command:dpkg-source dpkg-dev
command:protoc-c protobuf-c-compiler
command:python3 python3
python:ensurepip python3-venv
command:clang-format clang-format
command:javac openjdk-17-jdk-headless
command:mvn maven
command:nm binutils
command:unzip unzip
command:pkg-config pkg-config
command:openssl openssl
file:/etc/ssl/certs/ca-certificates.crt ca-certificates
header:openssl/ssl.h libssl-dev
header:zlib.h zlib1g-dev
header:cmocka.h libcmocka-dev
header:stdio.h libc6-dev
'
python_needs='
command:python3 python3
command:curl curl
python:ensurepip,venv python3-venv
command:java openjdk-17-jre-headless
'
browser_needs='
command:chromium chromium
command:chromedriver chromium-driver
'
docs_needs='
command:doxygen doxygen
'
go_needs='
command:go golang-go
'

portable_needs='
command:python3 python3
python:pip python3-pip
command:cargo cargo
command:perl perl
command:llvm-objcopy-14 llvm-14
'

arm64_needs='
command:qemu-aarch64-static qemu-user-static
command:dpkg-deb dpkg
'

fuzz_needs='
command:clang-14 clang-14
command:llvm-cov-14 llvm-14
fuzzer:clang-14 libclang-rt-14-dev
'

there() { # there KIND:NAME
  local name=${1#*:}
  case $1 in
    command:*) command -v "$name" >/dev/null ;;
    file:*) [ -e "$name" ] ;;
    header:*) [ -e "/usr/include/$name" ] || [ -e "/usr/include/$(uname -m)-linux-gnu/$name" ] ;;
    fuzzer:*) command -v "$name" >/dev/null && ls "$("$name" -print-runtime-dir)"/libclang_rt.fuzzer* >/dev/null 2>&1 ;;
    python:*) python3 -c "import $name" 2>/dev/null ;;
  esac
}

missing_packages() { # missing_packages NEEDS
  local need package
  while read -r need package; do
    [ -z "$need" ] || there "$need" || echo "$package"
  done <<<"$1"
}

install_packages() { # install_packages NEEDS
  local packages sudo=()
  mapfile -t packages < <(missing_packages "$1" | sort -u)
  [ ${#packages[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "this system has no apt. Install what these Debian packages hold, then run again:" >&2
    echo "  ${packages[*]}" >&2
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "not root, and there is no sudo. As root, run:" >&2
      echo "  apt-get install ${packages[*]}" >&2
      exit 1
    fi
    sudo=(sudo)
  fi
  echo "installing ${packages[*]}"
  "${sudo[@]}" apt-get -q update >.deps/apt.log 2>&1 || true
  if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y install --no-install-recommends "${packages[@]}" >>.deps/apt.log 2>&1; then
    tail -n 30 .deps/apt.log >&2
    echo "apt-get could not install ${packages[*]}" >&2
    exit 1
  fi
}

bootstrap_build() {
  install_packages "$build_needs"
  tools/fetch_sources.sh
  tools/fetch_protos.sh
  tools/fetch_llhttp.sh
}

make_venv() { # make_venv FOLDER PINS
  local venv=$1 pins=$2 stamp
  install_packages "$python_needs"
  stamp="$venv/.complete-$(sha256sum <<<"$pins" | cut -c1-16)"
  [ -e "$stamp" ] && return 0
  echo "making the Python environment in $venv (PySpark is 300 MB)"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --no-cache-dir -r /dev/stdin <<<"$pins"
  touch "$stamp"
}

bootstrap_python() {
  make_venv .deps/venv "$(cat test/support/requirements.txt)"
}

# Another Spark brings the py4j that it needs.
bootstrap_spark() {
  local replaced
  replaced="^(pyspark|py4j|$(sed -n 's/==.*//p' test/support/requirements-lines.txt | paste -sd '|'))=="
  make_venv ".deps/spark-$1" "$(grep -vE "$replaced" test/support/requirements.txt; cat test/support/requirements-lines.txt; echo "pyspark==$1")"
}

# Not every distribution has it as a package: its test is skipped then.
bootstrap_browser() {
  (install_packages "$browser_needs") || echo "no Chromium: the emulator's page is not tested in a browser"
}

bootstrap_fuzz() {
  install_packages "$fuzz_needs"
}

bootstrap_portable() {
  install_packages "$portable_needs"
  tools/portable/fetch.sh
}

bootstrap_arm64() {
  install_packages "$arm64_needs"
  tools/portable/fetch_arm64.sh
}

bootstrap_docs() {
  install_packages "$docs_needs"
}

bootstrap_go() {
  install_packages "$go_needs"
}

# The peers of `make bench`: a Kafka broker, Spark's Kafka connector, Google's Java client.
bootstrap_peers() {
  bootstrap_go
  install_packages "$build_needs"
  local stamp profile
  stamp=.deps/.peers-$(cat bench/peers/kafka/pom.xml bench/peers/java/pom.xml | sha256sum | cut -c1-16)
  [ -e "$stamp" ] && return 0
  echo "fetching a Kafka broker and Google's Java client, to compare with"
  for profile in broker spark; do
    mvn -B -q --no-transfer-progress -f bench/peers/kafka/pom.xml "-P$profile" dependency:copy-dependencies \
      "-DoutputDirectory=$PWD/.deps/kafka/$profile" -DincludeScope=runtime
  done
  mvn -B -q --no-transfer-progress -f bench/peers/java/pom.xml package
  touch "$stamp"
}

[ $# -gt 0 ] || set -- build
while [ $# -gt 0 ]; do
  case $1 in
    build | python | browser | portable | arm64 | fuzz | docs | go | peers) "bootstrap_$1" ;;
    spark)
      bootstrap_spark "${2:?the version of Spark}"
      shift
      ;;
    *) echo "usage: tools/bootstrap.sh [build|python|browser|spark VERSION|portable|arm64|fuzz|docs|go|peers]…" >&2 && exit 2 ;;
  esac
  shift
done
