"""The page's own rules, in the browser that runs them: addresses, selections, search, candles. Tables, no server."""

import json

import pytest

from dashboards import terse
from poeticoins import PoeticoinsError, Product

pytestmark = pytest.mark.browser
A, B, C = "coinbase:BTC-USD", "bitstamp:ETH-EUR", "gemini:LTC-USD"
USUAL = {"products": None, "focus": None, "interval": "1m", "place": "prices", "compare": None, "sort": None}


@pytest.mark.parametrize(
    ("query", "view", "ignored"),
    [
        ("", {}, []),
        (f"?products={A},{B}&focus={A}&interval=5m", {"products": [A, B], "focus": A, "interval": "5m"}, []),
        (f"?products={A},{A},{B}", {"products": [A, B]}, []),
        ("?products=", {"products": []}, []),
        (f"?products={A},<img src=x onerror=alert(1)>", {"products": [A]}, ["<img src=x onerror=alert(1)>"]),
        ("?focus=javascript:alert(1)", {}, ["javascript:alert(1)"]),
        ("?interval=7m", {}, ["7m"]),
        ("?interval=constructor", {}, ["constructor"]),
        ("?products=%00%ff,coinbase:btc-usd", {"products": []}, ["\x00\ufffd", "coinbase:btc-usd"]),
        ("?other=1&products", {"products": []}, ["other"]),
        (f"?focus={A}&focus={B}", {"focus": A}, ["focus again"]),
        ("?theme=dark", {}, []),
        ("?theme=<script>", {}, ["<script>"]),
        ("?%3Cscript%3E=1&interval=%C3%28", {}, ["<script>", "\ufffd("]),
        ("?place=compare&compare=ETH", {"place": "compare", "compare": "ETH"}, []),
        ("?place=system&compare=", {"place": "system"}, []),
        ("?place=toString&compare=btc", {}, ["toString", "btc"]),
        ("?sort=-price", {"sort": "-price"}, []),
        ("?sort=price-", {}, ["price-"]),
        ("?sort=constructor", {}, ["constructor"]),
        ("?place=<b>&compare=<i>", {}, ["<b>", "<i>"]),
    ],
)
def test_address_says_what_is_shown_and_the_rest_is_named(js, query, view, ignored):
    assert js("viewOf(it)", query) == {"view": USUAL | view, "ignored": ignored}


def test_address_of_a_view_reads_back_as_the_same(js):
    view = {"products": [B, A], "focus": A, "interval": "1h", "place": "compare", "compare": "ETH", "sort": "-age"}

    query = js("queryOf(it, 'dark')", view)

    assert query == f"?place=compare&compare=ETH&sort=-age&products={B},{A}&focus={A}&interval=1h&theme=dark"
    assert js("viewOf(it).view", query) == view
    assert js("queryOf(it)", USUAL) == ""


def test_address_shows_at_most_sixty_products(js):
    query = "?products=" + ",".join(f"x:A{i}-USD" for i in range(70))

    found = js("viewOf(it)", query)

    assert len(found["view"]["products"]) == 60
    assert len(found["ignored"]) == 10


@pytest.mark.parametrize(
    ("text", "products"),
    [(json.dumps([A, B, A]), [A, B]), ("[]", []), (None, None), ("{", None), ('{"a":1}', None), ('["<b>", 1]', [])],
)
def test_what_was_remembered_is_checked_like_an_address(js, text, products):
    assert js("remembered(it)", text) == products


@pytest.mark.parametrize(
    ("key", "place", "keys"),
    [(A, 1, [B, A, C]), (A, 2, [B, C, A]), (C, 0, [C, A, B]), (A, -1, [A, B, C]), (C, 9, [A, B, C])],
)
def test_moving_keeps_the_others_in_order(js, key, place, keys):
    assert js("moved(it[0], it[1], it[2])", [[A, B, C], key, place]) == keys


@pytest.mark.parametrize(
    ("text", "found"),
    [("", [0, 1]), ("bit", [0, 1]), ("bitcoin", [0]), ("ETH", [1]), ("coinbase", [0]), ("eth/eur", [1]), ("doge", [])],
)
def test_search_matches_coin_code_name_and_exchange(js, text, found):
    catalogue = [
        {"base": "BTC", "quote": "USD", "coin": "Bitcoin", "where": "Coinbase"},
        {"base": "ETH", "quote": "EUR", "coin": "Ethereum", "where": "Bitstamp"},
    ]

    assert js("matching(it[0], it[1])", [catalogue, text]) == [catalogue[i] for i in found]


