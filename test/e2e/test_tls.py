"""Certificates: every kind of bad one is refused, with its own reason; good ones are accepted. Certificates are made here, servers are
OpenSSL's; names are resolved by a proxy, which connects every name to the server at hand."""

import datetime
import ipaddress
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from conftest import EMULATOR, emulator_process, until
from negative_server import frame
from test_negative_server import COMMAND

HOST = "pubsub.test.example"
NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


class Authority:
    """A key with a certificate; others are issued with it."""

    def __init__(self, certificate, key, chain=()):
        self.certificate, self.key, self.chain = certificate, key, list(chain)

    def files(self, folder, stem):
        """Certificate with its chain, and key, as PEM files."""
        pem, key = folder / f"{stem}.pem", folder / f"{stem}.key"
        pem.write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in [self.certificate, *self.chain]))
        key.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(pem), str(key)


def usage(*allowed):
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    return x509.KeyUsage(**{n: n in allowed for n in names.split()}, encipher_only=False, decipher_only=False)


def issue(
    issuer=None, name=None, names=(HOST,), key=None, start=-DAY, end=30 * DAY, ca=False, path_length=None, key_usage=None,
    eku=None, constraints=None, common_name=None, signature=None, extra=(),
):  # fmt: skip
    """A certificate; issuer None: signed by itself. names: strings or addresses."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    common_name = common_name or name or "spark-pubsub test"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + start)
        .not_valid_after(NOW + end)
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    if names and not ca:
        general = [x509.DNSName(n) if isinstance(n, str) else x509.IPAddress(n) for n in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    if key_usage or ca:
        builder = builder.add_extension(key_usage or usage("key_cert_sign", "crl_sign"), critical=True)
    if eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage(eku), critical=False)
    if constraints:
        builder = builder.add_extension(constraints, critical=True)
    for extension in extra:
        builder = builder.add_extension(extension, critical=True)
    signer = issuer.key if issuer else key
    certificate = builder.sign(signer, signature or hashes.SHA256())
    # Roots are not sent.
    chain = [issuer.certificate, *issuer.chain] if issuer and issuer.certificate.issuer != issuer.certificate.subject else []
    return Authority(certificate, key, chain)


ROOT_CA = issue(name="test root", ca=True, key=rsa.generate_private_key(65537, 2048))


def openssl(*arguments, folder, text=None):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, input=text)


def weak(folder, digest, key):
    """What the Python library refuses to make: signed by the root with an old digest, or with a short key."""
    root, root_key = ROOT_CA.files(folder, "root")
    openssl("req", "-new", "-newkey", key, "-nodes", "-keyout", "w.key", "-out", "w.csr", "-subj", f"/CN={HOST}", folder=folder)
    (folder / "w.ext").write_text(f"subjectAltName=DNS:{HOST}\n")
    openssl(
        "x509", "-req", "-in", "w.csr", "-CA", root, "-CAkey", root_key, "-CAcreateserial", "-days", "3", f"-{digest}",
        "-extfile", "w.ext", "-out", "w.pem", folder=folder,
    )  # fmt: skip
    return str(folder / "w.pem"), str(folder / "w.key")


def nul_name(folder):
    """pubsub.test.example\\0.evil.example as the name: what a C string would cut. Signed anew, since no library makes it."""
    made = issue(ROOT_CA, names=(HOST + "X.evil.example",))
    der = made.certificate.public_bytes(serialization.Encoding.DER)
    before = made.certificate.tbs_certificate_bytes
    after = before.replace((HOST + "X").encode(), (HOST + "\0").encode())
    assert after != before
    signature = ROOT_CA.key.sign(after, padding.PKCS1v15(), hashes.SHA256())
    (folder / "nul.pem").write_text(ssl.DER_cert_to_PEM_cert(der.replace(before, after)[: -len(signature)] + signature))
    return str(folder / "nul.pem"), made.files(folder, "nulkey")[1]


class Server:
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
        self.listener = socket.create_server((address, 0), family=family)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

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

    def stop(self):
        self.listener.close()


class Proxy:
    """CONNECT of any name leads to one port."""

    def __init__(self, port=None, answer=b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"):
        self.port, self.answer, self.requests = port, answer, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

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

    def stop(self):
        self.listener.close()


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


def chain_with(**wrong):
    """root → intermediate, with something wrong about it → leaf."""
    intermediate = issue(ROOT_CA, name="test intermediate", **({"ca": True} | wrong))
    return issue(intermediate)


def path_too_long():
    first = issue(ROOT_CA, name="first", ca=True, path_length=0)
    return issue(issue(first, name="second", ca=True))


def without_intermediate():
    leaf = chain_with()
    leaf.chain = []
    return leaf


def constrained(permitted=None, excluded=None):
    names = x509.NameConstraints(
        [x509.DNSName(permitted)] if permitted else None, [x509.DNSName(excluded)] if excluded else None
    )
    return chain_with(constraints=names)


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
MISMATCH = "for another host"

BAD = {
    "expired": (lambda: issue(ROOT_CA, end=-DAY / 2), "has expired"),
    "not yet valid": (lambda: issue(ROOT_CA, start=DAY), "not yet valid"),
    "another host": (lambda: issue(ROOT_CA, names=("other.example",)), MISMATCH),
    "signed by itself": (lambda: issue(name=HOST), "self-signed certificate"),
    "unknown authority": (lambda: issue(issue(name="stranger", ca=True)), "unable to get local issuer certificate"),
    "an authority of the same name": (lambda: issue(issue(name="test root", ca=True, key=rsa.generate_private_key(65537, 2048))), "certificate signature failure"),
    "for clients only": (lambda: issue(ROOT_CA, eku=[ExtendedKeyUsageOID.CLIENT_AUTH]), "unsuitable certificate purpose"),
    "for signing code only": (lambda: issue(ROOT_CA, eku=[ExtendedKeyUsageOID.CODE_SIGNING]), "unsuitable certificate purpose"),
    "key usage without signatures": (lambda: issue(ROOT_CA, key_usage=usage("crl_sign")), "unsuitable certificate purpose"),
    "intermediate is no authority": (lambda: chain_with(ca=False), "invalid CA certificate"),
    "intermediate may not sign": (lambda: chain_with(key_usage=usage("digital_signature")), "invalid CA certificate"),
    "intermediate expired": (lambda: chain_with(end=-DAY / 2), "has expired"),
    "intermediate missing": (without_intermediate, "unable to get local issuer certificate"),
    "path too long": (path_too_long, "path length constraint exceeded"),
    "name not permitted": (lambda: constrained(permitted="other.example"), "permitted subtree violation"),
    "name excluded": (lambda: constrained(excluded="test.example"), "excluded subtree violation"),
    "unknown critical extension": (lambda: issue(ROOT_CA, extra=[UNKNOWN]), "unhandled critical extension"),
    "address instead of the name": (lambda: issue(ROOT_CA, names=(ipaddress.ip_address("127.0.0.1"),)), MISMATCH),
    "wildcard of a top-level domain": (lambda: issue(ROOT_CA, names=("*.example",)), MISMATCH),
    "wildcard of another depth": (lambda: issue(ROOT_CA, names=("*.pubsub.test.example",)), MISMATCH),
    "wildcard for a part": (lambda: issue(ROOT_CA, names=("pub*.test.example",)), MISMATCH),
    "wildcard inside": (lambda: issue(ROOT_CA, names=("pubsub.*.example",)), MISMATCH),
    "wildcard alone": (lambda: issue(ROOT_CA, names=("*",)), MISMATCH),
    "parent domain": (lambda: issue(ROOT_CA, names=("test.example",)), MISMATCH),
    "name in the subject alone": (lambda: issue(ROOT_CA, names=(), common_name=HOST), MISMATCH),
    "short key": (lambda: lambda folder: weak(folder, "sha256", "rsa:1024"), "EE certificate key too weak"),
    "signed with MD5": (lambda: lambda folder: weak(folder, "md5", "rsa:2048"), "CA signature digest algorithm too weak"),
    "signed with SHA-1": (lambda: lambda folder: weak(folder, "sha1", "rsa:2048"), "CA signature digest algorithm too weak"),
    "NUL in the name": (lambda: nul_name, MISMATCH),
}


def refuses(server, folder, text, host=HOST):
    process, proxy = connect(server, folder, host)
    try:
        out, err = process.communicate(timeout=40)
    finally:
        process.kill()
        server.stop()
        if proxy:
            proxy.stop()
    assert not server.accepted
    assert process.returncode == 1
    assert text in err, err


@pytest.mark.parametrize("kind", BAD)
def test_bad_certificate(kind, folder):
    make, text = BAD[kind]
    made = make()
    files = made(folder) if callable(made) else made.files(folder, "leaf")
    refuses(Server(files), folder, text)


def test_address_without_a_name_for_it(folder):
    files = issue(ROOT_CA, names=("127.0.0.1", HOST)).files(folder, "leaf")  # as a name: that is not it
    refuses(Server(files), folder, MISMATCH, host="127.0.0.1")


def old_version(version):
    def tweak(context):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, version

    return tweak


def anonymous(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")


PEERS = {
    "TLS 1.0": (old_version(ssl.TLSVersion.TLSv1), "protocol version"),
    "TLS 1.1": (old_version(ssl.TLSVersion.TLSv1_1), "protocol version"),
    "no certificate (anonymous ciphers)": (anonymous, "handshake failure"),
    "another protocol than HTTP/2": (lambda context: context.set_alpn_protocols(["http/1.1"]), "HTTP/2 (ALPN)"),
}


@pytest.mark.parametrize("kind", PEERS)
def test_bad_peer(kind, folder):
    tweak, text = PEERS[kind]
    refuses(Server(issue(ROOT_CA).files(folder, "leaf"), tweak), folder, text)


def talk(data):
    def run_talk(sock):
        sock.recv(2000)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        time.sleep(0.2)

    return run_talk


# A TLS 1.3 server hello needs a key share; these are as far as a peer can come without knowing how.
EMPTY_CHAIN = bytes.fromhex("0303") + b"\1" * 32 + b"\0" + bytes.fromhex("c02b00")  # version, random, session, ECDHE-ECDSA-AES128-GCM
EMPTY_CHAIN = bytes.fromhex("020000") + bytes([len(EMPTY_CHAIN)]) + EMPTY_CHAIN  # server hello of TLS 1.2
EMPTY_CHAIN += bytes.fromhex("0b000003000000")  # certificates: none
TALKS = {
    "plaintext": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"),
    "garbage in a record": (b"\x16\x03\x03\x00\x10" + b"\xff" * 16, "TLS handshake failed"),
    "no certificates": (b"\x16\x03\x03" + len(EMPTY_CHAIN).to_bytes(2, "big") + EMPTY_CHAIN, "TLS handshake failed"),
}


@pytest.mark.parametrize("kind", TALKS)
def test_bad_talk(kind, folder):
    data, text = TALKS[kind]
    refuses(Server(talk=talk(data)), folder, text)


def test_a_handshake_cut_short_is_tried_again(folder):
    """That may pass by itself: no verdict about a certificate."""
    turns, files = [], issue(ROOT_CA).files(folder, "leaf")

    def cut(sock):
        turns.append(1)
        if len(turns) <= 2:
            sock.recv(2000)
            sock.sendall(b"\x16\x03\x03\x00\x7a\x02\x00")
            return
        server.talk = None
        server.serve(sock)

    server = Server(files, talk=cut)
    process, proxy = connect(server, folder)
    until(lambda: server.accepted, 30)
    process.kill()
    process.communicate()
    server.stop()
    proxy.stop()
    assert server.accepted


# ---- accepted ----


def only(version):
    def tweak(context):
        context.minimum_version = context.maximum_version = version

    return tweak


GOOD = {
    "exact name": (lambda: issue(ROOT_CA), HOST, None),
    "one of several names": (lambda: issue(ROOT_CA, names=("a.example", HOST)), HOST, None),
    "upper case": (lambda: issue(ROOT_CA, names=(HOST.upper(),)), HOST, None),
    "wildcard for one label": (lambda: issue(ROOT_CA, names=("*.test.example",)), HOST, None),
    "IPv4 address": (lambda: issue(ROOT_CA, names=(ipaddress.ip_address("127.0.0.1"),)), "127.0.0.1", None),
    "IPv6 address": (lambda: issue(ROOT_CA, names=(ipaddress.ip_address("::1"),)), "::1", None),
    "with an intermediate": (chain_with, HOST, None),
    "name permitted": (lambda: constrained(permitted="test.example"), HOST, None),
    "for servers": (lambda: issue(ROOT_CA, eku=[ExtendedKeyUsageOID.SERVER_AUTH], key_usage=usage("digital_signature")), HOST, None),
    "RSA": (lambda: issue(ROOT_CA, key=rsa.generate_private_key(65537, 2048)), HOST, None),
    "TLS 1.2": (lambda: issue(ROOT_CA), HOST, only(ssl.TLSVersion.TLSv1_2)),
    "TLS 1.3": (lambda: issue(ROOT_CA), HOST, only(ssl.TLSVersion.TLSv1_3)),
}


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    except OSError:
        return False


@pytest.mark.parametrize("kind", GOOD)
def test_good_certificate(kind, folder):
    make, host, tweak = GOOD[kind]
    if ":" in host and not has_ipv6():
        pytest.skip("no IPv6 here")
    server = Server(make().files(folder, "leaf"), tweak, address="::1" if ":" in host else "127.0.0.1")
    process, proxy = connect(server, folder, host)
    until(lambda: server.accepted or process.poll() is not None, 30)
    process.kill()
    err = process.communicate()[1]
    server.stop()
    if proxy:
        proxy.stop()
    assert server.accepted, err
    if tweak:
        assert server.version == {"TLS 1.2": "TLSv1.2", "TLS 1.3": "TLSv1.3"}[kind]


def test_a_renewed_certificate(folder):
    """Streams and publishers that have worked outlive a certificate that is bad for a moment."""
    files = issue(ROOT_CA).files(folder, "renewed")
    emulator = emulator_process.Emulator(EMULATOR, "--tls-cert", files[0], "--tls-key", files[1])
    proxy = Proxy(int(emulator.host.rsplit(":", 1)[1]))
    common = ["--endpoint", HOST, "--proxy", proxy.url, "--ca-file", str(folder / "ca.pem")]
    for arguments in (["topic", "create", "topic1"], ["subscription", "create", "sub1", "--topic", "topic1"]):
        process = run(*arguments, *common)
        assert process.communicate(timeout=30)[1] == ""
    reader = run("tail", "sub1", *common)
    writer = run("publish", "topic1", *common, stdin=subprocess.PIPE)
    writer.stdin.write("before\n" * 2000)
    writer.stdin.flush()
    for _ in range(2000):
        assert reader.stdout.readline() == "before\n"
    good, expired = proxy.port, Server(issue(ROOT_CA, end=-DAY / 2).files(folder, "expired"))
    proxy.port = expired.port
    emulator.stop()  # cuts the connections
    writer.stdin.write("between\n" * 2000)
    writer.stdin.flush()
    time.sleep(2)
    assert reader.poll() is None and writer.poll() is None
    emulator = emulator_process.Emulator(EMULATOR, "--tls-cert", files[0], "--tls-key", files[1])
    proxy.port = int(emulator.host.rsplit(":", 1)[1])
    for arguments in (["topic", "create", "topic1"], ["subscription", "create", "sub1", "--topic", "topic1"]):
        process = run(*arguments, *common)
        assert process.communicate(timeout=30)[1] == ""
    assert writer.communicate("after\n", timeout=60) == ("published 4001\n", "")
    lines = [reader.stdout.readline() for _ in range(2001)]
    assert sorted(set(lines)) == ["after\n", "between\n"]
    reader.terminate()
    reader.communicate(timeout=30)
    assert reader.returncode == 0 and not expired.accepted and good
    emulator.stop()
    expired.stop()
    proxy.stop()


def publish(common, text):
    process = run("publish", "topic1", "--message", text, *common)
    assert process.communicate(timeout=60) == ("published 1\n", "")


# ---- endpoints ----


@pytest.mark.parametrize(
    "endpoint, names",
    [
        ("pubsub.googleapis.com", ("*.googleapis.com",)),
        ("us-east1-pubsub.googleapis.com:443", ("*.googleapis.com",)),
        ("pubsub.apis-tpczero.goog:443", ("*.apis-tpczero.goog",)),
        ("pubsub-myendpoint.p.googleapis.com:443", ("*.p.googleapis.com",)),
        ("restricted.googleapis.com:8443", ("*.googleapis.com",)),
    ],
)
def test_endpoints(endpoint, names, folder):
    """Regional, private and of another universe: name, port and certificate go together."""
    server = Server(issue(ROOT_CA, names=names).files(folder, "leaf"))
    proxy = Proxy(server.port)
    process = run("pull", "s", "--endpoint", endpoint, "--ca-file", str(folder / "ca.pem"), "--proxy", proxy.url)
    until(lambda: server.accepted or process.poll() is not None, 30)
    process.kill()
    process.communicate()
    server.stop()
    proxy.stop()
    assert server.accepted
    place = endpoint if ":" in endpoint else endpoint + ":443"
    assert proxy.requests[0].startswith(f"CONNECT {place} HTTP/1.1\r\n")


# ---- proxies ----


@pytest.fixture(scope="module")
def tls_emulator(folder):
    files = issue(ROOT_CA, names=(HOST, ipaddress.ip_address("127.0.0.1"))).files(folder, "emulator")
    running = emulator_process.Emulator(EMULATOR, "--tls-cert", files[0], "--tls-key", files[1])
    yield running
    running.stop()


def test_the_proxy_of_the_environment(folder, tls_emulator):
    port = int(tls_emulator.host.rsplit(":", 1)[1])
    proxy = Proxy(port)
    env = {"HTTPS_PROXY": proxy.url.replace("//", "//user:p%40ss@")}
    common = ["--ca-file", str(folder / "ca.pem")]
    process = run("topic", "create", "topic1", "--endpoint", HOST, *common, env=env)
    assert process.communicate(timeout=30)[1] == ""
    assert proxy.requests[0].startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n")
    assert "\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n" in proxy.requests[0]
    # Not for this machine itself, nor for what NO_PROXY names.
    process = run("topic", "get", "topic1", "--endpoint", f"127.0.0.1:{port}", *common, env=env)
    assert process.communicate(timeout=30)[1] == ""
    process = run("pull", "s", "--endpoint", "localhost.invalid", *common, env=env | {"NO_PROXY": ".invalid"})
    until(lambda: process.poll() is not None, 2)  # no such name: it goes on trying
    process.kill()
    process.communicate()
    assert len(proxy.requests) == 1
    proxy.stop()


@pytest.mark.parametrize(
    "answer, text",
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", "HTTP 407 Proxy Authentication"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP 403 Forbidden"),
    ],
)
def test_a_proxy_that_refuses(answer, text, folder):
    proxy = Proxy(answer=answer)
    url = proxy.url.replace("//", "//user:secret@")
    process = run("pull", "s", "--endpoint", HOST, "--proxy", url)
    out, err = process.communicate(timeout=30)
    proxy.stop()
    assert process.returncode == 1 and text in err
    assert f"cannot connect to {HOST}:443 through the proxy 127.0.0.1:" in err
    assert "secret" not in err and "dXNlcj" not in err


def test_a_proxy_whose_answer_does_not_end(folder):
    proxy = Proxy(answer=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 3000)
    process = run("topic", "get", "topic1", "--endpoint", HOST, "--proxy", proxy.url)
    until(lambda: len(proxy.requests) >= 2, 30)  # given up, and tried again
    process.kill()
    process.communicate()
    proxy.stop()
    assert len(proxy.requests) >= 2


def test_plaintext_through_a_proxy_when_asked_for(emulator):
    proxy = Proxy(int(emulator.host.rsplit(":", 1)[1]))
    common = ["--plaintext", "--endpoint", "emulator.example:8085"]
    process = run("topic", "create", "topic1", *common, "--proxy", proxy.url)
    assert process.communicate(timeout=30)[1] == ""
    assert proxy.requests[0].startswith("CONNECT emulator.example:8085 ")
    proxy.stop()


def test_ipv6(folder):
    if not has_ipv6():
        pytest.skip("no IPv6 here")
    running = emulator_process.Emulator(EMULATOR, "--listen", "[::1]:0")
    common = ["--plaintext", "--endpoint", f"[::1]:{running.port}"]
    for arguments in (["topic", "create", "topic1"], ["subscription", "create", "sub1", "--topic", "topic1"]):
        process = run(*arguments, *common)
        assert process.communicate(timeout=30)[1] == ""
    publish(common, "hello")
    process = run("pull", "sub1", *common)
    assert process.communicate(timeout=60) == ("hello\n", "")
    running.stop()
