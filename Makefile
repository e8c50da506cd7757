# Each target makes what it needs; `make run` and `make test` need nothing but Python 3.11 or newer.
PYTHON ?=
.PHONY: run test check test-browser test-jail test-reference test-services bench fuzz clean help environment environment-dev

PY := .venv/bin/python
# Each worker process starts Django and its database: beyond 8 that costs more than it saves.
# One thread for each process of the tests, which run on all cores already.
PYTEST := OMP_NUM_THREADS=1 .venv/bin/pytest -q
PARALLEL := -n auto --maxprocesses 8 --dist loadgroup
PORT ?=
NUMBER := $(if $(PORT),--port $(PORT))

help:
	@echo "make run              the program with its demo cohort, on this machine"
	@echo "make test             all tests that need nothing but Python"
	@echo "make check            linters, types, layers, migrations, deployment settings"
	@echo "make test-browser     drives an installed Chromium over the pages"
	@echo "make test-jail        attacks the sandbox (bubblewrap, namespaces)"
	@echo "make test-reference   compares with published results (../shared/data)"
	@echo "make test-services    PostgreSQL, Redis and RabbitMQ, by their addresses"
	@echo "make bench            speed and accuracy beside other programs"
	@echo "make fuzz             random files into the readers of submissions"
	@echo "make clean            removes caches and .venv, never var/"

environment:
	@PYTHON="$(PYTHON)" bin/environment requirements.txt

environment-dev:
	@PYTHON="$(PYTHON)" bin/environment requirements-dev.txt

run: environment
	@exec $(PY) manage.py up --demo $(NUMBER)

test: environment-dev
	@$(PYTEST) $(PARALLEL) -m "not browser and not jail and not reference and not services"

check: environment-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy --strict evals
	.venv/bin/mypy tracker
	$(PY) manage.py makemigrations --check --dry-run
	bin/check-deployment
	.venv/bin/bandit --quiet --recursive --severity-level high tracker evals

test-browser: environment-dev
	@bin/needs chromium
	@$(PYTEST) -m browser

test-jail: environment-dev
	@bin/needs jail
	@$(PYTEST) -m jail

test-reference: environment-dev
	@bin/needs reference
	@$(PYTEST) $(PARALLEL) -m reference

test-services: environment-dev
	@bin/needs services
	@$(PYTEST) $(PARALLEL) -m "services or not (browser or jail or reference or faults)" tests/tracker tests/services tests/security/test_matrix.py

bench: environment-dev
	@bin/bench

fuzz: environment-dev
	@bin/needs fuzz
	@$(PY) -m tests.evals.grading.fuzz

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path "./var/*" -prune -exec rm -rf {} +
	@echo "Kept var/: it holds the database and the uploads."
