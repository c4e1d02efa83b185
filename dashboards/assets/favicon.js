// The tab: a title that carries a price, and an icon that carries its direction or the page's state. Both at most once a
// second: a tab that flickers is no help.

const TAB_MS = 1000;
const ICONS = {
  up: ["#0f766e", "M16 7 26 24H6z"],
  down: ["#b3460f", "M16 25 6 8h20z"],
  same: ["#4b5568", "M7 13h18v6H7z"],
  paused: ["#4b5568", "M9 8h5v16H9zM18 8h5v16h-5z"],
  lost: ["#b3261e", "M9 7l7 7 7-7 2 2-7 7 7 7-2 2-7-7-7 7-2-2 7-7-7-7z"],
};

class Tab {
  constructor(browser) {
    this.browser = browser;
    this.written = 0;
    this.icon = browser.owned ? document.querySelector("link[rel=icon]") : null;
  }

  // title: whole. icon: a name of ICONS. isUrgent: a change of state is shown at once.
  show(title, icon, isUrgent = false) {
    if (!isUrgent && Date.now() - this.written < TAB_MS) return;
    this.written = Date.now();
    this.browser.title(title);
    if (!this.icon || icon === this.shown) return;
    this.shown = icon;
    this.icon.href = iconUrl(icon);
  }
}

function iconUrl(name) {
  const [colour, path] = ICONS[name];
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="16" fill="${colour}"/><path d="${path}" fill="#fff"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawing)}`;
}
