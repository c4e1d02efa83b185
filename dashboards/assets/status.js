// The head of the page: the badge, the rate, the ribbon over made-up prices, the troubles, and what to start.

const LOST = { kind: "lost", badge: "Reconnecting" };
const OPENING = { kind: "opening", badge: "Connecting", sentence: "", commands: [], notices: [], rate: 0 };

class StatusBar {
  // tools: nodes of the head beside its own.
  constructor(tools, onAdd) {
    this.badge = el("p", "badge");
    this.badge.setAttribute("role", "status");
    this.rate = el("p", "rate");
    this.ribbon = el("p", "ribbon");
    this.notices = el("ul", "notices");
    this.absence = el("section", "absence");
    const name = el("h1", "", "Poeticoins");
    this.add = button("add", "+ Add", onAdd);
    this.add.append(el("span", "long", " product"));
    this.header = el("header", "top", mark(), name, ...tools, this.add, this.rate, this.badge);
    this.show(OPENING);
  }

  show(status) {
    this.status = status;
    this.showBadge(status);
    say(this.ribbon, status.sentence && status.kind !== "none" ? status.sentence : "");
    this.ribbon.dataset.kind = status.kind;
    say(this.rate, status.rate ? `${status.rate} trades/s` : "");
    if (this.notices.dataset.text !== status.notices.join("\n")) {
      this.notices.dataset.text = status.notices.join("\n");
      this.notices.replaceChildren(...status.notices.map((notice) => el("li", "", notice)));
    }
    this.showAbsence(status);
  }

  showBadge({ kind, badge }) {
    this.badge.dataset.kind = kind;
    say(this.badge, badge);
  }

  // The tab's title: the open product's price or the place, and never made-up prices without the word for them.
  title(live) {
    const made = this.status.kind === "demo" || this.status.kind === "replay" ? this.status.badge : "";
    return [live, made, "Poeticoins"].filter(Boolean).join(" \u00b7 ");
  }

  showAbsence({ sentence, reason, commands }) {
    this.absence.hidden = commands.length === 0;
    if (this.absence.hidden || this.absence.dataset.reason === reason) return;
    this.absence.dataset.reason = reason;
    const [live, demo] = commands;
    this.absence.replaceChildren(
      el("p", "", sentence, " Start a supervisor, and the page comes to life by itself:"),
      el("p", "", el("code", "", live), " for the market, or ", el("code", "", demo), " for made-up prices without a network."),
    );
    if (reason) this.absence.title = reason;
  }

  // What is shown came with the page, and the link is yet to come.
  wait() {
    if (this.status.kind !== "none") this.showBadge(OPENING);
    say(this.rate, "");
  }

  // The page lost its server: the badge says so, and the cards go on to tell their age.
  lost() {
    this.showBadge(LOST);
    say(this.rate, "");
  }
}

// Our own mark: a coin with the line of a verse.
function mark() {
  const node = svg("svg", { viewBox: "0 0 24 24", class: "mark", "aria-hidden": "true" });
  node.append(
    svg("circle", { cx: 12, cy: 12, r: 10.5, class: "coin-edge" }),
    svg("path", { d: "M5.5 14c2-6 4-6 6-2s4 3 7-2", class: "verse" }),
  );
  return node;
}
