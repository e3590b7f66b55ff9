#!/usr/bin/env bash
# Brings the sources that are compiled into the native libraries to .deps/src/<name>: the distribution's source
# packages, with its security patches applied, upstream tarballs checked against cmake/third_party.lock.
# Does nothing, and needs no network, when they are there. Uses a private copy of the machine's own package
# sources; changes nothing on the system.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=cmake/third_party.lock
src=.deps/src

stamp="$src/.complete-$(sha256sum <"$lock" | cut -c1-16)"
[ -e "$stamp" ] && exit 0

mapfile -t pins < <(grep -v '^ *\(#\|$\)' "$lock")
work="$PWD/.deps/apt"
rm -rf "$src" "$work"
mkdir -p "$src" "$work/sources.d" "$work/lists/partial" "$work/download"

# The machine's binary package sources, as source package sources.
shopt -s nullglob
for file in /etc/apt/sources.list.d/*.sources; do
  sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/sources.d/$(basename "$file")"
done
for file in /etc/apt/sources.lis[t] /etc/apt/sources.list.d/*.list; do
  sed -n 's/^deb\(-src\)\{0,1\} /deb-src /p' "$file" | sort -u >"$work/sources.d/$(basename "$file" .list).list"
done
apt=(apt-get -q -o Dir::Etc::sourcelist=- -o "Dir::Etc::sourceparts=$work/sources.d"
  -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root -o Acquire::Retries=3)

names=()
for pin in "${pins[@]}"; do
  read -r name _ <<<"$pin"
  names+=("$name")
done
echo "fetching the source packages of ${names[*]}"
"${apt[@]}" update >"$work/update.log" 2>&1 || true # a third party without sources is no matter
if ! (cd "$work/download" && "${apt[@]}" source --download-only "${names[@]}") >"$work/source.log" 2>&1; then
  cat "$work/update.log" "$work/source.log" >&2
  echo "cannot download the source packages of ${names[*]}" >&2
  exit 1
fi

for pin in "${pins[@]}"; do
  read -r name version sha256 <<<"$pin"
  tarballs=("$work/download/${name}_"*.orig.tar.*[xz2])
  tarball=${tarballs[0]:?no upstream tarball of $name}
  found=$(basename "$tarball" | sed "s/^${name}_\(.*\)\.orig\.tar\..*/\1/")
  if [ "$found" != "$version" ]; then
    echo "note: this distribution has $name $found, not the pinned $version: verified by its signature only"
  elif ! echo "$sha256  $tarball" | sha256sum --check --status; then
    echo "$tarball: does not have the pinned SHA-256 $sha256" >&2
    exit 1
  fi
  mkdir -p "$src/$name"
  tar -xf "$tarball" -C "$src/$name" --strip-components=1
  patches=("$work/download/${name}_"*.debian.tar.*)
  tar -xf "${patches[0]}" -C "$src/$name"
  if [ -e "$src/$name/debian/patches/series" ]; then
    while read -r patch _; do
      case $patch in '' | '#'*) continue ;; esac
      patch -s -d "$src/$name" -p1 <"$src/$name/debian/patches/$patch"
    done <"$src/$name/debian/patches/series"
  fi
  echo "$found" >"$src/$name/VERSION.pinned"
done
rm -rf "$work"
touch "$stamp"
