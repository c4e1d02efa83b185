// The table of a compared coin in one currency: a row for each exchange, sorted by any column.

// By column: [its head, what it says of itself, what a row is sorted by]. A row is as of dashboards/comparing.py.
const COLUMNS = {
  exchange: ["Exchange", "", ([, name]) => name],
  price: ["Price", "Of the last trade", ([, , price]) => price && numberOf(price)],
  difference: ["± median, bp", "Basis points that the last trade is from the median: a hundredth of a percent each. No spread: the trades are of different ages", ([, , , , , difference]) => difference],
  age: ["Age", "Of the last trade", ([, , , tradedMs, heardMs]) => tradedMs && -(heardMs || tradedMs)],
  volume: ["Volume", "Of the last 24 hours, in coins", ([, , , , , , volume]) => volume],
  lag: ["Lag", "From the exchange's clock to ours, of the newest trade that was heard live", ([, , , , , , , , lag]) => lag],
  rate: ["EUR/USD", "US dollars for a euro, by this exchange's two prices of the coin", ([, , , , , , , , , rate]) => rate && numberOf(rate)],
};

// Rows by a column, "-" before it for the other way round, null for as they came; what is not known comes last in any case.
function sorted(rows, sort) {
  const name = (sort ?? "").replace("-", "");
  if (!Object.hasOwn(COLUMNS, name)) return rows;
  const sign = sort.startsWith("-") ? -1 : 1;
  const by = COLUMNS[name][2];
  const compared = (one, other) => (typeof one === "string" ? one.localeCompare(other) : one - other);
  const known = rows.filter((row) => by(row) !== null);
  return [...known.sort((one, other) => sign * compared(by(one), by(other))), ...rows.filter((row) => by(row) === null)];
}

// What a click on a column's head sorts by next: up, down, and as they came.
function nextSort(sort, name) {
  return sort === name ? `-${name}` : sort === `-${name}` ? null : name;
}

function pointsText(difference) {
  if (difference === null) return "\u2013";
  const size = Math.abs(difference).toFixed(1);
  return size === "0.0" ? size : `${difference > 0 ? "+" : MINUS}${size}`;
}

// As many digits as are read: "8 ms", "1.2 s".
function lagText(ms) {
  if (ms === null) return "\u2013";
  const size = Math.abs(ms);
  return `${ms < 0 ? MINUS : ""}${size < 1000 ? `${size} ms` : size < 10_000 ? `${(size / 1000).toFixed(1)} s` : span(size / 1000)}`;
}

class Ranking {
  // acts: {sort(name), open(key), address(key)}
  constructor(quote, acts) {
    this.acts = acts;
    this.rows = new Map();
    this.heads = Object.fromEntries(Object.entries(COLUMNS).map(([name, [text, title]]) => {
      const head = el("th", "", button("", text, () => acts.sort(name)));
      head.scope = "col";
      head.title = title;
      return [name, head];
    }));
    this.body = el("tbody");
    const table = el("table", "ranking", el("thead", "", el("tr", "", ...Object.values(this.heads))), this.body);
    table.setAttribute("aria-label", `Last prices in ${NAMES[quote] || quote}`);
    this.node = el("div", "scroll", table);
    this.node.tabIndex = 0; // it is wider than a phone, and must be scrolled by keys as well
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", table.getAttribute("aria-label"));
  }

  // side: as of dashboards/comparing.py; strokes: by exchange's name, how its line is drawn.
  show(side, strokes, sort) {
    for (const [name, head] of Object.entries(this.heads)) {
      const way = sort === name ? "ascending" : sort === `-${name}` ? "descending" : null;
      if (way) head.setAttribute("aria-sort", way);
      else head.removeAttribute("aria-sort");
    }
    const rows = sorted([...side.rows], sort);
    for (const row of rows) this.row(row, strokes).show(row, side);
    inOrder(this.body, rows.map(([key]) => this.rows.get(key).node));
  }

  clear() {
    this.rows.clear();
    this.body.replaceChildren();
  }

  row([key, name], strokes) {
    if (!this.rows.has(key)) this.rows.set(key, new RankingRow(key, name, strokes.get(name), this.acts));
    return this.rows.get(key);
  }

  tick(now, isLost) {
    for (const row of this.rows.values()) row.tick(now, isLost);
  }
}

class RankingRow {
  constructor(key, name, stroke, acts) {
    const link = el("a", "", name);
    link.href = acts.address(key);
    link.title = "Open its chart and its trades";
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      acts.open(key);
    });
    this.words = el("span", "words");
    const head = el("th", "", swatch(stroke), link, this.words);
    head.scope = "row";
    this.cells = Object.fromEntries(Object.keys(COLUMNS).slice(1).map((column) => [column, el("td")]));
    for (const [column, cell] of Object.entries(this.cells)) cell.dataset.column = column;
    this.node = el("tr", "", head, ...Object.values(this.cells));
    this.node.dataset.key = key;
  }

  show(row, side) {
    const [, name, price, tradedMs, heardMs, difference, volume, seconds, lag, rate, reason] = row;
    Object.assign(this, { heardMs: tradedMs && (heardMs || tradedMs), reason });
    this.best = side.of < 2 ? "" : [side.lowest.includes(name) && "lowest", side.highest.includes(name) && "highest"].filter(Boolean).join(", ");
    say(this.cells.price, price ?? "\u2013");
    say(this.cells.difference, pointsText(difference));
    say(this.cells.volume, volume === null ? "\u2013" : short(volume));
    this.cells.volume.title = volume === null ? "" : `In the last ${dayWords(seconds)}`;
    say(this.cells.lag, lagText(lag));
    say(this.cells.rate, rate ?? "\u2013");
  }

  // Once a second: no price is shown without its age.
  tick(now, isLost) {
    const reason = isLost ? "page offline" : this.reason;
    this.node.classList.toggle("left-out", Boolean(reason));
    say(this.words, reason ? `left out: ${reason}` : this.best);
    say(this.cells.age, this.heardMs ? age(now - this.heardMs).replace(" ago", "") : "\u2013");
  }
}

function swatch({ tone, dash }) {
  const node = svg("svg", { viewBox: "0 0 26 8", class: "swatch", "aria-hidden": "true" });
  const line = svg("path", { d: "M1 4H25", "stroke-dasharray": DASHES[dash] });
  line.style.stroke = `var(--${tone})`;
  node.append(line);
  return node;
}
