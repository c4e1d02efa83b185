// The whole page. The server sends JSON texts (dashboards/frames.py); everything here can be thrown away and drawn anew.

const ACK_EVERY = 50;
const SILENT_MS = 12_000; // the server says something every 5 s: after so long the link is dead, though nobody closed it
const DEAD_MS = 60_000; // and after so long it will not come back by itself

class Board {
  constructor(model) {
    this.model = model;
    this.clock = new ServerClock();
    this.place = new Place(model.owns_page);
    const { view, ignored } = this.place.read(true);
    Object.assign(this, { view, ignored, catalogue: [], shown: [], unseen: 0, snapshotAt: 0, cut: 0, frame: 0 });
    if (view.products) this.place.write(view, false);
    this.build();
  }

  build() {
    this.picker = new Picker((key) => this.toggle(key));
    this.status = new StatusBar(this.place, () => this.picker.open());
    this.grid = new Grid({ open: (key) => this.open(key), remove: (key) => this.remove(key), move: (key, at) => this.move(key, at) });
    this.focus = new Focus({
      close: () => this.change({ focus: null }),
      interval: (interval) => this.change({ interval }),
      again: () => this.model.send_msg({ again: 1 }),
      chart: () => this.model.send_msg({ chart: 1 }),
    });
    this.note = el("p", "note");
    this.note.setAttribute("role", "status");
    this.zone = el("p", "zone", `Times in ${ZONE}. Each line shows at most the last 10 minutes.`);
    const { ribbon, header, absence, notices } = this.status;
    const { node, empty, said } = this.grid;
    this.node = el("div", this.place.owned ? "page whole" : "page", ribbon, el("div", "board", header, absence, this.note, node, empty, this.focus.node, this.zone, notices, said), this.picker.node);
    this.arrange();
  }

  // -- what the server says

  receive(text) {
    const message = JSON.parse(text);
    this.back();
    if (message.now) this.clock.heard(message.now);
    if (message.kind === "snapshot") this.renew(message);
    else if (message.kind === "status") this.tell(message.status);
    else if (message.kind === "history") this.focus.history(message);
    else if (message.kind === "days") this.hear(message.days);
    else if (message.kind === "chart") this.focus.chart.embed(message.item);
    else this.update(message);
    this.acknowledge();
    this.drawSoon();
  }

  renew({ status, cards, catalogue, now }) {
    this.status.show(status);
    this.catalogue = catalogue;
    const before = this.grid.cards;
    this.grid.cards = new Map(cards.map((card) => [card.key, (card.part && before.get(card.key)?.renew(card)) || new Card(card)]));
    this.snapshotAt = now;
    this.arrange();
    this.tick();
    // A frame that overtook this snapshot was newer than it: ask again rather than show its price late.
    if (this.cut > now) this.hello();
  }

  tell(status) {
    this.status.show(status);
    this.focus.recount(status.counts);
    this.tick();
  }

  update({ cards, tape, now }) {
    this.cut = now;
    for (const part of cards) this.grid.cards.get(part[0])?.take(part);
    if (tape) this.focus.trade(tape);
    if (tape) this.status.title(this.focus.title);
  }

  // The last 24 hours, of what they changed for.
  hear(days) {
    for (const day of days) {
      this.grid.cards.get(day[0])?.day.show(day);
      this.focus.day.show(day, this.focus.key);
    }
  }

  // The server stops sending to a browser that does not read; this is how it knows that this one does.
  acknowledge() {
    this.unseen += 1;
    if (this.unseen < ACK_EVERY) return;
    this.model.send_msg({ seen: this.unseen });
    this.unseen = 0;
  }

  // A page that does not own its address leaves it to the server which products come first.
  hello() {
    const { products, focus, interval } = this.view;
    const said = this.place.owned || this.changed ? { select: products, focus, interval } : {};
    this.model.send_msg({ hello: 1, ...said });
  }

  // -- what the viewer does

  change(part) {
    const before = JSON.stringify(this.view);
    this.view = { ...this.view, ...part };
    if (JSON.stringify(this.view) === before) return;
    this.ignored = [];
    this.place.write(this.view, true);
    if (part.products) this.place.remember(part.products);
    this.turn();
  }

  travel() {
    Object.assign(this, this.place.read(false));
    this.turn();
  }

  // Draws what there is, and asks for what is missing.
  turn() {
    this.changed = true;
    this.arrange();
    const { products, focus, interval } = this.view;
    if (!products || products.some((key) => !this.grid.cards.has(key))) this.hello();
    else this.model.send_msg({ select: products, focus, interval });
  }

  open(key) {
    this.change({ focus: key });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.focus.node.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }

  toggle(key) {
    if (this.shown.includes(key)) this.remove(key);
    else this.change({ products: [...this.shown, key] });
  }

  remove(key) {
    this.grid.say(`${key} removed`);
    this.change({ products: without(this.shown, key) });
  }

  move(key, at) {
    const products = moved(this.shown, key, at);
    this.grid.say(`${key} is now ${products.indexOf(key) + 1} of ${products.length}`);
    this.change({ products });
  }

  // -- drawing

  arrange() {
    const known = new Map(this.catalogue.map((names) => [names.key, names]));
    const { products, focus, interval } = this.view;
    this.shown = (products ?? [...this.grid.cards.keys()]).filter((key) => known.has(key));
    this.grid.arrange(this.shown, focus);
    this.grid.empty.hidden = this.shown.length > 0 || !this.snapshotAt || !known.size;
    this.zone.hidden = !this.shown.length;
    this.picker.renew(this.catalogue, this.shown);
    const strange = known.size ? [...(products ?? []), ...(focus ? [focus] : [])].filter((key) => !known.has(key)) : [];
    say(this.note, ignoredWords([...new Set([...this.ignored, ...strange])]));
    this.focus.open(known.get(focus) ?? null, interval);
    this.status.title(this.focus.title);
  }

  // A hidden tab is not drawn, and catches up in one go when it is seen again.
  drawSoon() {
    if (this.frame || document.hidden) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const now = this.clock.now();
      for (const card of this.grid.cards.values()) card.draw(now, this.replayed);
    });
  }

  tick() {
    if (document.hidden) return;
    const now = this.clock.now();
    const { troubles = {}, gaps = {}, kind } = this.status.status;
    for (const card of this.grid.cards.values()) {
      const trouble = this.isLost ? "page offline" : kind === "none" ? "not followed" : troubles[card.exchange];
      card.tick(now, this.replayed, trouble, gaps[card.key]);
    }
  }

  get replayed() {
    return this.status.status.kind === "replay";
  }

  lost() {
    if (this.isLost) return;
    this.isLost = true;
    this.status.lost();
    this.tick();
  }

  back() {
    this.heardAt = Date.now();
    if (!this.isLost) return;
    this.isLost = false;
    this.status.show(this.status.status);
    this.tick();
  }

  // Called once a second. A link that died without a word: say so; and once the server can be reached again, while this
  // connection cannot, begin anew: the address holds all that is shown.
  async watch() {
    const silent = Date.now() - (this.heardAt ?? Date.now());
    if (silent > SILENT_MS) this.lost();
    if (silent > DEAD_MS && this.place.owned && !this.checking) {
      this.checking = true;
      if (await answers()) location.reload();
      this.checking = false;
    }
  }
}
