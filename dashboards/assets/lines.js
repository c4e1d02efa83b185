// One currency's chart of a compared coin: a line for each exchange, told apart by colour, dash and the name at its end.
// Its figure is dashboards/comparison_chart.py's; see timechart.js.

const DASHES = { solid: "", dashed: "6 3", dotted: "2 3", dotdash: "2 3 6 3" }; // Bokeh's names, and the same in SVG
const HUES = 5; // of compare.css; with the dashes enough for twenty exchanges
const NAME_ROOM = 84; // pixels at the right, for the names
const NAME_HEIGHT = 14;
const AXIS_ROOM = 78; // as of dashboards/comparison_chart.py
const LEFT_OUT_ALPHA = 0.4;

// How the exchange at place `at` of all is drawn.
function strokeOf(at) {
  return { tone: `line-${at % HUES}`, dash: Object.keys(DASHES)[at % Object.keys(DASHES).length] };
}

// `heights` in pixels, moved apart until each has its room: by how much, in their order.
function apart(heights, room = NAME_HEIGHT) {
  const moves = heights.map(() => 0);
  const order = heights.map((_, at) => at).sort((one, other) => heights[one] - heights[other]);
  for (const [rank, at] of order.entries()) {
    const before = order[rank - 1];
    if (before !== undefined) moves[at] = Math.max(0, heights[before] + moves[before] + room - heights[at]);
  }
  const lift = Math.max(0, ...moves) / 2;
  return moves.map((move) => move - lift);
}

// `points` ([second, price], oldest first) with one more price: a bucket's last one is what it closes at.
function closing(points, second, price, step) {
  const bucket = second - (second % step);
  const last = points.at(-1);
  if (!last || bucket > last[0]) points.push([bucket, price]);
  else if (bucket === last[0]) last[1] = price;
  while (points.length > MOST_CANDLES) points.shift();
}

class Lines extends TimeChart {
  // onTold(): the window is another, or the moment that is pointed at.
  constructor(onTold) {
    super("lines", ["prices"]);
    this.resized = new ResizeObserver(() => this.soon());
    this.resized.observe(this.node);
    Object.assign(this, { onTold, lines: [], moments: [], middle: 0 });
  }

  // lines: [{name, points, stroke, isLeftOut}, …]; until: seconds; step: ms. isOther: they are not of what was shown before.
  show(lines, { until, step, isOther }) {
    Object.assign(this, { lines: lines.filter(({ points }) => points.length), until, step });
    this.moments = momentsOf(this.lines);
    if (isOther) this.begin(0);
    this.soon();
  }

  get edge() {
    return shifted(this.until * 1000);
  }

  // The names stand there.
  rest(span) {
    return (span * NAME_ROOM) / Math.max(1, this.node.clientWidth - AXIS_ROOM);
  }

  fill() {
    const { colour } = this;
    const length = Math.max(1000, this.edge - shifted(this.moments[0].start));
    this.usual = length / Math.max(0.1, 1 - this.rest(1)); // all there is
    this.stand();
    const data = { xs: [], ys: [], tone: [], dash: [], alpha: [] };
    const ends = { x: [], y: [], place: apart(this.heights()), words: [], ink: [], tone: [], alpha: [] };
    for (const { name, points, stroke, isLeftOut } of this.lines) {
      const alpha = isLeftOut ? LEFT_OUT_ALPHA : 1;
      const runs = runsOf(points, this.until);
      for (const run of runs) {
        const row = { xs: run.map(([second]) => shifted(second * 1000)), ys: run.map(([, price]) => price), tone: colour(stroke.tone), dash: stroke.dash, alpha };
        for (const [column, value] of Object.entries(row)) data[column].push(value);
      }
      const [second, price] = runs.at(-1).at(-1);
      const end = { x: shifted(second * 1000), y: price, words: name, tone: colour(stroke.tone), ink: colour(isLeftOut ? "soft" : stroke.tone), alpha };
      for (const [column, value] of Object.entries(end)) ends[column].push(value);
    }
    this.model("lines").data = data;
    this.model("ends").data = ends;
  }

  fit() {
    const [from, to] = [this.times.start, this.times.end].map((at) => unshifted(at) / 1000);
    const prices = this.lines.flatMap(({ points }) => pricesWithin(points, from, to));
    if (prices.length) {
      const [low, high] = [Math.min(...prices), Math.max(...prices)];
      const room = (high - low || high * 0.001) * 0.1;
      this.model("prices-range").setv({ start: low - room, end: high + room });
    }
    this.told();
  }

  // How high each line ends, in pixels from the top.
  heights() {
    const { start, end } = this.model("prices-range");
    return this.lines.map(({ points }) => (1 - (points.at(-1)[1] - start) / (end - start)) * (this.figures[0].height - 26));
  }

  told() {
    this.onTold();
  }

  close() {
    this.resized.disconnect();
    super.close();
  }
}

// Every moment at which a line has a point, the oldest first.
function momentsOf(lines) {
  const seconds = new Set(lines.flatMap(({ points }) => points.map(([second]) => second)));
  return [...seconds].sort((one, other) => one - other).map((second) => ({ start: second * 1000 }));
}

// Of `points`, the prices that a line shows from second `from` to `to`: also the one that it comes from.
function pricesWithin(points, from, to) {
  const before = Math.max(0, points.findLastIndex(([second]) => second <= from));
  return points.slice(before).filter(([second]) => second <= to).map(([, price]) => price);
}
