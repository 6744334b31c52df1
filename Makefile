# Everything here sets itself up: a machine with Python 3.11 (or newer), make and a package index is enough.

PYTHON ?= $(firstword $(foreach each,python3.11 python3.12 python3.13 python3,$(shell \
	$(each) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $(each))))
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: help demo test chaos sample clean

help:
	@echo 'make demo     run everything on this machine: etcd, stand-ins for Heat and routers, the daemon; watch it work'
	@echo 'make test     style, types, import contracts, sample config and all tests'
	@echo 'make chaos    kill, stop and cut everything that can be, for half an hour; then count what was violated'
	@echo 'make sample   write etc/esi-worker/esi-worker.conf.sample anew'
	@echo 'make clean    remove all that the others made'

demo: $(INSTALLED)
	@$(BIN)/python -m esi_worker.testing.demo

# The last line counts the tests that were really run, whatever else failed; the exit status knows of both.
test: $(INSTALLED)
	@rm -rf .stestr
	@status=0; \
	$(BIN)/tox run || status=1; \
	.tox/py3/bin/stestr last --subunit 2>/dev/null | .tox/py3/bin/python tests/summary.py || status=1; \
	exit $$status

# CHAOS='--seed 1 --minutes 5 --parts kill_points' chooses.
chaos: $(INSTALLED)
	@$(BIN)/tox run -e chaos -- $(CHAOS)

sample: $(INSTALLED)
	@$(BIN)/oslo-config-generator --config-file etc/esi-worker/config-generator.conf

clean:
	rm -rf .venv .tox .stestr .coverage .coverage.* .mypy_cache .ruff_cache .import_linter_cache build dist *.egg-info

$(INSTALLED): setup.cfg setup.py constraints.txt
	@test -n '$(PYTHON)' || { echo 'esi-worker needs Python 3.11 or newer: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@echo 'Setting up .venv with $(PYTHON): about half a minute ...'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[testing,dev]'
	@touch $@
