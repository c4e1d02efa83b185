// One product's card. Its part is [key, price, size, traded at, heard at]; see dashboards/quote.py.

const QUIET_MS = 60_000;
const REDRAW_MS = 400;
const FLASH_MS = 400; // without a fade: a colour that fades is painted sixty times a second, on a card that changes ten times

class Card {
  constructor(message) {
    Object.assign(this, { key: message.key, exchange: message.exchange, base: message.base, quote: message.quote });
    this.spark = new Sparkline();
    this.day = new DayFigures();
    this.spark.points = message.points;
    this.part = null;
    this.move = 0;
    this.flashing = 0;
    this.drawn = 0;
    this.dirty = true;
    this.build(message);
    if (message.part) this.renew(message);
  }

  build({ base, quote, coin, where }) {
    const icon = el("span", "icon", base.slice(0, 1));
    icon.setAttribute("aria-hidden", "true");
    icon.dataset.coin = base;
    icon.style.setProperty("--hue", hue(base));
    this.arrow = el("span", "arrow");
    this.price = el("span", "price-text", "\u2013");
    const sign = el("span", "sign", SIGNS[quote] || quote);
    this.change = el("span", "change");
    this.since = el("span", "since");
    this.size = el("span", "size");
    this.time = el("time", "time");
    this.trouble = el("span", "trouble");
    this.age = el("span", "age");
    this.node = el(
      "article",
      "card waiting",
      el(
        "header",
        "",
        icon,
        el("h2", "", el("span", "coin", coin), el("span", "pair", `${base}/${quote}`)),
        el("span", "where", where),
      ),
      el("div", "quote", el("p", "price", sign, this.price, this.arrow), el("p", "moved", this.change, this.since)),
      this.spark.node,
      this.day.node,
      el("footer", "", this.size, this.time, this.trouble, this.age),
    );
    this.node.setAttribute("aria-label", `${coin} in ${NAMES[quote] || quote} on ${where}`);
    this.spark.node.setAttribute("aria-label", "No prices yet");
    this.node.dataset.key = this.key;
  }

  // Everything anew, in place: the card stays where it is and keeps the keyboard.
  renew({ points, part, move }) {
    this.spark.points = points;
    this.drawn = 0;
    this.know(part);
    this.move = move;
    return this;
  }

  // News: it flashes if the price is another than the one before.
  take(part) {
    const before = this.part?.[1] ?? part[1];
    this.know(part);
    const move = Math.sign(numberOf(part[1]) - numberOf(before));
    if (move) this.move = this.flash = move;
  }

  know(part) {
    const [, price, , tradedMs] = part;
    this.part = part;
    this.spark.add(Math.floor(tradedMs / 1000), numberOf(price));
    this.dirty = true;
  }

  // The lines and the text of its last trade; `now` is the server's clock.
  draw(now, replayed) {
    if (!this.dirty || !this.part) return;
    const [, price, size, tradedMs] = this.part;
    say(this.price, price);
    say(this.size, `${size} ${this.base}`);
    this.day.at(price);
    say(this.time, clockTime(tradedMs, now));
    this.time.dateTime = new Date(tradedMs).toISOString();
    this.node.classList.remove("waiting");
    this.showMove();
    this.dirty = false;
    this.drawLine(now, replayed);
    this.tick(now, replayed, this.known, this.gap);
  }

  showMove() {
    say(this.arrow, this.move > 0 ? "▲" : this.move < 0 ? "▼" : "");
    this.arrow.dataset.move = this.move;
    if (!this.flash) return;
    this.node.dataset.flash = this.flash > 0 ? "up" : "down";
    this.flash = 0;
    clearTimeout(this.flashing);
    this.flashing = setTimeout(() => delete this.node.dataset.flash, FLASH_MS);
  }

  drawLine(now, replayed) {
    if (Date.now() - this.drawn < REDRAW_MS) return;
    this.drawn = Date.now();
    const newest = this.spark.points.at(-1)?.[0];
    const end = replayed ? newest : Math.max(now / 1000, newest);
    const opening = this.spark.opening(end);
    if (!opening || opening.seconds < 1) return;
    const { text, direction } = percent(opening.price, this.spark.points.at(-1)[1]);
    say(this.change, text);
    this.change.dataset.move = direction;
    say(this.since, `in ${span(opening.seconds)}`);
    this.spark.node.dataset.move = direction;
    this.spark.draw(end);
    this.spark.node.setAttribute("aria-label", `Price of the last ${span(opening.seconds)}: ${text}, ${this.spark.words((price) => written(price, this.day.digits))}`);
  }

  // Once a second, whether it trades or not: no price is shown without its age.
  tick(now, replayed, trouble = "", gap = undefined) {
    this.known = trouble;
    this.gap = gap;
    this.node.classList.toggle("troubled", Boolean(trouble));
    if (!this.part) {
      say(this.trouble, trouble || "waiting for the first trade");
      return;
    }
    const [, , , tradedMs, heardMs] = this.part;
    const old = now - (heardMs || tradedMs);
    const quiet = !trouble && old > QUIET_MS;
    this.node.classList.toggle("quiet", quiet);
    const missing = gapWords(gap, this.spark.points.at(-1)?.[0] - WINDOW_S);
    say(this.trouble, trouble || missing || (quiet ? "quiet, last trade" : ""));
    this.node.classList.toggle("worded", Boolean(trouble || missing || quiet));
    this.node.classList.toggle("gapped", Boolean(!trouble && missing));
    say(this.age, age(old));
    this.time.title = `${FULL.format(new Date(tradedMs))} (${ZONE})`;
    this.drawLine(now, replayed);
  }
}

// A hue of its own for every coin, always the same one.
function hue(base) {
  const known = { BTC: 36, ETH: 232, LTC: 205 };
  return known[base] ?? [...base].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
}
