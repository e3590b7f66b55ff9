"""Access tokens from every kind of credentials, renewed and refused, in driver and executors; and nothing secret anywhere that people look.
The service is the emulator behind TLS, which demands one token; Google's endpoints of tokens are google_endpoints.py."""

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

import pytest

from certificates import ROOT_CA, issue
from conftest import PROJECT, Emulator, Reader, numbers, session, until, write
from google_endpoints import NAMES, Google

TOPIC, SUBSCRIPTION = f"projects/{PROJECT}/topics/topic1", f"projects/{PROJECT}/subscriptions/sub1"
STARTUP_SECRET = "startup-secret-0123456789"
ADC = "adc@p1.iam.gserviceaccount.com"


class SecureEmulator(Emulator):
    """Behind TLS; serves calls with the right token only."""

    def __init__(self, certificates, token):
        self.ca = certificates / "ca.pem"
        super().__init__(
            "--tls-cert", str(certificates / "server.pem"), "--tls-key", str(certificates / "server.key"), "--require-token", token,
            "--topic", TOPIC, "--subscription", f"{SUBSCRIPTION}={TOPIC}",
        )  # fmt: skip

    def _channel(self):
        import grpc

        return grpc.secure_channel(self.host, grpc.ssl_channel_credentials(self.ca.read_bytes()))

    def options(self, **more):
        return {"plaintext": "false", "caFile": str(self.ca), **more}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    import ipaddress

    folder = tmp_path_factory.mktemp("certificates")
    ROOT_CA.files(folder, "ca")
    issue(ROOT_CA, names=(ipaddress.ip_address("127.0.0.1"), *NAMES)).files(folder, "server")
    subprocess.run(
        ["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem", "-keystore", "trust.p12", "-storetype", "PKCS12"]
        + ["-storepass", "changeit"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def google(certificates):
    running = Google(certificates / "server.pem", certificates / "server.key")
    yield running
    running.stop()


def jvm_options(google, certificates):
    """A JVM that trusts Google's endpoints of this test and finds them by their real names."""
    return (
        f"-Djavax.net.ssl.trustStore={certificates}/trust.p12 -Djavax.net.ssl.trustStorePassword=changeit"
        f" -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort={google.proxy_port}"
    )


def end_jvm():
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    if gateway:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(60)
    SparkContext._gateway = SparkContext._jvm = None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("shown")
    (out / "events").mkdir()
    return out


@pytest.fixture(scope="module")
def spark(google, certificates, folder):
    """Two executor processes, in a JVM of this module: with its own environment, and all that it logs in a file."""
    end_jvm()
    key_file = folder.parent / "adc.json"
    key_file.write_text(json.dumps(google.service_account(ADC)))
    environment = dict(os.environ)
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(key_file)
    os.environ.pop("PUBSUB_EMULATOR_HOST", None)
    log = open(folder / "driver.log", "wb")
    stderr = os.dup(2)
    os.dup2(log.fileno(), 2)
    flags = jvm_options(google, certificates)
    try:
        running = session(
            "local-cluster[2,1,1024]", ui=True,
            **{
                "spark.driver.extraJavaOptions": flags, "spark.executor.extraJavaOptions": flags, "spark.ui.port": "0",
                "spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file://{folder}/events", "spark.eventLog.compress": "false",
                "spark.pubsub.privateKeyId": STARTUP_SECRET,
            },
        )  # fmt: skip
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.environ.clear()
        os.environ.update(environment)
    running.sparkContext.setLogLevel("INFO")
    yield running
    running.stop()
    end_jvm()
    log.close()


@pytest.fixture
def server(certificates):
    running = SecureEmulator(certificates, "nobody-has-this-one")
    yield running
    running.stop()


def fixed(google, folder):
    return google.token("fixed@x"), {"accessToken": google.token("fixed@x")}


def email_and_key(google, folder):
    return google.token("key@x"), {"clientEmail": "key@x", "privateKey": google.pem()}


def key_on_one_line(google, folder):
    """As it stands in a key file."""
    return google.token("line@x"), {"clientEmail": "line@x", "clientId": "1", "privateKeyId": "k", "privateKey": google.pem().replace("\n", "\\n")}


def key_json(google, folder):
    return google.token("json@x"), {"credentialsJson": json.dumps(google.service_account("json@x"))}


def in_file(folder, name, content):
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return {"credentialsFile": str(path)}


def key_file(google, folder):
    return google.token("file@x"), in_file(folder, "key", google.service_account("file@x"))


def application_default(google, folder):
    return google.token(ADC), {}


def impersonation_by_option(google, folder):
    return google.token("target@x"), {**email_and_key(google, folder)[1], "impersonateServiceAccount": "target@x"}


def impersonation_by_file(google, folder):
    return google.token("target2@x"), in_file(folder, "impersonated", google.impersonated("file@x", "target2@x"))


def subject(google, folder):
    path = folder / "subject"
    path.write_text(google.subject_token)
    return path


def workload_identity(google, folder):
    return google.token("federated"), in_file(folder, "federated", google.federated(subject(google, folder)))


def workload_identity_of_an_account(google, folder):
    return google.token("target3@x"), in_file(folder, "federated2", google.federated(subject(google, folder), "target3@x"))


KINDS = [
    fixed, email_and_key, key_on_one_line, key_json, key_file, application_default, impersonation_by_option, impersonation_by_file,
    workload_identity, workload_identity_of_an_account,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_credentials(spark, google, server, tmp_path, kind):
    """The service sees this one token, from the driver and from the executors that write and read."""
    token, options = kind(google, tmp_path)
    server.command(f"token {token}")
    write(spark, server, numbers(spark, 100), **server.options(**options))
    reader = Reader(spark, server, tmp_path / "checkpoint", **server.options(**options))
    reader.wait(100)
    reader.stop()
    assert len({row.message_id for row in reader.rows}) == 100
    assert server.left() == 0


def test_a_job_from_databricks(spark, google, server, tmp_path):
    """Its four options of an account, from TLS to the columns."""
    server.command(f"token {google.token('job@x')}")
    auth = {"clientId": "1", "clientEmail": "job@x", "privateKey": google.pem(), "privateKeyId": "k"}
    write(spark, server, numbers(spark, 10), **server.options(**auth))
    frame = (
        spark.readStream.format("pubsub-databricks").options(endpoint=server.host, caFile=str(server.ca))
        .options(projectId=PROJECT, subscriptionId="sub1", topicId="topic1", **auth).load()
    )  # fmt: skip
    query = frame.writeStream.format("memory").queryName("job").option("checkpointLocation", str(tmp_path / "checkpoint")).start()
    until(lambda: spark.table("job").count() == 10 or not query.isActive, 90)
    query.stop()
    assert query.exception() is None and spark.table("job").count() == 10
    assert google.times("job@x") >= 1 and server.left() == 0


def test_a_refused_token_is_replaced_once(spark, google, server, tmp_path):
    """The service stops to accept a token long before its end. Reading and writing go on, with one new token a process."""
    options = server.options(credentialsJson=json.dumps(google.service_account("revoked@x")))
    server.command(f"token {google.token('revoked@x')}")
    reader = Reader(spark, server, tmp_path / "checkpoint", numPartitions="2", **options)
    write(spark, server, numbers(spark, 100), **options)
    reader.wait(100)
    before = google.times("revoked@x")
    google.rotate("revoked@x")
    server.command(f"token {google.token('revoked@x')}")
    server.command("end-streams")
    write(spark, server, numbers(spark, 100), **options)
    reader.wait(200)
    reader.stop()
    assert len({row.message_id for row in reader.rows}) == 200 and server.left() == 0
    assert 1 <= google.times("revoked@x") - before <= 3  # the driver and two executors


def test_tokens_are_renewed_before_they_end(spark, google, server, tmp_path):
    """Four minutes before the end of its token a process asks for another; nothing is ever refused."""
    account = "short@x"
    google.expires_in = 235
    try:
        options = server.options(credentialsJson=json.dumps(google.service_account(account)))
        server.command(f"token {google.token(account)}")
        reader = Reader(spark, server, tmp_path / "checkpoint", numPartitions="2", **options)
        write(spark, server, numbers(spark, 100), **options)
        reader.wait(100)
        executors = int(reader.query.lastProgress["sources"][0]["metrics"]["executors"])
        google.expires_in = 3600
        google.rotate(account)  # the old one stays good: only a renewal brings the new one
        before = google.times(account)
        until(lambda: google.times(account) - before >= executors, 90)
        until(lambda: False, 1)  # on its way into the clients
        server.command(f"token {google.token(account)}")
        renewed = google.times(account)
        assert renewed - before == executors
        server.command("end-streams")
        write(spark, server, numbers(spark, 100), **options)
        reader.wait(200)
        reader.stop()
        assert google.times(account) - renewed <= 1  # the driver's own, for the write; readers had theirs
        assert server.left() == 0
    finally:
        google.expires_in = 3600


def failure(action):
    with pytest.raises(Exception) as caught:
        action()
    return str(caught.value)


def start_error(spark, server, tmp_path, **options):
    def run():
        reader = Reader(spark, server, tmp_path / "checkpoint", **options)
        reader.query.awaitTermination(90)
        raise reader.query.exception() or AssertionError("the query did not fail")

    return failure(run)


def test_an_endpoint_of_tokens_that_is_down_for_a_while(spark, google, server, tmp_path):
    """Tokens are due for renewal, and nobody renews them: reading and writing go on with what is still good."""
    account = "down@x"
    google.expires_in = 185
    try:
        options = server.options(credentialsJson=json.dumps(google.service_account(account)))
        server.command(f"token {google.token(account)}")
        reader = Reader(spark, server, tmp_path / "checkpoint", numPartitions="2", **options)
        write(spark, server, numbers(spark, 100), **options)
        reader.wait(100)
        until(lambda: google.times(account) >= 3, 60)  # the driver and both executors have one
        google.broken, google.refused = True, 0
        until(lambda: google.refused > 0, 60)
        assert google.refused > 0
        write(spark, server, numbers(spark, 100), **options)
        reader.wait(200)
        google.expires_in, google.broken = 3600, False
        before = google.times(account)
        until(lambda: google.times(account) > before, 90)
        assert google.times(account) > before  # tried again
        reader.stop()
        assert server.left() == 0
    finally:
        google.expires_in, google.broken = 3600, False


def test_a_token_that_is_not_accepted(spark, server, tmp_path):
    text = start_error(spark, server, tmp_path, **server.options(accessToken="ya29.secret-wrong"))
    assert "UNAUTHENTICATED" in text and "ya29" not in text


def test_credentials_that_are_none(spark, google, server, tmp_path):
    """Each says what is wrong with it, without a word of its content."""
    secret = "MIIEvQsecret-body"
    for options, words in (
        ({"credentialsFile": str(tmp_path / "nosuch.json")}, ["nosuch.json", "No such file"]),
        ({"credentialsJson": '{"type": "service_account", "private_key": "%s"}' % secret}, ["credentialsJson", "is not the JSON"]),
        ({"credentialsJson": secret}, ["credentialsJson", "is not the JSON"]),
        ({"clientEmail": "a@x", "privateKey": secret}, ["'privateKey' is not a private key", "BEGIN PRIVATE KEY"]),
        ({"clientEmail": "a@x"}, ["'clientEmail' and 'privateKey' belong together"]),
    ):
        text = start_error(spark, server, tmp_path, **server.options(**options))
        assert all(word in text for word in words) and secret not in text, text


def test_no_token_in_plaintext(spark, google, tmp_path):
    """A token for an endpoint without TLS is refused with the endpoint's name; credentials are not even asked for one."""
    token = google.token("plain@x")
    plain = Emulator("--require-token", token, "--topic", TOPIC, "--subscription", f"{SUBSCRIPTION}={TOPIC}")
    try:
        text = start_error(spark, plain, tmp_path, accessToken=token)
        assert plain.host in text and "never sent in plaintext" in text and token not in text
        text = failure(lambda: write(spark, plain, numbers(spark, 1), accessToken=token))
        assert plain.host in text and "never sent in plaintext" in text and token not in text
        text = start_error(spark, plain, tmp_path, clientEmail="plain@x", privateKey=google.pem())
        assert "no access token" in text and google.times("plain@x") == 0
    finally:
        plain.stop()


def shown_by_the_ui(spark):
    base = spark.sparkContext.uiWebUrl
    rest = f"{base}/api/v1/applications/{spark.sparkContext.applicationId}"
    pages = ["environment", "SQL/", "StreamingQuery/", "executors/", "jobs/", "stages/"]
    urls = [f"{base}/{page}" for page in pages] + [f"{rest}/{part}" for part in ("environment", "jobs", "stages", "sql?details=true&planDescription=true&length=1000")]
    urls += [f"{base}/SQL/execution/?id={n}" for n in range(40)]
    out = {}
    for url in urls:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                out[url] = answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as e:
            assert "execution/" in url, (url, e)
    return out


def test_nothing_secret_is_shown(spark, google, server, folder, tmp_path, capfd):
    """Everything that a person can see of this session, which has used every kind of credentials: logs of driver and executors, plans,
    progress, UI, event log, checkpoint."""
    pem = google.pem()
    token = google.token("shown@x")
    options = server.options(clientEmail="shown@x", privateKey=pem)
    server.command(f"token {token}")
    capfd.readouterr()
    spark.conf.set("spark.pubsub.credentialsJson", json.dumps({"private_key": pem}))  # in the session's settings, too
    try:
        write(spark, server, numbers(spark, 100), **options)
        reader = Reader(spark, server, tmp_path / "checkpoint", **options)
        reader.wait(100)
        progress = json.dumps([json.loads(p.json) if hasattr(p, "json") else p for p in reader.query.recentProgress], default=str)
        reader.query.explain(True)
        # A streaming write, with its options in its plan.
        copy = (
            spark.readStream.format("rate").load().selectExpr("cast(value as string) as data").writeStream.format("pubsub")
            .options(endpoint=server.host, topicId=TOPIC, checkpointLocation=str(tmp_path / "copy"), **options).start()
        )  # fmt: skip
        until(lambda: copy.lastProgress or not copy.isActive, 60)
        copy.explain(True)
        copy.stop()
        reader.stop()
        assert copy.exception() is None
        source = spark.readStream.format("pubsub").options(endpoint=server.host, subscriptionId=SUBSCRIPTION, **options).load()
        source.explain(True)
        described = str(source._jdf.queryExecution()) + str(source) + str(reader.query.status)
        shown = shown_by_the_ui(spark)
    finally:
        spark.conf.unset("spark.pubsub.credentialsJson")
    shown["printed"] = "".join(capfd.readouterr()) + described + progress
    home = pathlib.Path(os.environ.get("SPARK_HOME") or __import__("pyspark").__path__[0])
    logs = [*(home / "work" / spark.sparkContext.applicationId).glob("*/std*"), folder / "driver.log"]
    checkpoints = [p for p in [*tmp_path.rglob("*"), *folder.joinpath("events").rglob("*")] if p.is_file()]
    for path in [*logs, *checkpoints]:
        shown[str(path)] = path.read_text(errors="replace")
    assert len(logs) >= 5 and any("sources" in name or "offsets" in name for name in shown) and any("/events/" in name for name in shown)
    assert any("AppendData" in text or "WriteToDataSourceV2" in text for text in shown.values())  # plans of writes are among it
    body = pem.splitlines()[5]  # of the key
    secrets = [body, body[:30], google.subject_token, *google.issued]
    for name, text in shown.items():
        for secret in secrets:
            assert secret not in text, f"{name} shows {secret[:14]}…: {text[max(0, text.index(secret) - 300):][:300]}"
        # What was given before the connector could speak: Spark's own pattern decides of the event log's first lines.
        if "/events/" not in name:
            assert STARTUP_SECRET not in text, name


MISSING = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.jars", sys.argv[1]).config("spark.ui.enabled", "false").getOrCreate()
try:
    spark.range(1).selectExpr("'x' as data").write.format("pubsub").options(endpoint=sys.argv[2], caFile=sys.argv[3], topicId=sys.argv[4]).mode("append").save()
except Exception as e:
    print("FAILED:", e)
"""


def test_no_credentials_at_all(server, certificates, tmp_path):
    """A machine that has none, outside of Google's cloud."""
    from conftest import JAR

    environment = {k: v for k, v in os.environ.items() if k not in ("GOOGLE_APPLICATION_CREDENTIALS", "PUBSUB_EMULATOR_HOST")}
    environment.update(NO_GCE_CHECK="true", HOME=str(tmp_path), CLOUDSDK_CONFIG=str(tmp_path))
    arguments = [sys.executable, "-c", MISSING, JAR, server.host, str(server.ca), TOPIC]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=300)
    text = done.stdout[done.stdout.index("FAILED:") :]
    for word in ("no access token", "credentialsFile", "credentialsJson", "clientEmail", "privateKey", "GOOGLE_APPLICATION_CREDENTIALS"):
        assert word in text.split("\n")[0] + text
