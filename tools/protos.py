"""Reads a FileDescriptorSet (protoc-c --descriptor_set_out) with nothing but Python: what the generators need of it."""

import collections

HTTP_RULE = 72295728  # google.api.http, an extension of MethodOptions
VERBS = {2: "GET", 3: "PUT", 4: "POST", 5: "DELETE", 6: "PATCH"}

File = collections.namedtuple("File", "name package dependencies symbols services bytes")
Service = collections.namedtuple("Service", "name methods")
Method = collections.namedtuple("Method", "name rules")
Rule = collections.namedtuple("Rule", "verb template body")


def fields(data):
    """[(number, value)] of a message: an int, or bytes."""
    at, out = 0, []

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            value, at = data[at : at + size], at + size
        out.append((tag >> 3, value))
    return out


def of(data, number):
    return [value for field, value in fields(data) if field == number]


def text(data, number):
    return "".join(value.decode() for value in of(data, number)[-1:])


def rules(http):
    """A binding and its additional ones."""
    for number, value in fields(http):
        if number in VERBS:
            yield Rule(VERBS[number], value.decode(), text(http, 7))
        if number == 11:
            yield from rules(value)


def method(data):
    http = [rule for options in of(data, 4) for rule in of(options, HTTP_RULE)]
    return Method(text(data, 1), [rule for each in http for rule in rules(each)])


def symbols(prefix, message):
    name = f"{prefix}{text(message, 1)}"
    yield name
    for nested in of(message, 3):
        yield from symbols(f"{name}.", nested)
    for enum in of(message, 4):
        yield f"{name}.{text(enum, 1)}"


def file(data):
    package = text(data, 2)
    prefix = f"{package}." if package else ""
    names = [name for message in of(data, 4) for name in symbols(prefix, message)]
    names += [prefix + text(each, 1) for number in (5, 7) for each in of(data, number)]
    services = [Service(prefix + text(each, 1), [method(one) for one in of(each, 2)]) for each in of(data, 6)]
    for service in services:
        names += [service.name] + [f"{service.name}.{each.name}" for each in service.methods]
    return File(text(data, 1), package, [each.decode() for each in of(data, 3)], names, services, data)


def read(path):
    return [file(each) for each in of(path.read_bytes(), 1)]
