"""Google's endpoints of access tokens, at home: a TLS server that is oauth2, sts and iamcredentials at once, and a proxy that connects every
name to it. What clients present is checked: the signature of a key, the subject of a federation, the token that impersonates."""

import base64
import datetime
import http.server
import json
import socket
import ssl
import threading
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NAMES = ("oauth2.googleapis.com", "sts.googleapis.com", "iamcredentials.googleapis.com", "localhost")


class Google:
    """Tokens of accounts. An account's token stays the same until it is rotated."""

    def __init__(self, certificate, key):
        self.private_key = rsa.generate_private_key(65537, 2048)
        self.subject_token = "subject-secret-0123456789"
        self.user = ("client-id", "client-secret-0123456789", "refresh/secret+0123456789=")
        self.expires_in = 3600
        self.broken = False  # answers nobody
        self.refused = 0  # requests, while it was
        self.asked = []  # an account for each token that was given
        self.issued = set()
        self._generations = {}
        self._lock = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: _Handler(self, *a))
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._proxy = socket.create_server(("127.0.0.1", 0))
        self.proxy_port = self._proxy.getsockname()[1]
        for loop in (self._server.serve_forever, self._serve_proxy):
            threading.Thread(target=loop, daemon=True).start()

    def stop(self):
        self._proxy.close()
        self._server.shutdown()
        self._server.server_close()

    # ---- accounts ----

    def token(self, account):
        with self._lock:
            token = f"ya29.secret-{account.split('@')[0]}-{self._generations.get(account, 0)}"
            self.issued.add(token)
            return token

    def rotate(self, account):
        """The account's tokens of before are not given any more."""
        with self._lock:
            self._generations[account] = self._generations.get(account, 0) + 1

    def times(self, account):
        return self.asked.count(account)

    def pem(self):
        return self.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def service_account(self, email):
        """The content of its key file."""
        return {
            "type": "service_account", "project_id": "p1", "private_key_id": "key-1", "private_key": self.pem(), "client_email": email,
            "client_id": "1", "token_uri": "https://oauth2.googleapis.com/token",
        }  # fmt: skip

    def authorized_user(self):
        """What `gcloud auth application-default login` leaves."""
        names = ("client_id", "client_secret", "refresh_token")
        return {"type": "authorized_user", "quota_project_id": "p1", **dict(zip(names, self.user))}

    def impersonated(self, email, target):
        url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{target}:generateAccessToken"
        source = {"type": "service_account", **self.service_account(email)}
        return {"type": "impersonated_service_account", "service_account_impersonation_url": url, "source_credentials": source}

    def federated(self, subject_file, target=None):
        """A workload identity federation that reads its subject from a file."""
        audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider"
        content = {
            "type": "external_account", "audience": audience, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token", "credential_source": {"file": str(subject_file)},
        }  # fmt: skip
        if target:
            content["service_account_impersonation_url"] = self.impersonated("", target)["service_account_impersonation_url"]
        return content

    # ---- what arrives ----

    def answer(self, path, headers, body):
        """(status, JSON)."""
        if self.broken:
            self.refused += 1
            return 503, {"error": "unavailable"}
        if path.endswith(":generateAccessToken"):
            given = headers.get("authorization", "").removeprefix("Bearer ")
            if given not in self.issued:
                return 401, {"error": "who are you"}
            account = urllib.parse.unquote(path.rsplit("/", 1)[1].split(":")[0])
            end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.expires_in)
            return 200, {"accessToken": self._give(account), "expireTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if path == "/token" and form["grant_type"] == "refresh_token":
            if (form["client_id"], form["client_secret"], form["refresh_token"]) != self.user:
                return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return 200, {"access_token": self._give("user"), "token_type": "Bearer", "expires_in": self.expires_in}
        if path == "/token":
            account = self._signer(form["assertion"])
            return 200, {"access_token": self._give(account), "token_type": "Bearer", "expires_in": self.expires_in}
        if path == "/v1/token" and form["subject_token"] == self.subject_token:
            answer = {"access_token": self._give("federated"), "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}
            return 200, {**answer, "token_type": "Bearer", "expires_in": self.expires_in}
        return 403, {"error": "access_denied"}

    def _give(self, account):
        self.asked.append(account)
        return self.token(account)

    def _signer(self, assertion):
        signed, signature = assertion.rsplit(".", 1)
        self.private_key.public_key().verify(_decode(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return json.loads(_decode(signed.split(".")[1]))["iss"]

    # ---- the proxy ----

    def _serve_proxy(self):
        while True:
            try:
                client, _ = self._proxy.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return
            head += piece
        server = socket.create_connection(self._server.server_address)
        client.sendall(b"HTTP/1.1 200 connected\r\n\r\n")
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()
        client.close()
        server.close()


def _decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _pump(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, google, *arguments):
        self.google = google
        super().__init__(*arguments)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            status, answer = self.google.answer(self.path, self.headers, body)
        except Exception as e:  # of a client that does it wrong
            status, answer = 400, {"error": type(e).__name__}
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


class Metadata:
    """The metadata server of a machine, in plaintext; its account is `default`."""

    def __init__(self, google, account="default", path="/computeMetadata/v1/instance/service-accounts/default/token"):
        outer = self
        self.asked = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                good = self.path.startswith(path)
                if not good or self.headers.get("Metadata-Flavor") != "Google":
                    self.send_error(403)
                    return
                outer.asked += 1
                answer = {"access_token": google.token(account), "expires_in": google.expires_in, "token_type": "Bearer"}
                text = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Metadata-Flavor", "Google")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in (text[:7], text[7:]):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *arguments):
                pass

        Handler.protocol_version = "HTTP/1.1"
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
