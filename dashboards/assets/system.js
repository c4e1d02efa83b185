// The System place: how the processes behind the prices are, exchange by exchange, and what happened lately.

const UNKNOWN = "\u2013"; // what is not known, or does not apply
const FIGURES = {
  share: new Intl.NumberFormat(undefined, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  whole: new Intl.NumberFormat(),
  tenths: new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
};
const EVENT_KINDS = { process: "Process", connection: "Connection", gap: "Gap" };
const PROCESS_COLUMNS = [
  ["Process"], ["State", "wide"], ["PID", "number"], ["Up for", "number"], ["CPU", "number"], ["Memory", "number"],
  ["Trades/s", "number"], ["Restarts", "number"], ["Last exit", "wide rest"],
];
const EXCHANGE_COLUMNS = [
  ["Exchange"], ["State", "wide rest"], ["Delay p50 / p99", "number wide"], ["Trades/s", "number"], ["Last trade", "number"],
  ["Trades", "number"], ["Bad frames", "number"], ["Gaps", "number wide"], ["Reconnects", "number wide"],
];
const EVENT_COLUMNS = [["Time"], ["What"], ["Who"], ["How", "wide rest"]];
const STALE_MS = 5_000; // what is known comes once a second: after so long it is called old

class SystemPlace {
  constructor() {
    this.line = el("p", "system-line", "Asking the supervisor\u2026");
    this.processes = new LiveTable("processes", "Processes", PROCESS_COLUMNS);
    this.exchanges = new LiveTable("exchanges", "Exchanges", EXCHANGE_COLUMNS);
    this.events = new LiveTable("events", "What happened lately", EVENT_COLUMNS);
    this.empty = el("p", "system-note", "Nothing yet.");
    const delay = "Delay: from the trade, by the exchange\u2019s clock, to its receipt, by ours; live trades of the last minute, none that came late or were fetched.";
    this.node = el(
      "section", "place system",
      el("h2", "place-name", PLACES.system), this.line, this.processes.node, this.exchanges.node,
      el("p", "system-note", delay), this.events.node, this.empty,
    );
    this.node.setAttribute("aria-label", PLACES.system);
  }

  show(message) {
    const { now, alive, as_of, processes, exchanges, events } = message;
    const old = !alive || now - as_of > STALE_MS;
    this.age(standing(message), old);
    this.processes.show(processes.map((row) => processRow(row, now)));
    this.exchanges.show(exchanges.map((row) => exchangeRow(row, now)));
    if (events) {
      this.events.show(events.map((event) => eventRow(event, now)));
      this.empty.hidden = events.length > 0;
    }
    for (const table of [this.processes, this.exchanges]) table.node.hidden = as_of === null;
  }

  // The page lost its server: what stands here grows old.
  lost() {
    this.age("The page has lost its server. What stands here is the last that is known.", true);
  }

  age(words, old) {
    say(this.line, words);
    this.node.classList.toggle("old", old);
  }
}

// Whether what is shown holds now, in words.
function standing({ alive, as_of, now }) {
  if (!alive && as_of === null) return "No supervisor runs, and none was seen since this server began.";
  const then = as_of === null ? "" : `${clockTime(as_of, now)}, ${age(now - as_of)}`;
  if (!alive) return `No supervisor runs. What stands here is the last that is known, of ${then}. Start one: python supervisor.py`;
  return now - as_of > STALE_MS ? `The supervisor does not answer. What stands here is of ${then}.` : `As of ${clockTime(as_of, now)}, times in ${ZONE}.`;
}

// A row: {key, well, cells: [text or [text, a smaller line under it], …]}.
function processRow(row, now) {
  const when = row.ended ? `${clockTime(row.ended, now)}: ${row.why}` : UNKNOWN;
  return {
    key: row.name,
    well: row.well,
    cells: [
      [row.name, row.role], [row.state, nextTry(row)], row.pid ?? UNKNOWN, row.up === null ? UNKNOWN : span(row.up), knownText(row.cpu, FIGURES.share),
      row.rss === null ? UNKNOWN : `${FIGURES.whole.format(Math.round(row.rss / 1e6))} MB`, knownText(row.rate, FIGURES.tenths), knownText(row.restarts, FIGURES.whole), [when, row.words && `last words: ${row.words}`],
    ],
  };
}

function exchangeRow(row, now) {
  const trouble = [row.problem, nextTry(row)].filter(Boolean).join("; ");
  return {
    key: row.name,
    well: row.well,
    cells: [
      [row.name, row.host], [row.state, trouble], delayCell(row), knownText(row.rate, FIGURES.tenths), row.last === null ? "none yet" : age(now - row.last),
      FIGURES.whole.format(row.trades), FIGURES.whole.format(row.bad), [FIGURES.whole.format(row.gaps), row.gaps ? `${FIGURES.whole.format(row.refills)} refilled` : ""],
      [FIGURES.whole.format(row.reconnects), row.loss && `last: ${row.loss}`],
    ],
  };
}

function eventRow([at, kind, who, what, missing], now) {
  const when = missing ? `between ${clockTime(missing[0], now)} and ${clockTime(missing[1], now)}` : "";
  return { key: JSON.stringify([at, kind, who, what]), well: true, cells: [clockTime(at, now), EVENT_KINDS[kind] ?? kind, who, [what, when]] };
}

function nextTry({ next: wait }) {
  if (wait === null) return "";
  return wait < 1 ? "next try now" : `next try in ${span(wait)}`;
}

function delayCell({ delay, ahead }) {
  if (!delay) return UNKNOWN;
  const [p50, p99, trades] = delay;
  return [`${delayText(p50)} / ${delayText(p99)}`, ahead ? "its clock is ahead of ours" : `of ${FIGURES.whole.format(trades)} trades`];
}

// Milliseconds in words: "12 ms", "1.3 s"; less than nothing with a real minus.
function delayText(ms) {
  const size = Math.abs(ms);
  return (ms < 0 ? MINUS : "") + (size < 1000 ? `${size} ms` : `${FIGURES.tenths.format(size / 1000)} s`);
}

function knownText(value, format) {
  return value === null ? UNKNOWN : format.format(value);
}
