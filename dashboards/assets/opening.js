// The beginning of a page of its own: the board is drawn from what the page brought along, and BokehJS is loaded once that
// is on the screen, since it takes a second to begin; Panel's component then joins the board that it finds.

const PATIENCE_MS = 500; // for a first painting that does not come

// Stands in for Panel's side of the component until that is there.
class Nobody {
  constructor() {
    this.owns_page = true;
    this.waiting = [];
  }

  // What is shown, and whether anybody looks, is told by the hello to come, as it is by then.
  send_msg(message) {
    if (!["hello", "select", "hidden"].some((word) => word in message)) this.waiting.push(message);
  }
}

const ground = document.getElementById("ground").attachShadow({ mode: "open" });
ground.append(document.getElementById("look").content);

function draw(model) {
  const board = new Board(model);
  ground.querySelector(".page")?.remove();
  ground.append(board.node);
  return { board, end: begin(board) };
}

// Where nobody looks, nothing is painted.
function painted() {
  return new Promise((go) => {
    setTimeout(go, document.hidden ? 0 : PATIENCE_MS);
    requestAnimationFrame(() => setTimeout(go));
  });
}

// Puts `nodes` into the page as if they had stood there, scripts included: each runs after those before it. They are not
// even fetched earlier: that alone would take the processors from the first painting.
async function put(nodes) {
  let loading = [];
  for (const node of nodes) {
    if (node.localName !== "script") {
      document.head.append(node);
      continue;
    }
    const script = document.createElement("script");
    for (const { name, value } of node.attributes) script.setAttribute(name, value);
    script.textContent = node.textContent;
    script.async = false;
    if (script.src) loading.push(new Promise((go) => Object.assign(script, { onload: go, onerror: go })));
    else await Promise.all(loading.splice(0));
    document.head.append(script);
  }
}

async function start() {
  let opened = draw(new Nobody());
  globalThis.poeticoins = {
    render(panel) {
      const { board, end } = opened ?? draw(panel.model);
      opened = null;
      document.getElementById("opening")?.remove();
      connect(board, panel, end);
    },
  };
  opened.board.preview(document.getElementById("first").textContent.trim().split("\n"));
  await painted();
  await put([...document.getElementById("bokeh").content.children]);
  current.link.expects = true;
}

start();
