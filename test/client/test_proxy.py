"""Proxies: CONNECT, credentials, exceptions, refusals."""

import ipaddress

import pytest

from certificates import HOST, ROOT_CA, issue
from conftest import EMULATOR, emulator_process, until
from tls_peers import Proxy, folder, run  # noqa: F401: a fixture


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
