"""Exchanges can be reached through a proxy, or past the one that the environment names; its password stays a secret."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest

from poeticoins.log import LineFormatter
from poeticoins.simulator.server import EmbeddedExchange
from tests.following import BTC, following


@asynccontextmanager
async def proxy(refusal: bytes = b"") -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy's host and port, and the first lines that it was sent; it answers all with `refusal`, if there is one."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            verb, target, _ = head.split(b"\r\n")[0].split(b" ")
            asked.append(verb + b" " + target)
            if refusal:
                writer.write(refusal)
                writer.close()
                return
            to = urlsplit(target.decode() if b"://" in target else f"//{target.decode()}")
            far_reader, far_writer = await asyncio.open_connection(to.hostname, to.port)
            if verb == b"CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                far_writer.write(head.replace(target, f"{to.path}?{to.query}".encode(), 1))
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
    writer.close()


def addresses(exchange: EmbeddedExchange) -> dict[str, dict[str, str]]:
    """Settings that reach the embedded exchange as one would reach a real one."""
    host = urlsplit(exchange.url).netloc
    return {"urls": {"coinbase": f"ws://{host}/coinbase"}, "rest_urls": {"coinbase": f"http://{host}/coinbase"}}


async def test_socket_and_rest_go_through_the_proxy_of_the_settings(run_dir):
    async with EmbeddedExchange() as exchange, proxy() as (host, asked):
        async with following(run_dir, None, BTC, proxy=f"http://{host}", **addresses(exchange)) as client:
            await client.until(lambda: len(client.ids) > 1000)

        assert {line.split(b" ")[0] for line in asked} == {b"CONNECT", b"GET"}


async def test_no_proxy_is_used_if_the_settings_say_none(run_dir, monkeypatch):
    async with EmbeddedExchange() as exchange, proxy() as (host, asked):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{host}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        async with following(run_dir, None, BTC, proxy="none", **addresses(exchange)) as client:
            await client.until(lambda: len(client.ids) > 1000)
        assert not asked

        async with following(run_dir, None, BTC, proxy="", **addresses(exchange)) as client:
            await client.until_state("live")
        assert asked


def all_that_was_said(caplog, client) -> str:
    lines = [LineFormatter("coinbase").format(record) for record in caplog.records]
    return "\n".join([*lines, str(client.facts)])


@pytest.mark.parametrize("refusal", [b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", b"SSH-2.0\r\n", b"\0" * 99])
async def test_a_proxy_that_does_not_let_us_through_is_an_alert_that_tells_no_secret(run_dir, caplog, refusal):
    caplog.set_level(logging.INFO)
    async with EmbeddedExchange() as exchange, proxy(refusal) as (host, _):
        url = f"http://somebody:canary@{host}"
        async with following(run_dir, None, BTC, proxy=url, **addresses(exchange)) as client:
            await client.until_problem("the proxy does not work")
            client.client._refills.want(client.need())
            await client.until(lambda: "could not refill" in caplog.text)

            assert "canary" not in all_that_was_said(caplog, client)
            assert "see the setting proxy" in all_that_was_said(caplog, client)


async def test_a_proxy_that_is_not_there_is_named_as_the_cause(run_dir, caplog):
    async with proxy() as (host, _):
        pass
    async with following(run_dir, None, BTC, proxy=f"http://somebody:canary@{host}", backfill=False) as client:
        await client.until_problem("the proxy does not work: it cannot be reached")

        assert "canary" not in all_that_was_said(caplog, client)


async def test_a_socks_proxy_without_its_package_is_no_bug_but_an_alert(run_dir, caplog):
    with suppress(ImportError):
        import python_socks  # noqa: F401

        pytest.skip("the package is there")
    async with following(run_dir, None, BTC, proxy="socks5://me:canary@127.0.0.1:1", backfill=False) as client:
        await client.until_problem("python-socks")

        assert "canary" not in all_that_was_said(caplog, client)
