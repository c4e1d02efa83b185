"""Guards on which the rows of docs/faults.md rely; those of the rules are in tests/simulation/guards.py, too."""

from tests.guards.broken import Break

CONTROL = "poeticoins/control.py"
CONNECTION = "poeticoins/connection.py"
FEED = "poeticoins/feed.py"
LOG = "poeticoins/log.py"
LIFECYCLE = "poeticoins/lifecycle.py"
CHILD = "poeticoins/child.py"
SUPERVISION = "poeticoins/supervision.py"
LIES = "test_a_historical_that_lies_is_not_believed_and_no_trade_is_missed"

FAULTS = [
    Break(
        "row 2", LIFECYCLE, "return life.beat_at + settings.hang_after", "return None",
        "test_a_stopped_client_is_replaced_and_no_trade_is_missed",
    ),
    Break(
        "row 2", LIFECYCLE, "return replace(life, kill_at=now + ABORT_GRACE), KILL",
        "return replace(life, kill_at=now + ABORT_GRACE), ABORT",
        "test_a_stopped_client_is_replaced_and_no_trade_is_missed",
    ),
    Break(
        "row 3", CHILD, "faulthandler.enable(pipes.beats.fileno(), all_threads=True)", "pass",
        "test_a_client_whose_loop_hangs_leaves_its_stacks_and_is_replaced[block]",
    ),
    Break(
        "row 5", LIFECYCLE, "limit = settings.rss_limit * MB", "limit = 0",
        "test_a_client_that_takes_too_much_memory_is_restarted_and_no_trade_is_missed",
    ),
    Break(
        "row 6", "poeticoins/restarts.py", " * (0.8 + 0.2 * random)", " * 0.0",
        "test_a_client_that_crashes_for_ever_becomes_degraded_alone_and_heals_with_its_cause",
    ),
    Break(
        "row 25", "poeticoins/restarts.py", " * (0.5 + 0.5 * random)", " * 0.0",
        "test_an_exchange_that_accepts_and_closes_makes_no_storm_and_is_followed_once_it_relents",
    ),
    Break(
        "row 25", "poeticoins/restarts.py", "self.at) / self.refill)\n        if tokens < 1.0:",
        "self.at) / self.refill)\n        if False:", "test_the_connect_budget_outlives_the_process",
    ),
    Break(
        "row 8", "poeticoins/nursery.py", "_PR_SET_PDEATHSIG = 1", "_PR_SET_PDEATHSIG = 2",
        "test_a_killed_supervisor_takes_along_even_who_is_stopped_and_who_hears_no_sigterm",
    ),
    Break(
        "row 9", SUPERVISION, "heard = {signal.SIGINT: stop, ", "heard = {",
        "test_ctrl_c_in_a_terminal_stops_all_in_order_without_a_traceback_and_loses_nothing",
    ),
    Break(
        "row 10", SUPERVISION, "if self.stopping.is_set():  #", "if False:  #",
        "test_a_second_signal_waits_for_nobody_and_what_was_received_is_not_lost",
    ),
    Break(
        "row 11", SUPERVISION, "signal.SIGTERM: stop, signal.SIGHUP: reload", "signal.SIGTERM: stop",
        "test_a_terminal_that_closes_ends_nothing_and_only_what_changed_is_restarted",
    ),
    Break(
        "row 13", "poeticoins/keeping.py", "self.happened(place, Overslept(gap))", "pass",
        "test_a_supervisor_that_slept_replaces_nobody_and_nothing_is_missed",
    ),
    Break(
        "row 14", CONTROL, "return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)", "return None",
        "test_a_second_supervisor_is_refused_and_the_first_does_not_notice",
    ),
    Break(
        "row 15", "poeticoins/keeping.py", "        sweep(settings.run_dir)", "        pass",
        "test_what_a_power_loss_left_in_the_run_directory_holds_no_start_up",
    ),
    Break(
        "row 18", "poeticoins/journal_layout.py",
        "    if not tail(memoryview(content), 1, None).is_whole:", "    if False:",
        "test_a_harmed_journal_is_put_aside_and_what_it_held_is_no_reason_to_lose_or_repeat_a_trade[flipped]",
    ),
    Break(
        "row 18", "poeticoins/sealed.py", "if (len(content), zlib.crc32(content)) != (length, check):", "if False:",
        "test_harmed_bars_are_put_aside_and_the_journal_brings_them_back[flipped]",
    ),
    Break(
        "row 20", CONTROL, "        if found.st_mode & 0o077:", "        if False:",
        "test_a_run_directory_that_cannot_be_used_is_one_line_and_disturbs_no_other_tree[open to others]",
    ),
    Break(
        "row 21", FEED, "intake.published.journal.check()", "pass",
        "test_a_client_without_space_for_a_journal_says_so_alone_and_goes_on_when_there_is_some",
    ),
    Break(
        "row 21", "poeticoins/archive.py", "now - self._failed_at >= AGAIN", "False",
        "test_bars_that_find_no_space_are_written_when_there_is_some_and_no_trade_waits_for_them",
    ),
    Break(
        "row 21", "poeticoins/journal.py", "os.posix_fallocate(descriptor, 0, ", "os.ftruncate(descriptor, ",
        "test_no_space_is_one_clear_error_and_leaves_nothing",
    ),
    Break(
        "row 23", "poeticoins/troubles.py", "_RESTARTING = (1012, 1013)", "_RESTARTING = ()",
        "test_whatever_code_an_exchange_closes_with_it_is_connected_to_again",
    ),
    Break(
        "row 26", CONNECTION, "ping_interval=self._patience.ping_interval", "ping_interval=None",
        "test_a_half_open_connection_is_noticed_by_its_pings_and_no_trade_is_missed[coinbase]",
    ),
    Break(
        "row 27", "poeticoins/liveness.py", "if now - heard >= patience.silent_after:", "if False:",
        "test_a_connection_that_is_alive_but_silent_is_given_up_and_no_trade_is_missed",
    ),
    Break(
        "row 29", CONNECTION, "open_timeout=self._patience.open_within", "open_timeout=None",
        "test_a_handshake_that_is_never_answered_is_given_up_and_tried_again",
    ),
    Break(
        "row 31", "poeticoins/troubles.py", "if status in _UNWELCOME:", "if False:",
        "test_an_exchange_that_refuses_us_is_left_alone_for_long_and_what_it_traded_is_fetched",
    ),
    Break(
        "row 31", "poeticoins/troubles.py", "min(retry_after or 0.0, LONGEST_RETRY_AFTER)", "0.0",
        "test_a_passing_refusal_is_tried_again_when_told_and_what_was_traded_meanwhile_is_fetched[503]",
    ),
    Break(
        "row 32", "poeticoins/link.py", "if now < self._ask_at or not self.missing:", "if True:",
        "test_a_product_that_is_not_confirmed_is_named_and_the_others_go_on",
    ),
    Break(
        "row 33", FEED, "case ReconnectRequested():\n                return True",
        "case ReconnectRequested():\n                return False",
        "test_a_request_to_reconnect_is_followed_and_no_trade_is_missed",
    ),
    Break(
        "row 34", FEED, "except BadFrame as error:", "except ZeroDivisionError as error:",
        "test_frames_that_mean_nothing_are_counted_and_dropped_and_the_feed_goes_on",
    ),
    Break(
        "row 36", CONNECTION, "LARGEST_FRAME = 1 << 20", "LARGEST_FRAME = 1 << 30",
        "test_a_frame_that_is_too_large_costs_the_connection_and_no_trade",
    ),
    Break(
        "row 37", "poeticoins/sequence.py", "        if trade_id in self:\n            return False\n", "",
        "faults/test_frames.py::test_trades_that_are_skipped_repeated_or_reordered_arrive_once_each[coinbase-repeat-1]",
    ),
    Break(
        "row 42", "poeticoins/questions.py", "PATIENCE = 0.5", "PATIENCE = 60",
        "test_a_question_to_a_killed_historical_waits_for_the_next_one",
    ),
    Break(
        "row 42", "poeticoins/answers.py", "if not is_right:", "if False:", f"{LIES}[out of order]",
    ),
    Break(
        "row 42", "poeticoins/answers.py", "if not is_right:", "if False:", f"{LIES}[a place without its record]",
    ),
    Break(
        "row 42", "poeticoins/stream.py",
        "elif answer.last > follower.asked_last or ", "elif ",
        f"{LIES}[a trade beyond the newest]",
    ),
    Break(
        "row 42", "poeticoins/questions.py", "    except ValueError as error:", "    except LookupError as error:",
        f"{LIES}[no answer]",
    ),
    Break(
        "row 45", "dashboards/admission.py", "await asyncio.sleep(self._pause_s)", "pass",
        "test_work_that_is_due_gets_its_turn_between_any_two_pages",
    ),
    Break(
        "row 46", "dashboards/page.py", '.replace("<", "\\\\u003c")', "",
        "test_page_as_it_is_sent_holds_no_markup_of_others",
    ),
    Break(
        "row 47", LOG, "if not select.select([], [file], [], 0)[1]:", "if False:",
        "test_a_log_that_nobody_reads_and_then_nobody_can_holds_up_and_ends_nobody",
    ),
]  # fmt: skip
