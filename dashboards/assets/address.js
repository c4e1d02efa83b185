// What the page shows, and its address: rules only. A key is `exchange:BASE-QUOTE`; products null means the usual ones.

const INTERVALS = ["1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d"];
const USUAL_INTERVAL = "1m";
const PLACES = { prices: "Prices", compare: "Compare", system: "System" }; // and what each is called
const USUAL_PLACE = "prices";
const USUAL_VIEW = { products: null, focus: null, interval: USUAL_INTERVAL, place: USUAL_PLACE, compare: null, sort: null };
const ADDRESSED = [...Object.keys(USUAL_VIEW), "theme"]; // what an address may say
const KEY = /^[a-z][a-z0-9]{0,15}:[A-Z0-9]{1,10}-[A-Z0-9]{1,10}$/;
const COIN = /^[A-Z0-9]{1,12}$/;
const MOST_PRODUCTS = 60;
const MOST_IGNORED = 5;

// {view: {products, focus, interval, place, compare, sort}, ignored: [text, …]} of an address's query. Anything may stand in it.
function viewOf(query) {
  const given = new URLSearchParams(query);
  const ignored = [];
  const valid = (key) => KEY.test(key) || !ignored.push(key);
  for (const name of new Set(given.keys())) {
    if (!ADDRESSED.includes(name)) ignored.push(name);
    else if (given.getAll(name).length > 1) ignored.push(`${name} again`); // the first counts
  }
  let products = null;
  if (given.has("products")) {
    const said = [...new Set(given.get("products").split(",").filter(Boolean))];
    products = said.filter(valid);
    ignored.push(...products.splice(MOST_PRODUCTS));
  }
  const focus = given.get("focus") || null;
  const interval = given.get("interval") || USUAL_INTERVAL;
  if (!INTERVALS.includes(interval)) ignored.push(interval);
  const place = given.get("place") || USUAL_PLACE;
  if (!Object.hasOwn(PLACES, place)) ignored.push(place);
  const compare = given.get("compare") || null;
  if (compare && !COIN.test(compare)) ignored.push(compare);
  const sort = given.get("sort") || null;
  const isSort = sort && Object.hasOwn(COLUMNS, sort.replace("-", "")) && sort.lastIndexOf("-") <= 0;
  if (sort && !isSort) ignored.push(sort);
  if (given.has("theme") && !THEMES.includes(given.get("theme"))) ignored.push(given.get("theme"));
  return {
    view: {
      products,
      focus: focus && valid(focus) ? focus : null,
      interval: INTERVALS.includes(interval) ? interval : USUAL_INTERVAL,
      place: Object.hasOwn(PLACES, place) ? place : USUAL_PLACE,
      compare: compare && COIN.test(compare) ? compare : null,
      sort: isSort ? sort : null,
    },
    ignored,
  };
}

// The query of a view and a theme, with `:` and `,` left readable: "" for the usual page.
function queryOf({ products, focus, interval, place, compare, sort }, theme = "system") {
  const parts = [];
  if (place !== USUAL_PLACE) parts.push(`place=${place}`);
  if (compare) parts.push(`compare=${compare}`);
  if (sort) parts.push(`sort=${sort}`);
  if (products) parts.push(`products=${products.join(",")}`);
  if (focus) parts.push(`focus=${focus}`);
  if (interval !== USUAL_INTERVAL) parts.push(`interval=${interval}`);
  if (theme !== "system") parts.push(`theme=${theme}`);
  return parts.length ? `?${parts.join("&")}` : "";
}

// The coins that more than one product of a catalogue has.
function comparable(catalogue) {
  const bases = catalogue.map(({ base }) => base);
  return new Set(bases.filter((base, at) => bases.indexOf(base) !== at));
}

// A remembered selection, as localStorage has it; null if it is none.
function remembered(text) {
  try {
    const said = JSON.parse(text);
    return Array.isArray(said) ? [...new Set(said.filter((key) => KEY.test(key)))].slice(0, MOST_PRODUCTS) : null;
  } catch {
    return null;
  }
}

function without(keys, key) {
  return keys.filter((each) => each !== key);
}

// `keys` with `key` at `place`, counted without it; beyond the ends is at the end.
function moved(keys, key, place) {
  const rest = without(keys, key);
  const at = Math.max(0, Math.min(rest.length, place));
  return [...rest.slice(0, at), key, ...rest.slice(at)];
}

// One sentence about what was asked for and is not shown, "" if that is nothing. Foreign text: cut, and only ever text.
function ignoredWords(ignored) {
  if (!ignored.length) return "";
  const shown = ignored.slice(0, MOST_IGNORED).map((text) => (text.length > 40 ? `${text.slice(0, 40)}…` : text));
  const more = ignored.length > MOST_IGNORED ? ` and ${ignored.length - MOST_IGNORED} more` : "";
  return `Not followed here, and left out: ${shown.join(", ")}${more}`;
}

// The products of a catalogue that match every word of `text` by coin, name, currency or exchange.
function matching(catalogue, text) {
  const words = text.toLowerCase().split(/[\s/:-]+/).filter(Boolean);
  const said = ({ base, quote, coin, where }) => `${base} ${quote} ${coin} ${where}`.toLowerCase();
  return catalogue.filter((names) => words.every((word) => said(names).includes(word)));
}
