// A line of recent prices: SVG, so that it follows the theme and any size by itself.

const SVG = "http://www.w3.org/2000/svg";
const WINDOW_S = 600;
const STEP_S = 2;
const HOLE_STEPS = 5;
const WIDTH = 240;
const HEIGHT = 48;
let sparklines = 0; // a gradient is found by its id, and its colour is its own line's

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

// The points parted where nothing is known for more than five of their usual steps: no line leads over a hole in time.
// The last price holds until `end`, unless that too is a hole.
function runsOf(points, end) {
  const usual = Math.max(STEP_S, (points.at(-1)[0] - points[0][0]) / Math.max(1, points.length - 1));
  const runs = [[points[0]]];
  for (const [at, point] of points.slice(1).entries()) {
    if (point[0] - points[at][0] > HOLE_STEPS * usual) runs.push([]);
    runs.at(-1).push(point);
  }
  const [second, price] = points.at(-1);
  runs.at(-1).push([end - second > HOLE_STEPS * usual ? second : end, price]);
  return runs;
}

class Sparkline {
  constructor() {
    this.points = []; // [second since 1970, price], oldest first
    this.node = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "spark", role: "img" });
    sparklines += 1;
    const fade = svg("linearGradient", { id: `fade-${sparklines}`, x1: 0, y1: 0, x2: 0, y2: 1 });
    fade.append(
      svg("stop", { offset: 0, "stop-color": "currentColor", "stop-opacity": 0.22 }),
      svg("stop", { offset: 1, "stop-color": "currentColor", "stop-opacity": 0 }),
    );
    this.area = svg("path", { class: "area", fill: `url(#fade-${sparklines})` });
    this.start = svg("path", { class: "start" });
    this.line = svg("path", { class: "line" });
    this.node.append(fade, this.area, this.start, this.line);
  }

  add(second, price) {
    const bucket = second - (second % STEP_S);
    const last = this.points.at(-1);
    if (!last || bucket > last[0]) this.points.push([bucket, price]);
    else if (bucket === last[0]) last[1] = price;
    else return;
    // One point from before the window stays: the price that held when it opened.
    while (this.points.length > 2 && this.points[1][0] < bucket - WINDOW_S) this.points.shift();
  }

  // What the line shows until `end` (seconds): its first price, and how long ago that was.
  opening(end) {
    if (!this.points.length) return null;
    const [second, price] = this.points[0];
    return { price, seconds: Math.min(WINDOW_S, Math.max(0, end - second)) };
  }

  // What it shows, in words: "from 67,812 to 67,829.3, lowest 67,800, highest 67,840".
  words(write) {
    const prices = this.points.map((point) => point[1]);
    const [from, to, low, high] = [prices[0], prices.at(-1), Math.min(...prices), Math.max(...prices)].map(write);
    return `from ${from} to ${to}, lowest ${low}, highest ${high}`;
  }

  draw(end) {
    const opening = this.opening(end);
    if (!opening?.seconds) return;
    const from = end - opening.seconds;
    const prices = this.points.map((point) => point[1]);
    const low = Math.min(...prices);
    const height = Math.max(...prices) - low;
    const x = (second) => (((Math.max(second, from) - from) / opening.seconds) * WIDTH).toFixed(1);
    const y = (price) => (height ? HEIGHT - 3 - ((price - low) / height) * (HEIGHT - 6) : HEIGHT / 2).toFixed(1);
    const runs = runsOf(this.points, end).map((run) => run.map(([second, price]) => `${x(second)} ${y(price)}`).join("L"));
    this.line.setAttribute("d", runs.map((run) => `M${run}`).join(""));
    const foot = (run) => `V${HEIGHT}H${run.split(" ")[0]}Z`;
    this.area.setAttribute("d", runs.map((run) => `M${run}${foot(run)}`).join(""));
    this.start.setAttribute("d", `M0 ${y(prices[0])}H${WIDTH}`);
  }
}
