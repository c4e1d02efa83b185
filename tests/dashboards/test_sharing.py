"""The one feed of a process: whoever asks first, in whatever thread, all get the same one."""

import threading
import time
from types import SimpleNamespace

import pytest

from dashboards import sharing


@pytest.fixture(autouse=True)
def nothing_shared():
    sharing.share(None)
    yield
    sharing.share(None)


def test_threads_that_ask_at_once_get_one_feed_which_is_started_once(monkeypatch):
    made, started, answers = [], [], []
    loop = SimpleNamespace(call_soon_threadsafe=lambda _start, feed: started.append(feed))
    together = threading.Barrier(8)

    def slow_to_make(_source):
        made.append(object())
        time.sleep(0.05)  # a thread that looks meanwhile finds none yet
        return made[-1]

    def ask():
        together.wait(10)
        answers.append(sharing.feed(loop))

    monkeypatch.setattr(sharing, "Feed", slow_to_make)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(answers) == 8
    assert len(made) == 1
    assert started == made
    assert set(map(id, answers)) == {id(made[0])}
