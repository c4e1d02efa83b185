// The dialog that exports what is shown. The server makes the file and sends it in pieces (dashboards/exports.py), over the
// connection that the page has: so it works by whatever server, and in a notebook.

const EXPORT_MS = 30_000; // without another piece: it does not come any more
const TYPES = { csv: "text/csv", parquet: "application/vnd.apache.parquet" };

class Exporter {
  constructor(send) {
    this.send = send;
    this.pieces = [];
    this.kind = labelled(el("select"), "What");
    this.form = labelled(el("select"), "As");
    for (const [value, text] of [["csv", "CSV"], ["parquet", "Parquet"]]) this.form.field.append(new Option(text, value));
    this.go = button("set", "Export", () => this.ask());
    this.said = el("p", "hint");
    this.said.setAttribute("role", "status");
    const close = button("close", "Close", () => this.node.close());
    this.node = el("dialog", "picker export", el("header", "", el("h2", "", "Export"), close), el("div", "alert-form export-form", this.kind.node, this.form.node, this.go), this.said);
    this.node.setAttribute("aria-label", "Export");
    this.node.addEventListener("click", (event) => event.target === this.node && this.node.close());
    this.opener = button("export-open", "Export…", () => this.open("cards"));
  }

  // cards: how many are shown; names: of the open product, or null; interval: of its candles.
  know(cards, names, interval) {
    Object.assign(this, { cards, names, interval });
  }

  open(kind) {
    const choices = [["cards", `Last trades of the ${this.cards} cards`]];
    if (this.names) {
      const name = `${this.names.base}/${this.names.quote} on ${this.names.where}`;
      choices.push(["candles", `Candles of ${this.interval} of ${name}`], ["trades", `Trades of ${name}`]);
    }
    this.kind.field.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
    this.kind.field.value = kind;
    if (!this.waiting) say(this.said, "Of candles and trades all that the server keeps, the newest 50,000 at most, beyond what is in sight.");
    this.node.showModal();
  }

  ask() {
    if (this.waiting) return;
    const [kind, form] = [this.kind.field.value, this.form.field.value];
    this.pieces = [];
    this.send({ export: { kind, form, key: this.names?.key ?? "", interval: this.interval } });
    this.wait("The server makes it…");
  }

  wait(words) {
    say(this.said, words);
    this.go.setAttribute("aria-disabled", "true"); // a button that is truly disabled would lose the keyboard
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.end("It did not come; try again."), EXPORT_MS);
  }

  end(words) {
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.pieces = [];
    this.go.removeAttribute("aria-disabled");
    say(this.said, words);
  }

  // {"kind": "export", name, rows, piece, at, of}, or with a problem.
  hear({ problem, name, rows, piece, at, of }) {
    if (problem) this.end(problem);
    else if (at !== this.pieces.length) this.end("A part of it was lost; try again.");
    else {
      this.send({ exported: at });
      this.pieces.push(Uint8Array.from(atob(piece), (letter) => letter.charCodeAt(0)));
      if (at + 1 < of) this.wait(`${Math.round((100 * (at + 1)) / of)} % of it is here…`);
      else this.save(name, rows);
    }
  }

  save(name, rows) {
    const address = URL.createObjectURL(new Blob(this.pieces, { type: TYPES[name.split(".").at(-1)] }));
    const link = el("a");
    Object.assign(link, { href: address, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    this.end(`${name}: ${rows.toLocaleString("en-US")} ${rows === 1 ? "row" : "rows"}.`);
  }

  close() {
    clearTimeout(this.waiting);
  }
}
