#!/usr/bin/env bash
# tools/java_format.sh --check|--fix FILE…: google-java-format, the one that is pinned here; its jar comes from Maven once.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.28.0
jar=.deps/tools/google-java-format-$version-all-deps.jar
if [ ! -e "$jar" ]; then
  mvn -B -q --no-transfer-progress org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
    "-Dartifact=com.google.googlejavaformat:google-java-format:$version:jar:all-deps" "-DoutputDirectory=$PWD/.deps/tools"
fi
case $1 in
  --check) how=(--dry-run --set-exit-if-changed) ;;
  --fix) how=(--replace) ;;
  *) echo "usage: tools/java_format.sh --check|--fix FILE…" >&2 && exit 2 ;;
esac
shift
exports=()
for package in api code file parser tree util; do
  exports+=(--add-exports "jdk.compiler/com.sun.tools.javac.$package=ALL-UNNAMED")
done
if ! java -XX:TieredStopAtLevel=1 "${exports[@]}" -jar "$jar" "${how[@]}" "$@"; then
  echo "java format: make fmt changes the files above" >&2
  exit 1
fi
[ "${how[0]}" = --replace ] || echo "java format: clean"
