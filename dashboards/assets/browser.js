// The browser's own things: address, history, storage, title. A page that does not own them (in a notebook) leaves them be.

const MEMORY = "poeticoins.products";

class Browser {
  constructor(owned) {
    this.owned = owned;
  }

  // What the address says; with nothing in it, what was shown last.
  read(recall) {
    if (!this.owned) return { view: USUAL_VIEW, ignored: [] };
    const found = viewOf(location.search);
    if (recall && !found.view.products) found.view.products = this.recall();
    return found;
  }

  write(view, isNew) {
    if (!this.owned) return;
    const address = location.pathname + queryOf(view, LIGHT.choice) + location.hash;
    if (isNew) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }

  remember(products) {
    if (!this.owned) return;
    try {
      localStorage.setItem(MEMORY, JSON.stringify(products));
    } catch {
      // Storage is full or switched off: then nothing is remembered.
    }
  }

  recall() {
    try {
      return remembered(localStorage.getItem(MEMORY));
    } catch {
      return null;
    }
  }

  // What this browser keeps under `name`, as text; null if nothing, or if it keeps nothing for us.
  stored(name) {
    try {
      return this.owned ? localStorage.getItem(name) : null;
    } catch {
      return null;
    }
  }

  store(name, text) {
    try {
      if (this.owned) localStorage.setItem(name, text);
    } catch {
      // Storage is full or switched off: it lasts as long as the page.
    }
  }

  // Calls `listen` when another tab stores something under `name`. Returns how to stop listening.
  onStored(name, listen) {
    if (!this.owned) return () => {};
    const heard = (event) => event.key === name && listen();
    addEventListener("storage", heard);
    return () => removeEventListener("storage", heard);
  }

  title(text) {
    if (this.owned && document.title !== text) document.title = text;
  }

  // Returns how to stop listening.
  onTravel(listen) {
    if (!this.owned) return () => {};
    addEventListener("popstate", listen);
    return () => removeEventListener("popstate", listen);
  }
}
