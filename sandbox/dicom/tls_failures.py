"""Why a TLS handshake failed, in an administrator's words: what OpenSSL found itself, and what the peer's alert says.

Tables by OpenSSL's own names, so that what is not in them still shows the name to look up. A clause has no full stop.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping

HANDSHAKE = 0x16
ALERT = 0x15

CERTIFICATE_FAULTS: Mapping[int, str] = {
    2: "the peer's certificate comes without that of its authority",
    7: "the signature of the peer's certificate is wrong",
    9: "the peer's certificate is not valid yet",
    10: "the peer's certificate has expired",
    18: "the peer's certificate is signed by nobody but itself",
    19: "the peer's certificate comes from an authority that is not trusted here",
    20: "the peer's certificate comes from an authority that is not trusted here",
    21: "the peer's certificate comes without that of its authority",
    23: "the peer's certificate was revoked",
    24: "the authority behind the peer's certificate is none",
    26: "the peer's certificate is not meant for this use",
    62: "the peer's certificate is for another name",
    64: "the peer's certificate is for another address",
}
"""X509_V_ERR_* of OpenSSL: what was wrong with a certificate that was shown to us."""

REASONS: Mapping[str, str] = {
    "CERTIFICATE_VERIFY_FAILED": "the peer's certificate cannot be verified",
    "HTTP_REQUEST": "the peer speaks HTTP to a port with TLS",
    "NO_SHARED_CIPHER": "the two sides have no cipher suite in common",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "the peer cannot check signatures of the kind our certificate has",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the peer showed no certificate, and one is required",
    "UNEXPECTED_EOF_WHILE_READING": "the peer closed the connection during the handshake",
    "UNSUPPORTED_PROTOCOL": "the peer offers only versions of TLS that are too old",
    "VERSION_TOO_LOW": "the peer offers only versions of TLS that are too old",
    "WRONG_VERSION_NUMBER": "the peer does not speak TLS",
    "WRONG_SSL_VERSION": "the peer does not speak TLS",
    "PACKET_LENGTH_TOO_LONG": "the peer does not speak TLS",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the peer does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer says that our certificate has expired or is not valid yet",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "the peer says that our certificate was revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the peer does not accept our certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer found no common settings, or wants a certificate of us",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "the peer says that our certificate is not meant for this use",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the peer requires a certificate of us",
    "TLSV1_ALERT_ACCESS_DENIED": "the peer knows our certificate and does not let us in",
    "TLSV1_ALERT_DECRYPT_ERROR": "the peer could not verify our signature",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "the peer asks for stronger cipher suites",
    "TLSV1_ALERT_INTERNAL_ERROR": "the peer failed on its own side",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the peer does not take the versions of TLS offered",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer does not trust the authority that signed our certificate",
    "TLSV1_UNRECOGNIZED_NAME": "the peer does not know the name by which it was called",
}
"""OpenSSL's reasons; an ALERT is what the peer told us."""


def explain_tls_failure(wrong: OSError | ValueError) -> str:
    """A clause that says why TLS failed."""
    if isinstance(wrong, ssl.SSLCertVerificationError):
        words = CERTIFICATE_FAULTS.get(wrong.verify_code, REASONS["CERTIFICATE_VERIFY_FAILED"])
        return f"{words} ({wrong.verify_message.rstrip('.')})" if wrong.verify_message else words
    if isinstance(wrong, ssl.SSLEOFError | ConnectionResetError | BrokenPipeError):
        return REASONS["UNEXPECTED_EOF_WHILE_READING"]
    if isinstance(wrong, ssl.SSLError):
        reason = str(wrong.reason or "")
        return REASONS.get(reason) or f"OpenSSL says {reason.replace('_', ' ').lower() or wrong}"
    return str(getattr(wrong, "strerror", "") or wrong)