def test_what_is_left_out_is_cut_and_counted(js):
    words = js("ignoredWords(it)", ["x" * 500, *"abcdefg"])

    assert words == f"Not followed here, and left out: {'x' * 40}…, a, b, c, d and 3 more"
    assert js("ignoredWords([])") == ""


def test_candle_grows_by_each_trade(js):
    rows = [["1", 60_000, "100", "1", "buy", False], ["2", 60_000, "130", "2", "buy", False],
            ["3", 119_999, "90.5", "1", "sell", False], ["4", 120_000, "1,000.25", "1", "buy", False]]  # fmt: skip

    candles = js("it.reduce((candles, row) => grown(candles, row, 60_000), [])", rows)

    first = {"start": 60_000, "open": 100, "high": 130, "low": 90.5, "close": 90.5, "volume": 4, "trades": 3}
    assert candles[0] == first | {"vwap": pytest.approx((100 + 260 + 90.5) / 4)}
    assert (candles[1]["start"], candles[1]["open"]) == (120_000, 1000.25)


def test_average_that_is_not_known_stays_so_and_spoils_nothing_else(js):
    known = {"start": 60_000, "open": 1, "high": 3, "low": 1, "close": 2, "volume": 4, "vwap": 2, "trades": 5}
    unknown = known | {"start": 0, "vwap": None, "trades": 0}
    row = ["9", 59_000, "7", "1", "buy", False]

    grown = js("grown([it[0]], it[1], 60_000)[0]", [unknown, row])
    seen, all_known = js("[summary(it, 0, 60_000), summary(it, 60_000, 60_000)]", [unknown, known])

    assert (grown["vwap"], grown["close"], grown["volume"]) == (None, 7, 5)
    assert (seen["vwap"], seen["volume"], all_known["vwap"]) == (None, 8, 2)


@pytest.mark.parametrize(
    ("history", "heard", "fresh"),
    [
        ([["1", 5]], [["1", 5], ["2", 5], ["3", 6]], ["2", "3"]),  # two in one millisecond are two
        ([["1", 5], ["2", 6]], [["0", 4], ["3", 6]], ["3"]),
        ([], [["1", 5]], ["1"]),
        ([["9", 50]], [["1", 5]], []),
    ],
)
def test_history_and_what_was_heard_meanwhile_overlap_in_nothing(js, history, heard, fresh):
    assert js("unseen(it[0], it[1]).map(row => row[0])", [history, heard]) == fresh


def test_line_is_broken_where_nothing_is_known(js):
    points = [[second, 1] for second in [*range(0, 100, 2), *range(150, 200, 2)]]

    assert js("runsOf(it, 200).map(run => [run[0][0], run.at(-1)[0]])", points) == [[0, 98], [150, 200]]
    assert js("runsOf(it, 300).map(run => run.at(-1)[0])", points) == [98, 198]


def test_axis_that_prints_utc_shows_the_browsers_time(js):
    assert js("shifted(0)") == 5.5 * 3_600_000
    assert js("unshifted(shifted(1e12))") == 1e12


def test_price_without_its_zeros_takes_no_digits_from_the_others(js):
    told = "(() => { const day = new DayFigures(); day.show(it); day.at('97.95'); day.at('98'); return day.node })()"
    day = ["bitstamp:LTC-USD", 97.0, 98.09, 97.83, 10.0, 86_400]

    assert js(f"{told}.textContent.includes('High98.09Low97.83')", day)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 min"), (660, "11 min"), (3 * 3600, "3 h"), (86_340, "23 h"), (86_400, "24 h")],
)
def test_only_a_whole_day_is_called_one(js, seconds, words):
    assert js("dayWords(it)", seconds) == words


def test_day_is_told_in_the_digits_of_the_price_and_includes_it(js):
    day = ["coinbase:BTC-USD", 100.0, 110.0, 99.5, 1234.0, 86_400]
    told = (
        "(() => { const day = new DayFigures(); day.show(it); day.at('111.50');"
        "return [...day.node.querySelectorAll('dt, dd')].map(node => node.textContent) })()"
    )

    assert js(told, day) == ["in 24 h", "+11.50 %", "High", "111.50", "Low", "99.50", "Volume", "1.234K"]


