#!/usr/bin/env python3
"""Figures of the C tree's shape: circles, functions declared in their twin header, pure files with a test, largest file, comments in
public headers. Prints a table, then one line of JSON. tools/figures.py [TREE]"""

import json
import re
import sys

import c_tree
import check_circles
import check_tests


def twins():
    """Of the functions that other files may use: how many are declared in the header that is called like their file."""
    defined, twin = 0, 0
    for path in c_tree.files("src", "emulator", suffixes=(".c",)):
        header = path.with_suffix(".h")
        declared = c_tree.functions(header) if header.exists() else {}
        public = [c_tree.functions(name) for name in c_tree.files("include", suffixes=(".h",))]
        for function, (_, kind) in c_tree.functions(path).items():
            if kind == "defined" and function != "main" and not any(function in names for names in public):
                defined += 1
                twin += function in declared
    return twin, defined


def comment_share():
    """Of the lines of public headers that hold something: how many are comment, whole or in part."""
    lines, comment = 0, 0
    for path in c_tree.files("include", suffixes=(".h",)):
        marked = c_tree.COMMENT.sub(lambda match: re.sub(r"[^\n]+", "\0", match.group(0)), c_tree.text(path))
        for line in marked.split("\n"):
            lines += bool(line.strip())
            comment += "\0" in line
    return comment, lines


def main():
    twin, defined = twins()
    pure = [path for path in c_tree.files("src", "emulator", suffixes=(".c",)) if check_tests.is_pure(path)]
    tested = sum(check_tests.test_of(path).exists() for path in pure)
    comment, lines = comment_share()
    sizes = [(len(c_tree.text(path).split("\n")) - 1, c_tree.name(path)) for path in c_tree.files("src", "emulator", "cli", "jni", "include")]
    figures = {
        "files": len(sizes),
        "circles": len(check_circles.rings(check_circles.graph())),
        "functions_shared": defined,
        "functions_in_twin_header": twin,
        "pure_files": len(pure),
        "pure_files_with_a_test": tested,
        "largest_file_lines": max(sizes)[0],
        "largest_file": max(sizes)[1],
        "median_file_lines": sorted(sizes)[len(sizes) // 2][0],
        "public_header_comment_percent": round(100 * comment / lines, 1),
    }
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):32} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    sys.exit(main())
