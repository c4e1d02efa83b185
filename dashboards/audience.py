"""The open pages of this process, and who of them shows the same."""

from collections.abc import Iterable, Iterator

from dashboards.delivery import Viewer, deliver
from dashboards.view import Selection

Shown = tuple[Selection, str | None]
"""What a frame for a page depends on: its selection and the product that it has open."""


class Audience:
    """On the server's loop only."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()

    def __len__(self) -> int:
        return len(self._viewers)

    def __contains__(self, viewer: Viewer) -> bool:
        return viewer in self._viewers

    def __iter__(self) -> Iterator[Viewer]:
        return iter(list(self._viewers))

    def add(self, viewer: Viewer) -> None:
        self._viewers.add(viewer)

    def discard(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def watching(self) -> list[Viewer]:
        """Those that somebody sees."""
        return [viewer for viewer in self._viewers if not viewer.hidden]

    def groups(self) -> dict[Shown, list[Viewer]]:
        """The viewers that are seen, by what they show, so that each text is made once."""
        groups: dict[Shown, list[Viewer]] = {}
        for viewer in self.watching():
            groups.setdefault((viewer.selection, viewer.focus), []).append(viewer)
        return groups

    def at(self, place: str) -> list[Viewer]:
        """Those of whom somebody sees the page, and at `place`: one of dashboards.view.PLACES."""
        return [viewer for viewer in self.watching() if viewer.place == place]

    def opened(self) -> set[str]:
        """The products that some page has open before somebody's eyes."""
        return {viewer.focus for viewer in self.watching() if viewer.focus}

    def tell(self, text: str, viewers: Iterable[Viewer]) -> None:
        """Shows `text` to those of `viewers` who are still here; who breaks is left out from then on."""
        here = [viewer for viewer in viewers if viewer in self._viewers]
        self._viewers.difference_update(deliver(text, here))
