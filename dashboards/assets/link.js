// The board's link to its server: what is said to it, that what it tells is read, and whether it still comes.

const ACK_EVERY = 150; // half of what the server lets a page leave unread: see dashboards/store.py
const SILENT_MS = 12_000; // the server says something every 5 s: after so long the link is dead, though nobody closed it
const DEAD_MS = 60_000; // and after so long it will not come back by itself

class Link {
  // model: Panel's side of the component; before there is one, whatever keeps what is said until `join`.
  // acts: {lost(since), back()}
  constructor(model, acts) {
    Object.assign(this, { model, acts, expects: false, isLost: false, unseen: 0, heardAt: Date.now() });
  }

  say(message) {
    this.model.send_msg(message);
  }

  // The true link is there. Returns what was said before it was.
  join(model) {
    const { waiting = [] } = this.model;
    Object.assign(this, { model, expects: true });
    return waiting;
  }

  // The server stops sending to a browser that does not read; this is how it knows that this one does.
  acknowledge() {
    this.unseen += 1;
    if (this.unseen < ACK_EVERY) return;
    this.say({ seen: this.unseen });
    this.unseen = 0;
  }

  lost() {
    if (this.isLost) return;
    this.isLost = true;
    this.acts.lost(this.heardAt);
  }

  heard() {
    this.heardAt = Date.now();
    if (!this.isLost) return;
    this.isLost = false;
    this.acts.back();
  }

  // Called once a second. A link that died without a word, or does not come: say so; and once the server can be reached,
  // while this connection cannot, begin anew: the address holds all that is shown.
  async watch(isOwned) {
    const silent = Date.now() - this.heardAt;
    if (silent > SILENT_MS) this.lost();
    if (silent > DEAD_MS && isOwned && this.expects && !this.checking) {
      this.checking = true;
      if (await answers()) location.reload();
      this.checking = false;
    }
  }
}
