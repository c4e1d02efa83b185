// The System place: how the processes behind the prices are.

class SystemPlace {
  constructor() {
    this.node = el("section", "place system", el("h2", "place-name", PLACES.system));
    this.node.setAttribute("aria-label", PLACES.system);
  }
}
