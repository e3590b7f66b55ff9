"""What the guards need to know of the C tree: its files, what each defines, declares and uses. Text only, no build.

The code is formatted (clang-format), so a definition begins in the first column and its body with a line that ends in `{`.
"""

import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
PRODUCT = ("src", "emulator", "cli", "jni")

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'""", re.S)  # what holds no code
WORD = re.compile(r"[A-Za-z_]\w*")
HEAD = re.compile(r"^[A-Za-z_][^;{}=#]*?\b([a-z]\w*)\s*\(", re.M)


def files(*folders, suffixes=(".c", ".h")):
    """Every C file of these folders, in order."""
    return sorted(
        path for folder in folders or PRODUCT for path in (ROOT / folder).rglob("*") if path.suffix in suffixes
    )


def name(path):
    return str(path.relative_to(ROOT))


@functools.lru_cache(None)
def text(path):
    return path.read_text()


@functools.lru_cache(None)
def code(path):
    """Without comments and strings; lines keep their numbers."""
    def blank(match):
        token = match.group(0)
        return "\n" * token.count("\n") if token.startswith("/") else '""' if token.startswith('"') else "0"

    return TOKEN.sub(blank, text(path))


def comments(path):
    """(line number, text) of each comment."""
    for match in COMMENT.finditer(text(path)):
        yield text(path).count("\n", 0, match.start()) + 1, match.group(0)


def statements(path):
    """(line number, text) of each declaration and definition head at file level."""
    depth, start, line = 0, 0, 1
    source = re.sub(r"^\s*#(?:.*\\\n)*.*$", lambda match: "\n" * match.group(0).count("\n"), code(path), flags=re.M)
    begin = 1
    for at, char in enumerate(source):
        if char == "\n":
            line += 1
        if char == "{":
            if depth == 0:
                yield begin, source[start:at].strip() + " {"
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                start, begin = at + 1, line
        elif char == ";" and depth == 0:
            yield begin, source[start : at + 1].strip()
            start, begin = at + 1, line


@functools.lru_cache(None)
def functions(path):
    """name -> (line, "static" | "defined" | "declared")."""
    found = {}
    for line, statement in statements(path):
        match = HEAD.match(statement)
        if not match or statement.startswith("typedef") or "=" in statement.split("(")[0]:
            continue
        if statement.endswith("{"):
            kind = "static" if re.match(r"(static|inline)\b", statement) else "defined"
        elif statement.startswith("static"):
            continue
        else:
            kind = "declared"
        found.setdefault(match.group(1), (line, kind))
    return found


@functools.lru_cache(None)
def words(path):
    """Names other than those of structs and enums: a struct may be called like a function."""
    return frozenset(WORD.findall(re.sub(r"\b(struct|enum|union)\s+\w+", " ", code(path))))
