#!/usr/bin/env python3
"""Checks that no two C files need each other, directly or in a ring. A file and its header are one; it needs another when it uses
one of the other's functions. Prints a line a ring."""

import sys

import c_tree

FOLDERS = ("src", "emulator", "cli")
# Rings that are wanted, with the reason.
WANTED = {}


def graph():
    """file without suffix -> {file: a function of it that is used}."""
    sources = c_tree.files(*FOLDERS, suffixes=(".c",))
    home = {}
    for path in sources:
        for function, (_, kind) in c_tree.functions(path).items():
            if kind == "defined" and function != "main":
                home[function] = c_tree.name(path)[:-2]
    needs = {c_tree.name(path)[:-2]: {} for path in sources}
    for path in sources:
        own = c_tree.name(path)[:-2]
        statics = {function for function, (_, kind) in c_tree.functions(path).items() if kind == "static"}
        header = path.with_suffix(".h")
        for word in c_tree.words(path) | (c_tree.words(header) if header.exists() else frozenset()):
            if word in home and word not in statics and home[word] != own:
                if word in c_tree.words(path):
                    needs[own].setdefault(home[word], word)
    return needs


def rings(needs):
    """Strongly connected components of more than one file (Tarjan)."""
    index, low, stack, out = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in needs[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            ring = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(ring) > 1:
                out.append(sorted(ring))

    sys.setrecursionlimit(10000)
    for node in needs:
        if node not in index:
            visit(node)
    return out


def main():
    needs = graph()
    found = [ring for ring in rings(needs) if tuple(ring) not in WANTED]
    for ring in found:
        print("circle: " + ", ".join(ring))
        for node in ring:
            for other, function in sorted(needs[node].items()):
                if other in ring:
                    print(f"  {node} -> {other} ({function})")
    if not found:
        print("circles: none")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
