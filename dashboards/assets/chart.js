// The chart of the open product: candles, their volume and its gaps (dashboards/charts.py); see timechart.js.

const SHOWN_CANDLES = 120;
const FEWEST_CANDLES = 40; // that the window has room for, however few there are
const FREE_CANDLES = 2; // after the newest
const WORDS_SHARE = 0.2; // of the window's width, which the words of a gap may take
const FOREIGN_ALPHA = 0.12; // the exchange's own candles are all but hollow

class Chart extends TimeChart {
  // onShown(from, to): the window that is shown, in ms. `crosshair` knows the moment that is pointed at.
  constructor(onShown) {
    super("chart", ["prices", "volumes"]);
    Object.assign(this, { onShown, moments: [], gaps: [], step: 60_000 });
  }

  // gaps: [began, ended, trades or null, reason], times in ms.
  show(candles, gaps, step, isOther) {
    Object.assign(this, { moments: candles, gaps, step });
    if (isOther) this.begin(step * Math.min(SHOWN_CANDLES, Math.max(FEWEST_CANDLES, candles.length + 4)));
    this.draw();
  }

  get edge() {
    return shifted(this.moments.at(-1).start) + this.step;
  }

  get middle() {
    return this.step / 2;
  }

  rest() {
    return FREE_CANDLES * this.step;
  }

  fill() {
    const { colour } = this;
    const [up, down] = [colour("up"), colour("down")];
    const data = Object.fromEntries(["x", "left", "right", "high", "low", "top", "bottom", "close", "vwap", "volume", "tone", "alpha"].map((name) => [name, []]));
    for (const { start, open, high, low, close, volume, vwap, origin } of this.moments) {
      const left = shifted(start);
      data.x.push(left + this.middle);
      data.left.push(left + this.step * 0.15);
      data.right.push(left + this.step * 0.85);
      data.top.push(Math.max(open, close));
      data.bottom.push(Math.min(open, close));
      for (const [name, value] of [["high", high], ["low", low], ["close", close], ["volume", volume]]) data[name].push(value);
      data.vwap.push(vwap ?? NaN); // no line leads over what nobody knows
      data.alpha.push(isForeign(origin) ? FOREIGN_ALPHA : 1);
      data.tone.push(close < open ? down : up);
    }
    this.model("candles").data = data;
    this.model("now").location = this.moments.at(-1).close;
    this.stand();
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

  fit() {
    const seen = summary(this.moments, ...this.window);
    if (seen) {
      const room = (seen.high - seen.low || seen.high * 0.001) * 0.08;
      this.model("prices-range").setv({ start: seen.low - room, end: seen.high + room });
      this.mark(seen.high + room * 0.2);
      this.model("volumes-range").setv({ start: 0, end: seen.most * 1.1 || 1 });
    }
    this.told();
  }

  get window() {
    return [unshifted(this.times.start) - this.step, unshifted(this.times.end)];
  }

  told() {
    if (this.times) this.onShown(...this.window);
  }

  shape(isLine) {
    if (!this.times) return;
    for (const name of ["wicks", "bodies"]) this.model(name).visible = !isLine;
    this.model("line").visible = isLine;
  }

  average(isShown) {
    if (this.times) this.model("average").visible = isShown;
  }

  tint() {
    if (!this.times) return;
    const { colour } = this;
    for (const figure of this.figures) {
      const bands = figure.renderers.find((each) => each.name === "bands").glyph;
      Object.assign(bands, { fill_color: { value: colour("warn") }, hatch_color: { value: colour("warn") } });
    }
    this.model("gap-words").glyph.text_color = { value: colour("warn") };
    this.model("line").glyph.line_color = { value: colour("accent") };
    this.model("average").glyph.line_color = { value: colour("average") };
    this.model("now").line_color = colour("soft");
    super.tint();
  }
}
