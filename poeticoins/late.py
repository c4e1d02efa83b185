"""
What is published after its time: what a search has found when the trades after it were out, and what an audit finds
that a socket had left out.
"""

from collections.abc import Sequence

from poeticoins.backfill import Need
from poeticoins.model import Trade
from poeticoins.publication import Publication


def found(published: Publication, need: Need, trades: Sequence[Trade], at_ns: int, *, complete: bool) -> None:
    """The end of a search that nothing waits for: what it found, oldest first, and whether that is all there was."""
    # judged before the first goes out: each that does may push the id of a later one out of the memory
    trades = published.missing(need, trades)
    late = sum(map(published.known.is_late, trades)) if need.after_id is None else 0
    # the past that comes late goes out from the present back: a death midway leaves no hole that nobody knows of
    for trade in (*trades[late:], *reversed(trades[:late])):
        published.accept(trade, at_ns)  # an answer by time reaches up to its question: news, or known
    if complete:
        published.close_gaps(need, at_ns)


def audited(published: Publication, trades: Sequence[Trade], up_to_ns: int, at_ns: int) -> int:
    """
    What the exchange's REST lists of the time since the last audit; how many of these trades are news, and published
    now. up_to_ns: up to when the list is whole; 0 if it is not.
    """
    before = published.journal.trades
    begin_ns = published.remembers_since_ns  # before it, nobody can tell what is missing from what was told
    for trade in trades:
        if trade.traded_at_ns > begin_ns:
            published.accept(trade, at_ns)
    if up_to_ns:
        published.journal.audited(up_to_ns)
    return published.journal.trades - before
