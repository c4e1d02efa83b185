// The chart of the open product. Its figures come from the server once, empty (dashboards/charts.py); what they show,
// the ranges and the colours are set here. The axis prints UTC, so that every time is shifted to the browser's zone.

const SHOWN_CANDLES = 120;
const FEWEST_CANDLES = 40; // that the window has room for, however few there are
const WORDS_SHARE = 0.2; // of the window's width, which the words of a gap may take
const REFILL_MS = 200;
const NARROW = 500; // pixels
const FOREIGN_ALPHA = 0.12; // the exchange's own candles are all but hollow

class Chart {
  // onShown(from, to): the window that is shown, in ms. `crosshair` knows the moment that is pointed at.
  constructor(onShown) {
    this.onShown = onShown;
    this.crosshair = new Crosshair();
    this.node = el("div", "chart");
    this.node.tabIndex = 0;
    this.node.setAttribute("role", "application"); // it has keys of its own, which a screen reader must let through
    this.node.setAttribute("aria-roledescription", "chart");
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("pointerleave", () => this.point(null));
    this.node.addEventListener("blur", () => this.unpoint());
    this.retint = () => this.tint();
    LIGHT.addEventListener("change", this.retint);
    this.candles = [];
    this.gaps = [];
    this.step = 60_000;
    this.follows = true;
    this.span = SHOWN_CANDLES;
    this.filled = 0;
  }

  async embed(item) {
    if (this.isEmbedded) return;
    this.isEmbedded = true;
    this.view = await window.Bokeh.embed.embed_item(item, this.node);
    for (const inner of focusable(this.node)) inner.tabIndex = -1; // the chart as a whole has the keyboard
    const [root] = this.view.roots;
    const { document } = root.model;
    this.model = (name) => document.get_model_by_name(name);
    this.times = this.model("times");
    this.model("prices").height = this.node.clientHeight - this.model("volumes").height;
    const narrow = this.node.clientWidth < NARROW;
    for (const name of narrow ? ["prices", "volumes"] : []) this.model(name).below[0].ticker.desired_num_ticks = 3;
    this.times.change.connect(() => this.moved());
    for (const name of ["prices", "volumes"]) this.model(name).on_event("mousemove", (event) => this.point(event.x));
    leaveScrolling(this.node);
    this.tint();
    this.fill();
  }

  // gaps: [began, ended, trades or null, reason], times in ms.
  show(candles, gaps, step, isOther) {
    this.candles = candles;
    this.gaps = gaps;
    this.step = step;
    if (isOther) {
      this.follows = true;
      this.span = Math.min(SHOWN_CANDLES, Math.max(FEWEST_CANDLES, candles.length + 4));
    }
    this.fill();
  }

