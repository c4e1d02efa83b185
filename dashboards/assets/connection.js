// The page comes back by itself, for ever. Bokeh tells when the connection is lost; after the reconnection it draws
// everything anew and `render` says hello again, so nothing needs to be remembered here.

const RETRY_MS = [250, 500, 1000, 2000];
const RELOAD_AFTER = 1;
// Where a message was cut off in its midst, Bokeh takes the new connection's first one for its rest, and then waits for ever.
const STUCK_MS = 6000;
const ANSWER_MS = 5000; // on a link that swallows everything a question would hang for minutes, also once it is mended
const watched = new WeakSet();

function keepConnected(bokehDocument, onLost) {
  if (watched.has(bokehDocument)) return;
  watched.add(bokehDocument);
  let tries = 0;
  let answered = 0;
  let stuck = 0;
  bokehDocument.on_event("connection_lost", (_, event) => {
    clearTimeout(stuck);
    onLost();
    const wait = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
    tries += 1;
    setTimeout(async () => {
      // A server that answers, yet refuses this page's connection: the page is too old for it, so take a new one.
      if (tries > 1 && (await answers())) answered += 1;
      if (answered > RELOAD_AFTER) location.reload();
      else {
        event.reconnect();
        stuck = setTimeout(async () => (await answers()) && location.reload(), STUCK_MS);
      }
    }, wait);
  });
  bokehDocument.on_event("client_reconnected", () => {
    clearTimeout(stuck);
    tries = 0;
    answered = 0;
  });
}

async function answers() {
  try {
    return (await fetch("favicon.ico", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) })).ok;
  } catch {
    return false;
  }
}
