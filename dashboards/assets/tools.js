// The tools of the whole page, at its head: the theme, the pause, and the sheet of keys.

const THEME_SIGNS = { system: "◐", dark: "☾", light: "☀" };
const THEME_WORDS = { system: "as the system", dark: "dark", light: "light" };

class Tools {
  // acts: {theme(), pause(), help()}
  constructor(acts) {
    this.theme = button("tool theme", "", acts.theme);
    this.pause = button("tool pause", "", acts.pause);
    const help = button("tool help", "?", acts.help);
    help.setAttribute("aria-label", "Keys and settings");
    help.title = "Keys and settings";
    this.node = el("div", "tools", this.theme, this.pause, help);
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", "Tools");
    this.wear("system");
    this.hold(false);
  }

  wear(choice) {
    say(this.theme, THEME_SIGNS[choice]);
    this.theme.title = `Theme: ${THEME_WORDS[choice]}`;
    this.theme.setAttribute("aria-label", this.theme.title);
  }

  hold(isPaused) {
    this.pause.replaceChildren(el("span", "sign-of", isPaused ? "▶" : "❚❚"), el("span", "wide", isPaused ? "Resume" : "Pause"));
    this.pause.firstChild.setAttribute("aria-hidden", "true");
    this.pause.setAttribute("aria-label", isPaused ? "Resume" : "Pause");
    this.pause.title = isPaused ? "Let the prices move again" : "Let nothing on the page move";
  }
}
