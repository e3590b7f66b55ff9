"""What the pubsub command talks to over TLS: servers that are OpenSSL's, and a proxy that connects every name to the server at hand."""

import os
import socket
import ssl
import subprocess
import threading

import pytest

from certificates import HOST, ROOT_CA
from conftest import COMMAND
from negative_server import frame


class Peer:
    """Serves every connection in a thread of its own, until it is stopped."""

    def listen(self, listener):
        self.listener = listener
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def stop(self):
        self.listener.close()


class Server(Peer):
    """Shakes hands with whoever comes; `accepted` once the peer has taken the certificate and speaks HTTP/2. `talk`: what it does
    instead of a handshake."""

    def __init__(self, files=None, tweak=None, talk=None, address="127.0.0.1"):
        self.accepted, self.talk, self.version = False, talk, None
        if files:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.load_cert_chain(*files)
            self.context.set_alpn_protocols(["h2"])
        if tweak:
            tweak(self.context)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listen(socket.create_server((address, 0), family=family))
        self.port = self.listener.getsockname()[1]

    def serve(self, sock):
        try:
            with sock:
                sock.settimeout(20)
                if self.talk:
                    self.talk(sock)
                    return
                with self.context.wrap_socket(sock, server_side=True) as tls:
                    self.accepted |= tls.recv(14).startswith(b"PRI * HTTP/2")
                    self.version = tls.version()
                    tls.sendall(frame(4, 0, 0))
                    tls.recv(65536)
        except OSError:
            pass



class Proxy(Peer):
    """CONNECT of any name leads to one port."""

    def __init__(self, port=None, answer=b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"):
        self.port, self.answer, self.requests = port, answer, []
        self.listen(socket.create_server(("127.0.0.1", 0)))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]

    def serve(self, sock):
        try:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += sock.recv(1)
            self.requests.append(head.decode())
            for byte in self.answer:  # in pieces
                sock.sendall(bytes([byte]))
            if b" 200 " in self.answer[:20]:
                upstream = socket.create_connection(("127.0.0.1", self.port))
                threading.Thread(target=self.pump, args=(upstream, sock), daemon=True).start()
                self.pump(sock, upstream)
            else:
                sock.close()
        except OSError:
            pass

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass



def run(*arguments, env=None, **more):
    environment = {k: v for k, v in os.environ.items() if k.lower() not in ("pubsub_emulator_host", "https_proxy", "no_proxy")}
    return subprocess.Popen(
        [COMMAND, *arguments, "--project", "p"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment | (env or {}), **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    ROOT_CA.files(folder, "ca")
    return folder


def connect(server, folder, host=HOST, ca=None):
    """One attempt to pull. Returns the process; where the host is no address, through a proxy that knows it."""
    arguments = ["pull", "s", "--ca-file", ca or str(folder / "ca.pem")]
    proxy = None
    if ":" in host:
        arguments += ["--endpoint", f"[{host}]:{server.port}"]
    elif host[0].isdigit():
        arguments += ["--endpoint", f"{host}:{server.port}"]
    else:
        proxy = Proxy(server.port)
        arguments += ["--endpoint", host, "--proxy", proxy.url]
    return run(*arguments), proxy


# ---- refused ----
