#!/usr/bin/env python3
"""Checks that every pure C file has its unit test: src/LAYER/FILE.c has test/unit/LAYER/FILE_test.c, emulator/…/FILE.c has
test/unit/emulator/FILE_test.c. Pure is what reaches no loop, socket, thread or clock through its includes. Prints a line a file."""

import functools
import re
import sys

import c_tree

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)
# What makes a file impure. The emulator's methods (rpc/call) are proven by calling them: test/emulator.
WORLD = re.compile(r"^(pthread|poll|netdb|unistd|time|signal|jni|nghttp2/|openssl/|sys/|arpa/|netinet/|net/(loop|bytestream)|base/(clock|monitor)|rpc/call)")
# Pure, and proven elsewhere, with the place.
ELSEWHERE = {}


def resolve(header, path):
    for folder in (path.parent, c_tree.ROOT / "src", c_tree.ROOT / "emulator", c_tree.ROOT / "include"):
        if (folder / header).is_file():
            return folder / header
    return None


@functools.lru_cache(None)
def reaches(path):
    """Every header that a file includes, directly or not."""
    seen, todo = set(), [path]
    while todo:
        current = todo.pop()
        for header in INCLUDE.findall(c_tree.text(current)):
            if header not in seen:
                seen.add(header)
                found = resolve(header, current)
                if found:
                    todo.append(found)
    return seen


def is_pure(path):
    return not any(WORLD.match(header) for header in reaches(path))


def test_of(path):
    parts = path.relative_to(c_tree.ROOT).parts
    layer = parts[1] if parts[0] == "src" else parts[0]
    return c_tree.ROOT / "test/unit" / layer / f"{path.stem}_test.c"


def main():
    pure = [path for path in c_tree.files("src", "emulator", suffixes=(".c",)) if is_pure(path)]
    found = [
        f"{c_tree.name(path)} is pure and has no {c_tree.name(test_of(path))}"
        for path in pure
        if not test_of(path).exists() and c_tree.name(path) not in ELSEWHERE
    ]
    print("\n".join(found) if found else f"pure files: {len(pure)}, each with its test")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