  // The newest candle grew: drawn soon, and never more often than an eye can tell. It takes long enough to hold up the
  // next frame of prices, and so follows one where it can.
  grew() {
    const isTime = Date.now() - this.filled > REFILL_MS * 0.9;
    if (this.waiting && !isTime) return;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.fill(), isTime ? 0 : REFILL_MS * 1.5);
  }

  fill() {
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.filled = Date.now();
    if (!this.times || !this.candles.length) return;
    const data = Object.fromEntries(["x", "left", "right", "high", "low", "top", "bottom", "close", "vwap", "volume", "tone", "alpha"].map((name) => [name, []]));
    for (const { start, open, high, low, close, volume, vwap, origin } of this.candles) {
      const left = shifted(start);
      data.x.push(left + this.step / 2);
      data.left.push(left + this.step * 0.15);
      data.right.push(left + this.step * 0.85);
      data.top.push(Math.max(open, close));
      data.bottom.push(Math.min(open, close));
      for (const [name, value] of [["high", high], ["low", low], ["close", close], ["volume", volume]]) data[name].push(value);
      data.vwap.push(vwap ?? NaN); // no line leads over what nobody knows
      data.alpha.push(isForeign(origin) ? FOREIGN_ALPHA : 1);
      data.tone.push(close < open ? this.colours.down : this.colours.up);
    }
    this.model("candles").data = data;
    this.model("now").location = this.candles.at(-1).close;
    if (this.follows) this.follow();
    else this.fit();
  }

  // A band for every gap, never too narrow to be seen; its words stand left of it, where they have room.
  mark(y) {
    const source = this.model("gaps");
    if (!this.gaps.length && !source.data.left.length) return;
    const room = (this.times.end - this.times.start) * WORDS_SHARE;
    const data = { left: [], right: [], words: [], y: [] };
    let free = Infinity;
    for (const [began, ended, trades] of this.gaps.toReversed()) {
      const middle = (shifted(began) + shifted(ended)) / 2;
      const half = Math.max((ended - began) / 2, this.step * 0.35);
      const fits = middle < free;
      if (fits) free = middle - room;
      const band = { left: middle - half, right: middle + half, words: fits ? missingWords(trades) : "", y };
      for (const [name, value] of Object.entries(band)) data[name].unshift(value);
    }
    if (JSON.stringify(data) !== JSON.stringify(source.data)) source.data = data;
  }

  follow() {
    this.follows = true;
    if (!this.times || !this.candles.length) return;
    const end = shifted(this.candles.at(-1).start) + this.step * 3;
    this.set(end - this.span * this.step, end);
    this.fit();
  }

  set(start, end) {
    this.ours = true;
    this.times.setv({ start, end });
    this.ours = false;
  }

  // Someone moved the window: it lets go of the end once the newest candle is out of it, and keeps its width otherwise.
  moved() {
    if (this.ours || !this.candles.length) return;
    this.span = (this.times.end - this.times.start) / this.step;
    const newest = shifted(this.candles.at(-1).start);
    this.follows = this.times.end >= newest + this.step && this.times.end < newest + this.step * Math.max(8, this.span / 4);
    this.fit();
  }

  // The heights follow what is in the window.
  fit() {
    const [from, to] = [unshifted(this.times.start), unshifted(this.times.end)];
    const seen = summary(this.candles, from - this.step, to);
    if (seen) {
      const room = (seen.high - seen.low || seen.high * 0.001) * 0.08;
      this.model("prices-range").setv({ start: seen.low - room, end: seen.high + room });
      this.mark(seen.high + room * 0.2);
      this.model("volumes-range").setv({ start: 0, end: seen.most * 1.1 || 1 });
    }
    this.onShown(from - this.step, to);
  }

  point(x) {
    this.crosshair.hover(x === null ? null : unshifted(x));
    this.pointed();
  }

  unpoint() {
    this.crosshair.clear();
    if (this.times) this.model("crosshair").location = null;
    this.pointed();
  }

  pointed() {
    if (this.times) this.onShown(unshifted(this.times.start) - this.step, unshifted(this.times.end));
  }

  shape(isLine) {
    if (!this.times) return;
    for (const name of ["wicks", "bodies"]) this.model(name).visible = !isLine;
    this.model("line").visible = isLine;
  }

  average(isShown) {
    if (this.times) this.model("average").visible = isShown;
  }

  // Arrows and Home point at a candle, and bring it into the window.
  steer(event) {
    const candle = this.crosshair.steer(this.candles, event);
    if (!candle) return false;
    const left = shifted(candle.start);
    const [start, end] = withinReach([this.times.start, this.times.end], left, left + this.step);
    if (start !== this.times.start) this.times.setv({ start, end });
    this.model("crosshair").location = left + this.step / 2;
    this.pointed();
    return true;
  }

  key(event) {
    const { start, end } = this.times ?? {};
    const pan = { PageUp: -0.5, PageDown: 0.5 }[event.key];
    const zoom = { "+": -0.1, "=": -0.1, "-": 0.1 }[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey || !this.times) return;
    if (pan) this.times.setv({ start: start + pan * (end - start), end: end + pan * (end - start) });
    else if (zoom) this.times.setv({ start: start - zoom * (end - start), end });
    else if (event.key === "End") {
      this.unpoint();
      this.follow();
    } else if (event.key === "Escape" && this.crosshair.isSteered) this.unpoint();
    else if (!this.steer(event)) return;
    event.preventDefault();
  }

  tint() {
    const style = getComputedStyle(this.node);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colours = { up: colour("up"), down: colour("down") };
    if (!this.times) return;
    for (const name of ["prices", "volumes"]) {
      for (const grid of this.model(name).center) if (grid.type === "Grid") grid.grid_line_color = colour("grid");
      for (const axis of [...this.model(name).right, ...this.model(name).below]) axis.major_label_text_color = colour("soft");
    }
    for (const name of ["prices", "volumes"]) {
      const bands = this.model(name).renderers.find((each) => each.name === "bands").glyph;
      Object.assign(bands, { fill_color: { value: colour("warn") }, hatch_color: { value: colour("warn") } });
    }
    this.model("gap-words").glyph.text_color = { value: colour("warn") };
    this.model("line").glyph.line_color = { value: colour("accent") };
    this.model("average").glyph.line_color = { value: colour("average") };
    this.model("now").line_color = colour("soft");
    this.model("crosshair").line_color = colour("soft");
    this.fill();
  }

  close() {
    LIGHT.removeEventListener("change", this.retint);
    clearTimeout(this.waiting);
    this.view?.clear?.();
  }
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
