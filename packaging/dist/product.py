"""What a release is made of: its version, its licences, the platforms that were built (build/portable)."""

import pathlib
import re

from files import Entry

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = re.search(r"project\(pubsub VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
PORTABLE = ROOT / "build/portable"
LINUX = ("linux-x86_64", "linux-aarch64", "linux-x86_64-musl", "linux-aarch64-musl")
MACOS = ("macos-x86_64", "macos-aarch64")
LICENCES = {"LICENSE": ROOT / "LICENSE", "NOTICE": ROOT / "NOTICE", "THIRD-PARTY.txt": ROOT / "packaging/licenses/THIRD-PARTY.txt"}


def built():
    """The platforms whose natives are there."""
    return [name for name in LINUX + MACOS if (PORTABLE / name / "pubsub").exists()]


def licences(folder):
    return {f"{folder}/{name}": Entry.of(path) for name, path in LICENCES.items()}


def jni_library(platform):
    return "libpubsub_jni." + ("dylib" if platform in MACOS else "so")


def shared_library(platform):
    """The file, and the names that lead to it."""
    major = VERSION.split(".")[0]
    if platform in MACOS:
        return f"libpubsub.{VERSION}.dylib", (f"libpubsub.{major}.dylib", "libpubsub.dylib")
    return f"libpubsub.so.{VERSION}", (f"libpubsub.so.{major}", "libpubsub.so")
