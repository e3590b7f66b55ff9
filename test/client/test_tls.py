"""Certificates: every kind of bad one is refused, with its own reason; good ones are accepted."""

import ipaddress
import socket
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from certificates import DAY, HOST, ROOT_CA, issue, nul_name, usage, weak
from conftest import EMULATOR, emulator_process, until
from tls_peers import Proxy, Server, connect, folder, run  # noqa: F401: a fixture



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
    (folder / "token").write_text("some-token")  # so that no credentials are looked for
    common = ["--ca-file", str(folder / "ca.pem"), "--proxy", proxy.url, "--access-token-file", str(folder / "token")]
    process = run("pull", "s", "--endpoint", endpoint, *common)
    until(lambda: server.accepted or process.poll() is not None, 30)
    process.kill()
    process.communicate()
    server.stop()
    proxy.stop()
    assert server.accepted
    place = endpoint if ":" in endpoint else endpoint + ":443"
    assert proxy.requests[0].startswith(f"CONNECT {place} HTTP/1.1\r\n")


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
