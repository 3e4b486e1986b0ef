# make demo: a first look.  make test: lint, types, house rules, all tests, coverage.  Each does all of its own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# many tests wait for timers and programs, so there may be more workers than cores; who has none left takes others'
PARALLEL = -n $${TEST_WORKERS:-6} --dist worksteal
# of a part of the tests it says nothing: only a whole run measures, and keeps the floor in pyproject.toml
COVERAGE = $(if $(ARGS),,--coverage)

# each of some thousand processes would compile the hub anew, and each worker the tests
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test checked compiled pythons lint types bench long mutants specs wheels clean setup servers

demo: setup
	$(BIN)/hub demo $(ARGS)

test: setup
	@$(MAKE) --no-print-directory -j2 --output-sync=target checked
	$(BIN)/pytest $(PARALLEL) $(COVERAGE) $(ARGS)

# what does not need all cores, side by side
checked: types lint servers compiled

# once, and not by each worker: pytest keeps the tests compiled with its own assertions
compiled: setup
	@$(BIN)/pytest --collect-only -qq $(ARGS) > /dev/null || true

# the same on each Python that pyproject.toml names and that is here, each in an environment of its own
pythons:
	@$(PYTHON) tools/pythons.py $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy
	$(BIN)/mypy tools/*.py docs/examples/*/*.py

# for hours, not for each change: 50 kills instead of 5, and property tests draw new examples instead of the same
long: servers
	$(BIN)/pytest --long $(PARALLEL) $(ARGS)

# do the tests see a fault? Changes the modules that carry the promises in small ways, and prints how many changes turn red.
# ARGS="--seed 7 --sample 10" for other ones, or more; ARGS="--sample 0 hub/alerts/suppression/silences.py" for all of one module
mutants: setup
	$(BIN)/python -m tests.mutants $(ARGS)

# asks the package index whether the hub installs on 32-bit ARM and musl
wheels: setup
	$(BIN)/pytest --long tests/test_platforms.py

# figures, not tests: prints ratios of this machine's run
bench: setup
	$(BIN)/python -m tests.bench $(ARGS)

setup: $(READY)
	@./setup.sh mosquitto

servers: setup
	@./setup.sh servers "$(VENV)"

$(READY): pyproject.toml setup.sh
	@./setup.sh venv "$(PYTHON)" "$(VENV)"
	@touch $@

# the OpenAPI and AsyncAPI documents under Redocly and Spectral: needs Node.js 20 or newer, and npm's registry
specs: setup
	@mkdir -p $(VENV)/specs
	$(BIN)/hub schema --openapi > $(VENV)/specs/openapi.json
	$(BIN)/hub schema --asyncapi > $(VENV)/specs/asyncapi.json
	echo 'extends: ["spectral:oas", "spectral:asyncapi"]' > $(VENV)/specs/spectral.yaml
	npx --yes @redocly/cli@2 lint $(VENV)/specs/openapi.json
	npx --yes @stoplight/spectral-cli@6 lint -r $(VENV)/specs/spectral.yaml --fail-severity warn $(VENV)/specs/openapi.json
	npx --yes @stoplight/spectral-cli@6 lint -r $(VENV)/specs/spectral.yaml $(VENV)/specs/asyncapi.json

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
