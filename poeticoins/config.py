"""
The settings: one frozen dataclass, from its defaults, then `poeticoins.toml`, `POETICOINS_*` and the command line.

Read once, at an entry point, and passed by hand; nothing reads the environment on import.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from poeticoins.errors import ConfigurationError
from poeticoins.exchange_tables import of_exchanges
from poeticoins.model import Mode, Product
from poeticoins.setting_values import converted

SOCKET_PATH_LIMIT = 107  # sun_path on Linux, less its terminator
LONGEST_SOCKET = 16 * "x" + "-replay.sock"  # an exchange's name has at most 16 characters
DEFAULT_FILE = Path("poeticoins.toml")
_ORIGIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
"""A host, at need with its port: no wildcard, which would let every page that a browser has open in."""


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. Each field is a key of `poeticoins.toml` and, in capitals, `POETICOINS_<FIELD>`."""

    run_dir: Path = Path()
    """Where sockets, journals, the lock and the status live; mode 0700."""
    exchanges: tuple[str, ...] = ()
    """The exchanges to follow, by name; empty: every one that is known."""
    products: Mapping[str, tuple[Product, ...]] = field(default_factory=dict)
    """Products by exchange, from `[exchanges.NAME] products = [...]`; an exchange without any follows its defaults."""

    urls: Mapping[str, str] = field(default_factory=dict)
    """WebSocket addresses by exchange, from `[exchanges.NAME] url = "wss://…"`; else the exchange's own."""
    rest_urls: Mapping[str, str] = field(default_factory=dict)
    """REST addresses by exchange, from `[exchanges.NAME] rest_url = "https://…"`, without a path of their own or with
    one that is put before the exchange's; else the exchange's own."""
    proxy: str = field(default="", repr=False)
    """How exchanges are reached: "": as HTTPS_PROXY, ALL_PROXY and NO_PROXY say; "none": directly; or a proxy's URL."""

    host: str = "127.0.0.1"
    """The address that the dashboard listens on."""
    port: int = 8050
    """The port that the dashboard listens on; 0: any free one."""
    allow_origin: tuple[str, ...] = ()
    """Further `host:port` names under which browsers may open the dashboard."""

    ring_capacity: int = 50_000
    """Trades a product that historical keeps in memory (56 bytes each)."""
    journal_capacity: int = 50_000
    """Trades a product that a client's journal keeps on disk (56 bytes each); historical restarts from them."""
    bars_1s: int = 86_400
    """One-second bars a product: a day (60 bytes each). Seconds without a trade take no bar."""
    bars_1m: int = 10_080
    """One-minute bars a product: a week."""
    bars_1h: int = 8_784
    """One-hour bars a product: a year."""
    bars_1d: int = 3_660
    """One-day bars a product: ten years."""

    beat_interval: float = 1.0
    """Seconds between a child's heartbeats to the supervisor, and a client's heartbeats on the bus."""
    hang_after: float = 5.0
    """Seconds without a heartbeat after which a child counts as hung and is replaced."""
    start_timeout: float = 60.0
    """Seconds that a child may take from its start to its first heartbeat."""
    stop_timeout: float = 3.0
    """Seconds that a child may take to stop before it is killed."""
    restart_delay: float = 1.0
    """Seconds before a child that has failed twice in a row is started again; twice as many each time, up to 25."""
    stable_after: float = 60.0
    """Seconds that a child must have been ready for its next restart to be immediate again."""
    rss_limit: int = 2_048
    """MB of memory above which a child is restarted, gracefully; 0: no limit."""
    good_after: float = 30.0
    """Seconds of good frames after which a connection's backoff begins anew."""
    open_timeout: float = 10.0
    """Seconds that an exchange may take to accept a connection."""
    ping_interval: float = 5.0
    """Seconds between the pings that show whether a connection is half-open, and that each answer may take."""
    ack_within: float = 5.0
    """Seconds in which an exchange must confirm subscriptions; those that it does not are asked for again."""
    silent_after: float = 15.0
    """Seconds without any frame after which a connection is given up."""
    behind_after: float = 2.0
    """Seconds that an exchange's heartbeat may name a newer trade than ours before it counts as missing."""
    renew_after: float = 43_200.0
    """Seconds after which a connection is replaced by a new one, without a gap: exchanges cut those that grow old."""
    backfill: bool = True
    """Whether missed trades and older candles are fetched from the exchanges' REST; if not, they are gaps."""
    hold: float = 2.0
    """Seconds that a product's live trades wait for what was missed before them to be fetched."""
    refill_again: float = 30.0
    """Seconds after which a gap that was not refilled is searched for again; twice as many each time, up to an hour."""
    audit: float = 45.0
    """Seconds between two comparisons of our trades with the REST's, where ids cannot tell; 0: none."""
    answer_timeout: float = 5.0
    """Seconds that a question waits for a process that is starting, before RequestTimeout."""

    seed: int = 1
    """The demo's market is a pure function of this seed, the product and the time."""
    speed: float = 1.0
    """How many times faster than it was recorded a replay runs; 0: as fast as it goes."""

    mode: Mode = "live"
    """Set by `--demo` and `--replay`, never by a file."""
    replay: tuple[Path, ...] = ()
    """The recordings of `--replay`."""
    embedded_url: str = ""
    """The embedded exchange's address in demo and replay, such as "ws://127.0.0.1:40123"; set by the supervisor."""
    dashboard: bool = False
    """Whether the Panel server is supervised too: `--dashboard`."""
    replay_products: Mapping[str, tuple[Product, ...]] = field(default_factory=dict)
    """The products that a replay's frames hold, by exchange; set by the command line."""

    def socket(self, name: str) -> Path:
        """The path of one of our ipc sockets: `coinbase`, `coinbase-replay`, `historical`, `control`."""
        return self.run_dir / f"{name}.sock"

    def journal(self, product: Product) -> Path:
        """The path of `product`'s journal, which its client writes."""
        return self._file(product, "journal")

    def bars(self, product: Product) -> Path:
        """The path of the bars of `product`'s trades, which historical writes."""
        return self._file(product, "bars")

    def candles(self, product: Product) -> Path:
        """The path of the exchange's own candles of `product`, which its client writes."""
        return self._file(product, "candles")

    def _file(self, product: Product, kind: str) -> Path:
        """Each mode has its own directory, so a demo never becomes anyone's market."""
        return self.run_dir / self.mode / product.exchange / f"{product.pair}.{kind}"


