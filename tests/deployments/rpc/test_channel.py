"""Connections use TLS if Ray's own channels do."""

import asyncio
import datetime
import ipaddress
from contextlib import aclosing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.replicas import Replica, all_items, client_of


@pytest.fixture(autouse=True)
def ray_uses_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set Ray's variables, with a self-signed certificate of this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "replica")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    monkeypatch.setenv("RAY_USE_TLS", "1")
    for variable, file in {"SERVER_CERT": pem, "SERVER_KEY": private, "CA_CERT": pem}.items():
        monkeypatch.setenv(f"RAY_TLS_{variable}", str(file))


async def test_calls_go_over_tls_if_ray_uses_it() -> None:
    async with client_of(Replica()) as (client, _):
        assert await all_items(client, "echo", ["a"]) == ["a"]


async def test_a_caller_without_tls_is_turned_away() -> None:
    replica = Replica()
    async with aclosing(replica.serve_connection()) as lease:
        address = await anext(lease)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(address.key)
        async with asyncio.timeout(10):
            # TLS may answer with an alert; no message follows it.
            assert len(await reader.read()) < 16
        writer.close()
    await replica.aclose()
