// A candle, and all that is shown, in words and as rows of a table. `write` makes a price's text in the exchange's digits.

const CANDLE_COLUMNS = ["Time", "Open", "High", "Low", "Close", "Volume", "VWAP", "Trades"];

// A window in words: rounded where `span`, which tells ages, rounds down.
function longSpan(seconds) {
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size * 1.5) return `${Math.round(seconds / size)} ${unit}`;
  }
  return `${Math.round(seconds)} s`;
}

function amount(size) {
  return size.toLocaleString("en-US", { maximumSignificantDigits: 5 });
}

function originWords(origin) {
  if (!isForeign(origin)) return "";
  return origin === "mixed" ? "partly from the exchange's own candles" : "from the exchange's own candles";
}

function candleTime(ms) {
  return `${DAY.format(new Date(ms))}, ${CLOCK.format(new Date(ms))}`;
}

// "Nov 24, 12:26:25: open 68,050.57, high …, volume 0.1666 BTC, VWAP 68,065.07, 14 trades".
function candleWords({ start, open, high, low, close, volume, vwap, trades, origin }, base, write) {
  const parts = [`open ${write(open)}`, `high ${write(high)}`, `low ${write(low)}`, `close ${write(close)}`];
  parts.push(`volume ${amount(volume)} ${base}`);
  if (vwap !== null) parts.push(`VWAP ${write(vwap)}`);
  if (trades) parts.push(trades === 1 ? "1 trade" : `${trades} trades`);
  if (isForeign(origin)) parts.push(originWords(origin));
  return `${candleTime(start)}: ${parts.join(", ")}`;
}

// A text for each of CANDLE_COLUMNS; a dash for what nobody knows.
function candleCells({ start, open, high, low, close, volume, vwap, trades, origin }, write) {
  const prices = [open, high, low, close].map(write);
  return [candleTime(start), ...prices, amount(volume), vwap === null ? "\u2013" : write(vwap), isForeign(origin) ? originWords(origin) : String(trades)];
}

// The table behind the chart: the candles that it shows, the newest first. A row stays while its candle is shown, so
// that neither a reader's place nor a selection is lost with every trade.
class CandleTable {
  constructor() {
    this.rows = new Map(); // by the candle's start
    this.caption = el("caption");
    this.body = el("tbody");
    const heads = CANDLE_COLUMNS.map((name) => el("th", "", name));
    for (const head of heads) head.scope = "col";
    this.node = el("div", "candle-table", el("table", "", this.caption, el("thead", "", el("tr", "", ...heads)), this.body));
    this.node.tabIndex = 0; // a box that scrolls must be reached by keys too
    this.node.setAttribute("role", "region");
    this.node.hidden = true;
  }

  show(caption, candles, write) {
    say(this.caption, caption);
    this.node.setAttribute("aria-label", caption);
    const kept = new Set(candles.map(({ start }) => start));
    for (const [start, row] of this.rows) {
      if (kept.has(start)) continue;
      row.remove();
      this.rows.delete(start);
    }
    let after = null;
    for (const candle of candles.toReversed()) {
      const row = this.row(candle.start);
      candleCells(candle, write).forEach((text, at) => say(row.children[at], text));
      const place = after ? after.nextSibling : this.body.firstChild;
      if (place !== row) this.body.insertBefore(row, place);
      after = row;
    }
  }

  row(start) {
    if (this.rows.has(start)) return this.rows.get(start);
    const row = el("tr", "", ...CANDLE_COLUMNS.map((_, at) => el(at ? "td" : "th")));
    row.firstChild.scope = "row";
    this.rows.set(start, row);
    return row;
  }
}
