// One currency of the compared coin: what its last prices have in common, its chart, and its table.

const TABLE_POINTS = 60;
const POINT_AT_IT = "Point at the chart, or use its arrow keys, to read a moment; drag it, or turn the wheel on it, to see another time.";

class CompareSide {
  constructor(quote, acts) {
    this.sign = SIGNS[quote] || "";
    this.median = new Figure("Median");
    this.lowest = new Figure("Lowest (best to buy)");
    this.highest = new Figure("Highest (best to sell)");
    this.chart = new Lines(() => this.read());
    this.follow = followButton(this.chart);
    this.readout = el("p", "readout");
    this.readout.setAttribute("role", "status");
    this.ranking = new Ranking(quote, acts);
    this.name = el("h3", "", NAMES[quote] ? NAMES[quote][0].toUpperCase() + NAMES[quote].slice(1) : quote);
    const common = el("dl", "common", this.median.node, this.lowest.node, this.highest.node);
    this.table = new MomentTable();
    this.rows = el("div", "scroll", this.table.node);
    this.rows.tabIndex = 0; // a box that scrolls must be reached by keys too
    this.rows.setAttribute("role", "region");
    this.rows.setAttribute("aria-label", `${this.name.textContent}: the chart as a table`);
    this.behind = el("details", "behind", el("summary", "", "The chart as a table"), this.rows);
    this.behind.addEventListener("toggle", () => this.fillTable());
    this.node = el("section", "side", el("header", "", this.name, common), el("div", "lines-frame", this.chart.node, this.follow), this.readout, this.ranking.node, this.behind);
    this.node.setAttribute("aria-label", this.name.textContent);
    this.quote = quote;
    this.lines = [];
  }

  show(side, { pasts, strokes, sort, until, coin, interval }) {
    this.median.show(side.median && this.sign + side.median, side.of ? `of ${side.of}` : "nobody counts now");
    this.best(this.lowest, side, side.lowest);
    this.best(this.highest, side, side.highest);
    this.ranking.show(side, strokes, sort);
    this.lines = side.rows.map(([key, name, price, , , , , , , , reason]) => ({ name, points: pasts.get(key) ?? [], stroke: strokes.get(name), isLeftOut: Boolean(reason), price }));
    const isOther = coin !== this.coin || interval !== this.interval;
    Object.assign(this, { coin, interval });
    this.chart.show(this.lines, { until, step: intervalMs(interval), isOther });
    this.chart.node.setAttribute("aria-label", `Prices of ${coin} in ${NAMES[this.quote] || this.quote}, a line for each of ${this.lines.length} exchanges; ${CHART_KEYS}`);
    this.read();
    this.fillTable();
  }

  best(figure, { of, rows }, names) {
    const row = rows.find(([, name]) => name === names[0]);
    figure.show(row && this.sign + row[2], row ? (of > 1 ? names.join(", ") : `${names[0]} alone`) : "");
  }

  // The moment that is pointed at, in words.
  read() {
    this.follow.hidden = this.chart.follows;
    const { at } = this.chart.crosshair;
    const second = at === null ? null : at / 1000;
    const known = this.lines
      .map(({ name, points, price }) => ({ name, price, point: points.findLast(([start]) => start <= second) }))
      .filter(({ point }) => point);
    if (second === null || !known.length) return say(this.readout, POINT_AT_IT);
    const when = clockTime(Math.max(...known.map(({ point }) => point[0])) * 1000, Date.now());
    say(this.readout, `${when}: ${known.map(({ name, price, point }) => `${name} ${written(point[1], digitsOf(price ?? ""))}`).join(", ")}`);
  }

  // The same points in words, newest first, while somebody reads them.
  fillTable() {
    if (!this.behind.open) return;
    const moments = [...new Set(this.lines.flatMap(({ points }) => points.map(([second]) => second)))].sort((one, other) => other - one).slice(0, TABLE_POINTS);
    const rows = moments.map((moment) => {
      const prices = this.lines.map(({ points, price }) => {
        const point = points.find(([second]) => second === moment);
        return point ? written(point[1], digitsOf(price ?? "")) : "\u2013";
      });
      return [moment, prices];
    });
    this.table.show(this.lines.map(({ name }) => name), rows);
  }

  close() {
    this.chart.close();
  }
}

// Prices by moment, a column for each line. A row stays while its moment is shown, whatever is written into it.
class MomentTable {
  constructor() {
    this.rows = new Map(); // by the moment, in seconds since 1970
    this.head = el("tr");
    this.body = el("tbody");
    this.node = el("table", "ranking", el("thead", "", this.head), this.body);
  }

  // names: of the lines. rows: [[moment, [text for each line]], …], the newest first.
  show(names, rows) {
    if (this.names?.join() !== names.join()) {
      this.names = names;
      this.rows.clear();
      this.head.replaceChildren(...["Time", ...names].map((text) => el("th", "", text)));
    }
    const before = this.rows;
    this.rows = new Map(rows.map(([moment]) => [moment, before.get(moment) ?? el("tr", "", el("td"), ...names.map(() => el("td")))]));
    for (const [moment, prices] of rows) {
      [clockTime(moment * 1000, Date.now()), ...prices].forEach((text, at) => say(this.rows.get(moment).children[at], text));
    }
    inOrder(this.body, [...this.rows.values()]);
  }
}
