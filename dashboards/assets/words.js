// Words and times, in the browser's own zone and language. Foreign text only ever becomes text nodes.

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const MINUTE = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const SIGNS = { USD: "$", EUR: "€" };
const NAMES = { USD: "US dollars", EUR: "euros" };
const MINUS = "\u2212";

function el(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

// Writes only what differs: an untouched text node costs the browser nothing.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function clockTime(ms, nowMs) {
  const at = new Date(ms);
  const clock = CLOCK.format(at);
  return at.toDateString() === new Date(nowMs).toDateString() ? clock : `${DAY.format(at)}, ${clock}`;
}

function span(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

// An exchange's clock may be ahead of ours: what has not happened yet happened now.
function age(ms) {
  return ms < 1000 ? "now" : `${span(Math.floor(ms / 1000))} ago`;
}

// trades: how many, or null where the exchange's ids do not tell.
function missingWords(trades) {
  return trades === null ? "trades may be missing" : trades === 1 ? "1 trade missing" : `${trades} trades missing`;
}

// A gap of a chart, whole: "12 trades missing, 14:02:10\u201314:02:31 (skipped ids)".
function gapSentence([began, ended, trades, reason]) {
  const [from, to] = [began, ended].map((ms) => CLOCK.format(new Date(ms)));
  return `${missingWords(trades)}, ${from === to ? from : `${from}\u2013${to}`} (${reason})`;
}

// A gap as [began, ended, trades or null] in ms, if it ended after `since` (seconds): "3 trades missing at 14:02".
function gapWords(gap, since) {
  if (!gap || gap[1] / 1000 < since) return "";
  return `${missingWords(gap[2])} at ${MINUTE.format(new Date(gap[0]))}`;
}

function percent(from, to) {
  const change = (to / from - 1) * 100;
  const size = Math.abs(change).toFixed(2);
  const sign = size === "0.00" ? "" : change > 0 ? "+" : MINUS;
  return { text: `${sign}${size} %`, direction: sign === "" ? 0 : change > 0 ? 1 : -1 };
}

// The server's clock, as near as this browser can know it: of the last messages, the one that travelled fastest.
class ServerClock {
  constructor() {
    this.offsets = [];
  }

  heard(serverMs) {
    this.offsets.push(serverMs - Date.now());
    if (this.offsets.length > 30) this.offsets.shift();
  }

  now() {
    return Date.now() + (this.offsets.length ? Math.max(...this.offsets) : 0);
  }
}
