"""Random schemas, and random JSON for them: well-formed, with values of other kinds, cut, mutated, hostile. All of it by a seed."""

import json
import random
import re
import string

SCALARS = ["BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "STRING", "STRING", "BINARY", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ"]
NAMES = ["a", "b", "c", "id", "Name", "name", "weird name", "ünï", "x.y", "e1", "_f", "g-h"]
TEXTS = ["", " ", "a", "hello", "true", "null", "NaN", "Infinity", "-INF", "+Infinity", "12", "1.5", "-7", "1e3", "aGVsbG8=", "aGVsbG8", "YQ==", "Y Q==", "ü€😀", 'q"\\/', "\t\n", "\u0001", "1,234.50", "+5", ".5", "5.", "0x1F"]
TIMES = [
    "2026-01-31", "2026-1-3", "2026-02-30", "1969-12-31", "0001-01-01", "9999-12-31", "20260131", "2026-01-31T", "2026-01", "2026", "-2026-01-01", "+12026-01-01",
    "2026-01-31T12:34:56", "2026-01-31 12:34:56.789", "2026-01-31T12:34:56.123456789Z", "2026-01-31T12:34:56+01:00", "2026-01-31T12:34:56-0730", "2026-01-31T12:34:56 UTC",
    "2026-01-31T12:34:56GMT+01:00", "2026-01-31T24:00:00", "2026-01-31T1:2:3", "2026-03-29T02:30:00", "2026-10-25T02:30:00", "1890-01-01T00:00:00", " 2026-01-31 ", "2026-01-31 x",
    "16000", "-800000", "2026-01-31T12", "2026-01-31T12:34", "2026-01-31T12:34Z", "2026-01-31T12:34:56.", "2026-01-31T12:34:56 +1:00", "2026-01-31T12:34:56+18:01", "2026-01-31T12:34:56EST",
]  # fmt: skip
NUMBERS = [
    "0", "-0", "1", "-1", "127", "128", "200", "255", "256", "-128", "-129", "32767", "32768", "2147483647", "2147483648", "-2147483648", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "123456789012345678901234567890", "0.0", "-0.0", "1.5", "0.1", "3.14159265358979", "1e10", "1E-5", "1e308", "1e400", "-1e400",
    "1e-400", "4.9e-324", "123456.789", "99999.995", "0.005", "0.0049", "1.0", "100", "1e2", "16777217", "0.30000000000000004", "9007199254740993", "1.7976931348623157e308",
    "12345678901234567890.12345678901234567890", "5e-324", "2.5", "3.5", "-2.5", "1e22", "123456789012345678",
]  # fmt: skip
ODD = ["NaN", "Infinity", "-Infinity", "+INF", "-INF", "01", "+1", ".5", "1.", "1.e3", "1e", "--1", "tru", "True", "nul", "'x'", "'a\\'b'", "\"a\\qb\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud83d\\ude00\"", "x", "[1 2]", "{1:2}", "{'k':1}", "{k:1}", "/**/1", "[,]", "{,}", "\"\x01\""]


