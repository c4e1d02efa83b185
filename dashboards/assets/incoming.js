// What the server sends (dashboards/texts.py, frames.py and others), read and handed to the parts of the board.

class Incoming {
  constructor(board) {
    Object.assign(this, { board, keys: new Map(), cut: 0 }); // keys: by the number that frames call a product by
  }

  take(text) {
    const { board } = this;
    const message = text.startsWith("frame ") ? frameOf(text, this.keys) : JSON.parse(text);
    board.link.heard();
    if (message.now) board.clock.heard(message.now);
    board.alerts.watcher.note();
    if (board.desk.holds(message)) return;
    if (message.kind === "snapshot") this.renew(message);
    else if (message.kind === "status") this.tell(message.status);
    else if (message.kind === "history") this.remember(message);
    else if (message.kind === "days") this.hear(message.days);
    else if (message.kind === "system") board.system.show(message);
    else if (message.kind === "chart") board.focus.chart.embed(message.item);
    else if (message.kind === "watched") board.alerts.watcher.hear(message);
    else if (message.kind === "export") board.exporter.hear(message);
    else if (message.kind.startsWith("compare")) this.compare(message);
    else this.update(message);
    board.draw();
  }

  renew({ status, cards, catalogue, now }) {
    const { board } = this;
    board.asked = false;
    board.status.show(status);
    board.desk.told(status);
    board.catalogue = catalogue;
    this.keys = new Map(catalogue.map(({ number, key }) => [String(number), key]));
    board.alerts.know(catalogue);
    if (board.view.place === USUAL_PLACE) this.deal(cards, now); // elsewhere there are none, and the old ones may wait
    for (const place of [board.focus, board.compare]) place.wantChart(); // a page that was far behind may have missed it
    board.arrange();
    board.tick();
    // A frame that overtook this snapshot was newer than it: ask again rather than show its price late.
    // A tab that sleeps shows none, and says hello when it wakes.
    if (this.cut > now && !board.desk.unseen.asleep) board.hello();
  }

  deal(cards, now) {
    const { grid } = this.board;
    const before = grid.cards;
    grid.cards = new Map(cards.map((card) => [card.key, (card.part && before.get(card.key)?.renew(card)) || new Card(card)]));
    this.board.snapshotAt = now;
  }

  tell(status) {
    const { board } = this;
    board.status.show(status);
    board.desk.told(status);
    board.focus.recount(status.counts);
    board.tick();
  }

  update({ cards, tape, now }) {
    const { board } = this;
    this.cut = now;
    for (const part of cards) board.grid.cards.get(part[0])?.take(part);
    if (tape) board.focus.trade(tape);
    board.desk.headline();
  }

  compare(message) {
    this.board.compare.show(message);
    this.board.desk.headline();
  }

  remember(history) {
    const { focus, desk } = this.board;
    focus.history(history);
    if (focus.ready) desk.meanwhile.fetched(focus);
  }

  // The last 24 hours, of what they changed for.
  hear(days) {
    const { grid, focus } = this.board;
    for (const day of days) {
      grid.cards.get(day[0])?.day.show(day);
      focus.day.show(day, focus.key);
    }
  }
}
