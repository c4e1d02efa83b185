// What happened while the page heard nothing: one line, however many outages, and gone when the viewer has read it.
// Kept in the tab's own storage: the page is drawn anew when it comes back, or even loaded anew.

const MEANWHILE_MEMORY = "poeticoins.meanwhile";
const SHORTEST_MS = 1000; // what is over sooner, nobody missed
const MOST_OUTAGES = 100;
const OUTAGES = { page: "This page was offline", supervisor: "No supervisor ran" };

class Meanwhile {
  // facts(outages): sentences about what was fetched and what is missing since, asked for again as more becomes known.
  constructor(owned, facts) {
    this.facts = facts;
    this.owned = owned;
    this.outages = owned ? recalledOutages() : []; // {kind, from, to or null, known}; known: as of `knownOf`
    this.words = el("span");
    const dismiss = button("dismiss", "×", () => this.dismiss());
    dismiss.setAttribute("aria-label", "Dismiss what happened meanwhile");
    this.node = el("p", "meanwhile", this.words, dismiss);
    this.words.setAttribute("role", "status");
  }

  begin(kind, from, known) {
    if (this.outages.some((each) => each.kind === kind && each.to === null)) return;
    this.outages.push({ kind, from, to: null, known });
    this.outages.splice(0, this.outages.length - MOST_OUTAGES);
    this.keep();
  }

  end(kind, to) {
    const over = this.outages.find((each) => each.kind === kind && each.to === null);
    if (!over) return;
    if (to - over.from < SHORTEST_MS) this.outages.splice(this.outages.indexOf(over), 1);
    else over.to = to;
    this.keep();
    this.tell();
  }

  // The open product's history came.
  fetched(focus) {
    for (const each of this.outages) if (each.to !== null && each.fetched === undefined) each.fetched = fetchedSince(each.known, focus);
    this.keep();
    this.tell();
  }

  tell() {
    const over = this.outages.filter((each) => each.to !== null);
    this.node.hidden = !over.length;
    if (over.length) say(this.words, [...outageSentences(over), ...this.facts(over)].join(" "));
  }

  dismiss() {
    this.outages = this.outages.filter((each) => each.to === null);
    this.keep();
    this.tell();
  }

  keep() {
    if (!this.owned) return;
    try {
      sessionStorage.setItem(MEANWHILE_MEMORY, JSON.stringify(this.outages));
    } catch {
      // Storage is full or switched off: then it is known only as long as this drawing lasts.
    }
  }
}

function recalledOutages() {
  try {
    const said = JSON.parse(sessionStorage.getItem(MEANWHILE_MEMORY));
    return Array.isArray(said) ? said.filter((each) => Object.hasOwn(OUTAGES, each?.kind) && Number.isFinite(each.from)) : [];
  } catch {
    return [];
  }
}

// One sentence for each kind: "This page was offline from 12:03:04 to 12:04:10 (66 s)."
function outageSentences(outages) {
  return Object.entries(OUTAGES).flatMap(([kind, words]) => {
    const mine = outages.filter((each) => each.kind === kind);
    if (!mine.length) return [];
    const [from, to] = [mine[0].from, mine.at(-1).to].map((ms) => CLOCK.format(new Date(ms)));
    const seconds = span(mine.reduce((sum, each) => sum + Math.max(0, each.to - each.from), 0) / 1000);
    if (mine.length === 1) return [`${words} from ${from} to ${to} (${seconds}).`];
    return [`${words} ${mine.length} times between ${from} and ${to} (${seconds} in all).`];
  });
}

// What is known of the open product: how many trades its chart has counted from its newest candle on; null without one.
function knownOf({ key, interval, ready, candles }) {
  const newest = ready && candles.at(-1);
  return newest ? { key, interval, start: newest.start, trades: newest.trades } : null;
}

// How many trades its history holds since, as {key, trades, isLeast}: at least so many where it begins later. Null if
// another product or interval is open now.
function fetchedSince(known, { key, interval, candles }) {
  if (!known || known.key !== key || known.interval !== interval || !candles.length) return null;
  const trades = candles.filter(({ start }) => start >= known.start).reduce((sum, each) => sum + each.trades, 0);
  const isLeast = candles[0].start > known.start;
  return { key, trades: isLeast ? trades : Math.max(0, trades - known.trades), isLeast };
}

// Sentences about the open product's trades, and about gaps of what is shown ({key: [began, ended, trades or null]}).
function meanwhileFacts(outages, gaps) {
  const fetched = outages.map((each) => each.fetched).filter(Boolean);
  const trades = fetched.reduce((sum, each) => sum + each.trades, 0);
  const count = trades === 1 ? "1 trade" : `${trades.toLocaleString()} trades`;
  const least = fetched.some(({ isLeast }) => isLeast) ? "At least " : "";
  const said = fetched.length ? [`${least}${count} of ${fetched.at(-1).key} ${trades === 1 ? "was" : "were"} fetched since.`] : [];
  const [from, to] = [outages[0].from, outages.at(-1).to];
  const missing = Object.entries(gaps).filter(([, gap]) => gap && gap[0] <= to && gap[1] >= from);
  const named = missing.slice(0, 3).map(([key, gap]) => `${key}: ${missingWords(gap[2])}`).join("; ");
  if (missing.length) said.push(`${named}${missing.length > 3 ? `; and gaps of ${missing.length - 3} more` : ""}.`);
  else said.push("No gap is known of that time.");
  return said;
}
