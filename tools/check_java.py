#!/usr/bin/env python3
"""Checks the style of Java files, as far as lines tell: imports in order, each once and used; no tabs, no blanks at the end of a line;
lines of at most 140 columns; one newline at the end. Prints a line a violation."""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
WIDTH = 140
IMPORT = re.compile(r"^import (static )?([\w.]+)(\.\*)?;$")


def violations(path):
    text = path.read_text()
    lines = text.split("\n")
    imports = [(number, match) for number, line in enumerate(lines, 1) if (match := IMPORT.match(line))]
    body = "\n".join(line for line in lines if not line.startswith(("import ", "package ")))
    names = [(not match.group(1), match.group(2)) for _, match in imports]  # static ones first
    for (number, match), before, name in zip(imports[1:], names, names[1:]):
        if name <= before:
            yield number, f"import {name[1]} is out of order"
    for number, match in imports:
        last = match.group(2).rsplit(".", 1)[1]
        if not match.group(3) and not re.search(rf"\b{last}\b", body):
            yield number, f"import {match.group(2)} is not used"
    for number, line in enumerate(lines, 1):
        if "\t" in line or line != line.rstrip():
            yield number, "a tab, or blanks at the end of the line"
        if len(line) > WIDTH:
            yield number, f"{len(line)} columns; {WIDTH} is the margin"
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield len(lines), "the file is to end with one newline"


def main():
    found = []
    for path in sorted(ROOT.rglob("*.java")):
        name = path.relative_to(ROOT)
        if not {".deps", "build", "target"} & set(name.parts):
            found += [f"{name}:{number}: {what}" for number, what in violations(path)]
    print("\n".join(found) if found else "Java: in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
