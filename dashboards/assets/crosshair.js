// The moment of a chart that is pointed at: by the pointer, or by arrow keys, which go from candle to candle.

const STRIDE = 10; // candles, with Shift

class Crosshair {
  constructor() {
    this.clear();
  }

  clear() {
    this.at = null; // ms
    this.isSteered = false; // by keys; a pointer that leaves the chart then takes nothing away
  }

  // By the pointer: a moment, or null where there is none.
  hover(at) {
    if (at === null && this.isSteered) return;
    this.at = at;
    this.isSteered = false;
  }

  // By a key: the candle that is pointed at then, or null if the key says nothing to us.
  steer(candles, { key, shiftKey }) {
    const newest = candles.length - 1;
    const now = this.at === null ? newest + 1 : candles.findLastIndex(({ start }) => start <= this.at);
    const stride = shiftKey ? STRIDE : 1;
    const next = { ArrowLeft: now - stride, ArrowRight: now + stride, Home: 0 }[key];
    if (next === undefined || newest < 0) return null;
    const candle = candles[Math.max(0, Math.min(newest, next))];
    Object.assign(this, { at: candle.start, isSteered: true });
    return candle;
  }
}

// The window [from, to] moved by no more than is needed to show all from `start` to `end`.
function withinReach([from, to], start, end) {
  const by = start < from ? start - from : end > to ? end - to : 0;
  return [from + by, to + by];
}
