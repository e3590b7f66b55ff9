#!/usr/bin/env bash
# The jar holds no third-party class under its own name, and its native library exports JNI entry points only.
set -euo pipefail
cd "$(dirname "$0")/.."
jar=spark/target/spark-pubsub.jar
library=build/release/libpubsub_jni.so
foreign=$(unzip -Z1 "$jar" | grep '\.class$' | grep -v '^io/sparkpubsub/' || true)
if [ -n "$foreign" ]; then
  echo "$jar has classes that are not relocated:" >&2
  echo "$foreign" | head >&2
  exit 1
fi
symbols=$(nm -D --defined-only "$library" | awk '{ print $3 }' | grep -v '^JNI_On\(Load\|Unload\)$' || true)
if [ -n "$symbols" ]; then
  echo "$library exports more than JNI entry points: $symbols" >&2
  exit 1
fi
echo "jar: only our classes, only JNI entry points"
