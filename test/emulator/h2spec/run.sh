#!/usr/bin/env bash
# h2spec, strict, against the emulator: all of generic, http2 and hpack.
set -euo pipefail
cd "$(dirname "$0")/../../.."
(cd test/emulator/h2spec && go build -o ../../../build/h2spec github.com/summerwind/h2spec/cmd/h2spec)
ready=$(mktemp)
build/release/pubsub-emulator --port 0 >"$ready" &
pid=$!
trap 'kill $pid; wait $pid 2>/dev/null || true; rm -f "$ready"' EXIT
until [ -s "$ready" ]; do sleep 0.01; done
address=$(sed -n 's/^pubsub-emulator listening on //p' "$ready")
build/h2spec --strict --host "${address%:*}" --port "${address##*:}" --timeout 5
