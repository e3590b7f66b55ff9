#!/usr/bin/env python3
"""Checks that what is declared is used and what is named exists. Prints a line for
- a prototype in a header of the product that nothing outside its own file uses, or that only tests use,
- a prototype without a definition,
- a file named in a comment (`lease.c`, `grpc/frame.h`) that does not exist,
- a file or class named in ARCHITECTURE.md (`sub/lease`, `read/Limits`, in tables also `PubSubTable`) that does not exist."""

import re
import sys

import c_tree

FILE = re.compile(r"(?<![\w./-])((?:[\w-]+/)*[a-z][\w-]*\.(?:c|h|py|sh|java))\b(?!\.)")
NAMED = re.compile(r"`([a-z]\w*(?:/[\w.-]+)+|[A-Z]\w*[a-z]\w*)/?`")
# Declared for tests alone, with the reason.
FOR_TESTS = {"pubsub_alloc_fail_after": "fails an allocation on purpose"}
# Files that comments may name though they are not in the tree: of the system or of a library.
ELSEWHERE = re.compile(r"^(jni|zlib|nghttp2|openssl|linux|sys)\b")


def dead():
    sources = c_tree.files()
    tests = c_tree.files("test", "fuzz", "bench")
    defined = {}
    for path in sources:
        for function, (_, kind) in c_tree.functions(path).items():
            if kind == "defined":
                defined.setdefault(function, path)
    for header in c_tree.files(suffixes=(".h",)):
        for function, (line, kind) in c_tree.functions(header).items():
            if kind != "declared":
                continue
            where = f"{c_tree.name(header)}:{line}"
            if function not in defined:
                yield f"{where}: {function} is declared and defined nowhere"
                continue
            if function in FOR_TESTS:
                continue
            own = {defined[function], header}
            inline = len(re.findall(rf"\b{function}\b", c_tree.code(header))) > 1  # by what its header lets others do
            outside = inline or any(function in c_tree.words(path) for path in sources if path not in own)
            inside = any(len(re.findall(rf"\b{function}\b", c_tree.code(path))) > 1 for path in own)
            if not outside and not inside:
                yield f"{where}: {function} is used by nobody"
            elif not outside and not any(function in c_tree.words(path) for path in tests):
                yield f"{where}: {function} is used by nobody outside {c_tree.name(defined[function])}"


def misnamed():
    tree = [path for path in c_tree.ROOT.rglob("*") if not {".git", ".deps", "build", "target"} & set(path.parts)]
    there = {str(path.relative_to(c_tree.ROOT)) for path in tree if path.is_file()}
    names = {path.rsplit("/", 1)[-1] for path in there}
    for path in c_tree.files(*c_tree.PRODUCT, "include", "test", "bench", "fuzz", "examples"):
        for line, comment in c_tree.comments(path):
            for match in FILE.finditer(comment):
                named = match.group(1)
                known = named in names if "/" not in named else any(f"/{file}".endswith(f"/{named}") for file in there)
                if not known and not ELSEWHERE.match(named):
                    at = line + comment.count("\n", 0, match.start())
                    yield f"{c_tree.name(path)}:{at}: there is no {named}"


def astray():
    page = c_tree.ROOT / "ARCHITECTURE.md"
    folders = [c_tree.ROOT / folder for folder in ("", "src", "emulator", "spark/src/main/java/io/sparkpubsub")]
    classes = {path.stem for path in (c_tree.ROOT / "spark/src").rglob("*.java")}
    for number, line in enumerate(page.read_text().split("\n") if page.exists() else (), 1):
        for named in NAMED.findall(line):
            paths = [folder / f"{named}{end}" for folder in folders for end in ("", ".h", ".c", ".java")]
            known = any(path.exists() for path in paths) if "/" in named else named in classes or not line.startswith("|")
            if not known:
                yield f"ARCHITECTURE.md:{number}: there is no {named}"


def main():
    found = [*dead(), *misnamed(), *astray()]
    print("\n".join(found) if found else "prototypes and file names: true")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