@pytest.mark.parametrize(
    ("gap", "words"),
    [([0, 9_000, 3], "3 trades missing at 05:30"), ([0, 9_000, 1], "1 trade missing at 05:30"),
     ([0, 9_000, None], "trades may be missing at 05:30"), ([0, 500, 3], ""), (None, "")],
)  # fmt: skip
def test_gap_is_told_while_it_is_in_the_window(js, gap, words):
    assert js("gapWords(it, 5)", gap) == words


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        ([0, 21_000, 12, "skipped ids"], "12 trades missing, 05:30:00–05:30:21 (skipped ids)"),
        ([0, 900, 1, "overrun"], "1 trade missing, 05:30:00 (overrun)"),
        ([0, 60_000, None, "client down"], "trades may be missing, 05:30:00–05:31:00 (client down)"),
    ],
)
def test_gap_of_a_chart_says_how_many_when_and_why(js, gap, words):
    assert js("gapSentence(it)", gap) == words


def test_vwap_is_told_only_where_all_of_it_is_known(js):
    known = {"start": 60_000, "open": 1, "high": 4, "low": 1, "close": 2, "volume": 2, "vwap": 3, "trades": 2}
    foreign = known | {"start": 0, "vwap": None, "trades": 0, "origin": "exchange"}

    assert js("summary(it, 0, 60_000).vwap", [known]) == 3
    assert js("summary(it, 0, 60_000).vwap", [foreign, known]) is None
    grown = js("grown(it, ['1', 30_000, '5', '1', 'buy', false], 60_000)[0]", [foreign])
    assert (grown["vwap"], grown["volume"], grown["high"]) == (None, 3, 5)


def test_frame_is_read_by_the_browser_as_it_was_told(js):
    now, keys = 1_788_000_000_000, {1: A, 20: B}
    cards = [[A, "67,829.30", "0.0119", now - 25], [B, "1.5", "2", now - 9_000_000_000, now + 3]]
    rows = [
        [str(2**62 + 1), now - 70, "67,829.30", "0.0119", "buy"],
        [str(2**62 + 2), now - 70, "67,829.30", "0.5", "sell"],
        ["99", now + 2, "8.99", "1", "sell", True],
    ]
    told = [terse.card(number, part, now) for number, part in zip(keys, cards, strict=True)]
    texts = [terse.frame(now, told, terse.tape(20, rows, now)), terse.frame(now, [], terse.tape(5, rows, now))]

    known, unknown = js("it[0].map(text => frameOf(text, new Map(it[1])))", [texts, [["1", A], ["20", B]]])

    assert known == {"kind": "frame", "now": now, "cards": cards, "tape": [B, rows]}
    assert unknown == {"kind": "frame", "now": now, "cards": [], "tape": None}


def test_card_tells_where_its_price_went_by_the_part_before(js):
    names = {"key": A, "exchange": "coinbase", "where": "Coinbase", "base": "BTC", "quote": "USD", "coin": "Bitcoin"}
    known = names | {"points": [], "part": [A, "1,000.00", "1", 5_000], "move": -1}
    parts = [[A, price, "1", 6_000 + at] for at, price in enumerate(["1,000.0", "1,000.01", "1,000.01", "999.00"])]

    seen = js(
        """(() => {
          const card = new Card(it[0]);
          const seen = [[card.move, card.flash]];
          for (const part of it[1]) {
            card.flash = 0;
            card.take(part);
            seen.push([card.move, card.flash]);
          }
          return seen;
        })()""",
        [known, parts],
    )

    assert seen == [[-1, None], [-1, 0], [1, 1], [1, 0], [-1, -1]]


def test_trade_that_is_told_again_counts_once_in_its_candle(js):
    names = {"key": A, "where": "Coinbase", "base": "BTC", "quote": "USD", "coin": "Bitcoin"}
    rows = [[str(number), 60_000 + number, "100.00", "1", "buy"] for number in (1, 2, 3)]
    columns = {"start": [60], **{name: [100] for name in ("open", "high", "low", "close", "vwap")}}
    past = columns | {"volume": [2], "trades": [2]}
    history = {"key": A, "interval": "1m", "candles": past, "trades": rows[:2], "gaps": []}

    candles = js(
        """(() => {
          const focus = new Focus({ chart() {} });
          focus.open(it[0], "1m");
          focus.history(it[1]);
          focus.trade([it[0].key, it[2]]); // the last of the past come again with the first frame after it
          focus.trade([it[0].key, it[2].slice(2)]);
          focus.close();
          return focus.candles;
        })()""",
        [names, history, rows],
    )

    assert [(candle["volume"], candle["trades"]) for candle in candles] == [(3, 3)]


