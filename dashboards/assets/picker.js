// The dialog that adds and removes products: grouped by exchange, searched by coin, name or exchange.

class Picker {
  constructor(onToggle) {
    this.onToggle = onToggle;
    this.catalogue = [];
    this.shown = new Set();
    this.search = el("input", "search");
    Object.assign(this.search, { type: "search", placeholder: "Coin or exchange", autocomplete: "off", spellcheck: false });
    this.search.setAttribute("aria-label", "Search products by coin or exchange");
    this.list = el("div", "choices");
    const close = button("close", "Close", () => this.node.close());
    this.node = el("dialog", "picker", el("header", "", el("h2", "", "Add product"), close), this.search, this.list);
    this.node.setAttribute("aria-label", "Add product");
    this.search.addEventListener("input", () => this.draw());
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("click", (event) => event.target === this.node && this.node.close());
  }

  open() {
    this.search.value = "";
    this.draw();
    this.node.showModal();
    this.search.focus();
  }

  renew(catalogue, shown) {
    this.catalogue = catalogue;
    this.shown = new Set(shown);
    if (this.node.open) this.draw();
  }

  draw() {
    const focused = this.node.getRootNode().activeElement?.dataset?.key;
    const found = matching(this.catalogue, this.search.value);
    const groups = grouped(found);
    this.list.replaceChildren(
      ...[...groups].map(([where, products]) => {
        const group = el("section", "", el("h3", "", where), ...products.map((names) => this.choice(names)));
        group.setAttribute("aria-label", where);
        return group;
      }),
      ...(found.length ? [] : [el("p", "nothing", this.catalogue.length ? "No product like that is followed." : "No supervisor has told its products yet.")]),
    );
    if (focused) this.choices.find((choice) => choice.dataset.key === focused)?.focus();
  }

  choice({ key, base, quote, coin }) {
    const shown = this.shown.has(key);
    const node = button("choice", "", () => this.onToggle(key));
    node.append(el("span", "coin", coin), el("span", "pair", `${base}/${quote}`), el("span", "mark-shown", shown ? "✓ shown" : ""));
    node.dataset.key = key;
    node.setAttribute("aria-pressed", shown);
    return node;
  }

  get choices() {
    return [...this.list.querySelectorAll(".choice")];
  }

  // Arrows walk through the choices, Enter in the search takes the first. Escape closes at once: the search would take the
  // first one to empty itself.
  key(event) {
    const { choices } = this;
    const at = choices.indexOf(this.node.getRootNode().activeElement);
    if (event.key === "Enter" && event.target === this.search) {
      choices[0]?.click();
    } else if (event.key === "Escape") {
      this.node.close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      if (next < 0) this.search.focus();
      else choices[Math.min(next, choices.length - 1)]?.focus();
    } else return;
    event.preventDefault();
  }
}

function grouped(found) {
  const groups = new Map();
  for (const names of found) groups.set(names.where, [...(groups.get(names.where) || []), names]);
  return groups;
}

function button(className, text, act) {
  const node = el("button", className, text);
  node.type = "button";
  node.addEventListener("click", act);
  return node;
}
