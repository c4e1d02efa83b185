// The Compare place: one coin on every exchange, a chart and a table for each currency, and what they say together.
// The server decides who counts (dashboards/compare.py); here it is drawn.

const NO_SPREAD = "Last trades are of different ages: what lies between them is no spread, and nobody offers at them now. Who is left out counts in no median, no best price and no rate.";

class ComparePlace {
  // acts: {coin(code), sort(by), interval(name), open(key), address(key), chart(), again()}
  constructor(acts) {
    this.acts = acts;
    this.sides = new Map(); // by currency
    this.pasts = new Map(); // by product, its points
    this.interval = USUAL_INTERVAL;
    this.node = el("section", "place compare");
    this.node.setAttribute("aria-label", PLACES.compare);
    this.build();
  }

  build() {
    this.chooser = el("select", "chooser");
    this.chooser.setAttribute("aria-label", "Coin to compare");
    this.chooser.addEventListener("change", () => this.acts.coin(this.chooser.value));
    this.rate = new Figure("EUR/USD implied");
    this.intervals = INTERVALS.map((name) => button("interval", name, () => this.acts.interval(name)));
    const choices = el("div", "intervals", ...this.intervals);
    choices.setAttribute("role", "group");
    choices.setAttribute("aria-label", "Seconds, minutes, hours or days between two points of a line");
    this.head = el("header", "compare-head", el("h2", "place-name", PLACES.compare), this.chooser, el("dl", "common", this.rate.node), choices);
    this.told = el("p", "told", "Asking for its prices\u2026");
    this.told.setAttribute("role", "status");
    this.grid = el("div", "sides");
    this.node.append(this.head, this.told, this.grid, el("p", "zone", NO_SPREAD));
  }

  // What the address says of it.
  turn({ interval, sort }) {
    const isOther = interval !== this.interval;
    Object.assign(this, { interval, sort });
    for (const choice of this.intervals) choice.setAttribute("aria-pressed", choice.textContent === interval);
    if (isOther) this.pasts.clear();
    if (this.table) this.draw();
  }

  show(message) {
    if (message.kind === "compare") this.take(message.table, message.now);
    else if (message.kind === "compare-past") this.past(message);
    else this.chart(message.item);
  }

  take(table, now) {
    if (!this.table || whoOf(table) !== whoOf(this.table)) this.begin(table);
    Object.assign(this, { table, now });
    say(this.told, this.problem ?? "");
    const step = intervalMs(this.interval) / 1000;
    for (const [key, , price, tradedMs] of this.rows) {
      if (price && this.pasts.has(key)) closing(this.pasts.get(key), Math.floor(tradedMs / 1000), numberOf(price), step);
    }
    this.draw();
  }

  // Another coin, or other exchanges that trade it: everything of the one before goes, but for the charts of currencies that this one has too.
  begin({ coin, sides }) {
    const before = this.sides;
    this.sides = new Map(sides.map(({ quote }) => [quote, before.get(quote) ?? new CompareSide(quote, this.acts)]));
    for (const [quote, side] of before) if (!this.sides.has(quote)) side.close();
    for (const side of this.sides.values()) side.ranking.clear();
    this.grid.replaceChildren(...[...this.sides.values()].map(({ node }) => node));
    if (this.item) this.chart(this.item);
    else this.wantChart();
    const exchanges = [...new Set(sides.flatMap(({ rows }) => rows.map(([, name]) => name)))];
    this.strokes = new Map(exchanges.map((name, at) => [name, strokeOf(at)]));
    this.problem = null;
    if (this.pastCoin !== coin) this.pasts.clear();
  }

  past({ coin, interval, lines, problem }) {
    if (interval !== this.interval) return;
    this.problem = problem ? `No past yet: ${problem}` : null;
    if (problem) {
      say(this.told, this.problem);
      clearTimeout(this.asking);
      this.asking = setTimeout(() => this.acts.again(), AGAIN_MS);
      return;
    }
    this.pastCoin = coin;
    this.pasts = new Map(Object.entries(lines));
    if (this.table?.coin === coin) this.draw();
  }

  // One for all coins and currencies.
  wantChart() {
    if (this.sides.size && !this.item) this.acts.chart();
  }

  chart(item) {
    this.item = item;
    for (const side of this.sides.values()) side.chart.embed(structuredClone(item));
  }

  get rows() {
    return this.table.sides.flatMap(({ rows }) => rows);
  }

  draw() {
    const { coin, coins, rate, of, sides } = this.table;
    if (this.chooser.dataset.coins !== Object.keys(coins).join()) this.offer(coins);
    this.chooser.value = coin;
    this.rate.show(rate, rate ? `median of ${of}` : "no exchange has both prices now");
    const until = this.now / 1000;
    for (const side of sides) this.sides.get(side.quote)?.show(side, { pasts: this.pasts, strokes: this.strokes, sort: this.sort, until, coin, interval: this.interval });
    this.tick(this.now, this.isLost);
  }

  offer(coins) {
    this.chooser.dataset.coins = Object.keys(coins).join();
    this.chooser.replaceChildren(...Object.entries(coins).map(([code, name]) => new Option(name === code ? code : `${name} (${code})`, code)));
  }

  tick(now, isLost) {
    this.isLost = isLost;
    for (const side of this.sides.values()) side.ranking.tick(now, isLost);
  }

  // Nothing is left for later.
  settle() {
    for (const side of this.sides.values()) side.chart.settle();
  }

  close() {
    clearTimeout(this.asking);
    for (const side of this.sides.values()) side.close();
  }
}

// Which exchange trades the coin of a table, and for which currency.
function whoOf({ coin, sides }) {
  return JSON.stringify([coin, sides.map(({ quote, rows }) => [quote, ...rows.map(([, name]) => name)])]);
}

// A figure under its word, with what it is of.
class Figure {
  constructor(name) {
    this.value = el("strong", "", "\u2013");
    this.of = el("span", "of");
    this.node = el("div", "", el("dt", "", name), el("dd", "", this.value, this.of));
  }

  show(text, of) {
    say(this.value, text ?? "\u2013");
    say(this.of, of);
  }
}