SECOND = 1000


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"alive": True, "as_of": 100 * SECOND, "now": 101 * SECOND}, "As of "),
        ({"alive": True, "as_of": 100 * SECOND, "now": 112 * SECOND}, "The supervisor does not answer."),
        (
            {"alive": False, "as_of": 100 * SECOND, "now": 101 * SECOND},
            "No supervisor runs. What stands here is the last",
        ),
        ({"alive": False, "as_of": None, "now": 101 * SECOND}, "No supervisor runs, and none was seen"),
    ],
)
def test_the_system_place_says_whether_it_holds_now(js, message, words):
    said = js("standing(it)", message)

    assert said.startswith(words)
    assert ("python supervisor.py" in said) == (said.startswith("No supervisor runs. "))


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0 ms"), (-12, "\u221212 ms"), (999, "999 ms"), (1300, "1.3 s"), (-2000, "\u22122.0 s")]
)
def test_delay_in_words(js, ms, text):
    assert js("delayText(it)", ms) == text


def test_a_row_that_comes_again_is_written_and_not_made_again(js):
    first = [("a", True, ["a", "1"]), ("b", False, ["b", ["<b>2", "small"]])]
    js("window.table = new LiveTable('x', 'X', [['Name'], ['Value', 'number']])")
    js("table.show(it)", [{"key": key, "well": well, "cells": cells} for key, well, cells in first])
    js("window.before = [...table.body.children]")

    js("""table.show([{ key: "b", well: true, cells: ["b", "3"] }, { key: "c", well: true, cells: ["c", "4"] }])""")

    assert js("[...table.body.children].map(row => row.textContent)") == ["b3", "c4"]
    assert js("table.body.children[0] === before[1] && !before[1].classList.contains('unwell')")


TABLE = """names => ({ coin: "BTC", coins: { BTC: "Bitcoin" }, rate: null, of: 0, sides: [{
    quote: "USD", median: null, of: 0, lowest: [], highest: [],
    rows: names.map(name => [`${name.toLowerCase()}:BTC-USD`, name, "1.00", 0, null, null, null, 0, null, null, ""]),
}] })"""
PLACE = "new ComparePlace({ address: () => '', chart() {}, again: () => times.push(1), sort() {} })"


def test_exchange_that_joins_a_shown_coin_gets_its_row_and_its_line(js):
    names = js(f"""(() => {{
        const [times, table, place] = [[], {TABLE}, {PLACE}];
        place.turn({{ interval: "1m", sort: null }});
        for (const names of [["A"], ["A", "B"], ["A"]]) place.take(table(names), 1e12);
        place.take(table(["C", "A"]), 1e12);
        return [...place.node.querySelectorAll("tbody a")].map(link => link.textContent);
    }})()""")

    assert names == ["C", "A"]


def test_message_that_cannot_be_shown_is_acknowledged_all_the_same(js):
    board = "Object.assign(Object.create(Board.prototype), { link: new Link({}, {}), incoming: new Incoming({}) })"

    unseen = js(
        f"(() => {{ const board = {board}; try {{ board.receive('?') }} catch {{ return board.link.unseen }} }})()"
    )

    assert unseen == 1


def test_tab_changes_once_a_second_however_often_the_price_turns(js):
    titles = js("""(() => {
        const titles = [], tab = new Tab({ owned: false, title: text => titles.push(text) });
        for (let at = 0; at < 10; at++) tab.show(`${at}`, at % 2 ? "up" : "down");
        tab.show("Paused", "paused", true);
        return titles;
    })()""")

    assert titles == ["0", "Paused"]


@pytest.mark.parametrize(("asleep", "said"), [(True, ["hello", "hidden"]), (False, ["hello"])])
def test_tab_that_fell_asleep_before_there_was_a_link_says_so_once_there_is(js, asleep, said):
    words = js(
        """(() => {
            const said = [], unseen = new Unseen(() => [], message => said.push(...Object.keys(message)), () => {});
            const board = Object.assign(Object.create(Board.prototype), {
                desk: { unseen }, link: { join: () => [] }, hello: () => said.push("hello"),
            });
            if (it) unseen.sleep();
            said.length = 0;
            board.join({});
            return said;
        })()""",
        asleep,
    )

    assert words == said


