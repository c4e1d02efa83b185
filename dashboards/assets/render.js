// What Panel calls: once for each drawing of the component, which after a reconnection is a new one.

let current = null; // the board on the screen: the connection outlives every drawing
const listening = new WeakSet();

// What dashboards/broadcast.py sends is for the document, and so for whichever board is on the screen.
function listen(bokehDocument) {
  if (listening.has(bokehDocument)) return;
  listening.add(bokehDocument);
  bokehDocument.on_message("poeticoins", (text) => current.receive(text));
}

// Lets time pass for `board`, which is on the screen from now on. Returns how to end it.
function begin(board) {
  current = board;
  const onVisible = () => {
    if (board.browser.owned) board.desk.unseen.look(document.hidden);
    board.tick();
    board.draw();
  };
  const ticking = setInterval(() => {
    board.tick();
    board.link.watch(board.browser.owned);
  }, 1000);
  document.addEventListener("visibilitychange", onVisible);
  const stay = board.browser.onTravel(() => board.travel());
  return () => {
    clearInterval(ticking);
    document.removeEventListener("visibilitychange", onVisible);
    stay();
    board.focus.close();
    board.alerts.close();
    board.exporter.close();
    board.compare.close();
    board.desk.end();
  };
}

// From now on `board`, which began, is live; `end` is called when Panel takes it off the screen.
function connect(board, { model, view }, end) {
  model.on("msg:custom", (text) => board.receive(text));
  model.on("remove", end);
  listen(view.model.document);
  if (board.browser.owned) keepConnected(view.model.document, () => current.link.lost());
  board.join(model);
}

export function render(panel) {
  const board = new Board(panel.model);
  connect(board, panel, begin(board));
  return board.node;
}
