"""Application default credentials outside a JVM: the command, and the library under it, find them, get tokens, renew and replace them. The
service is the emulator behind TLS, which demands one token; Google's endpoints of tokens are google_endpoints.py."""

import ipaddress
import json
import os
import signal
import subprocess
import time

import pytest

from certificates import ROOT_CA, issue
from conftest import COMMAND, EMULATOR, until
from emulator import Emulator
from google_endpoints import NAMES, Google, Metadata

TOPIC, SUBSCRIPTION = "projects/p/topics/topic1", "projects/p/subscriptions/sub1"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    ROOT_CA.files(folder, "ca")
    issue(ROOT_CA, names=(ipaddress.ip_address("127.0.0.1"), *NAMES)).files(folder, "server")
    return folder


@pytest.fixture
def google(certificates):
    running = Google(certificates / "server.pem", certificates / "server.key")
    yield running
    running.stop()


class SecureEmulator(Emulator):
    """Behind TLS; serves calls with the right token only."""

    def __init__(self, certificates):
        self.ca = certificates / "ca.pem"
        super().__init__(
            EMULATOR, "--tls-cert", str(certificates / "server.pem"), "--tls-key", str(certificates / "server.key"),
            "--require-token", "none-yet", "--topic", TOPIC, "--subscription", f"{SUBSCRIPTION}={TOPIC}",
        )  # fmt: skip

    def _channel(self):
        import grpc

        return grpc.secure_channel(self.host, grpc.ssl_channel_credentials(self.ca.read_bytes()))

    def require(self, token):
        self.command(f"token {token}")


@pytest.fixture
def server(certificates):
    with SecureEmulator(certificates) as running:
        yield running


class Shell:
    """The command, in an environment that has nothing but what a test puts there."""

    def __init__(self, server, google, certificates, home):
        self.server = server
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HTTPS_PROXY": f"http://127.0.0.1:{google.proxy_port}",
            "SSL_CERT_FILE": str(certificates / "ca.pem"),
        }

    def start(self, *arguments, **more):
        command = [COMMAND, *arguments, "--endpoint", self.server.host, "--ca-file", str(self.server.ca)]
        environment = {**self.environment, **more}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments, timeout=60, **more):
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err


@pytest.fixture
def shell(server, google, certificates, tmp_path):
    return Shell(server, google, certificates, tmp_path)


def key_file(folder, content, name="key.json"):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def gets_topic(shell, *arguments, **more):
    code, out, err = shell.run("topic", "get", TOPIC, *arguments, **more)
    assert code == 0, err
    assert out == TOPIC + "\n"


# ---- every kind ----


def test_a_service_account_from_the_environment(shell, server, google, tmp_path):
    server.require(google.token("robot@x"))
    gets_topic(shell, GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, google.service_account("robot@x")))
    assert google.asked == ["robot@x"]


def test_a_key_file_that_is_named(shell, server, google, tmp_path):
    """It comes before the environment's, and before a token of the environment."""
    server.require(google.token("named@x"))
    other = key_file(tmp_path, google.service_account("other@x"), "other.json")
    named = key_file(tmp_path, google.service_account("named@x"))
    gets_topic(shell, "--credentials", named, GOOGLE_APPLICATION_CREDENTIALS=other, PUBSUB_ACCESS_TOKEN="not this one")


def test_a_users_file(shell, server, google, tmp_path):
    server.require(google.token("user"))
    gets_topic(shell, GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, google.authorized_user()))


def test_the_metadata_server(shell, server, google):
    metadata = Metadata(google)
    server.require(google.token("default"))
    gets_topic(shell, GCE_METADATA_HOST=metadata.host)
    assert metadata.asked == 1
    metadata.stop()


