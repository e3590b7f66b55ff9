#!/usr/bin/env python3
"""packaging/dist/make.py TARGET OUT: everything that is released, from what was built (TARGET: where Maven built the jar; build/portable:
the natives), in OUT, with a list of sizes and checksums. tools/dist.sh calls it."""

import pathlib
import shutil
import subprocess
import sys

import archives
import maven
import wheels
from files import sha256, write
from product import PORTABLE, built

IMAGES = {"linux-x86_64-musl": "amd64", "linux-aarch64-musl": "arm64"}


def pages():
    """The manual and the completion, told by the command itself: the one that runs here."""
    machine = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
    command = PORTABLE / f"linux-{machine}" / "pubsub"
    said = {name: [command, *rest] for name, rest in {"man": ["man"], "completion": ["completion", "bash"]}.items()}
    return {name: subprocess.run(words, capture_output=True, check=True).stdout for name, words in said.items()}


def checksums(out):
    """SHA256SUMS, and the same for people."""
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.suffix not in (".md5", ".sha1", ".sha256", ".sha512"))
    lines = {path.relative_to(out).as_posix(): path.read_bytes() for path in files}
    write(out / "SHA256SUMS", "".join(f"{sha256(data)}  {name}\n" for name, data in lines.items()).encode())
    for name, data in lines.items():
        print(f"{len(data):>12,}  {sha256(data)[:16]}  {name}")


def main(target, out):
    shutil.rmtree(out, ignore_errors=True)
    jar = maven.repository(out / "maven", target)
    wheels.spark(out / "wheels", jar)
    manual = pages()
    for platform in built():
        wheels.emulator(out / "wheels", platform)
        archives.archive(out / "archives", platform, manual)
        if platform in archives.ARCHITECTURES:
            archives.debian(out / "packages", platform, manual)
    images = {platform: architecture for platform, architecture in IMAGES.items() if platform in built()}
    if images:
        archives.image(out / "images", images)
    checksums(out)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
