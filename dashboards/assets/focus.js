// The open product: what it is called and costs, its chart, and the tape of its trades.

const AGAIN_MS = 1200; // longer than the server keeps an answer, so that a late trade is in the next one
const MOST_HEARD = 500;
const MOST_GAPS_TOLD = 3;
const TABLE_MS = 1000;

class Focus {
  // acts: {close(), interval(name), again(), chart()}
  constructor(acts) {
    this.acts = acts;
    this.tape = new Tape();
    this.day = new DayFigures();
    this.chart = new Chart((from, to) => this.tell(from, to));
    this.table = new CandleTable();
    this.node = el("section", "focus");
    this.node.hidden = true;
    this.key = null;
    this.build();
  }

  build() {
    this.name = el("h2", "focus-name");
    this.price = el("span", "focus-price");
    this.change = el("span", "change");
    const alert = button("alert", "Alert", () => this.acts.alert(this.key));
    alert.hidden = !this.acts.alert;
    const close = el("div", "focus-acts", alert, button("export", "Export…", () => this.acts.export()), button("close", "Close", () => this.acts.close()));
    this.numbers = Object.fromEntries(["High", "Low", "Volume", "VWAP"].map((name) => [name, el("dd")])); // of what is shown
    const numbers = el("dl", "numbers", ...Object.entries(this.numbers).map(([name, node]) => el("div", "", el("dt", "", `${name} shown`), node)));
    this.shown = el("span", "since");
    this.intervals = INTERVALS.map((name) => button("interval", name, () => this.acts.interval(name)));
    this.line = toggle("shape", "Line", false, (isLine) => this.chart.shape(isLine));
    this.average = toggle("shape average", "VWAP", true, (isShown) => this.chart.average(isShown));
    this.tabled = toggle("shape", "Table", false, (isShown) => this.tabulate(isShown));
    this.follow = followButton(this.chart);
    const choices = el("div", "intervals", ...this.intervals, this.line, this.average, this.tabled, this.follow);
    choices.setAttribute("role", "group");
    choices.setAttribute("aria-label", "Interval of a candle, and how they are shown");
    this.readout = el("p", "readout");
    this.missing = el("ul", "missing");
    this.missing.setAttribute("aria-label", "Missing trades");
    const cost = el("p", "cost", this.price, this.change, this.shown);
    const head = el("header", "focus-head", el("div", "", this.name, cost), this.day.node, close);
    this.node.append(el("div", "focus-main", head, choices, this.chart.node, el("div", "under", numbers, this.readout, this.missing), this.table.node), this.tape.node);
  }

  // `names` of the catalogue, or null for none open.
  open(names, interval) {
    const isOther = names?.key !== this.key || interval !== this.interval;
    this.node.hidden = !names;
    if (!isOther) return;
    if (names?.key !== this.key) this.clear();
    Object.assign(this, { key: names?.key ?? null, names, interval, candles: [], ready: false });
    clearTimeout(this.asking);
    for (const choice of this.intervals) choice.setAttribute("aria-pressed", choice.textContent === interval);
    if (!names) return;
    say(this.name, `${names.coin} ${names.base}/${names.quote} on ${names.where}`);
    this.node.setAttribute("aria-label", this.name.textContent);
    this.chart.node.setAttribute("aria-label", `Candles of ${this.name.textContent}; ${CHART_KEYS}`);
    say(this.readout, "Asking for its history…");
    this.wantChart();
  }

  wantChart() {
    if (this.key && !this.chart.isEmbedded) this.acts.chart();
  }

  clear() {
    this.tape.clear();
    this.day.clear();
    this.heard = [];
    this.newest = null;
    this.counted = undefined;
    for (const node of [this.price, this.change, this.shown, ...Object.values(this.numbers)]) say(node, "");
    this.chart.show([], [], this.chart.step, true);
    this.tellGaps([]);
  }

  history({ key, interval, problem, candles, trades, gaps }) {
    if (key !== this.key || interval !== this.interval) return;
    if (problem) {
      say(this.readout, `No history yet: ${problem}`);
      this.askAgain();
      return;
    }
    const step = intervalMs(interval);
    const since = unseen(trades, this.heard);
    const isOther = !this.ready;
    this.ready = true;
    this.candles = candlesOf(candles);
    for (const row of since) if (!row[5]) grown(this.candles, row, step);
    this.tape.clear();
    this.tape.add([...trades, ...since]);
    const newest = since.at(-1) || trades.at(-1);
    if (newest) this.costs(newest);
    say(this.readout, this.candles.length ? "" : "No trades yet.");
    this.chart.show(this.candles, gaps, step, isOther);
    this.tellGaps(gaps);
  }