@pytest.mark.parametrize("variable", ("HOME", "CLOUDSDK_CONFIG"))
def test_the_file_that_gcloud_leaves(shell, google, tmp_path, variable):
    """For Google's own endpoint; the service behind the name is not there, so only its token is asked for."""
    folder = tmp_path / ".config/gcloud" if variable == "HOME" else tmp_path / "cloud"
    folder.mkdir(parents=True)
    key_file(folder, google.authorized_user(), "application_default_credentials.json")
    command = [COMMAND, "topic", "get", TOPIC, "--endpoint", "pubsub.googleapis.com"]
    environment = {**shell.environment, **({} if variable == "HOME" else {variable: str(folder)})}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: google.asked == ["user"], 20)
    process.kill()
    process.communicate()
    assert google.asked == ["user"]


def test_what_just_lies_there_is_not_sent_to_any_endpoint(shell, server, google, tmp_path):
    (tmp_path / ".config/gcloud").mkdir(parents=True)
    key_file(tmp_path / ".config/gcloud", google.authorized_user(), "application_default_credentials.json")
    server.require(google.token("user"))
    code, _, err = shell.run("topic", "get", TOPIC)
    assert code == 1 and "UNAUTHENTICATED" in err
    assert google.asked == []


# ---- renewal ----


def test_tokens_are_renewed_before_they_end(shell, server, google, tmp_path):
    google.expires_in = 4
    server.require(google.token("robot@x"))
    reader = shell.start("tail", SUBSCRIPTION, GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, google.service_account("robot@x")))
    until(lambda: google.times("robot@x") >= 4, 30)
    reader.send_signal(signal.SIGTERM)
    _, err = reader.communicate(timeout=30)
    assert reader.returncode == 0, err
    assert google.times("robot@x") >= 4


def test_a_refused_token_is_replaced(shell, server, google, tmp_path):
    server.require(google.token("robot@x"))
    file = key_file(tmp_path, google.service_account("robot@x"))
    reader = shell.start("tail", SUBSCRIPTION, GOOGLE_APPLICATION_CREDENTIALS=file)
    until(lambda: server.stats("sub1")["streams"] == 1, 20)
    time.sleep(6)  # a token is not replaced more often than every five seconds
    google.rotate("robot@x")
    server.require(google.token("robot@x"))
    server.command("disconnect")
    code, _, err = shell.run("publish", TOPIC, "--message", "after", GOOGLE_APPLICATION_CREDENTIALS=file)
    assert code == 0, err
    assert reader.stdout.readline() == "after\n"
    reader.send_signal(signal.SIGTERM)
    _, err = reader.communicate(timeout=30)
    assert reader.returncode == 0, err
    assert google.times("robot@x") == 3  # the reader twice, the publisher once


def test_the_old_token_stays_while_no_new_one_can_be_had(shell, server, google, tmp_path):
    google.expires_in = 2
    server.require(google.token("robot@x"))
    reader = shell.start("tail", SUBSCRIPTION, GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, google.service_account("robot@x")))
    until(lambda: server.stats("sub1")["streams"] == 1, 20)
    google.broken = True
    until(lambda: google.refused >= 2, 20)
    code, _, err = shell.run("publish", TOPIC, "--message", "still", PUBSUB_ACCESS_TOKEN=google.token("robot@x"))
    assert code == 0, err
    assert reader.stdout.readline() == "still\n"
    google.broken = False
    asked = google.times("robot@x")
    until(lambda: google.times("robot@x") > asked, 20)
    assert google.times("robot@x") > asked
    reader.send_signal(signal.SIGTERM)
    assert reader.wait(timeout=30) == 0


# ---- what goes wrong, in words; and no secret in them ----


def fails(shell, google, text, **more):
    code, out, err = shell.run("topic", "get", TOPIC, **more)
    assert code == 1 and out == ""
    assert text in err, err
    for secret in ("s3cr3t", "secret-", "ya29", "PRIVATE KEY", *google.issued, google.pem().splitlines()[1]):
        assert secret not in err
    return err


