// A tab that nobody sees: it asks only for what its title shows and its alerts watch, and for nothing where there is
// neither. Seen again, it asks for everything.

const GRACE_MS = 10_000; // who only looks at another tab for a moment finds this one as it was

class Unseen {
  // keys(): the products that are needed unseen. say(message): to the server. again(): asks for everything.
  constructor(keys, say, again) {
    Object.assign(this, { keys, say, again, asleep: false, timer: 0 });
  }

  look(isHidden) {
    clearTimeout(this.timer);
    if (isHidden) this.timer = setTimeout(() => this.sleep(), GRACE_MS);
    else if (this.asleep) this.wake();
  }

  sleep() {
    const keys = this.keys();
    this.asleep = true;
    this.say(keys.length ? { select: keys, focus: null, place: USUAL_PLACE } : { hidden: true });
  }

  wake() {
    this.asleep = false;
    this.say({ hidden: false });
    this.again();
  }
}
