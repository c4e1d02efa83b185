// What lets the page stay open all day: keys, theme, pause, the tab's title and icon, its sleep, and what happened meanwhile.

class Desk {
  constructor(board) {
    this.board = board;
    const { owned } = board.browser;
    this.pause = new Pause((isPaused) => this.tools.hold(isPaused), () => board.hello());
    this.tools = new Tools({ theme: () => this.wear(LIGHT.next()), pause: () => this.toggle(), help: () => this.sheet.open() });
    this.keys = new Keys(this.table, () => board.node.querySelector("dialog[open]"));
    this.sheet = new Sheet(this.keys, (theme) => this.wear(theme));
    this.tab = new Tab(board.browser);
    this.meanwhile = new Meanwhile(owned, (outages) => meanwhileFacts(outages, this.gaps));
    this.unseen = new Unseen(() => this.needed, (message) => board.link.say(message), () => board.hello());
    this.tools.node.hidden = !owned;
    this.tools.hold(this.pause.on);
    this.foot = el("div", "foot", this.pause.node, this.meanwhile.node);
    this.pause.node.append(button("resume", "Resume", () => this.toggle()));
    this.stops = owned ? [this.keys.listen()] : [];
  }

  // To be called once the board's node is there.
  begin() {
    this.stops.push(LIGHT.dress(this.board.node));
    this.tools.wear(LIGHT.choice);
    this.meanwhile.tell();
    if (this.board.browser.owned) this.unseen.look(document.hidden);
  }

  end() {
    for (const stop of this.stops) stop();
    this.unseen.look(false);
  }

  get table() {
    const { board } = this;
    return [
      ["?", "This sheet, also by the button ?", () => this.sheet.open()],
      ["a", "Add or remove a product", () => board.picker.open()],
      ["j k", "To the next card, to the one before", (key) => this.step(key === "j" ? 1 : -1)],
      ["1 2 3 4 5 6 7 8 9", `Candles of ${INTERVALS[0]} to ${INTERVALS.at(-1)}`, (key) => board.change({ interval: INTERVALS[key - 1] })],
      ["c", "To the chart", () => board.focus.chart.node.focus()],
      ["Escape", "Close the product that is open", () => board.close()],
      ["p", "Pause, and go on", () => this.toggle()],
      ["t", "Theme: as the system, dark, light", () => this.wear(LIGHT.next())],
      ["n", "Alerts", () => board.alerts.open(board.focus.key)],
      ["e", "Save what is shown as a file", () => board.exporter.open(board.focus.key ? "candles" : "cards")],
      ["v", `To the next place: ${Object.values(PLACES).join(", ")}`, () => this.travel()],
    ];
  }

  // -- what the viewer does

  wear(theme) {
    LIGHT.choose(theme);
    this.tools.wear(theme);
    this.sheet.wear(theme);
    this.board.browser.write(this.board.view, false);
  }

  toggle() {
    this.pause.toggle(this.board.clock.now());
    if (this.pause.on) for (const place of [this.board.focus, this.board.compare]) place.settle();
    this.headline(true);
  }

  travel() {
    const places = Object.keys(PLACES);
    this.board.change({ place: places[(places.indexOf(this.board.view.place) + 1) % places.length] });
  }

  // From card to card; from elsewhere to the first or the last.
  step(by) {
    const cards = [...this.board.grid.node.querySelectorAll(".card")];
    const at = cards.indexOf(this.board.node.getRootNode().activeElement);
    const next = at < 0 ? (by > 0 ? 0 : cards.length - 1) : Math.max(0, Math.min(cards.length - 1, at + by));
    cards[next]?.focus();
  }

  // -- what the server says

  // Whether `message` is to be let go: the page is paused, and would move by it.
  holds(message) {
    const { board } = this;
    if (message.kind === "snapshot") this.meanwhile.end("page", Date.now());
    const isHeld = this.pause.holds(message, board.asked) || (this.pause.on && message.kind === "history" && board.focus.ready);
    if (this.pause.on) this.tick();
    return isHeld;
  }

  told({ kind }) {
    if (kind === "none") this.meanwhile.begin("supervisor", Date.now(), knownOf(this.board.focus));
    else if (kind !== "opening") this.meanwhile.end("supervisor", Date.now());
    this.meanwhile.tell();
    this.headline(true);
  }

  lost(since) {
    this.meanwhile.begin("page", since, knownOf(this.board.focus));
    this.headline(true);
  }

  back() {
    this.meanwhile.end("page", Date.now());
    this.headline(true);
  }

  tick() {
    this.pause.tell(this.board.clock.now());
    this.headline();
  }

  // Of the products that are shown.
  get gaps() {
    const { shown, focus, status } = this.board;
    const keys = new Set([...shown, focus.key]);
    return Object.fromEntries(Object.entries(status.status.gaps ?? {}).filter(([key]) => keys.has(key)));
  }

  // -- the tab

  // The product whose price is the tab's: the open one, else the first.
  get first() {
    const { view, focus, shown } = this.board;
    return view.place === USUAL_PLACE ? focus.key ?? shown[0] : undefined;
  }

  // The products that are needed where nobody sees the page.
  get needed() {
    return this.pause.on || !this.first ? [] : [this.first];
  }

  headline(isUrgent = false) {
    const { board } = this;
    const { kind } = board.status.status;
    if (board.link.isLost || kind === "none") return this.show("", "lost", isUrgent);
    if (this.pause.on) return this.show("Paused", "paused", isUrgent);
    if (board.view.place !== USUAL_PLACE) return this.show(board.elsewhere, "same", isUrgent);
    const card = board.grid.cards.get(this.first);
    const names = card ?? board.focus.names;
    const price = (board.focus.key && board.focus.newest) || card?.part?.[1];
    if (!price) return this.show("", "same", isUrgent);
    return this.show(`${this.arrow(price)} ${price} ${names.base}/${names.quote}`.trim(), this.direction, isUrgent);
  }

  // "▲" after a rise, "▼" after a fall of the price in the title.
  arrow(price) {
    const [before, now] = [this.priced ?? 0, numberOf(price)];
    if (this.pricedKey !== this.first) Object.assign(this, { pricedKey: this.first, direction: "same" });
    else if (now !== before) this.direction = now > before ? "up" : "down";
    this.priced = now;
    return { up: "▲", down: "▼", same: "" }[this.direction];
  }

  show(live, icon, isUrgent) {
    this.tab.show(this.board.status.title(live), icon, isUrgent);
  }
}
