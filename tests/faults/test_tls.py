"""TLS is verified: from a server whose certificate is not good for its name and time, nothing is taken."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from poeticoins import connection
from tests.faults.serving import in_a_thread
from tests.following import BTC, following

OPENSSL = shutil.which("openssl") or ""
pytestmark = pytest.mark.skipif(not OPENSSL, reason="the openssl program makes the certificates")
MATCH = (
    '{"type":"last_match","trade_id":7,"side":"buy","size":"1","price":"2","product_id":"BTC-USD",'
    '"time":"2026-09-02T07:44:10.104422Z"}'
)


def openssl(*arguments: object) -> None:
    subprocess.run([OPENSSL, *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Path:
    """A directory with an authority's key and certificate, as strict as Python 3.13 wants one (RFC 5280)."""
    place = tmp_path_factory.mktemp("authority")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=Authority",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", place / "ca.key", "-out", place / "ca.pem")  # fmt: skip
    return place


@pytest.fixture
def certificate(authority, tmp_path) -> Callable[..., Path]:
    """Makes key and certificate in one file: for a name, and for some days from now on, 0 if it has expired."""

    def make(name: str, days: int = 1, *, self_signed: bool = False) -> Path:
        key, request, made, extra = (tmp_path / file for file in ("key", "request", "made", "extra"))
        extra.write_text(f"subjectAltName={name}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", request)
        signed_by = ["-signkey", key] if self_signed else ["-CA", authority / "ca.pem", "-CAkey", authority / "ca.key"]
        serial = [] if self_signed else ["-set_serial", 7]
        openssl("x509", "-req", "-in", request, "-days", days, "-extfile", extra, "-out", made, *signed_by, *serial)
        whole = tmp_path / "whole.pem"
        whole.write_text(made.read_text() + key.read_text())
        return whole

    return make


@asynccontextmanager
async def exchange_with(certificate: Path, connected: list[ServerConnection]) -> AsyncIterator[str]:
    """A wss:// server that sends a trade to whoever connects."""

    async def say(websocket: ServerConnection) -> None:
        connected.append(websocket)
        await websocket.send(MATCH)
        await websocket.wait_closed()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with serve(say, "127.0.0.1", 0, ssl=context) as server:
        yield f"wss://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


@pytest.mark.row(30)
@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"name": "IP:127.0.0.1", "self_signed": True}, "self-signed certificate"),
        ({"name": "IP:127.0.0.1", "days": 0}, "certificate has expired"),
        ({"name": "IP:127.0.0.2"}, "not valid for '127.0.0.1'"),
        ({"name": "DNS:ws-feed.exchange.coinbase.com"}, "not valid for '127.0.0.1'"),
    ],
    ids=["self-signed", "expired", "another address", "another name"],
)
def test_nothing_is_taken_from_an_exchange_with_a_bad_certificate(line, certificate, authority, made, words):
    with (
        in_a_thread(exchange_with(certificate(**made), connected := [])) as url,
        line.elsewhere("coinbase", url, SSL_CERT_FILE=str(authority / "ca.pem")),
    ):
        problem = line.seen("coinbase", lambda feed: feed["problem"])
        wait = line.seen("coinbase", lambda feed: feed["next_try_in"])

        assert "its certificate is not to be trusted" in problem
        assert words in problem
        assert "nothing was taken from it; someone may sit between us and the exchange" in problem
        assert 25 < wait <= 60
        assert not connected
        line.unbroken("bitstamp")
    assert 'alert="someone may sit between us' in line.tree.log.read_text()
    line.whole()


async def test_a_good_certificate_is_accepted(run_dir, certificate, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    connected: list[ServerConnection] = []
    async with (
        exchange_with(certificate("IP:127.0.0.1"), connected) as url,
        following(run_dir, None, BTC, urls={"coinbase": url}, backfill=False) as client,
    ):
        await client.until(lambda: client.items)

        assert connected


def test_names_and_certificates_are_checked_and_no_old_version_is_spoken():
    context = connection._verifying()

    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
