"""
Asking historical and the supervisor, and waiting the right time for them: what the context's questions share.

No supervisor: FeedUnavailable at once. One that is starting, or restarting historical: up to `answer_timeout` seconds,
then RequestTimeout. Blocks; safe in any thread, and in a running event loop (which it holds up meanwhile).
"""

import time
from contextlib import suppress
from typing import TypeVar

from poeticoins import answers, bus, control, messages, wire
from poeticoins.config import Settings
from poeticoins.errors import (
    FeedUnavailable,
    PoeticoinsError,
    RequestTimeout,
    UnknownProduct,
    WireMismatch,
    WrongAnswer,
)

A = TypeVar("A")
PATIENCE = 0.5  # seconds that one try may take: a question that died with historical is asked again


def require_supervisor(settings: Settings) -> None:
    """Raises FeedUnavailable, which says how to start one, if no supervisor runs on the run directory."""
    if control.holder(settings.run_dir) is None:
        raise FeedUnavailable(
            f"no supervisor runs on {settings.run_dir}; start one with `python supervisor.py`, or with"
            " `python supervisor.py --demo` for prices without a network"
        )


def ask_historical(settings: Settings, question: messages.Question, expected: type[A]) -> A:
    """
    The answer to `question`. Raises what historical refuses it with: UnknownProduct, WireMismatch, PoeticoinsError; and
    WrongAnswer for an answer that cannot be.
    """
    end = time.monotonic() + settings.answer_timeout
    data = wire.encode(question)
    while (left := end - time.monotonic()) > 0:
        require_supervisor(settings)
        with suppress(RequestTimeout):
            answer = _decoded(bus.ask(settings.socket("historical"), data, min(PATIENCE, left)))
            if isinstance(answer, messages.ErrorAnswer):
                raise _error(answer)
            if not isinstance(answer, expected):
                raise WrongAnswer(f"expected {expected.__name__} from historical, got {type(answer).__name__}")
            answers.require_fitting(question, answer)
            return answer
    raise RequestTimeout(
        f"historical did not answer within {settings.answer_timeout:g} s; `python supervisor.py status` says how it is"
    )


def _decoded(data: bytes) -> messages.Answer:
    try:
        return wire.decode_answer(data)
    except ValueError as error:
        raise WrongAnswer(f"expected an answer from historical, got {len(data)} bytes that are none: {error}") from None


def _error(answer: messages.ErrorAnswer) -> Exception:
    kinds: dict[str, type[Exception]] = {"unknown product": UnknownProduct, "wire mismatch": WireMismatch}
    return kinds.get(answer.code, PoeticoinsError)(answer.message)
