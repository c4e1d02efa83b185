// A table whose rows come again and again: by their key they stay the same, and only what differs is written.

class LiveTable {
  // columns: [[name, classes], …]; on a phone, what is "wide" has a line of its own.
  constructor(className, caption, columns) {
    this.columns = columns;
    this.rows = new Map();
    const head = columns.map(([name], i) => this.cell("th", "columnheader", i, name));
    for (const cell of head) cell.scope = "col";
    this.body = withRole(el("tbody"), "rowgroup");
    this.node = withRole(el("table", `live ${className}`, el("caption", "", caption), withRole(el("thead", "", withRole(el("tr", "", ...head), "row")), "rowgroup"), this.body), "table");
  }

  // The roles are said aloud, since a phone shows the rows as blocks, which would no longer be a table otherwise.
  cell(tag, name, column, ...children) {
    const [label, classes] = this.columns[column];
    const node = withRole(el(tag, classes ?? "", ...children), name);
    if (tag === "td") node.dataset.label = label;
    return node;
  }

  // rows: [{key, well, cells: [text or [text, smaller line], …]}, …], in order.
  show(rows) {
    const before = this.rows;
    this.rows = new Map(rows.map((row) => [row.key, before.get(row.key) ?? this.made()]));
    for (const { key, well, cells } of rows) {
      const { node, fields } = this.rows.get(key);
      node.classList.toggle("unwell", !well);
      cells.forEach((cell, i) => {
        const [text, small] = Array.isArray(cell) ? cell : [cell, ""];
        say(fields[i].text, String(text));
        say(fields[i].small, small ?? "");
      });
    }
    inOrder(this.body, [...this.rows.values()].map(({ node }) => node));
  }

  made() {
    const fields = this.columns.map(() => ({ text: el("span", "what"), small: el("span", "small") }));
    const cells = fields.map(({ text, small }, i) => (i ? this.cell("td", "cell", i, text, small) : this.cell("th", "rowheader", i, text, small)));
    cells[0].scope = "row";
    return { node: withRole(el("tr", "", ...cells), "row"), fields };
  }
}

// Makes `nodes` the children of `parent`, around the one that is in use: who is moved loses the keyboard and what is marked.
function inOrder(parent, nodes) {
  const stays = nodes.findIndex((node) => node.parentNode === parent && isInUse(node));
  for (const child of [...parent.children]) if (!nodes.includes(child)) child.remove();
  for (let at = stays - 1; at >= 0; at -= 1) {
    if (nodes[at].nextSibling !== nodes[at + 1]) parent.insertBefore(nodes[at], nodes[at + 1]);
  }
  for (let at = stays + 1; at < nodes.length; at += 1) {
    const place = at ? nodes[at - 1].nextSibling : parent.firstChild;
    if (place !== nodes[at]) parent.insertBefore(nodes[at], place);
  }
}

// Whether the keyboard is in it, or some of its text is marked.
function isInUse(node) {
  const root = node.getRootNode();
  const marked = root.getSelection?.() ?? document.getSelection(); // not all browsers ask the shadow itself
  return node.contains(root.activeElement) || (marked && !marked.isCollapsed && node.contains(marked.anchorNode));
}

function withRole(node, name) {
  node.setAttribute("role", name);
  return node;
}
