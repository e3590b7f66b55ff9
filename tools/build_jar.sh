#!/usr/bin/env bash
# Builds spark/target/spark-pubsub.jar around the release build of the JNI library, when something is newer than it.
# Maven runs without a network once everything it needs is in the local repository.
set -euo pipefail
cd "$(dirname "$0")/.."
jar=spark/target/spark-pubsub.jar
native=build/release/libpubsub_jni.so
if [ -e "$jar" ] && [ -z "$(find spark/pom.xml spark/src/main LICENSE NOTICE packaging/licenses "$native" -newer "$jar" -print -quit)" ]; then
  exit 0
fi
. tools/maven.sh
echo "building $jar"
maven -DskipTests -Dnative.dir="$PWD/build/release" package
