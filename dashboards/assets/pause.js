// The pause (WCAG 2.2.2): what is shown stands still as of a moment, and says so; what an alert needs goes on.

const STREAMED = new Set(["frame", "days", "compare", "system"]); // what comes unasked, and moves

class Pause {
  // onResume: asks for everything anew, so that nothing need be kept meanwhile.
  constructor(onChange, onResume) {
    Object.assign(this, { onChange, onResume, since: 0, held: 0, awaits: false });
    this.words = el("span", "", "");
    this.node = el("p", "paused", this.words);
    this.node.setAttribute("role", "status");
    this.node.hidden = true;
  }

  get on() {
    return this.since > 0;
  }

  // now: the server's clock, which all that is shown is as of.
  toggle(now) {
    this.since = this.on ? 0 : now;
    this.held = 0;
    this.awaits = !this.on; // what comes before all of it anew may be of other products than we know
    this.onChange(this.on);
    if (!this.on) this.onResume();
    this.tell(now);
  }

  // Whether `message` waits: it moves what is shown, and nobody asked for it.
  holds(message, isAsked) {
    if (message.kind === "snapshot") this.awaits = false;
    if (!this.on) return this.awaits && STREAMED.has(message.kind);
    if (message.kind === "snapshot" && isAsked) {
      this.since = message.now; // what is shown is as of then, from now on
      this.held = 0;
    }
    if (message.kind === "frame") this.held += message.cards.length;
    return STREAMED.has(message.kind) || (message.kind === "snapshot" && !isAsked);
  }

  tell(now) {
    this.node.hidden = !this.on;
    if (this.on) say(this.words, pausedWords(this.since, now, this.held));
  }
}

// "Paused at 12:03:04: 12 s and 34 prices behind"
function pausedWords(since, now, held) {
  const prices = held === 1 ? "1 price" : `${held.toLocaleString()} prices`;
  return `Paused at ${CLOCK.format(new Date(since))}: ${span(Math.max(0, Math.floor((now - since) / 1000)))} and ${prices} behind`;
}
