"""HTTP/2 in bytes, for peers that mean harm: frames, and HPACK without a table."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW_SIZE = 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b"", claimed=None):
    """claimed: the length that it says of itself."""
    length = len(payload) if claimed is None else claimed
    return length.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def length(n):
    """An HPACK integer with a prefix of 7 bits."""
    out, rest = b"", n - 127
    if n < 127:
        return bytes([n])
    while rest >= 128:
        out, rest = out + bytes([rest % 128 + 128]), rest // 128
    return b"\x7f" + out + bytes([rest])


def literal(name, value, first=b"\x00"):
    """A header that is not put into the table; with first b"\\x40" it is."""
    return first + length(len(name)) + name.encode() + length(len(value)) + value.encode()


def request(path, *more):
    pairs = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x")]
    pairs += [("content-type", "application/grpc"), ("te", "trailers"), *more]
    return b"".join(literal(*pair) for pair in pairs)


RESPONSE = literal(":status", "200") + literal("content-type", "application/grpc")
