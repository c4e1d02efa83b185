// What a firing alert does to be noticed: a box on the page, a sound, and a notification of the browser if it may.

const SOUND_MEMORY = "poeticoins.alerts.sound";
const TONES = [880, 1174.7];

class Alarm {
  constructor(browser) {
    this.browser = browser;
    this.node = el("div", "fired");
    this.node.setAttribute("role", "alert");
  }

  get isLoud() {
    return this.browser.stored(SOUND_MEMORY) !== "off";
  }

  loud(isOn) {
    this.browser.store(SOUND_MEMORY, isOn ? "on" : "off");
    if (isOn) this.sound();
  }

  raise(id, name, words) {
    const said = el("p", "", el("strong", "", name), ` ${words}`);
    const box = el("div", "fired-alert", said, button("dismiss", "Dismiss", () => box.remove()));
    this.node.append(box);
    if (this.isLoud) this.sound();
    this.notify(id, name, words);
  }

  // Two short tones. Without a click on the page before, browsers let no page sound, and complain of one that tries.
  sound() {
    if (!navigator.userActivation?.hasBeenActive) return;
    this.audio ??= new AudioContext();
    TONES.forEach((frequency, at) => {
      const [tone, volume, start] = [this.audio.createOscillator(), this.audio.createGain(), this.audio.currentTime + at * 0.18];
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.2, start);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.3);
      tone.connect(volume).connect(this.audio.destination);
      tone.start(start);
      tone.stop(start + 0.3);
    });
  }

  // The same tag from every tab: one notification, however many are open.
  notify(id, name, words) {
    if (this.permission !== "granted") return;
    try {
      new Notification(name, { body: words, tag: `poeticoins.${id}` });
    } catch {
      // A phone's browser shows them by a service worker only; the box and the sound must do.
    }
  }

  get permission() {
    return typeof Notification === "undefined" ? "unsupported" : Notification.permission;
  }

  // On the viewer's own gesture only.
  async ask() {
    if (this.permission === "default") await Notification.requestPermission();
    return this.permission;
  }

  close() {
    this.audio?.close();
  }
}

function notificationWords(permission) {
  if (permission === "granted") return "The browser shows a notification, too.";
  if (permission === "denied") return "Notifications are blocked in this browser's settings for this address.";
  return permission === "default" ? "" : "This browser shows no notifications to this page.";
}
