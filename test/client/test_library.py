"""libpubsub as others use it: installed into a folder, found by pkg-config and by CMake, shared and static; the examples run."""

import os
import pathlib
import subprocess

import pytest

from conftest import EMULATOR, ROOT
from emulator import Emulator

BUILD = pathlib.Path(EMULATOR).parent

CMAKE = """
cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(pubsub 0.1 REQUIRED)
foreach(name publish receive)
  add_executable(${name} ${name}.c)
  target_link_libraries(${name} PRIVATE pubsub::%s)
endforeach()
"""


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """An installation that was moved after it was made."""
    made = tmp_path_factory.mktemp("made") / "prefix"
    run("cmake", "--install", BUILD, "--prefix", made)
    moved = tmp_path_factory.mktemp("moved") / "pubsub"
    made.rename(moved)
    return moved


@pytest.fixture
def user(tmp_path):
    """A folder of somebody else, with the examples in it."""
    for name in ("publish.c", "receive.c"):
        (tmp_path / name).write_text((ROOT / "examples" / name).read_text())
    return tmp_path


def libraries(prefix):
    return next(prefix.glob("lib*/**/libpubsub.so")).parent


def examples_work(publish, receive, prefix):
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries(prefix))}
    with Emulator(EMULATOR) as emulator:
        environment["PUBSUB_EMULATOR_HOST"] = emulator.host
        command = [prefix / "bin/pubsub", "--project", "p"]
        run(*command, "topic", "create", "topic1", env=environment)
        run(*command, "subscription", "create", "sub1", "--topic", "topic1", env=environment)
        run(publish, "projects/p/topics/topic1", "hello", "world", "again", env=environment)
        out = run(receive, "projects/p/subscriptions/sub1", env=environment)
        assert sum(int(line.split()[0]) for line in out.splitlines()) == 3
        assert emulator.stats("sub1")["backlog"] == 0
        missing = subprocess.run([publish, "projects/p/topics/none", "x"], env=environment, capture_output=True, text=True, timeout=60)
        assert missing.returncode == 1 and "projects/p/topics/none" in missing.stderr


@pytest.mark.parametrize("how", ("shared", "static"))
def test_pkg_config(prefix, user, how):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(libraries(prefix) / "pkgconfig")}
    ask = ["pkg-config", *(["--static"] if how == "static" else []), "--cflags", "--libs", "pubsub"]
    flags = run(*ask, env=environment).split()
    if how == "static":
        flags = [str(libraries(prefix) / "libpubsub.a") if flag == "-lpubsub" else flag for flag in flags]
    for name in ("publish", "receive"):
        run("cc", "-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"{name}.c", "-o", name, *flags, cwd=user)
    examples_work(user / "publish", user / "receive", prefix)


@pytest.mark.parametrize("target", ("pubsub", "pubsub_static"))
def test_cmake(prefix, user, target):
    (user / "CMakeLists.txt").write_text(CMAKE % target)
    run("cmake", "-S", user, "-B", user / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", user / "build")
    examples_work(user / "build/publish", user / "build/receive", prefix)


EMULATED = """
cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(pubsub 0.1 REQUIRED)
add_executable(emulated emulated.c)
target_link_libraries(emulated PRIVATE pubsub::%s)
"""


def emulated_works(emulated, prefix, tmp_path):
    config = tmp_path / "config.json"
    config.write_text('{"topics": [{"name": "projects/p/topics/topic1"}]}')
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries(prefix))}
    assert "topic1" in run(emulated, config, prefix / "bin/pubsub", "--project", "p", "topic", "list", env=environment)
    config.write_text("{")
    failed = subprocess.run([emulated, config, "true"], env=environment, capture_output=True, text=True, timeout=60)
    assert failed.returncode == 2 and str(config) in failed.stderr


@pytest.mark.parametrize("target", ("emulator", "emulator_static"))
def test_the_emulator_by_cmake(prefix, tmp_path, target):
    (tmp_path / "emulated.c").write_text((ROOT / "examples/emulated.c").read_text())
    (tmp_path / "CMakeLists.txt").write_text(EMULATED % target)
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path / "build")
    emulated_works(tmp_path / "build/emulated", prefix, tmp_path)


@pytest.mark.parametrize("how", ("shared", "static"))
def test_the_emulator_by_pkg_config(prefix, tmp_path, how):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(libraries(prefix) / "pkgconfig")}
    ask = ["pkg-config", *(["--static"] if how == "static" else []), "--cflags", "--libs", "pubsub-emulator"]
    flags = run(*ask, env=environment).split()
    if how == "static":
        flags = [str(libraries(prefix) / "libpubsub-emulator.a") if flag == "-lpubsub-emulator" else flag for flag in flags]
    run("cc", "-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", ROOT / "examples/emulated.c", "-o", tmp_path / "emulated", *flags)
    emulated_works(tmp_path / "emulated", prefix, tmp_path)


def test_headers_stand_alone_and_serve_c_plus_plus(prefix, tmp_path):
    for header in sorted((prefix / "include/pubsub").glob("*.h")):
        for compiler, ending in (("cc", "c"), ("c++", "cpp")):
            source = tmp_path / f"one.{ending}"
            source.write_text(f"#include <pubsub/{header.name}>\nint main(void) {{ return 0; }}\n")
            if compiler == "c++" and subprocess.run(["which", "c++"], capture_output=True).returncode:
                continue
            run(compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{prefix}/include", "-c", source, "-o", tmp_path / "one.o")


def test_the_archive_shows_the_public_functions_alone(prefix):
    names = {line.split()[2] for line in run("nm", "-g", "--defined-only", libraries(prefix) / "libpubsub.a").splitlines() if len(line.split()) == 3}
    declared = "".join(header.read_text() for header in (prefix / "include/pubsub").glob("*.h"))
    assert names and all(name.startswith("pubsub_") and f"{name}(" in declared for name in names), names
    symbols = run("nm", "-g", "--defined-only", libraries(prefix) / "libpubsub-emulator.a").splitlines()
    names = {line.split()[2] for line in symbols if len(line.split()) == 3}
    assert names == {f"pubsub_emulator_{verb}" for verb in ("start", "port", "control", "stop")}
    shown = run("nm", "-D", "--defined-only", libraries(prefix) / "libpubsub-emulator.so").splitlines()
    assert {line.split()[2] for line in shown} == names


def test_the_examples_are_short():
    for name in ("publish.c", "receive.c"):
        assert len((ROOT / "examples" / name).read_text().splitlines()) <= 31


@pytest.mark.skipif(not any((pathlib.Path(folder) / "doxygen").exists() for folder in os.environ["PATH"].split(":")), reason="no doxygen here")
def test_every_public_name_is_documented(tmp_path):
    """The page fails on what is not documented, or names what is not there."""
    text = (ROOT / "docs/c/Doxyfile").read_text().replace("build/docs-c", str(tmp_path))
    run("doxygen", "-", cwd=ROOT, input=text)
    assert (tmp_path / "html/index.html").exists()
