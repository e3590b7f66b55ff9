#!/usr/bin/env python3
"""Checks that every C file includes only its own layer or a lower one. Prints a line a violation."""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
PUBLIC = "pubsub"  # include/pubsub

# What a folder may include besides itself and the public headers.
ALLOWED = {
    "src/base": set(),
    "src/net": {"base"},
    "src/h2": {"base", "net"},
    "src/grpc": {"base", "net", "h2"},
    "src/proto": {"base"},
    "src/batch": {"base", "proto"},
    "src/sub": {"base", "net", "h2", "grpc", "proto", "batch"},
    "src/pub": {"base", "net", "h2", "grpc", "proto"},
    "src/client": {"base", "net", "h2", "grpc", "proto", "batch", "sub", "pub", "google"},
    "emulator": {"base", "net", "h2", "google"},
    "jni": {"base"},
    "cli": {"base"},
}
# Single headers beyond that, with the reason.
EXTRA = {
    ("emulator", "grpc/frame.h"): "the five-byte frame is the same on both sides",
    ("emulator", "proto/wire.h"): "varints are the same on both sides",
    ("src/grpc", "google/rpc/status.pb-c.h"): "error details",
}
# Libraries that one layer alone may see.
ONLY = {"nghttp2": {"src/h2"}, "openssl": {"src/net"}, "jni.h": {"jni"}, "zlib.h": {"src/pub", "emulator"}, "protobuf-c": {"src/client", "emulator"}}

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')


def violations(path, folder):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match.group(1)
        top = header.split("/")[0]
        where = f"{path.relative_to(ROOT)}:{number}"
        if top in ONLY and folder not in ONLY[top]:
            yield f"{where}: <{header}> belongs to {', '.join(sorted(ONLY[top]))} alone"
        layer = top in {name.split("/")[-1] for name in ALLOWED if name.startswith("src/")} or top == "google"
        if not layer or "/" not in header or top == folder.split("/")[-1] or (folder, header) in EXTRA:
            continue
        if top not in ALLOWED[folder]:
            yield f'{where}: {folder} may not include "{header}"'


def main():
    found = [
        violation
        for folder in ALLOWED
        for path in sorted((ROOT / folder).glob("*.[ch]"))
        for violation in violations(path, folder)
    ]
    print("\n".join(found) if found else "layers: in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
