// A frame's text, read back as dashboards/terse.py describes it. Rules only.

const SIDES = { b: "buy", s: "sell" };

// {kind, now, cards: [[key, price, size, traded at, heard at], …], tape: [key, [row, …]] or null}, times in ms since
// 1970; rows as of dashboards/product.py. keys: by the products' numbers; a product without one is not for this page.
function frameOf(text, keys) {
  const [head, cards, tape] = text.split("|");
  const now = Number(head.slice("frame ".length));
  const known = ([number]) => keys.has(number);
  const fields = cards ? cards.split(";").map((card) => card.split(" ")).filter(known) : [];
  return {
    kind: "frame",
    now,
    cards: fields.map(([number, price, size, ...ages]) => [keys.get(number), price, size, ...ages.map((age) => now - age)]),
    tape: tape ? tapeOf(tape.split(";"), now, keys) : null,
  };
}

function tapeOf([number, ...rows], now, keys) {
  let [lastId, lastPrice] = ["", ""];
  const read = rows.map((row) => {
    const [id, age, price, size, side] = row.split(" ");
    lastId = whole(lastId, id);
    lastPrice = whole(lastPrice, price);
    return [lastId, now - age, lastPrice, size, SIDES[side[0]], ...(side[1] ? [true] : [])];
  });
  return keys.has(number) ? [keys.get(number), read] : null;
}

function whole(before, end) {
  return end[0] === "=" ? end.slice(1) : before.slice(0, before.length - end.length) + end;
}
