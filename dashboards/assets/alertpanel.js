// The dialog of the alerts: sets one, lists what there is and what fired when, removes it or arms it again.

class AlertPanel {
  // clock: {now()} of the server; send(message): to it.
  constructor(browser, clock, send) {
    this.clock = clock;
    this.catalogue = [];
    this.alarm = new Alarm(browser);
    this.build();
    this.watcher = new Watcher(browser, { send, onFire: (alert, firing) => this.fire(alert, firing), onChange: () => this.draw() });
    this.opener.hidden = !browser.owned;
    this.draw();
  }

  build() {
    this.opener = button("alerts-open", "", () => this.open());
    this.count = el("span", "count");
    this.opener.append(bell(), el("span", "long", "Alerts"), this.count);
    this.form = this.formed();
    this.list = el("ul", "alerts-list");
    this.list.setAttribute("aria-label", "Alerts");
    this.sound = toggle("sound", "Sound", this.alarm.isLoud, (isOn) => this.alarm.loud(isOn));
    this.permit = button("permit", "Allow notifications", async () => {
      await this.alarm.ask();
      this.drawAlarm();
    });
    this.permission = el("p", "hint");
    const close = button("close", "Close", () => this.node.close());
    this.node = el("dialog", "picker alerts", el("header", "", el("h2", "", "Alerts"), close), this.form, this.list, el("div", "alarm", this.sound, this.permit), this.permission,
      el("p", "hint", "Kept in this browser only, and judged while this page is open, be it in the background. After it was away it is told of the last 10 minutes."));
    this.node.setAttribute("aria-label", "Alerts");
    this.node.addEventListener("click", (event) => event.target === this.node && this.node.close());
  }

  formed() {
    this.product = labelled(el("select"), "Product");
    this.kind = labelled(el("select"), "When the price");
    for (const [value, text] of [["above", "rises to"], ["below", "falls to"], ["moves", "moves by %"]]) this.kind.field.append(new Option(text, value));
    this.value = labelled(el("input"), "Price");
    this.minutes = labelled(el("input"), "Within minutes");
    for (const { field } of [this.value, this.minutes]) Object.assign(field, { type: "text", inputMode: "decimal", autocomplete: "off", required: true });
    this.kind.field.addEventListener("change", () => this.suit());
    this.product.field.addEventListener("change", () => this.suit());
    this.wrong = el("p", "wrong");
    this.wrong.setAttribute("role", "alert");
    const form = el("form", "alert-form", this.product.node, this.kind.node, this.value.node, this.minutes.node, button("set", "Set alert", () => {}), this.wrong);
    form.noValidate = true;
    form.querySelector(".set").type = "submit";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.set();
    });
    return form;
  }

  open(key) {
    const last = this.priceOf(key);
    this.product.field.replaceChildren(...this.catalogue.map((names) => new Option(this.name(names.key), names.key)));
    if (key) this.product.field.value = key;
    this.kind.field.value = "above";
    this.suit(last);
    say(this.wrong, "");
    this.draw();
    this.node.showModal();
    this.value.field.focus();
    this.value.field.select();
  }

  // The form as its kind needs it, with a beginning that can be changed.
  suit() {
    const isMove = this.kind.field.value === "moves";
    this.minutes.node.hidden = !isMove;
    say(this.value.word, isMove ? "Percent" : "Price");
    this.value.field.value = isMove ? "2" : this.priceOf(this.product.field.value);
    this.minutes.field.value ||= "5";
  }

  set() {
    const number = ({ field }) => (field.value.trim() ? numberOf(field.value.trim()) : NaN);
    const [key, kind, value] = [this.product.field.value, this.kind.field.value, number(this.value)];
    const said = kind === "moves" ? { percent: value, minutes: number(this.minutes) } : { price: value };
    const wrong = this.watcher.set({ key, kind, ...said }, this.clock.now());
    say(this.wrong, wrong);
    if (wrong) this.value.field.focus();
  }

  // priceOf(key): its newest price as text, "" if none is known; the board sets it.
  priceOf() {
    return "";
  }

  know(catalogue) {
    this.catalogue = catalogue;
    this.watcher.know(catalogue.map(({ key }) => key));
  }

  name(key) {
    const names = this.catalogue.find((each) => each.key === key);
    return names ? `${names.coin} ${names.base}/${names.quote} on ${names.where}` : key;
  }

  fire(alert, firing) {
    this.alarm.raise(alert.id, this.name(alert.key), firingWords(alert, firing, this.clock.now()));
  }

  draw() {
    if (!this.watcher) return;
    const { alerts } = this.watcher;
    const armed = alerts.filter((alert) => alert.armed).length;
    say(this.count, armed ? ` ${armed}` : "");
    this.opener.setAttribute("aria-label", `Alerts, ${armed} armed`);
    const focused = this.list.getRootNode().activeElement?.dataset?.act;
    this.list.replaceChildren(...(alerts.length ? alerts.map((alert) => this.item(alert)) : [el("li", "none", "No alerts are set.")]));
    if (focused) [...this.list.querySelectorAll("[data-act]")].find(({ dataset }) => dataset.act === focused)?.focus();
    this.drawAlarm();
  }

  drawAlarm() {
    this.permit.hidden = this.alarm.permission !== "default";
    say(this.permission, notificationWords(this.alarm.permission));
  }

  item(alert) {
    const { id, key, armed, firings } = alert;
    const state = stateWords(alert, this.watcher.known.has(key));
    const words = el("p", "", el("strong", "", this.name(key)), ` ${alertWords(alert)}`, el("span", armed ? "state" : "state done", state));
    const past = firings.map((firing) => el("li", "", firingWords(alert, firing, this.clock.now())));
    const again = button("rearm", "Arm again", () => this.watcher.rearm(id));
    const remove = button("dismiss", "Remove", () => this.watcher.remove(id));
    again.dataset.act = `again-${id}`;
    remove.dataset.act = `remove-${id}`;
    again.hidden = armed;
    const node = el("li", "", words, el("div", "acts", again, remove), el("ul", "firings", ...past));
    return node;
  }

  close() {
    this.watcher.close();
    this.alarm.close();
  }
}

// {node, word, field}: a form's field under its word.
function labelled(field, text) {
  const word = el("span", "", text);
  return { node: el("label", "", word, field), word, field };
}

function bell() {
  const node = svg("svg", { viewBox: "0 0 24 24", class: "bell-sign", "aria-hidden": "true" });
  node.append(svg("path", { d: "M6 17h12l-1.6-2.4V10a4.4 4.4 0 0 0-8.8 0v4.6zM10.3 20a2 2 0 0 0 3.4 0" }));
  return node;
}
