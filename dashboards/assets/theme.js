// Dark or light: as the address says, else as the viewer chose before, else as the system is. Also in the page's head
// (page.html), where it runs before anything is drawn: no flash of the other one.

const THEMES = ["system", "dark", "light"];
const THEME_MEMORY = "poeticoins.theme";

// What an address's query asks for, else what was remembered. Anything may stand in either.
function themeOf(query, remembered) {
  const said = new URLSearchParams(query).get("theme");
  return [said, remembered].find((each) => THEMES.includes(each)) ?? "system";
}

// As of a MediaQueryList, but the viewer's choice comes before the system's: `matches` and "change".
class Theme extends EventTarget {
  constructor() {
    super();
    this.system = matchMedia("(prefers-color-scheme: light)");
    this.system.addEventListener("change", () => this.show());
    this.choice = "system";
    this.owned = false;
    this.dressed = new Set();
  }

  get matches() {
    return this.choice === "system" ? this.system.matches : this.choice === "light";
  }

  // From now on the page's address and storage are ours to read, and its ground is ours to colour.
  read() {
    this.owned = true;
    let remembered = null;
    try {
      remembered = localStorage.getItem(THEME_MEMORY);
    } catch {
      // Storage is switched off: then nothing is remembered.
    }
    this.choice = themeOf(location.search, remembered);
    this.show();
  }

  choose(choice) {
    this.choice = choice;
    try {
      localStorage.setItem(THEME_MEMORY, choice);
    } catch {
      // As above.
    }
    this.show();
  }

  next() {
    return THEMES[(THEMES.indexOf(this.choice) + 1) % THEMES.length];
  }

  show() {
    const theme = this.matches ? "light" : "dark";
    if (this.owned) Object.assign(document.documentElement.dataset, { theme });
    for (const node of this.dressed) this.wear(node);
    this.dispatchEvent(new Event("change")); // who reads colours from the page finds the new ones
  }

  // Keeps `node` in the theme's colours; returns how to stop. All turn at once: a text that faded over would be unreadable.
  dress(node) {
    this.dressed.add(node);
    this.wear(node);
    return () => this.dressed.delete(node);
  }

  wear(node) {
    node.classList.add("turning");
    node.classList.toggle("light", this.matches);
    void node.offsetWidth;
    node.classList.remove("turning");
  }
}

const LIGHT = new Theme();
