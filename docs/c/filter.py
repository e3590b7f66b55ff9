#!/usr/bin/env python3
"""Shows Doxygen a header whose comments are documentation: `/* … */` above what it is about, or behind it on its line. A comment above
several declarations without an empty line or another comment between them is about each of them; a field has its own."""

import re
import sys

DECLARES = re.compile(r"^(PUBSUB_API|typedef|struct|enum|#define|  [a-z_].*;)")
BEHIND = re.compile(r"^(\s*[^/\s].*?)/\*(.*)$")


def shown(lines):
    out, about, at, depth, inside = [], [], 0, 0, False
    while at < len(lines):
        line = lines[at]
        if re.match(r"^\s*/\*", line):
            end = at
            while "*/" not in lines[end]:
                end += 1
            comment = [line.replace("/*", "/**", 1), *lines[at + 1 : end + 1]]
            about = [] if "----" in line or "----" in "".join(comment[1:2]) else comment
            at = end + 1
            continue
        forward = re.match(r"^struct \w+;$", line)
        if DECLARES.match(line) and not inside and not forward:
            out += about
            about = about if depth == 0 else []  # a field has its own
        behind = BEHIND.match(line)
        out.append(f"{behind[1]}/**<{behind[2]}" if behind else line)
        code = behind[1] if behind else line
        if line not in ('extern "C" {', "}"):
            depth += code.count("{") - code.count("}")
        inside = bool(depth == 0 and DECLARES.match(line) and not code.rstrip().endswith((";", "}")) and not line.startswith("#")) or (
            inside and not code.rstrip().endswith((";", "{"))
        )
        if not line.strip() or code.rstrip().endswith("{"):
            about = []
        at += 1
    return out


if __name__ == "__main__":
    text = open(sys.argv[1], encoding="utf-8").read()
    head, _, rest = text.partition("*/\n")
    print("/** @file\n" + head.removeprefix("/*\n") + "*/")
    print("\n".join(shown(rest.split("\n"))))
