# SPDX-License-Identifier: MIT
"""A certification authority of our own and a server certificate for loopback."""

import datetime
import ipaddress
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)
CA_NAME = "Simulated Microsoft CA"


def write_private(path: Path, data: bytes) -> None:
    """Writes the whole file or none of it, readable by its owner only."""
    partial = path.with_name(path.name + ".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
    os.replace(partial, path)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: str, issuer: str, key, days: float) -> x509.CertificateBuilder:
    now = datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY).not_valid_after(now + days * _DAY))


def _usage(**true_bits) -> x509.KeyUsage:
    bits = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                          "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**{**bits, **true_bits})


def _make_ca(name: str) -> tuple:
    """A key and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key, (_builder(name, name, key, 90)
                 .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                 .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
                 .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                 .sign(key, hashes.SHA256()))


def _make_context(bundle: Path, ca_key, host: str = "localhost", hours: int = 30 * 24) -> ssl.SSLContext:
    """A certificate for a host, signed by that CA and good for so many hours; written into `bundle` with its key."""
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(host)] + ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))] if host == "localhost" else [])
    leaf = (_builder(host, CA_NAME, leaf_key, hours / 24)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256()))
    pem = serialization.Encoding.PEM
    write_private(bundle, leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
                  + leaf.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(bundle)
    return context


def make_contexts(directory: Path) -> tuple:
    """Writes ca.pem into `directory`; a TLS context for localhost and 127.0.0.1, and {name: one that nobody may trust}."""
    (ca_key, ca), (other_key, _) = _make_ca(CA_NAME), _make_ca(CA_NAME)
    write_private(directory / "ca.pem", ca.public_bytes(serialization.Encoding.PEM))
    return _make_context(directory / "server.pem", ca_key), {
        "wrong_host": _make_context(directory / "wrong_host.pem", ca_key, host="elsewhere.example"),
        "expired": _make_context(directory / "expired.pem", ca_key, hours=-2),
        "unknown_ca": _make_context(directory / "unknown_ca.pem", other_key)}
