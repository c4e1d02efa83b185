// One currency's chart of a compared coin: a line for each exchange, told apart by colour, dash and the name at its end.
// The figure comes from the server once, empty (dashboards/comparison_chart.py). Times are in ms, UTC, and are shifted.

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

class Lines {
  // onPoint(second or null): the moment that is pointed at.
  constructor(onPoint) {
    this.onPoint = onPoint;
    this.node = el("div", "lines");
    this.node.tabIndex = 0;
    this.node.setAttribute("role", "img");
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("pointerleave", () => this.point(null));
    this.retint = () => this.fill();
    LIGHT.addEventListener("change", this.retint);
    this.resized = new ResizeObserver(() => this.soon());
    this.resized.observe(this.node);
    this.lines = [];
    this.pointed = null;
    this.filled = this.waiting = 0;
  }

  async embed(item) {
    if (this.isEmbedded) return;
    this.isEmbedded = true;
    this.view = await window.Bokeh.embed.embed_item(structuredClone(item), this.node);
    for (const inner of focusable(this.node)) inner.tabIndex = -1; // the chart as a whole has the keyboard
    const { document } = this.view.roots[0].model;
    document.get_model_by_name("prices").height = this.node.clientHeight;
    this.model = (name) => document.get_model_by_name(name);
    this.model("prices").on_event("mousemove", (event) => this.point(unshifted(event.x) / 1000));
    this.fill();
  }

  // lines: [{name, points, stroke, isLeftOut}, …]; until: seconds.
  show(lines, until) {
    Object.assign(this, { lines: lines.filter(({ points }) => points.length), until });
    this.soon();
  }

  soon() {
    this.waiting ||= setTimeout(() => this.fill(), Math.max(0, this.filled + REFILL_MS - Date.now()));
  }

  fill() {
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.filled = Date.now();
    if (!this.model || !this.lines.length || !this.node.clientWidth) return;
    const style = getComputedStyle(this.node);
    this.tone = (name) => style.getPropertyValue(`--${name}`).trim();
    this.tint();
    const heights = this.fit();
    const data = { xs: [], ys: [], tone: [], dash: [], alpha: [] };
    const ends = { x: [], y: [], place: apart(heights), words: [], ink: [], tone: [], alpha: [] };
    for (const { name, points, stroke, isLeftOut } of this.lines) {
      const alpha = isLeftOut ? LEFT_OUT_ALPHA : 1;
      const runs = runsOf(points, this.until);
      for (const run of runs) {
        const row = { xs: run.map(([second]) => shifted(second * 1000)), ys: run.map(([, price]) => price), tone: this.tone(stroke.tone), dash: stroke.dash, alpha };
        for (const [column, value] of Object.entries(row)) data[column].push(value);
      }
      const [second, price] = runs.at(-1).at(-1);
      const ink = this.tone(isLeftOut ? "soft" : stroke.tone);
      const end = { x: shifted(second * 1000), y: price, words: name, tone: this.tone(stroke.tone), ink, alpha };
      for (const [column, value] of Object.entries(end)) ends[column].push(value);
    }
    this.model("lines").data = data;
    this.model("ends").data = ends;
  }

  // The window holds all there is; returns how high each line ends, in pixels from the top.
  fit() {
    const prices = this.lines.flatMap(({ points }) => points.map(([, price]) => price));
    const [low, high] = [Math.min(...prices), Math.max(...prices)];
    const room = (high - low || high * 0.001) * 0.1;
    const [start, end] = [low - room, high + room];
    this.model("prices-range").setv({ start, end });
    const first = Math.min(...this.lines.map(({ points }) => points[0][0]));
    const last = Math.max(this.until, first + 1);
    const width = Math.max(1, this.node.clientWidth - AXIS_ROOM - NAME_ROOM);
    this.model("times").setv({ start: shifted(first * 1000), end: shifted(last * 1000) + ((last - first) * 1000 * NAME_ROOM) / width });
    return this.lines.map(({ points }) => (1 - (points.at(-1)[1] - start) / (end - start)) * (this.model("prices").height - 26));
  }

  // Arrows walk from moment to moment; End and Escape leave it to the newest.
  key(event) {
    const moments = [...new Set(this.lines.flatMap(({ points }) => points.map(([second]) => second)))].sort((one, other) => one - other);
    const at = this.pointed ? moments.findLastIndex((second) => second <= this.pointed) : moments.length;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: moments.length, Escape: moments.length }[event.key];
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.point(moments[Math.max(0, next)] ?? null);
  }

  // A second, or null for none.
  point(second) {
    this.pointed = second;
    this.onPoint(second);
  }

  tint() {
    const chart = this.model("prices");
    for (const grid of chart.center) if (grid.type === "Grid") grid.grid_line_color = this.tone("grid");
    for (const axis of [...chart.right, ...chart.below]) axis.major_label_text_color = this.tone("soft");
    if (this.node.clientWidth < NARROW) chart.below[0].ticker.desired_num_ticks = 3;
    this.model("crosshair").line_color = this.tone("soft");
  }

  close() {
    LIGHT.removeEventListener("change", this.retint);
    this.resized.disconnect();
    clearTimeout(this.waiting);
    this.view?.clear?.();
  }
}
