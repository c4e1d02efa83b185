// The whole page; everything here can be thrown away and drawn anew from what the server sends (incoming.js).

class Board {
  // model: Panel's side of the component; before there is one, whatever keeps what is said until `join`.
  constructor(model) {
    this.link = new Link(model, { lost: (since) => this.lost(since), back: () => this.back() });
    this.clock = new ServerClock();
    this.browser = new Browser(model.owns_page);
    if (model.owns_page) LIGHT.read();
    const { view, ignored } = this.browser.read(true);
    Object.assign(this, { view, ignored, catalogue: [], shown: [], snapshotAt: 0, incoming: new Incoming(this) });
    if (view.products) this.browser.write(view, false);
    this.build();
  }

  build() {
    this.picker = new Picker((key) => this.toggle(key));
    this.navigation = new Navigation((place) => this.change({ place }));
    this.navigation.node.hidden = !this.browser.owned;
    this.desk = new Desk(this);
    this.status = new StatusBar([this.navigation.node, this.desk.tools.node], () => this.picker.open());
    const watch = this.browser.owned ? { alert: (key) => this.alerts.open(key) } : {};
    this.grid = new Grid({ open: (key) => this.open(key), remove: (key) => this.remove(key), move: (key, at) => this.move(key, at), ...watch });
    this.alerts = new AlertPanel(this.browser, this.clock, (message) => this.link.say(message));
    this.exporter = new Exporter((message) => this.link.say(message));
    this.alerts.priceOf = (key) => this.priceOf(key);
    this.focus = new Focus({
      close: () => this.close(),
      interval: (interval) => this.change({ interval }),
      again: () => this.link.say({ again: 1 }),
      chart: () => this.link.say({ chart: "prices" }),
      ...watch,
      export: () => this.exporter.open("candles"),
    });
    this.note = el("p", "note");
    this.note.setAttribute("role", "status");
    this.zone = el("p", "zone", `Times in ${ZONE}. Each line shows at most the last 10 minutes.`);
    const { ribbon, header, absence, notices } = this.status;
    header.insertBefore(this.alerts.opener, this.status.rate);
    const { node, empty, said } = this.grid;
    this.compare = new ComparePlace({
      coin: (compare) => this.change({ compare }),
      sort: (name) => this.change({ sort: nextSort(this.view.sort, name) }),
      interval: (interval) => this.change({ interval }),
      open: (focus) => this.open(focus),
      address: (focus) => queryOf({ ...this.view, place: USUAL_PLACE, focus }, LIGHT.choice),
      chart: () => this.link.say({ chart: "compare" }),
      again: () => this.link.say({ again: 1 }),
    });
    this.system = new SystemPlace();
    const prices = el("div", "place prices", node, empty, this.focus.node, this.zone, this.exporter.opener);
    this.places = { prices, compare: this.compare.node, system: this.system.node };
    this.node = el("div", this.browser.owned ? "page whole" : "page", ribbon, el("div", "board", header, absence, this.note, ...Object.values(this.places), this.desk.foot, said), this.picker.node, this.desk.sheet.node, this.alerts.node, this.alerts.alarm.node, this.exporter.node);
    this.desk.foot.append(notices);
    this.desk.begin();
    this.arrange();
  }

  // -- what the server says

  // What cannot be shown has been read all the same, or the server would soon stop sending.
  receive(text) {
    try {
      this.incoming.take(text);
    } finally {
      this.link.acknowledge();
    }
  }

  // What the tab is called at another place than the prices.
  get elsewhere() {
    const { place } = this.view;
    return place === "compare" ? `${PLACES.compare} ${this.compare.table?.coin ?? ""}`.trim() : PLACES[place];
  }

  // What the page brought along: true as of when it was made, and its age is told, but nothing comes yet.
  preview(texts) {
    for (const text of texts) this.receive(text);
    this.status.wait();
  }

  // There is a link: everything comes anew, and what was asked for until now.
  join(model) {
    const waiting = this.link.join(model);
    this.hello(); // first: who has not said it gets no answers
    if (this.desk.unseen.asleep) this.desk.unseen.sleep(); // nobody heard it when it fell asleep
    for (const message of waiting) this.link.say(message);
  }

  // A page that does not own its address leaves it to the server which products come first.
  hello() {
    this.asked = true;
    this.link.say({ hello: 1, watch: this.alerts.watcher.keys, ...(this.browser.owned || this.changed ? this.said : {}) });
  }

