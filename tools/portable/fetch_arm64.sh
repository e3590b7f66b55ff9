#!/usr/bin/env bash
# Brings what a program for aarch64 finds on a Debian of that kind to .deps/arm64: the C library, unpacked from Debian's packages
# and not installed; for runs under qemu-user. Needs Debian's or Ubuntu's package sources; changes nothing on the system.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD/.deps/arm64
[ -e "$root/.complete-c" ] && exit 0
work=$PWD/.deps/apt-arm64
rm -rf "$root" "$work"
mkdir -p "$root" "$work/lists/partial" "$work/cache/archives/partial" "$work/download"
touch "$work/status"
apt=(apt-get -q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status"
  -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none)
echo "fetching a C library for aarch64"
"${apt[@]}" update >"$work/log" 2>&1 || true
packages=(libc6 libgcc-s1)
(cd "$work/download" && "${apt[@]}" download "${packages[@]}") >>"$work/log" 2>&1 || {
  tail -n 20 "$work/log" >&2
  exit 1
}
for package in "$work"/download/*.deb; do
  dpkg-deb -x "$package" "$root"
done
rm -rf "$work"
touch "$root/.complete-c"