class Rows:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def schema(self, depth=0):
        """A struct as (name, type) pairs; a type is a string, or a tuple ("ARRAY", t), ("MAP", t), ("STRUCT", fields)."""
        r = self.random
        names = r.sample(NAMES, r.randint(1, 6 if depth == 0 else 3))
        seen, fields = set(), []
        for name in names:
            if name.lower() not in seen:  # Spark's DDL would take both, its plans would not
                seen.add(name.lower())
                fields.append((name, self.type(depth)))
        return fields

    def type(self, depth):
        r = self.random
        kind = r.random()
        if depth < 3 and kind < 0.15:
            return ("ARRAY", self.type(depth + 1))
        if depth < 3 and kind < 0.25:
            return ("MAP", self.type(depth + 1))
        if depth < 3 and kind < 0.4:
            return ("STRUCT", self.schema(depth + 1))
        if kind < 0.5:
            precision = r.choice([1, 5, 10, 18, 19, 38])
            return f"DECIMAL({precision},{r.randint(0, min(precision, 10))})"
        return r.choice(SCALARS)

    # ---- JSON ----

    def text(self):
        r = self.random
        found = r.choice(TEXTS) if r.random() < 0.6 else "".join(r.choice(string.printable + "äß€😀") for _ in range(r.randint(0, 12)))
        return json.dumps(found, ensure_ascii=r.random() < 0.5)

    def number(self):
        r = self.random
        if r.random() < 0.6:
            return r.choice(NUMBERS)
        if r.random() < 0.5:
            return str(r.randint(-(10 ** r.randint(1, 20)), 10 ** r.randint(1, 20)))
        return repr(r.uniform(-1, 1) * 10 ** r.randint(-12, 12))

    def anything(self, depth=0):
        r = self.random
        kind = r.random()
        if kind < 0.2:
            return self.text()
        if kind < 0.4:
            return self.number()
        if kind < 0.5:
            return r.choice(["true", "false", "null"])
        if kind < 0.6:
            return json.dumps(r.choice(TIMES))
        if kind < 0.65:
            return r.choice(ODD)
        if depth > 2:
            return "null"
        if kind < 0.8:
            return "[" + self.space().join(",".join(self.anything(depth + 1) for _ in range(r.randint(0, 3))).split("\0")) + "]"
        return "{" + ",".join(f"{json.dumps(r.choice(NAMES))}:{self.anything(depth + 1)}" for _ in range(r.randint(0, 3))) + "}"

    def space(self):
        return self.random.choice(["", "", "", " ", "\n", "\t "])

    def value(self, kind, odd):
        r = self.random
        if r.random() < odd:
            return self.anything()
        if r.random() < 0.05:
            return "null"
        if isinstance(kind, tuple):
            if kind[0] == "ARRAY":
                return "[" + ",".join(self.value(kind[1], odd) for _ in range(r.choice([0, 1, 2, 3]))) + "]"
            if kind[0] == "MAP":
                return "{" + ",".join(f"{self.text()}:{self.value(kind[1], odd)}" for _ in range(r.choice([0, 1, 2, 3]))) + "}"
            return self.object(kind[1], odd)
        if kind in ("DATE", "TIMESTAMP", "TIMESTAMP_NTZ"):
            return json.dumps(r.choice(TIMES)) if r.random() < 0.9 else self.number()
        if kind == "STRING":
            return self.text()
        if kind == "BINARY":
            return json.dumps(r.choice(["", "YQ==", "YWI=", "YWJj", "Y\nWJj", "YWJj YWJj", "+/+/", "YQ=", "Y"]))
        if kind == "BOOLEAN":
            return r.choice(["true", "false"])
        if kind in ("TINYINT", "SMALLINT", "INT", "BIGINT"):
            return str(r.randint(-100, 100)) if r.random() < 0.7 else self.number()
        return self.number() if r.random() < 0.8 else self.text()

    def object(self, fields, odd):
        r = self.random
        chosen = [field for field in fields if r.random() < 0.9]
        if r.random() < 0.2:
            r.shuffle(chosen)
        if r.random() < 0.1 and chosen:
            chosen.append(r.choice(chosen))  # a name that comes twice
        parts = [f"{json.dumps(name, ensure_ascii=r.random() < 0.3)}{self.space()}:{self.space()}{self.value(kind, odd)}" for name, kind in chosen]
        if r.random() < 0.15:
            parts.insert(r.randint(0, len(parts)), f'"extra{r.randint(0, 3)}":{self.anything()}')
        return "{" + self.space() + f"{self.space()},".join(parts) + self.space() + "}"

    def mutate(self, row):
        r = self.random
        row = bytearray(row)
        for _ in range(r.randint(1, 3)):
            at = r.randint(0, max(0, len(row) - 1))
            kind = r.random()
            if kind < 0.3 and row:
                del row[at : at + r.randint(1, 4)]
            elif kind < 0.6:
                row[at:at] = r.choice([b",", b":", b"{", b"}", b"[", b"]", b'"', b"\\", b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f", b"'", b"/", b" ", b"1", b"tru", b"e"])
            elif kind < 0.8 and row:
                row[at] = r.randint(0, 255)
            else:
                row = row[:at]
        return bytes(row)

    def row(self, fields):
        """Without exponents that from_json makes a DECIMAL of for minutes."""
        while re.search(rb"[eE][+-]?\d{4,}", row := self.any_row(fields)):
            pass
        return row

    def any_row(self, fields):
        r = self.random
        kind = r.random()
        if kind < 0.05:
            return r.choice([b"", b" ", b"\n\t", b"null", b"[]", b"{}", b"[{}]", b"1", b'"x"', b"{", b"}", b"\xef\xbb\xbf{}", b"{} x", b"\xff", b"[" * 2000, b'{"a":' * 1200, b"{}{}"])
        row = self.object(fields, 0 if kind < 0.35 else 0.08).encode("utf-8", "surrogatepass")
        return row if kind < 0.7 else self.mutate(row)


def ddl(fields):
    return ", ".join(f"`{name}` {of(kind)}" for name, kind in fields)


def of(kind):
    if not isinstance(kind, tuple):
        return kind
    if kind[0] == "STRUCT":
        return "STRUCT<" + ", ".join(f"`{name}`: {of(inner)}" for name, inner in kind[1]) + ">"
    return f"ARRAY<{of(kind[1])}>" if kind[0] == "ARRAY" else f"MAP<STRING, {of(kind[1])}>"
