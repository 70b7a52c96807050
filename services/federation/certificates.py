"""Certificates by which a peer's broker says who it is (AMQP's mechanism EXTERNAL), signed by an authority of our own.

`python -m services peer-certificate <link id>` signs the request that it reads. What it writes into the certificate is
the broker user of that link and nothing of what was asked: with a name of its own choice a peer would become anybody.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.chassis import names
from services.chassis.settings import ServiceSettings, load

AUTHORITY, AUTHORITY_KEY = "border_authority.pem", "border_authority_key.pem"
"""In the folder of secrets; the first is what our broker trusts when peers connect, and no secret."""

AUTHORITY_VALID, VALID = timedelta(days=3650), timedelta(days=400)
_EARLIER = timedelta(minutes=10)


class RequestRefused(ValueError):
    """What was handed in is no request for a certificate."""


def make_authority(folder: Path, instance: str, *, now: datetime) -> None:
    """Make the authority of `instance` in `folder`, unless it is there. `now`: aware UTC."""
    if (folder / AUTHORITY_KEY).exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Maillage border of {instance}")])
    certificate = (
        _from(name, now, AUTHORITY_VALID)
        .subject_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(folder / AUTHORITY_KEY, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
    _write(folder / AUTHORITY, certificate.public_bytes(Encoding.PEM), mode=0o644)


def sign(request: bytes, user: str, folder: Path, *, now: datetime) -> bytes:
    """The certificate of the broker user `user` for the key of `request`, both PEM. Raises RequestRefused, OSError."""
    try:
        asked = x509.load_pem_x509_csr(request)
    except ValueError as error:
        raise RequestRefused(f"this is no request for a certificate: {error}") from error
    if not asked.is_signature_valid:
        raise RequestRefused("the request is not signed by its own key")
    authority = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
    key = load_pem_private_key((folder / AUTHORITY_KEY).read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise RequestRefused(f"{folder / AUTHORITY_KEY} is not the key that was made here")
    certificate = (
        _from(authority.subject, now, VALID)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Maillage peer")]))
        .public_key(asked.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(user)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def _from(issuer: x509.Name, now: datetime, valid: timedelta) -> x509.CertificateBuilder:
    blank = x509.CertificateBuilder().issuer_name(issuer).serial_number(x509.random_serial_number())
    return blank.not_valid_before(now - _EARLIER).not_valid_after(now + valid)


def _write(path: Path, pem: bytes, *, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(pem)


def main(arguments: list[str]) -> None:
    """Command line: with a link's id, sign the request on standard input; without one, make the authority alone."""
    settings, now = load(ServiceSettings), datetime.now(UTC)
    try:
        make_authority(settings.secrets_dir, settings.instance, now=now)
        for argument in arguments[:1]:
            user = names.peer_user(settings.instance, str(UUID(argument)))
            sys.stdout.write(sign(sys.stdin.buffer.read(), user, settings.secrets_dir, now=now).decode())
    except (ValueError, OSError) as error:
        sys.exit(f"peer-certificate: {error}")
