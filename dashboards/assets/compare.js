// The Compare place: one coin on every exchange.

class ComparePlace {
  constructor() {
    this.node = el("section", "place compare", el("h2", "place-name", PLACES.compare));
    this.node.setAttribute("aria-label", PLACES.compare);
  }
}
