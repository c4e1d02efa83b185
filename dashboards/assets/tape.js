// The tape: every trade of the open product, the newest on top. Two in one millisecond are two rows: the id is the key.

const TAPE_ROWS = 50;
const TENTHS = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 1, hourCycle: "h23" });

class Tape {
  constructor() {
    this.rows = new Map(); // by trade id
    this.body = el("tbody");
    const head = el("thead", "", el("tr", "", ...["Price", "Size", "Time"].map((name) => el("th", "", name))));
    const table = el("table", "", head, this.body);
    this.node = el("section", "tape", el("h3", "", "Trades"), table);
    this.node.tabIndex = 0; // it scrolls, and so must by keyboard
    this.node.setAttribute("aria-label", "Trades, newest first");
  }

  clear() {
    this.rows.clear();
    this.body.replaceChildren();
  }

  // `rows` oldest first, as of dashboards/product.py: [id, ms, price, size, side], and true if it is late.
  add(rows) {
    for (const row of rows.slice(-TAPE_ROWS)) {
      if (this.rows.has(row[0])) continue;
      const node = this.row(row);
      this.rows.set(row[0], node);
      this.body.insertBefore(node, this.place(row));
    }
    while (this.body.children.length > TAPE_ROWS) {
      this.rows.delete(this.body.lastChild.dataset.id);
      this.body.lastChild.remove();
    }
  }

  // The row that `row` goes before: the newest, but a late one goes where it was traded.
  place([, ms, , , , late]) {
    let below = this.body.firstChild;
    while (late && below && Number(below.dataset.ms) > ms) below = below.nextSibling;
    return below;
  }

  row([id, ms, price, size, side, late]) {
    const arrow = el("span", "arrow", side === "buy" ? "▲" : "▼");
    arrow.setAttribute("aria-label", side);
    const time = el("time", "", TENTHS.format(new Date(ms)));
    time.dateTime = new Date(ms).toISOString();
    const node = el("tr", "", el("td", "", arrow, price), el("td", "", size), el("td", "", time, ...(late ? [el("span", "late", "late")] : [])));
    node.dataset.id = id;
    node.dataset.ms = ms;
    node.dataset.move = side === "buy" ? 1 : -1;
    return node;
  }
}
