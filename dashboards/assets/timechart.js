// What the charts have in common: a window of time that follows the newest until someone moves it, by pointer, wheel,
// finger or keys, and a moment that is pointed at. Their figures come from the server once, empty; what they show, the
// ranges and the colours are set here. An axis prints UTC, so that every time on it is shifted to the browser's zone.

const REFILL_MS = 200;
const NARROW = 500; // pixels
const CHART_KEYS = "arrows and Home read it out, Page up and Page down pan, plus and minus zoom, End follows the newest";

// Who extends it has `moments` ([{start}, …], the oldest first, in ms), `step` (ms between two), `edge` (where the newest ends,
// shifted), `rest(span)` (ms of the window that stay free after it) and `fill()`, which ends with `stand()`; `fit()` gives
// what is in the window its height, and `told()` tells of another window or another moment.
class TimeChart {
  // figures: names of Bokeh's; the first is given what the others leave of the height.
  constructor(className, figures) {
    this.names = figures;
    this.crosshair = new Crosshair();
    this.node = el("div", className);
    this.node.tabIndex = 0;
    this.node.setAttribute("role", "application"); // it has keys of its own, which a screen reader must let through
    this.node.setAttribute("aria-roledescription", "chart");
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("pointerleave", () => this.point(null));
    this.node.addEventListener("blur", () => this.unpoint());
    this.retint = () => this.tint();
    LIGHT.addEventListener("change", this.retint);
    this.filled = this.waiting = 0;
    this.begin(0);
  }

  async embed(item) {
    if (this.isEmbedded) return;
    this.isEmbedded = true;
    this.view = await window.Bokeh.embed.embed_item(item, this.node);
    for (const inner of focusable(this.node)) inner.tabIndex = -1; // the chart as a whole has the keyboard
    const { document } = this.view.roots[0].model;
    this.model = (name) => document.get_model_by_name(name);
    this.figures = this.names.map(this.model);
    this.times = this.model("times");
    const [first, ...others] = this.figures;
    first.height = this.node.clientHeight - others.reduce((sum, { height }) => sum + height, 0);
    this.times.change.connect(() => this.moved());
    for (const figure of this.figures) figure.on_event("mousemove", (event) => this.point(event.x));
    leaveScrolling(this.node);
    this.tint();
  }

  // Something else is shown: its newest, in a window of `usual` ms until someone moves it.
  begin(usual) {
    this.usual = usual;
    this.span = null;
    this.follows = true;
  }

  // There is more to show: drawn soon, and never more often than an eye can tell. It takes long enough to hold up the next
  // frame of prices, and so follows one where it can.
  soon() {
    const isTime = Date.now() - this.filled > REFILL_MS * 0.9;
    if (this.waiting && !isTime) return;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.draw(), isTime ? 0 : REFILL_MS * 1.5);
  }

  // Nothing is left for later.
  settle() {
    if (this.waiting) this.draw();
  }

  draw() {
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.filled = Date.now();
    if (this.times && this.moments.length && this.node.clientWidth) this.fill();
  }

  // -- the window

  stand() {
    if (this.follows) this.follow();
    else this.fit();
  }

  follow() {
    this.follows = true;
    if (!this.times || !this.moments.length) return;
    const span = this.span ?? this.usual;
    const end = this.edge + this.rest(span);
    this.ours = true;
    this.times.setv({ start: end - span, end });
    this.ours = false;
    this.fit();
  }

  // Someone moved the window: it lets go of the end once the newest is out of it, and keeps its width otherwise.
  moved() {
    if (this.ours || !this.moments.length) return;
    const { start, end } = this.times;
    this.span = end - start;
    const most = Math.max(8 * this.step, this.span / 4, 1.5 * this.rest(this.span));
    this.follows = end >= this.edge && end < this.edge + most;
    this.fit();
  }

  // -- the moment that is pointed at

  point(x) {
    this.crosshair.hover(x === null ? null : unshifted(x));
    this.told();
  }

  unpoint() {
    this.crosshair.clear();
    if (this.times) this.model("crosshair").location = null;
    this.told();
  }

  // Arrows and Home point at a moment, and bring it into the window.
  steer(event) {
    const moment = this.crosshair.steer(this.moments, event);
    if (!moment) return false;
    const left = shifted(moment.start);
    const [start, end] = withinReach([this.times.start, this.times.end], left, left + this.step);
    if (start !== this.times.start) this.times.setv({ start, end });
    this.model("crosshair").location = left + this.middle;
    this.told();
    return true;
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.times) return;
    const { start, end } = this.times;
    const pan = { PageUp: -0.5, PageDown: 0.5 }[event.key];
    const zoom = { "+": -0.1, "=": -0.1, "-": 0.1 }[event.key];
    if (pan) this.times.setv({ start: start + pan * (end - start), end: end + pan * (end - start) });
    else if (zoom) this.times.setv({ start: start - zoom * (end - start), end });
    else if (event.key === "End") {
      this.unpoint();
      this.follow();
    } else if (event.key === "Escape" && this.crosshair.isSteered) this.unpoint();
    else if (!this.steer(event)) return;
    event.preventDefault();
  }

  // -- colours

  get colour() {
    const style = getComputedStyle(this.node);
    return (name) => style.getPropertyValue(`--${name}`).trim();
  }

  tint() {
    if (!this.times) return;
    const { colour } = this;
    for (const figure of this.figures) {
      for (const grid of figure.center) if (grid.type === "Grid") grid.grid_line_color = colour("grid");
      for (const axis of [...figure.right, ...figure.below]) axis.major_label_text_color = colour("soft");
      if (this.node.clientWidth < NARROW) figure.below[0].ticker.desired_num_ticks = 3;
    }
    this.model("crosshair").line_color = colour("soft");
    this.draw();
  }

  close() {
    LIGHT.removeEventListener("change", this.retint);
    clearTimeout(this.waiting);
    this.view?.clear?.();
  }
}

// The control that has `chart` follow its end again; hidden while it does. The keyboard goes on at the chart then.
function followButton(chart) {
  const node = button("follow", "Follow the newest", () => {
    chart.follow();
    chart.node.focus({ preventScroll: true });
  });
  node.hidden = true;
  return node;
}

// Bokeh takes every finger's gesture for itself: up and down is the page's again, to the left and right stays the chart's.
function leaveScrolling(node) {
  for (const inner of node.querySelectorAll("*")) {
    if (inner.classList.contains("bk-events")) inner.style.touchAction = "pan-y";
    if (inner.shadowRoot) leaveScrolling(inner.shadowRoot);
  }
}

// What the keyboard would reach below `node`, through all shadows.
function focusable(node) {
  const inner = [...node.querySelectorAll("*"), ...(node.shadowRoot?.querySelectorAll("*") ?? [])];
  return inner.flatMap((each) => [...(each.tabIndex >= 0 ? [each] : []), ...(each.shadowRoot ? focusable(each) : [])]);
}