@pytest.mark.parametrize(
    "content,text",
    (
        ("", "lack 'type'"),
        ("no json", "lack 'type'"),
        ('{"type": "service_account", "client_email": "a@b"}', "lack 'private_key'"),
        ('{"type": "authorized_user", "client_id": "a"}', "lack 'client_secret'"),
        ('{"type": "external_account"}', "are of type 'external_account'; service_account and authorized_user can be used here"),
        (
            '{"type": "service_account", "client_email": "a@b", "private_key": "s3cr3t", "private_key_id": "k"}',
            "the private key is no RSA key in PEM",
        ),
        (
            '{"type": "authorized_user", "client_id": "a", "client_secret": "s3cr3t", "refresh_token": "s3cr3t", "token_uri": "http://tokens.example/t"}',
            "secrets are not sent without TLS",
        ),
    ),
)
def test_files_that_are_none(shell, google, tmp_path, content, text):
    fails(shell, google, text, GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, content))


def test_a_file_that_is_missing(shell, google, tmp_path):
    text = f"cannot read the credentials '{tmp_path}/none.json': No such file or directory"
    fails(shell, google, text, GOOGLE_APPLICATION_CREDENTIALS=f"{tmp_path}/none.json")


@pytest.mark.parametrize("content", ("", "\n", "\nya29.x", "\0ya29.x", "s3cr3t" * 2000, "ya29.x\0"), ids=range(6))
def test_a_file_without_a_whole_token(shell, google, tmp_path, content):
    """Nothing is sent instead: no part of it, no call without one."""
    file = key_file(tmp_path, content, "token")
    code, out, err = shell.run("topic", "get", TOPIC, "--access-token-file", file)
    assert code == 1 and out == "" and err.startswith(f"pubsub: cannot read a token from '{file}'"), err
    assert "s3cr3t" not in err and "ya29" not in err


def test_a_token_that_is_too_long(shell, google):
    code, out, err = shell.run("topic", "get", TOPIC, PUBSUB_ACCESS_TOKEN="s3cr3t" * 2000)
    assert code == 1 and out == "" and "PUBSUB_ACCESS_TOKEN" in err and "s3cr3t" not in err, err


def test_a_user_whose_login_has_ended(shell, google, tmp_path):
    content = {**google.authorized_user(), "refresh_token": "old-s3cr3t"}
    err = fails(
        shell, google, "oauth2.googleapis.com gave no access token: HTTP 400, invalid_grant: Token has been expired or revoked.",
        GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, content),
    )  # fmt: skip
    assert "UNAUTHENTICATED" not in err


def test_no_metadata_server(shell, google):
    err = fails(shell, google, "no credentials: name a key file in GOOGLE_APPLICATION_CREDENTIALS", GCE_METADATA_HOST="127.0.0.1:1")
    assert "gcloud auth application-default login" in err


def test_a_metadata_server_of_another_cloud(shell, google):
    """It answers, and knows nothing of accounts."""
    other = Metadata(google, path="/latest/meta-data")
    fails(shell, google, "no credentials: name a key file in GOOGLE_APPLICATION_CREDENTIALS", GCE_METADATA_HOST=other.host)
    other.stop()


def test_an_endpoint_of_tokens_that_is_not_trusted(shell, google, tmp_path, certificates):
    shell.environment.pop("SSL_CERT_FILE")
    fails(shell, google, "certificate", GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, google.service_account("robot@x")))
    assert google.asked == []


def test_no_token_in_plaintext(google, tmp_path):
    """An emulator is asked without one, whatever credentials there are."""
    with Emulator(EMULATOR, "--topic", TOPIC) as emulator:
        file = key_file(tmp_path, google.service_account("robot@x"))
        environment = {"PATH": os.environ["PATH"], "PUBSUB_EMULATOR_HOST": emulator.host, "GOOGLE_APPLICATION_CREDENTIALS": file}
        subprocess.run([COMMAND, "topic", "get", TOPIC], env=environment, check=True, timeout=30)
    assert google.asked == []
