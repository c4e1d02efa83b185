// The last 24 hours in four figures, each under its word; less than a day, as long as less is known, is called what it is.

const WHOLE_DAY_S = 86_400;

class DayFigures {
  constructor() {
    this.nodes = Object.fromEntries(["change", "high", "low", "volume"].map((name) => [name, el("dd")]));
    this.title = el("dt");
    this.node = el("dl", "day", el("div", "", this.title, this.nodes.change));
    for (const [name, label] of [["high", "High"], ["low", "Low"], ["volume", "Volume"]]) {
      this.node.append(el("div", "", el("dt", "", label), this.nodes[name]));
    }
    this.clear();
  }

  clear() {
    this.known = this.price = null;
    this.digits = 0;
    say(this.title, "in 24 h");
    for (const node of Object.values(this.nodes)) say(node, "\u2013");
    this.nodes.change.dataset.move = 0;
    this.node.removeAttribute("title");
  }

  // [key, open, high, low, volume, seconds], as of dashboards/days.py; one of another product than `key` is not for us.
  show(day, key = day[0]) {
    if (day[0] !== key) return;
    this.known = day;
    if (this.price) this.draw();
  }

  // The product's price as the exchange writes it, and so in how many digits.
  at(price) {
    this.price = price;
    this.digits = Math.max(this.digits, digitsOf(price)); // some exchanges leave out zeros at the end: 98 among 97.95
    if (this.known) this.draw();
  }

  draw() {
    const [, open, high, low, volume, seconds] = this.known;
    const price = numberOf(this.price);
    const { text, direction } = percent(open, price);
    const length = dayWords(seconds);
    say(this.title, `in ${length}`);
    say(this.nodes.change, text);
    this.nodes.change.dataset.move = direction;
    say(this.nodes.high, written(Math.max(high, price), this.digits));
    say(this.nodes.low, written(Math.min(low, price), this.digits));
    say(this.nodes.volume, short(volume));
    this.node.title = seconds < WHOLE_DAY_S ? `Only the last ${length} are known here` : "The last 24 hours";
  }
}

// "24 h" for a whole day only: a day but for a minute is 23 h.
function dayWords(seconds) {
  return seconds >= WHOLE_DAY_S ? "24 h" : span(Math.max(60, seconds));
}

// How many decimals a price has, as the exchange wrote it.
function digitsOf(price) {
  return (price.split(".")[1] || "").length;
}

const WRITERS = []; // by digits: to make one takes far longer than to write with it
const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 4 });

function written(value, digits) {
  WRITERS[digits] ??= new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return WRITERS[digits].format(value);
}

function short(size) {
  return SHORT.format(size);
}
