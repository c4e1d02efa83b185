"""Every place where bytes come in from elsewhere, by name."""

from tests.fuzz import exchanges, files, page, processes
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = exchanges.TARGETS | processes.TARGETS | files.TARGETS | page.TARGETS
