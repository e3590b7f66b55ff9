"""A gRPC server that breaks the rules on demand, after the negative HTTP/2 server of gRPC's interoperability tests.

It holds a few messages of one subscription, delivers what is not acknowledged to every StreamingPull, and takes Acknowledge,
ModifyAckDeadline and Publish. A behaviour is called with each request (`Call`); where it returns True it has dealt with it, in whatever
way, else it is answered well. Each connection is a thread, and a behaviour may block it.
"""

import socket
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from google.pubsub_v1 import types

DATA, HEADERS, GOAWAY, PING, CONTINUATION = 0, 1, 7, 6, 9
END_STREAM, END_HEADERS = 1, 4
RESPONSE_HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


def frame(kind, flags, stream, payload=b"", length=None):
    length = len(payload) if length is None else length
    return length.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def message(payload, flag=0):
    return bytes([flag]) + len(payload).to_bytes(4, "big") + payload


class Call:
    """A stream with its first request."""

    def __init__(self, connection, stream, headers):
        self.connection, self.stream, self.headers = connection, stream, dict(headers)
        self.method = self.headers[":path"].rsplit("/", 1)[1]
        self.turn = 0  # of this method, from 1
        self.buffer, self.seen, self.answered = b"", False, False

    # What behaviours are made of.

    def send_headers(self, *more):
        self.connection.http.send_headers(self.stream, RESPONSE_HEADERS + list(more))
        self.answered = True
        self.connection.flush()

    def send(self, payload, flag=0, end=False, pad=None):
        """One gRPC message, in pieces of what the window and a frame allow."""
        http, data = self.connection.http, message(payload, flag)
        while data or end:
            room = min(http.local_flow_control_window(self.stream), http.max_outbound_frame_size)
            room -= 0 if pad is None else pad + 1
            if room <= 0:
                self.connection.read()
                continue
            piece, data = data[:room], data[room:]
            http.send_data(self.stream, piece, end_stream=end and not data, pad_length=pad)
            self.connection.flush()
            end = end and bool(data)

    def end(self, status=0, text=""):
        trailers = [("grpc-status", str(status)), ("grpc-message", text)]
        headers = trailers if self.answered else RESPONSE_HEADERS + trailers
        self.connection.http.send_headers(self.stream, headers, end_stream=True)
        self.connection.flush()

    def reset(self, code):
        self.connection.http.reset_stream(self.stream, code)
        self.connection.flush()

    def goaway(self, last, code=0):
        self.connection.going_away = True
        self.raw(frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big")))

    def raw(self, data):
        self.connection.socket.sendall(data)

    def cut(self):
        raise ConnectionError

    def messages(self):
        """What is not acknowledged, as a response; b"" where everything is."""
        return self.connection.server.response()

    def serve(self, headers=True, pad=None):
        if headers:
            self.send_headers()
        response = self.messages()
        if response:
            self.send(response, pad=pad)


class Connection(threading.Thread):
    def __init__(self, server, sock):
        super().__init__(daemon=True)
        self.server, self.socket = server, sock
        self.calls, self.going_away, self.streams_after_goaway = {}, False, 0
        self.http = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False)
        )

    def flush(self):
        data = self.http.data_to_send()
        if data:
            self.socket.sendall(data)

    def run(self):
        try:
            if self.server.greet and self.server.greet(self):
                return
            self.http.local_settings = h2.settings.Settings(client=False, initial_values=self.server.settings)
            self.http.initiate_connection()
            self.flush()
            while self.read():
                pass
        except (OSError, h2.exceptions.ProtocolError):
            pass  # the end of a connection; what the client did wrong is in complaints
        finally:
            self.socket.close()

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError
        try:
            events = self.http.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            self.server.complaints.append(repr(error))
            raise
        self.flush()
        for event in events:
            if isinstance(event, h2.events.RequestReceived):
                self.streams_after_goaway += self.going_away
                self.calls[event.stream_id] = Call(self, event.stream_id, event.headers)
            elif isinstance(event, h2.events.DataReceived):
                try:
                    self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                except h2.exceptions.StreamClosedError:
                    continue  # we have just reset it
                self.flush()
                self.take(self.calls.get(event.stream_id), event.data)
        return True

    def take(self, call, data):
        if call is None:
            return
        call.buffer += data
        while len(call.buffer) >= 5:
            length = int.from_bytes(call.buffer[1:5], "big")
            if len(call.buffer) < 5 + length:
                return
            request, call.buffer = call.buffer[5 : 5 + length], call.buffer[5 + length :]
            self.server.handle(call, request)


class NegativeServer:
    def __init__(self, behaviour=None, count=5, size=20, settings=None, greet=None, answers_pings=True):
        self.behaviour, self.settings, self.greet, self.answers_pings = behaviour, settings or {}, greet, answers_pings
        self.lock = threading.Lock()
        self.expected = {f"ack{i}" for i in range(count)}
        self.stored = {
            f"ack{i}": types.ReceivedMessage(
                ack_id=f"ack{i}", message={"data": b"%d " % i + b"x" * size, "message_id": str(i)}
            )
            for i in range(count)
        }
        self.acknowledged, self.published, self.turns, self.headers = set(), [], {}, []
        self.connections, self.complaints = [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock)
            self.connections.append(connection)
            connection.start()

    def stop(self):
        self.listener.close()
        for connection in self.connections:
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def response(self):
        with self.lock:
            left = [m for ack_id, m in self.stored.items() if ack_id not in self.acknowledged]
        return types.StreamingPullResponse.serialize(types.StreamingPullResponse(received_messages=left)) if left else b""

    def handle(self, call, request):
        if call.seen:  # a later request of a stream: a ping
            if self.answers_pings and call.answered:
                call.send(b"")
            return
        call.seen = True
        with self.lock:
            call.turn = self.turns[call.method] = self.turns.get(call.method, 0) + 1
            self.headers.append(call.headers)
        if self.behaviour and self.behaviour(call):
            return
        if call.method == "StreamingPull":
            call.serve()
            return
        response = b""
        if call.method == "Acknowledge":
            with self.lock:
                self.acknowledged.update(types.AcknowledgeRequest.deserialize(request).ack_ids)
        elif call.method == "Publish":
            messages = types.PublishRequest.deserialize(request).messages
            with self.lock:
                self.published += [m.data for m in messages]
            ids = [str(i) for i in range(len(messages))]
            response = types.PublishResponse.serialize(types.PublishResponse(message_ids=ids))
        call.send_headers()
        call.send(response)
        call.end()
