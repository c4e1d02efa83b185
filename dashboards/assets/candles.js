// Candles that grow in the browser: the history's, and every trade after it. Rules only; times in ms, UTC.

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MOST_CANDLES = 600;

function intervalMs(interval) {
  return Number(interval.slice(0, -1)) * UNITS[interval.at(-1)];
}

function numberOf(text) {
  return Number(text.replaceAll(",", ""));
}

// The history's columns as a list of candles: {start, open, high, low, close, volume, vwap, trades};
// vwap null: not known.
function candlesOf(columns) {
  const names = Object.keys(columns);
  return columns.start.map((second, at) => {
    const candle = Object.fromEntries(names.map((name) => [name, columns[name][at]]));
    candle.start = second * 1000;
    return candle;
  });
}

// `candles` with one trade more. A trade older than the newest candle is not for us: the history is asked again.
function grown(candles, [, ms, price, size], step) {
  const start = ms - (ms % step);
  const last = candles.at(-1);
  if (last && start < last.start) return candles;
  const [paid, amount] = [numberOf(price), numberOf(size)];
  if (!last || start > last.start) {
    candles.push({ start, open: paid, high: paid, low: paid, close: paid, volume: amount, vwap: paid, trades: 1 });
    if (candles.length > MOST_CANDLES) candles.shift();
    return candles;
  }
  last.high = Math.max(last.high, paid);
  last.low = Math.min(last.low, paid);
  last.close = paid;
  if (last.vwap !== null) last.vwap = (last.vwap * last.volume + paid * amount) / (last.volume + amount) || paid;
  last.volume += amount;
  last.trades += 1;
  return candles;
}

// Whether a candle is the exchange's own, in whole or in part: of trades that we have not seen.
function isForeign(origin) {
  return origin !== undefined && origin !== "trades";
}

// Of `rows`, heard live, those that are not in the history: what came after its newest row.
function unseen(history, rows) {
  const known = new Set(history.map((row) => row[0]));
  const newest = history.at(-1);
  const at = newest ? rows.findLastIndex((row) => row[0] === newest[0]) : -1;
  return rows.slice(at + 1).filter((row) => !known.has(row[0]) && !(newest && row[1] < newest[1]));
}

// {open, close, high, low, most, volume, vwap, from, to} over the candles that begin within [from, to], vwap null unless
// that of each is known; null without any.
function summary(candles, from, to) {
  const shown = candles.filter(({ start }) => start >= from && start <= to);
  if (!shown.length) return null;
  const volume = shown.reduce((sum, candle) => sum + candle.volume, 0);
  return {
    open: shown[0].open,
    close: shown.at(-1).close,
    high: Math.max(...shown.map((candle) => candle.high)),
    low: Math.min(...shown.map((candle) => candle.low)),
    most: Math.max(...shown.map((candle) => candle.volume)),
    volume,
    vwap: shown.some(({ vwap }) => vwap === null) ? null : shown.reduce((sum, candle) => sum + candle.vwap * candle.volume, 0) / volume,
    from: shown[0].start,
    to: shown.at(-1).start,
  };
}

// A moment as an axis that prints UTC must be given it to print the browser's time.
function shifted(ms) {
  return ms - new Date(ms).getTimezoneOffset() * 60_000;
}

function unshifted(ms) {
  return ms + new Date(ms).getTimezoneOffset() * 60_000;
}
