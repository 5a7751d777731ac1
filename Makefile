# Needs Python 3.11+ and make; everything else goes into .venv. What `make run` needs is a third of it, in .venv-run.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_VENV := .venv-run
# A folder has the Python that is asked for (make PYTHON=python3.13), else the one that it was made with. When that one
# is gone or is another one by now, the folder is made anew.
ITS_VERSION := import sys; print("%d.%d" % sys.version_info[:2])
version_of = $(shell $(if $(filter file,$(origin PYTHON)),$(1)/bin/python -c 'import pip; $(ITS_VERSION)' 2>/dev/null ||) $(PYTHON) -c '$(ITS_VERSION)')
STAMP := $(VENV)/.installed-$(call version_of,$(VENV))
RUN_STAMP := $(RUN_VENV)/.installed-$(call version_of,$(RUN_VENV))
# Some tests wait for a bot in a process of its own, so two workers share a core.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min((os.cpu_count() or 1) * 2, 16))')

# How many examples: quick, usual, most or all.
EXAMPLES ?= usual

# What one process has compiled, the workers of the tests and the bots that they start read.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run sandbox test quick lint coverage check fix bench kill-test walk trust trust-mutants wheel image lock settings screenshots sentences clean
help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(STAMP) ## create .venv and install the locked dependencies

$(STAMP): requirements-dev.lock
	$(install)

$(RUN_STAMP): requirements.lock
	$(install)

define install
@echo "Installing $< into $(@D); this takes about half a minute."
@test "$$($(@D)/bin/python -c 'import pip; $(ITS_VERSION)' 2>/dev/null)" = "$(subst .installed-,,$(@F))" || \
	{ $(PYTHON) -c 'import sys; sys.exit("Darkroom needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11") if sys.version_info < (3, 11) else None' && $(PYTHON) -m venv --clear $(@D); }
@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
@touch $@
endef

run: $(RUN_STAMP) ## run the bot against Discord (needs DISCORD_TOKEN); installs only what that needs, into .venv-run
	@$(RUN_VENV)/bin/python -m bot run

sandbox: $(STAMP) ## try everything in the browser: no account, no key, no network; SCENE=finished-event, no-key, failed-training or big-server begins there
	@$(BIN)/python -m bot sandbox $(SCENE)

test: export DARKROOM_TEST_DATABASE = $(DATABASE)
test: $(STAMP) ## run every test, on all cores, and of the slow ones some examples; ONLY=tests/training runs those alone, DATABASE=postgres or both on PostgreSQL, too
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not mutant" --some-examples --hypothesis-profile $(EXAMPLES) $(ONLY)

quick: WORKERS := $(shell $(PYTHON) -c 'import os; print(os.cpu_count() or 1)')
quick: $(STAMP) ## run a sample of the tests that start no process, no browser and no whole bot, another each time; takes ONLY, too
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --hypothesis-profile quick --sample -m "not process and not browser and not kill and not story" $(ONLY)

lint: $(STAMP) ## formatting, lint and types
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

# Measuring makes the tests slower by half, so a sample is measured.
coverage: $(STAMP) ## measure what a sample of the tests covers; fails below the floor
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --hypothesis-profile quick --sample --cov --cov-report= -m "not process and not browser and not kill"
	$(BIN)/python -m coverage report --fail-under=85

check: lint test coverage ## everything that must hold before a change lands

fix: $(STAMP) ## format and apply safe lint fixes
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

bench: $(STAMP) ## measure speed and memory against floors of the same run
	$(BIN)/python -m tests.bench

kill-test: $(STAMP) ## 1,000 kills of the bot at instrumented points and at random, 300 more while events go on
	DARKROOM_KILLS=1000 DARKROOM_EVENT_KILLS=300 $(BIN)/python -m pytest tests/wire/kills/test_kill.py --timeout=7200

walk: $(STAMP) ## 10,000 random steps through three servers that must know nothing of each other
	DARKROOM_WALK_STEPS=10000 $(BIN)/python -m tests.trust T32

trust: $(STAMP) ## try the whole fault catalogue and print what each row reached
	$(BIN)/python -m tests.trust

trust-mutants: EXAMPLES := all
trust-mutants: $(STAMP) ## break each promise once: its row of the fault catalogue, or the walk, must notice
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m mutant -v --some-examples --hypothesis-profile $(EXAMPLES) tests/trust tests/cogs/walk

wheel: $(STAMP) ## build the wheel into dist
	rm -rf build
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation --wheel-dir dist .
	rm -rf build *.egg-info

image: $(STAMP) ## without Docker: build the image's layers by the commands of the Dockerfile and run a whole job in them; takes BASE=python3.13
	$(BIN)/python -m tests.install.image $(BASE)

lock: $(STAMP) ## resolve pyproject.toml into the two hashed lock files (needs uv on the PATH)
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra postgres --extra speed --extra metrics --extra sentry --extra otel -o requirements.lock
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra dev -o requirements-dev.lock

settings: $(STAMP) ## write .env.example and the table of settings in bot/README.md anew, from bot/config.py
	$(BIN)/python -m tests.settings_table

screenshots: $(STAMP) ## take the pictures of the README anew (needs chromium)
	$(BIN)/python -m tests.screenshots

sentences: $(STAMP) ## print all sentences that members can read, as Markdown; FILE=sentences.md writes them there
	@$(BIN)/python -m tests.sentences $(FILE)

clean: ## remove .venv, .venv-run and caches
	rm -rf $(VENV) $(RUN_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build dist *.egg-info
