// What Panel calls: once for each drawing of the component, which after a reconnection is a new one.

let current = null; // the board on the screen: the connection outlives every drawing
const listening = new WeakSet();

// What dashboards/broadcast.py sends is for the document, and so for whichever board is on the screen.
function listen(bokehDocument) {
  if (listening.has(bokehDocument)) return;
  listening.add(bokehDocument);
  bokehDocument.on_message("poeticoins", (text) => current.receive(text));
}

export function render({ model, view }) {
  const board = new Board(model);
  current = board;
  const onVisible = () => {
    if (model.owns_page) board.desk.unseen.look(document.hidden);
    board.tick();
    board.drawSoon();
  };
  const ticking = setInterval(() => {
    board.tick();
    board.watch();
  }, 1000);
  document.addEventListener("visibilitychange", onVisible);
  const stay = board.place.onTravel(() => board.travel());
  model.on("msg:custom", (text) => board.receive(text));
  model.on("remove", () => {
    clearInterval(ticking);
    document.removeEventListener("visibilitychange", onVisible);
    stay();
    board.focus.close();
    board.desk.end();
    board.alerts.close();
    board.exporter.close();
  });
  listen(view.model.document);
  if (model.owns_page) keepConnected(view.model.document, () => current.lost());
  document.getElementById("opening")?.remove();
  board.hello();
  return board.node;
}