  // The newest gaps in words, below the chart that shows them all.
  tellGaps(gaps) {
    this.missing.replaceChildren(...gaps.slice(-MOST_GAPS_TOLD).reverse().map((gap) => el("li", "", gapSentence(gap))));
  }

  // The status counted another gap or another refill of some exchanges: the open product's may be one of them.
  recount(counts) {
    const mine = JSON.stringify(counts[this.names?.exchange] ?? null);
    if (this.ready && this.counted !== undefined && mine !== this.counted) this.askAgain();
    this.counted = mine;
  }

  trade([key, told]) {
    if (key !== this.key) return;
    const rows = told.filter(([id]) => !this.tape.rows.has(id)); // some come again: with the past, or as the page turns
    this.heard.push(...rows);
    this.heard.splice(0, this.heard.length - MOST_HEARD);
    this.tape.add(rows);
    for (const row of rows) {
      if (row[5]) this.askAgain();
      else if (this.ready) grown(this.candles, row, this.chart.step);
      if (!row[5]) this.costs(row);
    }
    if (this.ready) this.chart.soon();
  }

  askAgain() {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.acts.again(), AGAIN_MS);
  }

  costs([, , price]) {
    this.newest = price;
    this.day.at(price);
    say(this.price, `${SIGNS[this.names.quote] || ""}${price}`);
  }

  // What the browser's title says, "" with nothing open.
  get title() {
    return this.key && this.newest ? `${this.newest} ${this.names.base}/${this.names.quote}` : "";
  }

  tell(from, to) {
    this.follow.hidden = this.chart.follows;
    const seen = this.candles && summary(this.candles, from, to);
    if (!seen) return;
    const { text, direction } = percent(seen.open, seen.close);
    say(this.change, text);
    this.change.dataset.move = direction;
    say(this.shown, `in the ${this.spanOf(seen)} shown`);
    say(this.numbers.High, this.written(seen.high));
    say(this.numbers.Low, this.written(seen.low));
    say(this.numbers.Volume, `${amount(seen.volume)} ${this.names.base}`);
    say(this.numbers.VWAP, seen.vwap === null ? "\u2013" : this.written(seen.vwap));
    this.read(this.chart.crosshair);
    if (!this.table.node.hidden) this.tabulateSoon(from, to);
  }

  spanOf({ from, to }) {
    return longSpan((to - from + this.chart.step) / 1000);
  }

  // The candle that is pointed at, or the newest. It is said aloud only to who steers by keys: else it would be with every trade.
  read({ at, isSteered }) {
    const candle = at === null ? this.candles.at(-1) : this.candles.findLast(({ start }) => start <= at);
    this.readout.setAttribute("aria-live", isSteered ? "polite" : "off");
    if (candle) say(this.readout, candleWords(candle, this.names.base, (price) => this.written(price)));
  }

  tabulate(isShown) {
    this.table.node.hidden = !isShown;
    this.chart.told();
  }

  // At most once a second; what is shown is looked up then.
  tabulateSoon(from, to) {
    this.window = [from, to];
    this.tabulating ??= setTimeout(() => this.fillTable(), this.table.rows.size ? TABLE_MS : 0);
  }

  fillTable() {
    clearTimeout(this.tabulating);
    this.tabulating = null;
    const [first, last] = this.window;
    const candles = this.candles.filter(({ start }) => start >= first && start <= last);
    if (!candles.length || this.table.node.hidden) return;
    const span = this.spanOf({ from: candles[0].start, to: candles.at(-1).start });
    const caption = `${this.name.textContent}: ${candles.length} candles of ${this.interval} in the ${span} shown, the newest first; times in ${ZONE}`;
    this.table.show(caption, candles, (price) => this.written(price));
  }

  // Nothing is left for later.
  settle() {
    this.chart.settle();
    if (this.tabulating) this.fillTable();
  }

  // A price in as many digits as the exchange writes; one that is not known as a dash.
  written(price) {
    if (price === null) return "–";
    return written(price, this.day.digits);
  }

  close() {
    clearTimeout(this.asking);
    clearTimeout(this.tabulating);
    this.chart.close();
  }
}

// A button that is on or off.
function toggle(className, text, isOn, act) {
  const node = button(className, text, () => {
    const isOnNow = node.getAttribute("aria-pressed") !== "true";
    node.setAttribute("aria-pressed", isOnNow);
    act(isOnNow);
  });
  node.setAttribute("aria-pressed", isOn);
  return node;
}
