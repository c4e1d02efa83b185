// The sheet of keys (`?`): what each does, and the two settings that belong to it: whether they work, and the theme.

const CARD_KEYS = [
  ["Tab", "To the next thing that can be used"],
  ["Enter", "On a card: open it"],
  ["Alt+← Alt+→", "On a card: move it"],
  ["Delete", "On a card: remove it"],
  ["← → Home", "On a chart: read it out, moment by moment"],
  ["PageUp PageDown + −", "On a chart: pan, zoom"],
  ["End", "On a chart: follow the newest again"],
];

class Sheet {
  // keys: a Keys; its table and those of single things are listed.
  constructor(keys, onTheme) {
    this.keys = keys;
    this.themes = Object.fromEntries(THEMES.map((theme) => [theme, radio("theme", theme, () => onTheme(theme))]));
    this.switch = el("input");
    this.switch.type = "checkbox";
    this.switch.addEventListener("change", () => (this.keys.isOff = !this.switch.checked));
    const close = button("close", "Close", () => this.node.close());
    const rows = [...keys.table, ...CARD_KEYS].map(([names, words]) => el("div", "", el("dt", "", ...keyCaps(names)), el("dd", "", words)));
    const themes = el("fieldset", "", el("legend", "", "Theme"), ...THEMES.map((theme) => el("label", "", this.themes[theme], THEME_WORDS[theme])));
    const single = el("label", "single", this.switch, "Keys of one character work (never while you type a text)");
    this.list = el("div", "sheet-body", themes, single, el("dl", "keys", ...rows));
    this.list.tabIndex = 0; // it may scroll, and so must by keyboard
    this.list.setAttribute("role", "group");
    this.list.setAttribute("aria-label", "Keys and settings");
    this.node = el("dialog", "picker sheet", el("header", "", el("h2", "", "Keys and settings"), close), this.list);
    this.node.setAttribute("aria-label", "Keys and settings");
    this.node.addEventListener("click", (event) => event.target === this.node && this.node.close());
    this.node.addEventListener("keydown", (event) => event.key === "?" && this.node.close());
  }

  open() {
    this.switch.checked = !this.keys.off;
    this.wear(LIGHT.choice);
    this.node.showModal();
  }

  wear(choice) {
    this.themes[choice].checked = true;
  }
}

function radio(name, value, act) {
  const node = el("input");
  Object.assign(node, { type: "radio", name, value });
  node.addEventListener("change", act);
  return node;
}

// "[ ]" as two key caps.
function keyCaps(names) {
  return names.split(" ").map((name) => el("kbd", "", name === "Escape" ? "Esc" : name));
}
