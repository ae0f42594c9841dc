"""The department's own little certificate authority: it makes the certificates of its nodes, sound or wrong on purpose.

Keys are on P-256, so that a certificate costs a millisecond; they lie beside the certificates, readable by their owner
alone, and are worth nothing outside a lab. Validity is counted by the machine's clock, as TLS does.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.dicom.tls import TlsIdentity
from sandbox.model.errors import UnavailableError
from sandbox.model.files import write_whole

PRIVATE = 0o600
_DAY = datetime.timedelta(days=1)
# Clocks of a department are never quite the same.
_MARGIN = datetime.timedelta(hours=1)
_AUTHORITY_DAYS = 3650
_USES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


class Flaw(StrEnum):
    """What is wrong with a certificate that is made to be wrong."""

    NONE = "none"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    WRONG_NAME = "wrong-name"
    WRONG_AUTHORITY = "wrong-authority"
    SELF_SIGNED = "self-signed"


_VALIDITY: dict[Flaw, tuple[datetime.timedelta, datetime.timedelta]] = {
    Flaw.EXPIRED: (-398 * _DAY, -1 * _DAY),
    Flaw.NOT_YET_VALID: (30 * _DAY, 428 * _DAY),
}
"""From when to when, counted from now, where that is the flaw."""
_ANOTHER_NAME = ("old-server.example",)


@dataclass(frozen=True)
class CertificateFacts:
    """What stands in a certificate, as a certificate viewer shows it. Times are UTC; keys are the first eight digits of
    their identifiers (RFC 5280 4.2.1.1, 4.2.1.2), by which authorities of one name are told apart."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    since: datetime.datetime
    until: datetime.datetime
    key: str
    issuer_key: str


def read_certificate(path: Path) -> CertificateFacts:
    """What the first certificate in a PEM file says. UnavailableError when there is none that can be read."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as wrong:
        raise UnavailableError(f"{path.name} cannot be read as a certificate: {wrong}.", "Renew it.") from wrong
    return _facts(found)


def describe_certificate(encoded: bytes) -> CertificateFacts:
    """What a certificate says that a peer has shown (DER). UnavailableError when it cannot be read."""
    try:
        return _facts(x509.load_der_x509_certificate(encoded))
    except ValueError as wrong:
        raise UnavailableError(
            f"The certificate cannot be read: {wrong}.", "Whoever shows it needs another."
        ) from wrong


def _facts(found: x509.Certificate) -> CertificateFacts:
    extensions = found.extensions
    names: tuple[str, ...] = ()
    with suppress(x509.ExtensionNotFound):
        named = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = (*named.get_values_for_type(x509.DNSName), *map(str, named.get_values_for_type(x509.IPAddress)))
    key = issuer_key = ""
    with suppress(x509.ExtensionNotFound):
        key = issuer_key = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()[:8]
    with suppress(x509.ExtensionNotFound):
        issued_by = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        issuer_key = (issued_by or b"").hex()[:8]
    return CertificateFacts(
        subject=_common_name(found.subject),
        issuer=_common_name(found.issuer),
        names=names,
        since=found.not_valid_before_utc,
        until=found.not_valid_after_utc,
        key=key,
        issuer_key=issuer_key,
    )


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


@dataclass(frozen=True)
class _Signer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """A certificate authority that lives in ``directory`` (authority.pem and its key), made there when there is none.
    May be used from several threads."""

    def __init__(self, directory: Path, name: str = "Department CA") -> None:
        self.certificate = directory / "authority.pem"
        self._key = directory / "authority.key"
        self._name = name
        self._lock = threading.Lock()

    def ready(self) -> Path:
        """The authority's certificate, for those who shall trust it; made now if there is none."""
        self._signer()
        return self.certificate

    def another(self) -> str:
        """The certificate (PEM) of another authority of the same name: only its key tells them apart."""
        return _new_authority(self._name).certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def issue(
        self,
        directory: Path,
        name: str,
        hosts: Sequence[str] = (),
        *,
        days: float = 397,
        flaw: Flaw = Flaw.NONE,
    ) -> TlsIdentity:
        """A certificate for ``name`` (a node or AE title) at ``hosts`` (names and addresses), for servers and clients
        alike, valid for ``days`` (negative: it ended so long ago), with ``flaw``. It replaces certificate.pem and
        key.pem in ``directory``."""
        key = ec.generate_private_key(ec.SECP256R1())
        hosts = _ANOTHER_NAME if flaw is Flaw.WRONG_NAME else hosts
        subject = _name(_ANOTHER_NAME[0] if flaw is Flaw.WRONG_NAME else name)
        sound = (-_MARGIN, days * _DAY) if days > 0 else ((days - 397) * _DAY, days * _DAY)
        since, until = _VALIDITY.get(flaw, sound)
        if flaw is Flaw.SELF_SIGNED:
            issuer, signing = subject, key
        else:
            # Another authority of the same name: only the keys tell them apart.
            signer = _new_authority(self._name) if flaw is Flaw.WRONG_AUTHORITY else self._signer()
            issuer, signing = signer.certificate.subject, signer.key
        names = [_general_name(host) for host in dict.fromkeys(hosts)]
        builder = (
            _begun(subject, issuer, key, since, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_USES), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        identity = TlsIdentity(directory / "certificate.pem", directory / "key.pem")
        _write(identity.key, identity.certificate, _Signer(builder.sign(signing, hashes.SHA256()), key))
        return identity

    def _signer(self) -> _Signer:
        with self._lock:
            if not self.certificate.exists():
                _write(self._key, self.certificate, _new_authority(self._name))
            try:
                key = serialization.load_pem_private_key(self._key.read_bytes(), None)
                certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            except (OSError, ValueError) as wrong:
                raise UnavailableError(
                    f"The department's certificate authority in {self.certificate.parent} cannot be read: {wrong}.",
                    "Delete it and all certificates it has made; a new one is made then.",
                ) from wrong
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return _Signer(certificate, key)


def _new_authority(name: str) -> _Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = (
        _begun(subject, subject, key, -_MARGIN, _AUTHORITY_DAYS * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return _Signer(builder.sign(key, hashes.SHA256()), key)


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    since: datetime.timedelta,
    until: datetime.timedelta,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + since)
        .not_valid_after(now + until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common: str) -> x509.Name:
    # PS3.15 asks nothing of names. A common name has at most 64 characters (X.520).
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(key_file: Path, certificate_file: Path, signer: _Signer) -> None:
    """Key first: a certificate without its key would be taken for a whole identity."""
    key_file.parent.mkdir(parents=True, exist_ok=True)
    key = signer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate = signer.certificate.public_bytes(serialization.Encoding.PEM)
    write_whole(key_file, key.decode("ascii"), mode=PRIVATE)
    write_whole(certificate_file, certificate.decode("ascii"))