NOT_IN_FILES = {"mode", "replay", "embedded_url", "dashboard", "replay_products", "products", "urls", "rest_urls"}
"""Fields that only the command line (or a table of the file) sets."""
_TYPES = {f.name: type(getattr(Settings(), f.name)) for f in fields(Settings) if f.name not in NOT_IN_FILES}
"""The settable fields and the type of each one's default."""


def load(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """
    The settings of this process, but for the command line's.

    `file`: a TOML file that must exist; None: `poeticoins.toml` in the working directory, if it is there.
    Raises ConfigurationError, which names the file or variable, the key, what was expected and what came.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    if file is not None or DEFAULT_FILE.is_file():
        values |= _from_file(file or DEFAULT_FILE)
    values |= _from_environment(environment)
    values.setdefault("run_dir", _default_run_dir(environment))
    return checked(replace(Settings(), **values))


def checked(settings: Settings) -> Settings:
    """`settings` with an absolute run directory. Raises ConfigurationError for what no single field shows."""
    settings = replace(settings, run_dir=_path(settings.run_dir))
    if settings.hang_after < 2.5 * settings.beat_interval:
        raise ConfigurationError(
            f"hang_after: expected at least 2.5 times beat_interval ({settings.beat_interval:g} s), or healthy children"
            f" would be taken for hung ones; got {settings.hang_after:g} s"
        )
    length, limit = len(os.fsencode(str(settings.run_dir))), SOCKET_PATH_LIMIT - len(LONGEST_SOCKET) - 1
    if length > limit:
        raise ConfigurationError(
            f"run_dir: expected at most {limit} bytes, so that sockets fit in it, got {length}: {settings.run_dir}"
        )
    for name in settings.allow_origin:
        if not _ORIGIN.fullmatch(name):
            raise ConfigurationError(
                f"allow_origin: expected names such as 'prices.example' or 'box.lan:8050', got {name[:80]!r}"
            )
    return settings


def _path(path: Path) -> Path:
    try:
        path = path.expanduser().absolute()
        str(path).encode("utf-8")
        if "\0" in str(path):
            raise ValueError("a zero byte")
        return path
    except (RuntimeError, ValueError) as error:
        raise ConfigurationError(f"run_dir: expected a path, got {str(path)!r}: {error}") from None


def _from_file(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{file}: expected TOML: {error}") from None
    values: dict[str, Any] = {}
    if isinstance(table.get("exchanges"), dict):
        values |= of_exchanges(str(file), table.pop("exchanges"))
    for key, value in table.items():
        known = _known(key, str(file))
        values[known] = converted(known, _TYPES[known], value, f"{file}: {known}")
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in environment.items():
        key = name.removeprefix("POETICOINS_").lower()
        if name.startswith("POETICOINS_") and key in _TYPES and text:
            values[key] = converted(key, _TYPES[key], text, name)
    return values  # others, such as the tests' POETICOINS_CAPTURES, are not settings


def _known(key: str, where: str) -> str:
    if key not in _TYPES:
        raise ConfigurationError(f"{where}: {key}: not a known key; expected one of {', '.join(sorted(_TYPES))}")
    return key


def _default_run_dir(environment: Mapping[str, str]) -> Path:
    state = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state) / "poeticoins"
