// The keys of the page. Those of one character do nothing while a text is typed, while a dialog is open, with Ctrl, Alt or
// Meta, and where the viewer has switched them off (WCAG 2.1.4); Escape is none of them.

const KEYS_MEMORY = "poeticoins.keys";
const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

class Keys {
  // table: [[keys, words, act], …]: `act(key)` for each of the keys, separated by spaces.
  // isBusy(): whether a dialog is open, which has all keys for itself.
  constructor(table, isBusy) {
    Object.assign(this, { table, isBusy });
    this.acts = new Map(table.flatMap(([keys, , act]) => keys.split(" ").map((key) => [key, act])));
    this.off = this.remembered();
  }

  // Returns how to stop listening.
  listen() {
    const listener = (event) => this.hear(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }

  hear(event) {
    if (this.isBusy() || !isForPage(event) || (this.off && event.key.length === 1)) return;
    const act = this.acts.get(event.key);
    if (!act) return;
    event.preventDefault();
    act(event.key);
  }

  set isOff(off) {
    this.off = off;
    try {
      localStorage.setItem(KEYS_MEMORY, off ? "off" : "on");
    } catch {
      // Storage is full or switched off: then the choice lasts as long as the page.
    }
  }

  remembered() {
    try {
      return localStorage.getItem(KEYS_MEMORY) === "off";
    } catch {
      return false;
    }
  }
}

// Whether a key is meant for the page, and not for what has the keyboard just now.
function isForPage(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return false;
  return !event.composedPath().some((node) => node.matches?.(FIELDS));
}
