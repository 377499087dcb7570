# Lakefront. `make help` lists what a person may want to do; each target sets up what it needs.

PYTHON ?= python3
PORT ?= 8000
STATE ?= .local
TAXI_ROWS ?= 10000000
TARGET ?= dev
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run test check bench stop lock format setup browser validate deploy logs destroy screenshots clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Create .venv with the pinned packages

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $(READY)

run: $(READY) ## Run the app on a local workspace: make run PORT=8000 STATE=.local TAXI_ROWS=10000000
	@exec $(BIN)/python -m local_workspace --state "$(STATE)" --app . --front-door-port $(PORT) --taxi-rows $(TAXI_ROWS) --sample-data --sample-records analyst@example.com

test: $(READY) browser ## Run every test, in a real browser too
	$(BIN)/python -m pytest

check: $(READY) ## Lint, format, docstrings, complexity, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## Measure: ratios, side by side in one run
	$(BIN)/python -m scripts.bench

browser: ## Install Chromium and its driver (Debian and Ubuntu), when they are missing
	@$(PYTHON) scripts/install_browser.py

stop: ## Stop what a killed run may have left behind
	@$(PYTHON) scripts/stop_leftovers.py "$(STATE)"

lock: $(READY) ## Pin the packages of pyproject.toml anew
	@sh scripts/lock.sh $(BIN)

validate: ## Check the bundle: make validate TARGET=dev|prod
	@$(PYTHON) scripts/deploy.py validate $(TARGET)

deploy: $(READY) ## Deploy the bundle and wait until it is healthy: make deploy TARGET=dev|prod
	@$(BIN)/python scripts/deploy.py deploy $(TARGET)

logs: ## Follow the deployed app's log: make logs TARGET=dev|prod
	@$(PYTHON) scripts/deploy.py logs $(TARGET)

destroy: ## Remove what was deployed (asks first): make destroy TARGET=dev|prod
	@$(PYTHON) scripts/deploy.py destroy $(TARGET)

screenshots: $(READY) browser ## Take the pictures of the documentation
	$(BIN)/python -m scripts.screenshots

clean: ## Remove the virtual environment and the local data
	rm -rf "$(VENV)" "$(STATE)"
