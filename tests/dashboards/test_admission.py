"""Pages that come at once are made one by one, and whoever watches is served in between."""

import asyncio
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest
from bokeh.application import Application
from bokeh.document import Document

from dashboards import page
from dashboards.admission import OneAtATime


async def test_work_that_is_due_gets_its_turn_between_any_two_pages():
    admission, done = OneAtATime(0.01), []

    async def open_page(number):
        await admission.on_session_created(None)
        done.append(number)
        time.sleep(0.02)  # a page being made holds the loop

    async def watch():
        while True:
            await asyncio.sleep(0.001)
            if done[-1:] != ["frame"]:
                done.append("frame")

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(open_page(number) for number in range(8)))
    watching.cancel()

    assert [each for each in done if each != "frame"] == list(range(8))
    assert done.count("frame") >= 7
    assert all(one == "frame" or two == "frame" for one, two in pairwise(done))


def test_page_itself_is_left_as_it_is():
    document = Document()

    OneAtATime().modify_document(document)

    assert document.roots == []


@pytest.mark.parametrize("address", ["192.0.2.2", "fd00::2", "10.0.0.7", "0.0.0.0"])
def test_panel_serve_shows_nothing_to_another_machine(address):
    with pytest.raises(page.NotForOthers, match="--dashboard --host"):
        page._refuse_strangers(asked_by(address))

    page._refuse_strangers(asked_by(address, OneAtATime()))  # our own server, which has its guards
    for own in ("127.0.0.1", "::1"):
        page._refuse_strangers(asked_by(own))


def asked_by(address, *handlers):
    """A document as a server makes it for whoever asks from an address."""
    context = SimpleNamespace(application_context=SimpleNamespace(application=Application(*handlers)))
    request = SimpleNamespace(remote_ip=address)
    return SimpleNamespace(session_context=SimpleNamespace(server_context=context, request=request))
