// The whole page. The server sends JSON texts (dashboards/frames.py); everything here can be thrown away and drawn anew.

const ACK_EVERY = 50;

class Board {
  constructor(model) {
    this.model = model;
    this.clock = new ServerClock();
    this.cards = new Map();
    this.status = new StatusBar();
    this.grid = el("ul", "grid");
    this.grid.setAttribute("aria-label", "Prices");
    this.zone = el("p", "zone", `Times in ${ZONE}. Each line shows at most the last 10 minutes.`);
    const { ribbon, header, absence, notices } = this.status;
    this.node = el("div", "page", ribbon, el("div", "board", header, absence, notices, this.grid, this.zone));
    this.unseen = 0;
    this.snapshotAt = 0;
    this.missed = 0;
    this.frame = 0;
  }

  receive(text) {
    const message = JSON.parse(text);
    this.clock.heard(message.now);
    if (message.kind === "snapshot") this.renew(message);
    else if (message.kind === "status") this.tell(message.status);
    else this.update(message);
    this.acknowledge();
    this.drawSoon();
  }

  renew({ status, cards, now }) {
    this.status.show(status);
    this.cards = new Map(cards.map((card) => [card.key, new Card(card)]));
    this.grid.replaceChildren(...[...this.cards.values()].map((card) => el("li", "", card.node)));
    this.snapshotAt = now;
    this.tick();
    // A frame that overtook this snapshot was newer than it: ask again rather than show its price late.
    if (this.missed > now) this.hello();
    this.missed = 0;
  }

  tell(status) {
    this.status.show(status);
    this.tick();
  }

  update({ cards, now }) {
    if (!this.snapshotAt) this.missed = now;
    for (const part of cards) this.cards.get(part[0])?.take(part);
  }

  // The server stops sending to a browser that does not read; this is how it knows that this one does.
  acknowledge() {
    this.unseen += 1;
    if (this.unseen < ACK_EVERY) return;
    this.model.send_msg({ seen: this.unseen });
    this.unseen = 0;
  }

  hello() {
    this.model.send_msg({ hello: 1 });
  }

  // A hidden tab is not drawn, and catches up in one go when it is seen again.
  drawSoon() {
    if (this.frame || document.hidden) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const now = this.clock.now();
      for (const card of this.cards.values()) card.draw(now, this.replayed);
    });
  }

  tick() {
    if (document.hidden) return;
    const now = this.clock.now();
    const { troubles = {}, kind } = this.status.status;
    for (const card of this.cards.values()) {
      const trouble = this.isLost ? "page offline" : kind === "none" ? "not followed" : troubles[card.exchange];
      card.tick(now, this.replayed, trouble);
    }
  }

  get replayed() {
    return this.status.status.kind === "replay";
  }

  lost() {
    this.isLost = true;
    this.status.lost();
    this.tick();
  }
}

let current = null; // the board on the screen: the connection outlives every drawing

export function render({ model, view }) {
  const board = new Board(model);
  current = board;
  const onVisible = () => {
    board.tick();
    board.drawSoon();
  };
  const ticking = setInterval(() => board.tick(), 1000);
  document.addEventListener("visibilitychange", onVisible);
  model.on("msg:custom", (text) => board.receive(text));
  model.on("remove", () => {
    clearInterval(ticking);
    document.removeEventListener("visibilitychange", onVisible);
  });
  keepConnected(view.model.document, () => current.lost());
  document.getElementById("opening")?.remove();
  board.hello();
  return board.node;
}
