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
        self._groups: dict[Shown, list[Viewer]] | None = None
        self._shown: dict[Viewer, Shown] = {}

    def __len__(self) -> int:
        return len(self._viewers)

    def __contains__(self, viewer: Viewer) -> bool:
        return viewer in self._viewers

    def __iter__(self) -> Iterator[Viewer]:
        return iter(list(self._viewers))

    def add(self, viewer: Viewer) -> None:
        self._viewers.add(viewer)
        self.changed()

    def discard(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        self.changed()

    def watching(self) -> list[Viewer]:
        """Those that somebody sees."""
        return [viewer for viewer in self._viewers if not viewer.hidden]

    def groups(self) -> dict[Shown, list[Viewer]]:
        """The viewers that are seen, by what they show, so that each text is made once. The same until one changes."""
        if self._groups is None:
            self._groups = {}
            self._shown = {viewer: (viewer.selection, viewer.focus) for viewer in self.watching()}
            for viewer, shown in self._shown.items():
                self._groups.setdefault(shown, []).append(viewer)
        return self._groups

    def changed(self) -> None:
        """Some viewer came or went, shows something else, or is seen no more."""
        self._groups = None

    def shown(self, viewer: Viewer) -> Shown | None:
        """What `viewer` shows as of the groups; None if it is in none."""
        return self._shown.get(viewer)

    def at(self, place: str) -> list[Viewer]:
        """Those who are seen and are at `place`, one of dashboards.view.PLACES."""
        return [viewer for viewer in self.watching() if viewer.place == place]

    def tell(self, text: str, viewers: Iterable[Viewer]) -> None:
        """Shows `text` to those of `viewers` who are still here; who breaks is left out from then on."""
        here = [viewer for viewer in viewers if viewer in self._viewers]
        if broken := deliver(text, here):
            self._viewers.difference_update(broken)
            self.changed()
