"""What a stream may meet at a server that breaks a rule: each answers one call."""

import time

import h2.errors
import h2.settings

from negative_server import CONTINUATION, DATA, END_HEADERS, HEADERS, PING, RESPONSE_HEADERS, frame

# ---- what a stream may meet: the first two times, then it is served well ----


def goaway_last(call):
    """It is let finish what it has taken; nothing new comes here."""
    call.send_headers()
    call.goaway(call.stream)
    time.sleep(0.3)
    call.serve(headers=False)
    call.end()


def goaway_none(call):
    call.goaway(0)


def goaway_twice(call):
    call.send_headers()
    call.goaway(2**31 - 1)
    time.sleep(0.2)
    call.goaway(call.stream)
    call.end(14, "going")


def goaway_calm(call):
    call.goaway(call.stream, h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
    call.cut()


def reset_after_headers(call):
    call.send_headers()
    call.reset(h2.errors.ErrorCodes.INTERNAL_ERROR)


def reset_during_data(call):
    call.send_headers()
    data = call.messages()
    call.connection.http.send_data(call.stream, b"\0" + len(data).to_bytes(4, "big") + data[: len(data) // 2])
    call.reset(h2.errors.ErrorCodes.CANCEL)


def reset_after_data(call):
    call.serve()
    call.reset(h2.errors.ErrorCodes.NO_ERROR)


def refused(call):
    call.reset(h2.errors.ErrorCodes.REFUSED_STREAM)


def calm(call):
    call.reset(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)


def ping_flood(call):
    call.raw(frame(PING, 0, 0, b"12345678") * 5000)
    call.serve()


def ping_ack_unasked(call):
    call.raw(frame(PING, 1, 0, b"87654321"))
    call.serve()


def informational(call):
    for _ in range(3):
        call.connection.http.send_headers(call.stream, [(":status", "103"), ("link", "</x>")])
    call.serve()


def continuation(call):
    block = call.connection.http.encoder.encode(RESPONSE_HEADERS + [(f"x-filler-{i}", "y" * 200) for i in range(20)])
    pieces = [block[i : i + 100] for i in range(0, len(block), 100)]
    data = call.messages()
    call.raw(frame(HEADERS, 0, call.stream, pieces[0]))
    for piece in pieces[1:-1]:
        call.raw(frame(CONTINUATION, 0, call.stream, piece))
    call.raw(frame(CONTINUATION, END_HEADERS, call.stream, pieces[-1]))
    call.raw(frame(DATA, 0, call.stream, b"\0" + len(data).to_bytes(4, "big") + data))


def trailers_only(call):
    call.end(14, "not%20now")


def no_trailers(call):
    call.send_headers()
    call.send(b"", end=True)


def no_status(call):
    call.send_headers()
    call.connection.http.send_headers(call.stream, [("x-other", "1")], end_stream=True)
    call.connection.flush()


def a_cut_message(call):
    call.send_headers()
    call.connection.http.send_data(call.stream, b"\0\0\0\0\x64abc")
    call.end()


def http_status(code):
    def behaviour(call):
        call.connection.http.send_headers(call.stream, [(":status", code), ("content-type", "text/html")])
        call.connection.http.send_data(call.stream, b"<html>")  # and never an end
        call.connection.flush()

    behaviour.__name__ = f"http_{code}"
    return behaviour


def web_page(call):
    call.connection.http.send_headers(call.stream, [(":status", "200"), ("content-type", "text/html")])
    call.connection.http.send_data(call.stream, b"<html>" * 1000)
    call.connection.flush()


def oversize(call):
    call.send_headers()
    call.connection.http.send_data(call.stream, b"\0\xff\xff\xff\xff" + b"x" * 1000)
    call.connection.flush()


def compressed(call):
    call.send_headers()
    call.send(call.messages(), flag=1)


def bad_flag(call):
    call.send_headers()
    call.send(call.messages(), flag=7)


def cut_in_a_frame(call):
    call.send_headers()
    call.raw(frame(DATA, 0, call.stream, b"\0\0\0", length=1000))
    call.cut()


def garbage(call):
    call.send_headers()
    call.raw(b"\xde\xad\xbe\xef" * 100)


def window_overflow(call):
    call.send_headers()
    call.raw(frame(8, 0, call.stream, (2**31 - 1).to_bytes(4, "big")) * 2)


def data_before_headers(call):
    call.raw(frame(DATA, 0, call.stream, b"\0\0\0\0\0"))


def unknown_frame(call):
    call.raw(frame(0xBE, 0xFF, call.stream, b"greased"))
    call.serve()


def push(call):
    call.raw(frame(5, END_HEADERS, call.stream, (2).to_bytes(4, "big") + b"\x88"))


PASSING = [
    goaway_last, goaway_none, goaway_twice, goaway_calm, reset_after_headers, reset_during_data, reset_after_data, refused, calm,
    ping_flood, ping_ack_unasked, informational, continuation, trailers_only, no_trailers, no_status, a_cut_message,
    http_status("429"), http_status("500"), http_status("502"), http_status("503"), http_status("504"), web_page, oversize, compressed,
    bad_flag, cut_in_a_frame, garbage, window_overflow, data_before_headers, unknown_frame, push,
]  # fmt: skip
