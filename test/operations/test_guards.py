"""The guards of `make check`: each is green on the tree and goes red when its rule is broken, in a copy, in one place."""

import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

GUARDS = ("layers", "java", "circles", "dead", "tests")


def guard(name, tree):
    run = subprocess.run([sys.executable, ROOT / f"tools/check_{name}.py", tree], capture_output=True, text=True, timeout=60)
    return run.returncode, run.stdout + run.stderr


@pytest.fixture
def tree(tmp_path):
    """A copy of what the guards read."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file() and source.suffix in (".c", ".h", ".java", ".py", ".sh", ".md"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, tmp_path / name)
    return tmp_path


def change(tree, name, old, new):
    text = (tree / name).read_text()
    assert old in text
    (tree / name).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", GUARDS)
def test_the_tree_is_in_order(name):
    code, said = guard(name, ROOT)
    assert code == 0, said


def test_a_lower_layer_that_includes_a_higher_one(tree):
    change(tree, "src/base/heap.c", '#include "base/heap.h"', '#include "base/heap.h"\n#include "net/loop.h"')
    code, said = guard("layers", tree)
    assert code == 1 and 'src/base may not include "net/loop.h"' in said


def test_a_library_outside_of_its_layer(tree):
    change(tree, "src/base/heap.c", '#include "base/heap.h"', '#include "base/heap.h"\n#include <openssl/ssl.h>')
    code, said = guard("layers", tree)
    assert code == 1 and "openssl/ssl.h" in said


def test_two_files_that_need_each_other(tree):
    with open(tree / "src/base/heap.c", "a") as heap:
        heap.write("\nvoid pubsub_heap_probe(void) {\n  pubsub_map_probe();\n}\n")
    with open(tree / "src/base/map.c", "a") as table:
        table.write("\nvoid pubsub_map_probe(void) {\n  pubsub_heap_probe();\n}\n")
    code, said = guard("circles", tree)
    assert code == 1 and "circle: src/base/heap, src/base/map" in said


def test_a_prototype_that_nobody_uses(tree):
    change(tree, "src/base/heap.h", "#endif", "void pubsub_heap_probe(void);\n\n#endif")
    assert "pubsub_heap_probe is declared and defined nowhere" in guard("dead", tree)[1]
    with open(tree / "src/base/heap.c", "a") as heap:
        heap.write("\nvoid pubsub_heap_probe(void) {\n}\n")
    code, said = guard("dead", tree)
    assert code == 1 and "pubsub_heap_probe is used by nobody" in said


def test_a_comment_that_names_a_file_that_is_not_there(tree):
    with open(tree / "src/base/heap.c", "a") as heap:
        heap.write("/* As tree_of_dues.c does. */\n")
    code, said = guard("dead", tree)
    assert code == 1 and "there is no tree_of_dues.c" in said


@pytest.mark.parametrize("old, new", [("`sub/lease`", "`sub/rent`"), ("`PubSubCatalog`", "`PubSubShelf`")])
def test_a_page_that_names_a_file_that_is_not_there(tree, old, new):
    change(tree, "ARCHITECTURE.md", old, new)
    code, said = guard("dead", tree)
    assert code == 1 and f"there is no {new.split('`')[1]}" in said


def test_a_pure_file_without_a_test(tree):
    (tree / "src/base/probe.c").write_text('#include "base/heap.h"\n')
    code, said = guard("tests", tree)
    assert code == 1 and "test/unit/base/probe_test.c" in said


def test_a_java_package_that_looks_up(tree):
    change(tree, "spark/src/main/java/io/sparkpubsub/ledger/Pause.java", "package io.sparkpubsub.ledger;", "package io.sparkpubsub.ledger;\n\nimport io.sparkpubsub.read.PubSubScan;")
    code, said = guard("layers", tree)
    assert code == 1 and "ledger may not use io.sparkpubsub.read" in said


@pytest.mark.parametrize(
    "new, what",
    [
        ("import java.util.Map;\nimport java.util.List;", "java.util.List is out of order"),
        ("import java.util.BitSet;", "java.util.BitSet is not used"),
        ("/** " + "a" * 140 + " */", "140 is the margin"),
        ("/** Or so. */ ", "blanks at the end"),
    ],
)
def test_a_java_file_out_of_order(tree, new, what):
    change(tree, "spark/src/main/java/io/sparkpubsub/ledger/Pause.java", "package io.sparkpubsub.ledger;\n", f"package io.sparkpubsub.ledger;\n\n{new}\n")
    code, said = guard("java", tree)
    assert code == 1 and what in said


def test_the_model_of_the_emulator_with_a_network(tree):
    change(tree, "emulator/model/filter.c", '#include', '#include "net/loop.h"\n#include')
    code, said = guard("layers", tree)
    assert code == 1 and 'emulator/model may not include "net/loop.h"' in said