@pytest.mark.parametrize(("asleep", "asked"), [(True, 0), (False, 1)])
def test_snapshot_that_was_overtaken_is_asked_for_again_but_by_no_sleeping_tab(js, asleep, asked):
    hellos = js(
        """(() => {
            let hellos = 0;
            const nothing = () => {}, place = { wantChart: nothing };
            const incoming = new Incoming({
                view: { place: "prices" }, status: { show: nothing }, alerts: { know: nothing },
                desk: { told: nothing, unseen: { asleep: it } }, focus: place, compare: place,
                grid: { cards: new Map() }, arrange: nothing, tick: nothing, hello: () => hellos++,
            });
            incoming.cut = 2;
            incoming.renew({ status: {}, cards: [], catalogue: [], now: 1 });
            return hellos;
        })()""",
        asleep,
    )

    assert hellos == asked


@pytest.mark.parametrize(
    "text",
    ["coinbase:BTC-USD", "a:B-C", "a_b:BTC-USD", "1a:BTC-USD", "a" * 17 + ":B-C", "a:" + "B" * 11 + "-C", "a:B-c"],
)
def test_page_takes_for_a_product_what_the_model_does(js, text):
    def is_product():
        try:
            return str(Product.parse(text)) == text
        except PoeticoinsError:
            return False

    assert js("KEY.test(it)", text) is is_product()


def test_past_that_is_not_there_is_asked_for_once_and_not_by_a_closed_page(js):
    asked = js(f"""(async () => {{
        const times = [], [open, closed] = [{PLACE}, {PLACE}];
        const away = {{ interval: "1m", problem: "away" }};
        for (let at = 0; at < 5; at++) for (const place of [open, closed]) place.past(away);
        closed.close();
        await new Promise(done => setTimeout(done, AGAIN_MS + 300));
        return times.length;
    }})()""")

    assert asked == 1


IN_USE = """(() => {
  const table = document.createElement("table");
  const body = table.createTBody();
  document.body.append(table);
  const rows = Object.fromEntries([..."abcde"].map((name) => {
    const row = document.createElement("tr");
    row.innerHTML = `<td><a href="#${name}">${name}</a></td>`;
    return [name, row];
  }));
  inOrder(body, [..."abcd"].map((name) => rows[name]));
  if (it.how === "keyboard") rows[it.used].querySelector("a").focus();
  if (it.how === "marked") getSelection().selectAllChildren(rows[it.used]);
  const told = it.orders.map((order) => {
    inOrder(body, [...order].map((name) => rows[name]));
    return body.textContent;
  });
  const kept = it.how === "keyboard" ? document.activeElement.textContent : getSelection().toString().trim();
  table.remove();
  return [told, kept];
})()"""


@pytest.mark.parametrize("how", ["keyboard", "marked"])
@pytest.mark.parametrize("used", list("abcd"))
def test_rows_change_places_around_the_one_that_is_in_use(js, how, used):
    orders = ["dcba", "bcda", "abcd", "abcde", "ebdac", "cabd"]

    told, kept = js(IN_USE, {"how": how, "used": used, "orders": orders})

    assert told == orders
    assert kept == used


def test_rows_that_are_gone_leave_and_the_others_keep_their_order(js):
    assert js(IN_USE, {"how": "keyboard", "used": "b", "orders": ["bd", "db", "", "a"]})[0] == ["bd", "db", "", "a"]


def test_table_of_moments_writes_into_the_rows_that_it_has(js):
    kept, text = js(
        """(() => {
          const table = new MomentTable();
          table.show(["A", "B"], [[120, ["1.0", "2.0"]], [60, ["1.1", "–"]]]);
          const before = [...table.body.children];
          table.show(["A", "B"], [[180, ["1.2", "2.2"]], [120, ["1.3", "2.0"]]]);
          const kept = table.body.children[1] === before[0];
          table.show(["B"], [[180, ["2.2"]]]);
          return [kept, table.node.innerText ?? table.node.textContent];
        })()"""
    )

    assert kept
    assert "A" not in text
    assert "2.2" in text


@pytest.mark.parametrize(
    ("owned", "products", "said"),
    [
        (True, None, {"select": None, "focus": "a:B-C"}),
        (True, ["a:B-C"], {"select": ["a:B-C"], "focus": "a:B-C"}),
        (False, None, {"focus": "a:B-C"}),  # a notebook's cards stay those that its cell asked for
        (False, ["a:B-C"], {"select": ["a:B-C"], "focus": "a:B-C"}),
    ],
)
def test_page_says_which_products_it_shows_unless_the_notebook_does(js, owned, products, said):
    view = {"products": products, "focus": "a:B-C"}

    told = js(
        "Object.getOwnPropertyDescriptor(Board.prototype, 'said').get.call(it)",
        {"browser": {"owned": owned}, "view": view},
    )

    assert told == said
