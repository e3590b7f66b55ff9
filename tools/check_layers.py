#!/usr/bin/env python3
"""Checks that every C file includes only its own layer or a lower one, and that Java packages look one way. Prints a line a violation."""

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
    "src/payload": {"base"},
    "src/sub": {"base", "net", "h2", "grpc", "proto", "batch"},
    "src/pub": {"base", "net", "h2", "grpc", "proto"},
    "src/auth": {"base", "net"},
    "src/client": {"base", "net", "auth", "h2", "grpc", "proto", "batch", "sub", "pub", "google"},
    "emulator": {"base", "net", "rpc", "model", "api", "faults", "json", "http", "rest", "pages", "store", "push"},
    "emulator/pages": {"base", "model", "faults", "http", "json"},
    "emulator/json": {"base"},
    "emulator/http": {"base", "net", "h2"},
    "emulator/rpc": {"base", "net", "h2", "http"},
    "emulator/rest": {"base", "net", "json", "http", "google"},
    "emulator/model": {"base", "google"},
    "emulator/push": {"base", "net", "auth", "json", "google", "model"},
    "emulator/store": {"base", "google", "model"},
    "emulator/faults": {"base", "model"},
    "emulator/api": {"base", "google", "model", "faults"},
    "jni": {"base"},
    "cli": {"base"},
}
# Single headers beyond that, with the reason.
EXTRA = {
    ("emulator/rpc", "proto/wire.h"): "varints are the same on both sides",
    ("emulator/rpc", "grpc/frame.h"): "the five-byte frame is the same on both sides",
    ("emulator/rpc", "google/protobuf/duration.pb-c.h"): "of any service",
    ("emulator/rpc", "google/protobuf/timestamp.pb-c.h"): "of any service",
    ("emulator/json", "google/protobuf/duration.pb-c.h"): "of any service",
    ("emulator/json", "google/protobuf/field_mask.pb-c.h"): "of any service",
    ("emulator/json", "google/protobuf/struct.pb-c.h"): "of any service",
    ("emulator/rest", "rpc/service.h"): "what is served",
    ("emulator/rest", "rpc/gunzip.h"): "a body may be compressed as a gRPC message may",
    ("emulator/json", "google/protobuf/timestamp.pb-c.h"): "of any service",
    ("emulator/model", "proto/wire.h"): "varints are the same on both sides",
    ("emulator/api", "proto/wire.h"): "varints are the same on both sides",
    ("emulator", "proto/wire.h"): "a control command is a field of text",
    ("emulator/api", "rpc/call.h"): "a call without its transport",
    ("emulator/api", "rpc/descriptors.h"): "what reflection tells, and which services there are",
    ("emulator/api", "rpc/token.h"): "a control command sets it",
    ("emulator/push", "proto/wire.h"): "varints are the same on both sides",
    ("emulator", "proto/wire.h"): "varints are the same on both sides",
    ("emulator/store", "proto/wire.h"): "varints are the same on both sides",
    ("emulator/faults", "rpc/call.h"): "a call without its transport",
    ("src/grpc", "google/rpc/status.pb-c.h"): "error details",
}
# Libraries that one layer alone may see.
ONLY = {"nghttp2": {"src/h2"}, "openssl": {"src/net"}, "jni.h": {"jni"}, "zlib.h": {"src/pub", "emulator/rpc"}, "protobuf-c": {"src/client", "emulator/rpc", "emulator/rest", "emulator/json"}, "llhttp.h": {"emulator/http"}}

# Java, lowest first: a package may import those before it. The natives' own circle (the loader names its classes, they load it) is
# wanted: no class is initialised by loading. `write` and `read` do not know each other. io.sparkpubsub holds both ends.
JAVA = "spark/src/main/java/io/sparkpubsub"
JAVA_PACKAGES = ("natives", "service", "ledger", "agent", "read", "write")
JAVA_PEERS = {("write", "read"), ("read", "write")}
JAVA_FLOOR = {"PayloadSchema", "PubSubOptions", "OptionParser", "ResourceNames", "PubSubSchema", "PubSubException"}
OURS = re.compile(r"\bio\.sparkpubsub\.(\w+)")

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
        layer = top in {name.split("/")[-1] for name in ALLOWED if "/" in name} or top == "google"
        if not layer or "/" not in header or top == folder.split("/")[-1] or (folder, header) in EXTRA:
            continue
        if top not in ALLOWED[folder]:
            yield f'{where}: {folder} may not include "{header}"'


def java_violations(path):
    folder = path.parent.relative_to(ROOT / JAVA).as_posix()
    face = {name.stem for name in (ROOT / JAVA).glob("*.java")} - JAVA_FLOOR
    on_floor = folder == "." and path.stem in JAVA_FLOOR
    if folder == "." and not on_floor:
        return
    allowed = set() if on_floor else set(JAVA_PACKAGES[: JAVA_PACKAGES.index(folder) + 1])
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path.relative_to(ROOT)}:{number}"
        for name in OURS.findall(line) if not line.startswith("package") else []:
            if name in face or (name in JAVA_PACKAGES and (name not in allowed or (folder, name) in JAVA_PEERS)):
                yield f"{where}: {'the floor' if on_floor else folder} may not use io.sparkpubsub.{name}"
        for name in face if on_floor else ():
            if re.search(rf"\b{name}\b", line):
                yield f"{where}: the floor may not use {name}"


def main():
    found = [
        violation
        for folder in ALLOWED
        for path in sorted((ROOT / folder).glob("*.[ch]"))
        for violation in violations(path, folder)
    ]
    found += [violation for path in sorted((ROOT / JAVA).rglob("*.java")) for violation in java_violations(path)]
    print("\n".join(found) if found else "layers: in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
