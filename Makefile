# `make run` and `make test` on a machine with only Python 3.11+ and make.

.PHONY: help install install-tests run test test-long benchmark check lock clean
.DEFAULT_GOAL := help

FEED ?= simulated
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# More processes of tests than cores: those that start servers mostly wait. ARGS="-n 0" is one.
WORKERS ?= 3

# The first Python that is new enough and can make environments; PYTHON= names another.
PYTHONS := $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3)
define with_python
@chosen=; for name in $(PYTHONS); do \
	"$$name" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	[ -n "$$chosen" ] || chosen=$$name; \
	if "$$name" -c 'import venv, ensurepip' 2>/dev/null; then chosen=$$name; break; fi; \
done; \
if [ -z "$$chosen" ]; then \
	echo "No Python 3.11 or newer was found among $(PYTHONS); install one or name it by PYTHON=." >&2; \
	exit 2; \
fi; \
exec "$$chosen" -I goldtrader/stack/install.py
endef

help:
	@echo "make run         everything up in one terminal, on a simulated feed; Ctrl-C ends it"
	@echo "                 FEED=simulated|none|FILE  SPEED=N|max  HISTORY=FILE_OR_DIR  DATA_DIR=DIR"
	@echo "                 PORT=8000  GATEWAY_PORT=8765"
	@echo "make test        the test suite, on a PostgreSQL and a Redis that it starts itself"
	@echo "make test-long   the long forms of the chaos, fuzz and load tests"
	@echo "make benchmark   detectors and gateway beside other packages and a bare loop, as ratios"
	@echo "make check       format, faults, types, import contracts, migrations, audit, image, compose"
	@echo "make install     the environment in .venv; the others call it"
	@echo "make lock        compile the requirements files anew from both pyproject.toml"
	@echo "make clean       remove the environment and caches; data in var/ is kept"

install:
	$(with_python)

install-tests:
	$(with_python) --tests

run: install
	@exec $(BIN)/python manage.py stack --feed "$(FEED)" \
		$(if $(SPEED),--speed "$(SPEED)") \
		$(if $(HISTORY),--history "$(HISTORY)") \
		$(if $(DATA_DIR),--data-dir "$(DATA_DIR)") \
		$(if $(PORT),--port "$(PORT)") \
		$(if $(GATEWAY_PORT),--gateway-port "$(GATEWAY_PORT)")

test: install-tests
	@$(PYTEST) -m "not long" -n $(WORKERS) --dist worksteal $(ARGS)

test-long: install-tests
	@$(PYTEST) -m long $(ARGS)

benchmark: install-tests
	@[ -x .venv-rivals/bin/python ] || $(BIN)/python -m venv .venv-rivals
	@.venv-rivals/bin/python -m pip install -q -r tests/benchmarks/requirements.txt
	@$(BIN)/python -m tests.benchmarks.bench_detectors --rivals .venv-rivals/bin/python
	@$(BIN)/python -m tests.benchmarks.bench_gateway

CHECKS := check-format check-faults check-types check-imports check-migrations check-yaml \
	check-compose check-image check-audit
.PHONY: $(CHECKS)

# Every check runs, also after one that failed.
check: install-tests
	@$(MAKE) --no-print-directory --keep-going $(CHECKS)

check-format:
	$(BIN)/ruff format --check .

check-faults:
	$(BIN)/ruff check .

check-types:
	$(BIN)/mypy

check-imports:
	$(BIN)/lint-imports

check-migrations:
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

check-yaml:
	$(BIN)/yamllint --strict .

check-compose:
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml

check-image:
	$(BIN)/hadolint docker/Dockerfile

# pip-audit passes having audited nothing where its service is out of reach, so that is asked first,
# in the way in which pip-audit asks.
AUDITED = https://pypi.org/pypi/$(shell sed -n 's|^\(django\)==\([0-9.]*\).*|\1/\2|p' requirements.txt)/json
check-audit:
	@if $(BIN)/python -c 'import httpx; httpx.get("$(AUDITED)", timeout=10).raise_for_status().json()["vulnerabilities"]' 2>/dev/null; then \
		echo "$(BIN)/pip-audit --strict --requirement requirements.txt"; \
		$(BIN)/pip-audit --strict --disable-pip --requirement requirements.txt; \
	else \
		echo "NOT AUDITED: no vulnerability service answers at $(AUDITED)"; \
	fi

lock: install-tests
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --require-hashes --requirement goldtrader/stack/installer.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --group dev --constraint requirements.txt --output-file tests/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --extra keyring --no-emit-package metatrader5 --constraint requirements.txt mt5_bridge/pyproject.toml --output-file mt5_bridge/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --group lock --output-file goldtrader/stack/installer.txt

clean:
	rm -rf .venv .venv-rivals .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
