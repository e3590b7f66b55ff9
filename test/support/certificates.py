"""Certificates made on the spot, good ones and bad ones."""

import datetime
import ssl
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

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
