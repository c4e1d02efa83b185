"""Every error that Poeticoins raises on purpose, as one small tree under PoeticoinsError; and what no error may say."""

import re
from collections.abc import Iterable
from difflib import get_close_matches


class PoeticoinsError(Exception):
    """The root: catch it to catch everything that this package raises on purpose."""


class ConfigurationError(PoeticoinsError):
    """A setting that cannot be used. Says where it stands, which key, what was expected and what came. Exit 78."""


class UnknownProduct(PoeticoinsError, LookupError):
    """A product that nobody follows, or a text that names none. Names the nearest ones that are known."""

    @classmethod
    def among(cls, text: str, known: Iterable[str]) -> "UnknownProduct":
        names = sorted(known)
        near = get_close_matches(text, names, n=3, cutoff=0.6) or names[:3]
        hint = f"nearest: {', '.join(near)}" if near else "no product is followed"
        return cls(f"unknown product {text[:80]!r}; {hint}")


class FeedUnavailable(PoeticoinsError, ConnectionError):
    """No supervisor runs on the run directory, so nobody can answer. Says how to start one."""


class RequestTimeout(PoeticoinsError, TimeoutError):
    """A supervisor runs, but the process that was asked did not answer in time."""


class WrongAnswer(PoeticoinsError):
    """An answer that cannot be the one to its question. Says what was expected, what came, and how to mend it."""


class WireMismatch(PoeticoinsError):
    """The two ends of a socket speak different versions of the wire. Says which one to restart."""


class BadFrame(PoeticoinsError, ValueError):
    """A frame that does not mean what its exchange documents. It is counted and dropped; the feed goes on."""

    def __init__(self, why: str) -> None:
        super().__init__(why[:500])  # which may quote a value of a megabyte


class JournalError(PoeticoinsError, OSError):
    """The journal cannot be made or opened: no space, no permission, or another client holds it."""


_USERINFO = re.compile(r"//[^/\s]*@")
_SECRET = re.compile(
    r"\b((?:\w*[_-])?(?:api_?key|secret|token|passw(?:or)?d|signature)|authorization)"
    r"([\"']?\s*[=:]\s*[\"']?)(?:(?:basic|bearer)\s+)?[^\s\"'&,;]+",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """`text` without the user and the password of any URL in it, and without what a key, token or password is."""
    return _SECRET.sub(r"\1\2…", _USERINFO.sub("//…@", text))
