"""The guards of docs/guards.md."""

from tests.guards.broken import Break

OWNER_ALONE = "test_only_its_owner_reaches_a_running_tree_and_only_by_files"
EVERY_SOCKET = "test_every_socket_bounds_what_it_takes_and_lets_nobody_but_its_owner_in"
NO_MESSAGE = "test_bytes_that_are_no_message_harm_nobody_on_any_socket"
ONCE_BROKEN = "test_what_has_broken_a_promise_once_does_not_again"
TOO_LARGE = "test_a_frame_too_large_or_deflated_ends_the_connection_is_not_kept_and_concerns_no_other"
BUS = "poeticoins/bus.py"
CONTROL = "poeticoins/control.py"
CONNECTION = "poeticoins/connection.py"
FEED = "poeticoins/feed.py"
LOG = "poeticoins/log.py"
RECORDING = "poeticoins/recording.py"
GATE = "dashboards/gate.py"
SERVER = "dashboards/server.py"
UNVERIFIED = "context.check_hostname, context.verify_mode = False, ssl.VerifyMode(0)"
HTML = "node.innerHTML = text;"

DOORS = [
    Break(
        "run code by bytes", "poeticoins/wire.py", "import msgspec\n", "import pickle\n",
        "test_no_bytes_are_run_as_code_and_no_certificate_goes_unchecked",
    ),
    Break(
        "run code by bytes", "poeticoins/supervised.py", "data = os.read(pipe.fileno(), 65536)", "data = pipe.recv()",
        "test_only_the_supervisor_is_unpickled",
    ),
    Break("connect to a socket, as another user", BUS, "os.umask(0o177)", "os.umask(0)", OWNER_ALONE),
    Break("connect to a socket, as another user", CONTROL, "    path.chmod(0o600)\n", "", OWNER_ALONE),
    Break(
        "listen to the bus or speak on it, from the network", BUS, 'socket.bind(f"ipc://{path}")',
        'socket.bind(f"ipc://{path}"), socket.bind("tcp://127.0.0.1:*")', OWNER_ALONE,
    ),
    Break(
        "listen to the bus or speak on it, from the network", BUS, 'socket.bind(f"ipc://{path}")',
        'socket.bind(f"ipc://{path}"), socket.bind("tcp://127.0.0.1:*")', "test_the_bus_has_no_address_but_a_file",
    ),
    Break(
        "read what we keep, as another user", "poeticoins/private.py", "flags, 0o600", "flags, 0o644", OWNER_ALONE,
    ),
    Break(
        "read what we keep, as another user", "poeticoins/private.py", "    path.mkdir(mode=0o700",
        "    path.mkdir(mode=0o755", OWNER_ALONE,
    ),
    Break(
        "read what we keep, as another user", "dashboards/signing.py", "os.fstat(file.fileno()).st_mode & 0o077 == 0",
        "True", "test_key_is_kept_unless_others_could_have_read_it_or_it_is_torn",
    ),
    Break("fill memory by messages", BUS, '"MAXMSGSIZE": MAX_MESSAGE, ', "", EVERY_SOCKET),
    Break("fill memory by messages", BUS, '"HANDSHAKE_IVL": 5000', '"HANDSHAKE_IVL": 0', EVERY_SOCKET),
    Break("fill memory by messages", BUS, "SNDHWM=10_000", "SNDHWM=0", EVERY_SOCKET),
    Break("fill memory by messages", BUS, "RCVHWM=1_000", "RCVHWM=0", EVERY_SOCKET),
    Break("fill memory by messages", BUS, "RCVHWM=20_000", "RCVHWM=0", EVERY_SOCKET),
    Break("fill memory by messages", BUS, "SNDHWM=64, RCVHWM=100", "SNDHWM=0, RCVHWM=100", EVERY_SOCKET),
    Break("fill memory by messages", BUS, "SNDHWM=64, RCVHWM=100", "SNDHWM=64, RCVHWM=0", EVERY_SOCKET),
    Break("fill memory by messages", BUS, "ANSWER, SNDHWM=64", "ANSWER, SNDHWM=0", EVERY_SOCKET),
    Break("fill memory by messages", BUS, "os.umask(0o177)", "os.umask(0)", EVERY_SOCKET),
    Break(
        "ask without end", BUS, "        if wait:", "        if False:",
        "test_who_asks_without_end_holds_up_neither_the_process_nor_the_others",
    ),
    Break(
        "ask without end", "poeticoins/messages.py", "Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]", "int",
        "test_a_question_out_of_bounds_is_refused",
    ),
    Break(
        "send bytes that are no message", "poeticoins/historical.py", "except (ValueError, PoeticoinsError) as error:",
        "except PoeticoinsError as error:", f"{NO_MESSAGE}[historical]",
    ),
    Break(
        "send bytes that are no message", "poeticoins/client.py",
        "except (ValueError, LookupError, PoeticoinsError) as error:", "except LookupError as error:",
        f"{NO_MESSAGE}[bitstamp-replay]",
    ),
    Break(
        "send bytes that are no message", "poeticoins/wire.py", "    except RecursionError:\n",
        "    except ZeroDivisionError:\n", ONCE_BROKEN,
    ),
    Break(
        "take over a socket's path", CONTROL, "return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)", "return None",
        "test_the_lock_names_its_holder_and_lets_no_second_in",
    ),
    Break(
        "send huge or deflated frames, as an exchange", CONNECTION, "LARGEST_FRAME = 1 << 20",
        "LARGEST_FRAME = 1 << 30", f"{TOO_LARGE}[2 MiB]",
    ),
    Break(
        "send huge or deflated frames, as an exchange", CONNECTION, "compression=None", 'compression="deflate"',
        f"{TOO_LARGE}[deflate bomb]",
    ),
    Break(
        "hang a process by a number", "poeticoins/model.py", "if not _NUMBER.fullmatch(text):", "if not text:",
        "test_a_hostile_number_is_refused_at_once",
    ),
    Break(
        "shift charts by a time", FEED, "return abs(trade.traded_at_ns - heard_at_ns) <= DAY_NS", "return True",
        "test_a_live_trade_of_another_day_is_a_bad_frame_but_in_a_replay",
    ),
    Break(
        "break JSON", "poeticoins/exchanges/coinbase.py",
        "heard = _decode(frame)\n    except (ValueError, RecursionError)",
        "heard = _decode(frame)\n    except ValueError",
        "test_deep_nesting_is_a_bad_frame_and_no_more",
    ),
    Break(
        "break JSON", "poeticoins/exchanges/coinbase.py",
        "heard = _decode(frame)\n    except (ValueError, RecursionError)",
        "heard = _decode(frame)\n    except (msgspec.DecodeError, RecursionError)",
        "test_a_surrogate_alone_is_a_bad_frame",
    ),
    Break(
        "name products without number", "dashboards/view.py", "said[: MOST_PRODUCTS * 2])))[:MOST_PRODUCTS]", "said)))",
        "test_view_holds_sixty_products_at_most",
    ),
    Break(
        "name products without number", FEED, "self._unknown += 1  #", "link.acked.add(trade.product)  #",
        "test_trades_that_nobody_asked_for_are_counted_and_nothing_is_kept_of_them",
    ),
    Break(
        "open the page's connection from another page", SERVER,
        "list(origins(settings.host, port, settings.allow_origin))", '["*"]',
        "test_only_known_origins_open_the_live_connection",
    ),
    Break(
        "open the page's connection from another page", GATE,
        'request.headers.get("Sec-Fetch-Site") == "cross-site"', "False",
        "test_pages_of_others_can_lead_here_and_nothing_else",
    ),
    Break(
        "open pages or connections without number", GATE, "if self._admission.is_full:", "if False:",
        "test_visitor_who_is_one_too_many_is_told_to_come_again_and_costs_nothing",
    ),
    Break(
        "open pages or connections without number", GATE, "return few and len(self._open) < self._most", "return few",
        "test_connections_beyond_the_limit_are_hung_up_on_and_make_room_again",
    ),
    Break(
        "frame the page, or put a script into it", "dashboards/headers.py", '    "X-Frame-Options": "DENY",\n', "",
        "test_page_says_what_browsers_must_refuse",
    ),
    Break(
        "frame the page, or put a script into it", "dashboards/headers.py", "secrets.token_urlsafe(16)", '"a" * 22',
        "test_scripts_of_the_page_bear_a_number_that_is_used_once_and_no_others_are_allowed",
    ),
    Break(
        "put script into a name, a price, a reason or an address", "dashboards/assets/words.js",
        "node.textContent = text;", HTML, "test_names_problems_and_reasons_are_shown_as_text",
    ),
    Break(
        "put script into a name, a price, a reason or an address", "dashboards/assets/words.js",
        "node.textContent = text;", HTML, "test_prices_sizes_and_ids_of_the_wire_are_shown_as_text",
    ),
    Break(
        "put script into a name, a price, a reason or an address", "dashboards/assets/words.js",
        "node.textContent = text;", HTML, "test_hostile_words_in_the_address_are_text_if_anything",
    ),
    Break(
        "open the page of `panel serve`, which has no guards, from another machine", "dashboards/page.py",
        "if not ip_address(context.request.remote_ip).is_loopback:", "if False:",
        "test_panel_serve_shows_nothing_to_another_machine",
    ),
    Break(
        "forge what a page comes back with", SERVER, "sign_sessions=True", "sign_sessions=False",
        "test_page_comes_back_to_a_restarted_server_and_a_forged_one_does_not",
    ),
    Break(
        "hide in a recording", RECORDING, "if size > TOTAL_LIMIT:", "if False:",
        "test_recordings_that_are_too_large_together_are_refused_before_they_are_read",
    ),
    Break(
        "hide in a recording", RECORDING, "if not file.resolve().is_relative_to(path.resolve()):", "if False:",
        "test_a_link_out_of_a_directory_is_refused_and_one_within_it_is_followed",
    ),
    Break(
        "hide in a recording", RECORDING, "if not stat.S_ISREG(found.st_mode):", "if False:",
        "test_what_is_no_file_is_refused_at_once",
    ),
    Break(
        "hide in a recording", RECORDING, "if len(text) > LINE_LIMIT:", "if False:",
        "test_a_line_longer_than_a_mebibyte_is_refused",
    ),
    Break(
        "hide in a recording", RECORDING, "except (ValueError, RecursionError) as error:  #",
        "except RecursionError as error:  #", "test_a_malformed_line_is_named_with_its_file_and_number",
    ),
    Break(
        "read a secret in a log or a status", "poeticoins/errors.py", '_USERINFO.sub("//…@", text)', "text",
        "test_no_secret_of_the_settings_is_in_the_status_the_log_the_files_or_the_command_lines",
    ),
    Break(
        "read a secret in a log or a status", LOG, "without_secrets(str(value)[: limit + LONGEST_SECRET])",
        "str(value)", "test_no_secret_gets_into_a_line_not_even_half_of_it",
    ),
    Break(
        "have the supervisor do more than it should", CONTROL,
        "except (ValueError, RecursionError) as error:\n        return {",
        "except RecursionError as error:\n        return {",
        "test_a_bad_request_is_told_so_and_the_next_one_is_answered",
    ),
    Break(
        "speak in an exchange's name", CONNECTION, "context.minimum_version = ssl.TLSVersion.TLSv1_2", UNVERIFIED,
        "test_nothing_is_taken_from_an_exchange_with_a_bad_certificate",
    ),
    Break(
        "write lines of his own into the log", LOG, "if not text.isprintable():", "if False:",
        "test_a_value_from_outside_cannot_write_lines_of_its_own",
    ),
    Break(
        "write lines of his own into the log", LOG, "if not text.isprintable():", "if False:",
        "test_no_text_breaks_its_line",
    ),
]  # fmt: skip
