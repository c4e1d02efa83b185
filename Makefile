# Everything runs from .venv, which `make setup` makes once; nothing else is needed beforehand but Python >= 3.11.
PYTHON ?= python3
BIN := .venv/bin
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: help setup demo run test faults faults-report simulate soak crowds guards fuzz mutate check browser notebook bench-dashboard bench-supervision screenshots clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

setup: .venv/.complete  ## make .venv with everything in it, at the pinned versions

.venv/.complete: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; set PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup  ## everything on made-up prices: exchange, clients, historical and the page, whose address it prints
	$(BIN)/python supervisor.py --demo --dashboard

run: setup  ## the same on the live exchanges
	$(BIN)/python supervisor.py --dashboard

test: setup  ## all tests; those in the browser too if Chromium is there
	$(BIN)/python -m pytest

faults: setup  ## the fault tests alone: what the line delivers while processes, connections and files are hurt
	$(BIN)/python -m pytest tests/faults

faults-report: setup  ## the same in numbers, beside the floor that each has to pass; some fifteen minutes
	$(BIN)/python benchmarks/faults_report.py

SEED ?= 1
FAULTS ?= 100000
simulate: setup  ## the line in virtual time under FAULTS=… faults of SEED=…; tells the shortest story of what fails
	$(BIN)/python -m tests.simulation $(SEED) $(FAULTS)

SECONDS ?= 300
soak: setup  ## the real processes under random faults for SECONDS=…, by the plan of SEED=…
	$(BIN)/python -m tests.faults.soak $(SECONDS) $(SEED)

PAGES ?= 1000
CONNECTS ?= 10000
crowds: setup  ## PAGES=… pages and CONNECTS=… connections at every socket, while the trades go on; some minutes
	$(BIN)/python -m tests.faults.crowds $(PAGES) $(CONNECTS)

RULES ?=
JOBS ?= $(shell nproc)
mutate: setup  ## break the code of the RULES=…, one place at a time, and list what their tests do not notice; some five minutes
	@$(BIN)/python -c 'import mutmut' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[mutate]'
	@JOBS=$(JOBS) $(BIN)/python -m tests.mutation $(RULES)

GUARDS ?=
guards: setup  ## break the guards that are named for GUARDS=… (words; without: all), one at a time: each one's test must go red; some fifteen minutes
	@JOBS=$(JOBS) $(BIN)/python -m tests.guards $(GUARDS)

fuzz: setup  ## bytes for every place where some come in, guided by what code they reach, for SECONDS=… in all
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fuzz]'
	$(BIN)/python -m tests.fuzz $(SECONDS) $(if $(TARGET),"$(TARGET)")

check: setup  ## ruff, mypy --strict and the layer test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_layers.py

browser:  ## install Chromium where that can be done (Debian and Ubuntu, as root or with sudo)
ifneq ($(CHROMIUM),)
	@echo "Chromium is there: $(CHROMIUM)"
else
	@command -v apt-get >/dev/null || { echo "install Chromium by your system's means: there is no apt-get here"; exit 1; }
	$$( [ "$$(id -u)" = 0 ] || echo sudo ) apt-get update -qq
	$$( [ "$$(id -u)" = 0 ] || echo sudo ) apt-get install -y -qq --no-install-recommends chromium fonts-liberation
endif

notebook: setup  ## JupyterLab on the notebooks, beside a running demo; Ctrl-C ends both
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[notebook]'
	@# a job in the background is deaf to Ctrl-C, so the trap ends it, whichever way JupyterLab ended
	@trap : INT TERM; $(BIN)/python supervisor.py --demo & demo=$$!; trap 'kill $$demo 2>/dev/null; wait $$demo' EXIT; \
	PYTHONPATH='$(CURDIR)' $(BIN)/python -m jupyterlab --JupyterApp.answer_yes=True --ServerApp.root_dir='$(CURDIR)/notebooks'

bench-dashboard: setup  ## what 200 and 1,000 open pages cost and what they see, beside the targets; some ten minutes
	$(BIN)/python benchmarks/bench_dashboard.py

bench-supervision: setup  ## how fast what dies is back, what the supervisor costs, and whether load makes false alarms
	$(BIN)/python benchmarks/bench_supervision.py

screenshots: setup  ## renew the README's pictures from a running demo
	$(BIN)/python docs/screenshots.py

clean:  ## remove .venv and what tools leave behind
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
