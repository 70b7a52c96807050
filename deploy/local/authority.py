"""A certificate authority of our own, for brokers that speak AMQPS with each other in the demo and in tests.

A real instance uses certificates that peers' machines already trust, or an authority that the cooperatives share.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local import folders

VALID_FOR = timedelta(days=30)
_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Files with a certificate and its private key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates. Its own certificate is in `ca_file`; the private key is in memory alone."""

    def __init__(self, folder: Path) -> None:
        self._account = folders.account()
        self._folder = folders.make_private(folder, self._account)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Maillage, own authority")])
        everything = x509.BasicConstraints(ca=True, path_length=0)
        certificate = (
            _builder(self._name, self._name, self._key, issued_by=self._key)
            .add_extension(everything, critical=True)
            .add_extension(_SIGNS, critical=True)
        )
        self.ca_file = self._folder / "ca.pem"
        self._write(self.ca_file, certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def issue(self, host: str) -> Certificate:
        """A certificate for the machine called `host`, good for both ends of a connection."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        certificate = (
            _builder(name, self._name, key, issued_by=self._key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(uses, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        files = Certificate(certificate=self._folder / f"{host}.pem", key=self._folder / f"{host}.key")
        self._write(files.certificate, certificate.public_bytes(Encoding.PEM))
        self._write(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return files

    def _write(self, path: Path, pem: bytes) -> None:
        folders.write_private(path, pem.decode(), self._account)


def _builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, issued_by: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    """With the key identifiers that strict readers want (RFC 5280, 4.2.1; Python from 3.13 on)."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=10))
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issued_by.public_key()), critical=False)
    )
