// Keeps the alerts in this browser's storage, judges them by what the server tells, and says which of them fired.

const ALERTS_MEMORY = "poeticoins.alerts";
const HEARD_MEMORY = "poeticoins.alerts.heard";
const AWAY_MS = 15_000; // as long as it may be quiet between two signs of the server's life, and some more
const NOTE_MS = 5_000;

class Watcher {
  // onFire(alert, firing); onChange(): the list, or how things are with one, is another.
  constructor(browser, { send, onFire, onChange }) {
    Object.assign(this, { browser, send, onFire, onChange });
    this.lines = new Map(); // by key: the pieces of the last minutes
    this.known = new Set(); // the keys that are followed
    this.alerts = [];
    this.heardAt = 0;
    this.notedAt = 0;
    this.read();
    this.heardAt = Number(this.browser.stored(HEARD_MEMORY)) || 0;
    this.unhear = this.browser.onStored(ALERTS_MEMORY, () => this.reread());
  }

  read() {
    this.alerts = storedAlerts(this.browser.stored(ALERTS_MEMORY));
  }

  // Another tab wrote: its word counts here too.
  reread() {
    this.read();
    this.watch();
    this.onChange();
  }

  write() {
    this.browser.store(ALERTS_MEMORY, JSON.stringify(this.alerts));
  }

  // What the server is asked to tell prices of, whatever the page shows and whether or not it is seen.
  get keys() {
    return [...new Set(this.alerts.filter(({ armed }) => armed).map(({ key }) => key))];
  }

  watch() {
    this.send({ watch: this.keys });
  }

  know(keys) {
    this.known = new Set(keys);
    this.onChange();
  }

  // {"kind": "watched", "parts": [[key, ms, last, low, high], …], "lines": {key: [[second, price], …]}}: dashboards/watching.py.
  hear({ parts, lines = {} }) {
    this.note();
    const { away } = this;
    this.away = false; // what follows is heard as it happens
    const before = JSON.stringify(this.alerts.map(({ armed, ready }) => [armed, ready]));
    for (const [key, ms, ...prices] of parts) {
      const [last, low, high] = prices.map(numberOf);
      this.alerts = this.alerts.map((alert) => (alert.key === key && alert.since === null ? { ...alert, since: ms } : alert));
      for (const [second, price] of lines[key] ?? []) {
        const piece = { ms: second * 1000, last: price, low: price, high: price };
        if (piece.ms < ms) this.take(key, piece, away);
      }
      this.take(key, { ms, last, low, high }, away);
    }
    if (JSON.stringify(this.alerts.map(({ armed, ready }) => [armed, ready])) === before) return;
    this.write();
    this.onChange();
  }

  take(key, piece, away) {
    const line = this.lines.get(key) ?? [];
    if (!(piece.ms < line.at(-1)?.ms)) {
      this.alerts = this.alerts.map((alert) => (alert.key === key ? this.judge(alert, piece, line, away) : alert));
      line.push(piece);
    }
    while (line.length > 1 && line[1].ms < piece.ms - MOST_MINUTES * 60_000) line.shift();
    this.lines.set(key, line);
  }

  judge(alert, piece, line, away) {
    const next = judged(alert, piece, line, away);
    if (alert.armed && !next.armed) this.onFire(next, next.firings[0]);
    return next;
  }

  // The server was heard, whatever it said: kept, so that a page that is opened later knows how long nobody listened.
  note() {
    this.away ||= Date.now() - this.heardAt > AWAY_MS;
    this.heardAt = Date.now();
    if (!this.alerts.length || this.heardAt - this.notedAt < NOTE_MS) return;
    this.notedAt = this.heardAt;
    this.browser.store(HEARD_MEMORY, String(this.heardAt));
  }

  // -- what the viewer does

  // "" or what is wrong.
  set(said, now) {
    this.read();
    const alert = alertOf({ ...said, id: `${now}.${this.alerts.length}` });
    if (typeof alert === "string") return alert;
    if (this.alerts.length >= MOST_ALERTS) return `There are ${MOST_ALERTS} alerts already: remove one first.`;
    this.change([...this.alerts, alert]);
    return "";
  }

  remove(id) {
    this.change(this.alerts.filter((alert) => alert.id !== id));
  }

  rearm(id) {
    this.change(this.alerts.map((alert) => (alert.id === id ? rearmed(alert) : alert)));
  }

  change(alerts) {
    this.alerts = alerts;
    this.write();
    this.watch();
    this.onChange();
  }

  close() {
    this.unhear();
  }
}
