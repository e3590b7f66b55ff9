#!/usr/bin/env bash
# The Java tests that call into C, with the AddressSanitizer build of the JNI library and under -Xcheck:jni; whatever either
# of them has to say is a failure. In a copy of spark/, so that the library that ships is not mixed up with this one.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/maven.sh
tests=${*:-NativeReaderTest,NativeLibraryTest,ChunkHoldTest,RowBlockTest}
work=$PWD/build/jni-sanitized
tools/build_native.sh asan pubsub_jni pubsub-emulator
mkdir -p "$work/bin"
rm -rf "$work/spark/src" "$work/spark/target/surefire-reports" "$work/reports"
mkdir -p "$work/spark" "$work/reports"
cp -r spark/pom.xml spark/src "$work/spark/"

# The JVM that runs the tests, and those that they start. The JVM uses SIGSEGV itself; leaks are counted by the tests.
java=$(readlink -f "$(command -v java)")
cat >"$work/bin/java" <<END
#!/bin/sh
export LD_PRELOAD=$(gcc -print-file-name=libasan.so)
export ASAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_sigfpe=0:allow_user_segv_handler=1:use_sigaltstack=0:detect_leaks=0:log_path=$work/reports/asan
export UBSAN_OPTIONS=print_stacktrace=1:log_path=$work/reports/ubsan
exec $java "\$@"
END
chmod +x "$work/bin/java"

echo "== Java tests that call into C, under AddressSanitizer and -Xcheck:jni"
maven_ready=test maven_project=$work/spark
set +e
(
  set -e # which a condition would switch off
  maven -Djvm="$work/bin/java" -Dnative.dir="$PWD/build/asan" -Dtest="$tests" -Dsurefire.useFile=false test
) >"$work/output" 2>&1
failed=$?
set -e
if [ -n "$(ls "$work/reports")" ] || grep -qE 'in native method|FATAL ERROR' "$work/output"; then failed=1; fi
if [ $failed != 0 ]; then
  grep -v '^\[ERROR\] *$' "$work/output" | head -n 80 >&2
  find "$work/reports" -type f -exec head -n 60 {} + >&2
  exit 1
fi
echo "$(grep -ho '<testcase ' "$work"/spark/target/surefire-reports/TEST-*.xml | wc -l) tests, clean"
