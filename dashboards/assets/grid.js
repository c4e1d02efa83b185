// The cards in their order: opened by a click or Enter, moved by dragging or Alt and arrows, removed by × or Delete.

class Grid {
  // acts: {open(key), remove(key), move(key, place)}
  constructor(acts) {
    this.acts = acts;
    this.cards = new Map();
    this.node = el("ul", "grid");
    this.node.setAttribute("aria-label", "Prices");
    this.said = el("p", "said");
    this.said.setAttribute("aria-live", "polite");
    this.empty = el("p", "empty", "No products are shown. ", el("strong", "", "Add product"), " above brings one here.");
    this.dragged = null;
  }

  // Draws `keys` in this order, of the cards that there are.
  arrange(keys, open) {
    const items = keys.filter((key) => this.cards.has(key)).map((key) => this.item(this.cards.get(key)));
    const focused = this.node.getRootNode().activeElement;
    if (items.length !== this.node.children.length || items.some((item, at) => item !== this.node.children[at])) {
      const at = [...this.node.children].findIndex((item) => item.contains(focused));
      this.node.replaceChildren(...items);
      // Moving a node takes its focus away, and so does removing it: then the next one has it.
      const next = focused?.isConnected || at < 0 ? focused : items[Math.min(at, items.length - 1)]?.firstChild;
      next?.focus?.({ preventScroll: true });
    }
    for (const [key, card] of this.cards) card.node.classList.toggle("open", key === open);
  }

  say(text) {
    say(this.said, text);
  }

  item(card) {
    if (card.item) return card.item;
    const name = card.node.getAttribute("aria-label");
    const remove = button("remove", "×", () => this.acts.remove(card.key));
    remove.setAttribute("aria-label", `Remove ${name}`);
    remove.title = "Remove";
    const bell = button("bell", "\u23f0", () => this.acts.alert(card.key));
    bell.setAttribute("aria-label", `Set an alert for ${name}`);
    bell.title = "Set an alert";
    card.node.tabIndex = 0;
    card.node.setAttribute("aria-keyshortcuts", "Enter Delete Alt+ArrowLeft Alt+ArrowRight");
    card.node.addEventListener("click", () => this.acts.open(card.key));
    card.node.addEventListener("keydown", (event) => this.key(event, card.key));
    card.item = el("li", "", card.node, ...(this.acts.alert ? [bell] : []), remove);
    this.draggable(card);
    return card.item;
  }

  key(event, key) {
    const steps = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
    if (event.altKey && steps[event.key]) this.acts.move(key, this.place(key) + steps[event.key]);
    else if (event.key === "Enter") this.acts.open(key);
    else if (event.key === "Delete") this.acts.remove(key);
    else return;
    event.preventDefault();
  }

  draggable(card) {
    card.item.draggable = true;
    card.item.addEventListener("dragstart", (event) => {
      this.dragged = card;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", card.key);
      card.item.classList.add("dragged");
    });
    card.item.addEventListener("dragover", (event) => this.dragged && event.preventDefault());
    card.item.addEventListener("drop", (event) => {
      event.preventDefault();
      if (this.dragged && this.dragged !== card) this.acts.move(this.dragged.key, this.place(card.key));
    });
    card.item.addEventListener("dragend", () => {
      card.item.classList.remove("dragged");
      this.dragged = null;
    });
  }

  place(key) {
    return [...this.node.children].indexOf(this.cards.get(key).item);
  }
}
