"""What is known to be missing from one product's stream, by whom it is remembered. Pure."""

from collections import deque
from collections.abc import Iterator

from msgspec import structs

from poeticoins.model import Gap, Item, Product, Refill
from poeticoins.record import are_whole, pack, unpacked

MOST = 1_000


class Gaps:
    """The newest gaps, in the order in which they were told; those that have been refilled say so."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._gaps: deque[Gap] = deque(maxlen=MOST)

    def __iter__(self) -> Iterator[Gap]:
        return iter(self._gaps)

    def __len__(self) -> int:
        return len(self._gaps)

    def note(self, item: Item) -> None:
        """Keeps a gap, and on a refill its end."""
        if isinstance(item, Gap):
            self._gaps.append(item)
        elif isinstance(item, Refill):
            for at, gap in enumerate(self._gaps):
                if (gap.epoch, gap.sequence) == (item.epoch, item.gap):
                    self._gaps[at] = structs.replace(gap, refilled_at_ns=item.at_ns)

    def overrun(self, from_ns: int, to_ns: int, epoch: int, missing: int | None = None) -> None:
        """Something was gone before it was heard; missing: how many places of the stream, None: nobody knows."""
        self._gaps.append(Gap(self._product, "overrun", from_ns, to_ns, missing=missing, epoch=epoch))

    @property
    def records(self) -> bytes:
        """For the disk: the records of all gaps, then of the refills."""
        refills = [
            Refill(self._product, gap.sequence, gap.refilled_at_ns, gap.epoch)
            for gap in self._gaps
            if gap.refilled_at_ns is not None
        ]
        return b"".join([pack(gap) for gap in self._gaps] + [pack(refill) for refill in refills])

    def restore(self, records: bytes) -> None:
        """Takes what was on disk. Raises ValueError, and takes nothing, if that is none of it."""
        if not are_whole(records):
            raise ValueError("expected records of gaps, got what is none")
        for item in unpacked(records, self._product):
            self.note(item)
