// Price alerts: rules only; no clock, no storage, no page. An alert is one of
//   {id, key, kind: "above" | "below", price}             fires when the price comes to `price` from the other side
//   {id, key, kind: "moves", percent, minutes}            fires when it has moved so far within so many minutes
// with {since, armed, ready, seen, firings}: since: ms, what traded until then fires
// nothing, null until its product's price was told; ready: whether the price was last seen on the near side, null before it was seen;
// seen: ms of the newest trade that it was judged by; firings: [{ms, price, away}], the newest first.
// A piece is what traded for a moment: {ms, last, low, high}.

const MOST_ALERTS = 50;
const MOST_FIRINGS = 5;
const MOST_MINUTES = 10; // as far back as the page is told after it was away
const KINDS = ["above", "below", "moves"];

// An alert of what a form or the storage says; a text that says what is wrong with it otherwise.
function alertOf({ id, key, kind, price, percent, minutes, since }) {
  if (!KEY.test(key) || !KINDS.includes(kind)) return "Choose a product and a kind.";
  const fresh = { id: String(id), key, kind, since: Number.isFinite(since) ? since : null, armed: true, ready: null, seen: 0, firings: [] };
  if (kind !== "moves") return within(price, 0, 1e15) ? { ...fresh, price } : "A price is a number above 0, such as 67,900.50.";
  if (!within(percent, 0, 100)) return "The percent are a number above 0, at most 100.";
  if (!within(minutes, 0, MOST_MINUTES)) return `The minutes are a number above 0, at most ${MOST_MINUTES}.`;
  return { ...fresh, percent, minutes };
}

function within(number, above, most) {
  return Number.isFinite(number) && number > above && number <= most;
}

// The alerts that the storage holds as text; whatever is none is left out.
function storedAlerts(text) {
  try {
    const said = JSON.parse(text);
    return Array.isArray(said) ? said.map(storedAlert).filter(Boolean).slice(0, MOST_ALERTS) : [];
  } catch {
    return [];
  }
}

function storedAlert(said) {
  const alert = said && typeof said === "object" ? alertOf(said) : "";
  if (typeof alert === "string") return null;
  const isFiring = (each) => each && Number.isFinite(each.ms) && Number.isFinite(each.price);
  const firings = Array.isArray(said.firings) ? said.firings.filter(isFiring).slice(0, MOST_FIRINGS) : [];
  const ready = typeof said.ready === "boolean" ? said.ready : null;
  return { ...alert, armed: said.armed !== false, ready, seen: Number(said.seen) || 0, firings };
}

// `alert` after `piece`. line: the pieces before it, oldest first. away: whether nobody heard this when it happened.
// It is the same object if nothing changed, and has one firing more if it fired; it is then no longer armed.
function judged(alert, piece, line, away) {
  if (!alert.armed || (piece.ms <= alert.seen && alert.ready !== null)) return alert;
  const [price, ready] = alert.kind === "moves" ? strayed(alert, piece, line) : crossed(alert, piece);
  const next = { ...alert, ready, seen: Math.max(alert.seen, piece.ms) };
  if (price === null || piece.ms <= alert.since) return next;
  return { ...next, armed: false, firings: [{ ms: piece.ms, price, away }, ...alert.firings].slice(0, MOST_FIRINGS) };
}

// [the price that it fires at or null, ready]. Within a piece the order is unknown, but for its last price.
function crossed({ kind, price, ready }, { last, low, high }) {
  const isFar = (each) => (kind === "above" ? each >= price : each <= price);
  const [near, far] = kind === "above" ? [low, high] : [high, low];
  const fires = ready === null ? false : ready ? isFar(far) : !isFar(near) && isFar(last);
  return [fires ? (ready ? far : last) : null, !isFar(last)];
}

function strayed({ percent, minutes, since }, piece, line) {
  const from = Math.max(piece.ms - minutes * 60_000, since);
  const held = line.findLastIndex(({ ms }) => ms <= from); // the price that held when the time began
  const window = line.slice(Math.max(0, held)).filter(({ ms }) => ms < piece.ms);
  if (!window.length) return [null, true];
  const lowest = Math.min(...window.map(({ low }) => low));
  const highest = Math.max(...window.map(({ high }) => high));
  if (piece.high >= lowest * (1 + percent / 100)) return [piece.high, true];
  if (piece.low <= highest * (1 - percent / 100)) return [piece.low, true];
  return [null, true];
}

// Armed anew: what has been judged already fires nothing again, and a price must come from the near side again.
function rearmed(alert) {
  return { ...alert, armed: true, ready: null, since: alert.seen };
}

// -- in words

function plainPrice(price) {
  return price.toLocaleString("en-US", { maximumSignificantDigits: 12 });
}

// "rises to 67,900", "moves 2 % within 5 min".
function alertWords({ kind, price, percent, minutes }) {
  if (kind === "moves") return `moves ${percent} % within ${minutes} min`;
  return `${kind === "above" ? "rises" : "falls"} to ${plainPrice(price)}`;
}

// "rose to 67,900: 67,901.2 at 14:02:10, while this page was away".
function firingWords(alert, { ms, price, away }, now) {
  const past = alertWords(alert).replace(/^rises/, "rose").replace(/^falls/, "fell").replace(/^moves/, "moved");
  return `${past}: ${plainPrice(price)} at ${clockTime(ms, now)}${away ? ", while this page was away" : ""}`;
}

// How things are with it: armed, asleep, or when it fired.
function stateWords(alert, isWatched) {
  if (!alert.armed) return "fired";
  if (!isWatched) return "asleep: the product is not followed here";
  if (alert.ready === false) return alert.kind === "above" ? "armed, once the price is below it" : "armed, once the price is above it";
  return "armed";
}