  // What is shown, as the server reads it: dashboards/view.py.
  // Which products come first is the server's to say where the address is not ours, until someone adds or removes one.
  get said() {
    const { products, ...others } = this.view;
    return products || this.browser.owned ? { select: products, ...others } : others;
  }

  // -- what the viewer does

  change(part) {
    const before = this.view;
    this.view = { ...before, ...part };
    if (JSON.stringify(this.view) === JSON.stringify(before)) return;
    this.ignored = [];
    this.browser.write(this.view, true);
    if (part.products) this.browser.remember(part.products);
    this.turn(before.place);
  }

  travel() {
    const { place } = this.view;
    Object.assign(this, this.browser.read(false));
    LIGHT.read();
    this.desk.tools.wear(LIGHT.choice);
    this.turn(place);
  }

  // Draws what there is, and asks for what is missing: after another place for all of it, since nothing came meanwhile.
  turn(before) {
    this.changed = true;
    this.arrange();
    const { products, place } = this.view;
    if (place !== before || !products || products.some((key) => !this.grid.cards.has(key))) this.hello();
    else this.link.say(this.said);
  }

  open(key) {
    this.change({ focus: key, place: USUAL_PLACE });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.focus.node.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }

  toggle(key) {
    if (this.shown.includes(key)) this.remove(key);
    else this.change({ products: [...this.shown, key] });
  }

  // The keyboard goes back to where it came from.
  close() {
    const { focus } = this.view;
    this.change({ focus: null });
    this.grid.cards.get(focus)?.node.focus();
  }

  remove(key) {
    this.grid.say(`${key} removed`);
    this.change({ products: without(this.shown, key) });
    if (!this.shown.length && !this.picker.node.open) this.status.add.focus();
  }

  move(key, at) {
    const products = moved(this.shown, key, at);
    this.grid.say(`${key} is now ${products.indexOf(key) + 1} of ${products.length}`);
    this.change({ products });
  }

  priceOf(key) {
    return this.grid.cards.get(key)?.part?.[1] ?? (key === this.focus.key && this.focus.newest) ?? "";
  }

  // -- drawing

  arrange() {
    const known = new Map(this.catalogue.map((names) => [names.key, names]));
    const { products, focus, interval, place, compare } = this.view;
    this.navigation.show(this.view, LIGHT.choice);
    for (const [name, node] of Object.entries(this.places)) node.hidden = name !== place;
    this.status.add.hidden = place !== USUAL_PLACE;
    this.shown = (products ?? [...this.grid.cards.keys()]).filter((key) => known.has(key));
    this.grid.arrange(this.shown, focus);
    this.grid.empty.hidden = this.shown.length > 0 || !this.snapshotAt || !known.size;
    this.zone.hidden = !this.shown.length;
    this.picker.renew(this.catalogue, this.shown);
    const strange = known.size ? [...(products ?? []), ...(focus ? [focus] : [])].filter((key) => !known.has(key)) : [];
    if (compare && known.size && !comparable(this.catalogue).has(compare)) strange.push(compare);
    this.compare.turn(this.view);
    say(this.note, ignoredWords([...new Set([...this.ignored, ...strange])]));
    this.focus.open(known.get(focus) ?? null, interval);
    this.exporter.know(this.shown.length, known.get(focus) ?? null, interval);
    this.desk.headline(true);
  }

  // At once: the server's frames are so far apart that the screen never has two of them to show at a time. A hidden tab is
  // not drawn, and catches up in one go when it is seen again.
  draw() {
    if (document.hidden) return;
    const now = this.clock.now();
    for (const card of this.grid.cards.values()) card.draw(now, this.replayed);
  }

  tick() {
    this.desk.tick();
    if (document.hidden || this.desk.pause.on) return;
    const now = this.clock.now();
    const { troubles = {}, gaps = {}, kind } = this.status.status;
    for (const card of this.grid.cards.values()) {
      const trouble = this.link.isLost ? "page offline" : kind === "none" ? "not followed" : troubles[card.exchange];
      card.tick(now, this.replayed, trouble, gaps[card.key]);
    }
    this.compare.tick(now, this.link.isLost);
  }

  get replayed() {
    return this.status.status.kind === "replay";
  }

  lost(since) {
    this.status.lost();
    this.system.lost();
    this.desk.lost(since);
    this.tick();
  }

  back() {
    this.status.show(this.status.status);
    this.desk.back();
    this.tick();
  }
}
