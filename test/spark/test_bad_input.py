"""Every mistake gets its own words."""

import socket
import subprocess

import pytest

from conftest import PROJECT, Emulator, Reader, numbers, write

MASTER = "local[2]"


def failure(action):
    with pytest.raises(Exception) as caught:
        action()
    return str(caught.value)


def start_error(spark, emulator, tmp_path, **options):
    def run():
        reader = Reader(spark, emulator, tmp_path / "checkpoint", **options)
        reader.query.awaitTermination(60)
        raise reader.query.exception() or AssertionError("the query did not fail")

    return failure(run)


def test_missing_subscription(spark, emulator, tmp_path):
    text = start_error(spark, emulator, tmp_path, subscription="nosuch")
    assert f"projects/{PROJECT}/subscriptions/nosuch" in text and "pubsub subscription create nosuch" in text


def test_missing_topic(spark, emulator):
    text = failure(lambda: write(spark, emulator, numbers(spark, 1), topic="nosuch"))
    assert f"projects/{PROJECT}/topics/nosuch" in text and "pubsub topic create nosuch" in text


def test_misspelt_option(spark, emulator):
    text = failure(lambda: spark.readStream.format("pubsub").option("subscripionId", "x").load())
    assert "subscripionId" in text and "did you mean 'subscriptionId'" in text


def test_option_out_of_range(spark, emulator):
    text = failure(lambda: spark.readStream.format("pubsub").option("ackDeadlineSeconds", "5").load())
    assert "ackDeadlineSeconds" in text and "between 10 and 600" in text


def test_unreachable_endpoint(spark, tmp_path):
    with socket.socket() as taken:  # bound, not listening
        taken.bind(("127.0.0.1", 0))

        class Nobody:
            host = "127.0.0.1:%d" % taken.getsockname()[1]

        text = start_error(spark, Nobody, tmp_path)
    assert Nobody.host in text and "Connection refused" in text


def test_row_over_ten_megabytes(spark, emulator):
    emulator.create()
    frame = spark.sql("select repeat('x', 10000001) as data")
    text = failure(lambda: write(spark, emulator, frame))
    assert "row 0" in text and "10000000" in text


def test_null_row(spark, emulator):
    emulator.create()
    frame = spark.sql("select cast(null as string) as data")
    text = failure(lambda: write(spark, emulator, frame))
    assert "row 0" in text and "neither" in text


def test_attribute_limits(spark, emulator):
    emulator.create()
    frame = spark.sql("select 'x' as data, map('k', repeat('v', 1025)) as attributes")
    text = failure(lambda: write(spark, emulator, frame))
    assert "1025 bytes" in text and "1024" in text


def test_wrong_columns(spark, emulator):
    emulator.create()
    assert "'nonsense'" in failure(lambda: write(spark, emulator, spark.sql("select 'x' as data, 1 as nonsense")))
    assert "INT" in failure(lambda: write(spark, emulator, spark.sql("select 1 as data")))
    assert "neither a column 'data' nor 'attributes'" in failure(lambda: write(spark, emulator, spark.sql("select 'x' as ordering_key")))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A CA, and certificates it signed: good, expired, for another host; and one that signed itself."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=test ca")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "self.key", "-out", "self.pem", "-days", "30", "-subj", "/CN=localhost")
    for name, days, host in (("good", "30", "IP:127.0.0.1"), ("expired", "-1", "IP:127.0.0.1"), ("other", "30", "DNS:example.com")):
        (folder / f"{name}.ext").write_text(f"subjectAltName={host}\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=test")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", days, "-extfile", f"{name}.ext")
    return folder


@pytest.mark.parametrize(
    "certificate,words",
    [("expired", "expired"), ("other", "host name mismatch"), ("self", "not trusted")],
)
def test_bad_certificate(spark, certificates, tmp_path, certificate, words):
    server = Emulator("--tls-cert", str(certificates / f"{certificate}.pem"), "--tls-key", str(certificates / f"{certificate}.key"))
    try:
        text = start_error(
            spark, server, tmp_path, plaintext="false", caFile=str(certificates / "ca.pem"), accessToken="secret-token"
        )
        assert words in text and "secret-token" not in text
    finally:
        server.stop()


def test_good_certificate(spark, certificates, tmp_path):
    server = Emulator("--tls-cert", str(certificates / "good.pem"), "--tls-key", str(certificates / "good.key"))
    try:
        text = start_error(
            spark, server, tmp_path, plaintext="false", caFile=str(certificates / "ca.pem"), accessToken="secret-token"
        )
        assert "does not exist" in text  # through TLS, as far as the service's own answer
    finally:
        server.stop()


def test_plaintext_server_behind_tls_client(spark, emulator, tmp_path):
    text = start_error(spark, emulator, tmp_path, plaintext="false", accessToken="secret-token")
    assert "does not speak TLS" in text or "handshake" in text
