# make lab       set up .venv (first time only) and open the first chapter in JupyterLab
# make test      unit tests, and every chapter re-executed and compared with its stored outputs, on all cores
#                (ARGS=chapters/03_through_time.ipynb for one of them; any options of pytest; ARGS="-n 0 --pdb" on one core)
# make test-fast the unit tests of the package that are fast, in less than a minute
# make chapters  re-execute the chapters and store their outputs (CHAPTER=03 for one)
# make site      the chapters as a static book in build/site
# make assignments   notebooks for students and instructors, and a syllabus, in build/assignments (ASSIGNMENT=01 for one)
# make class     a made-up class of 200 graded in three ways: how long, how much memory, the same gradebook (ARGS="--students 20")
# make bench     the benchmark of speed, some eight minutes (BENCH=--quick for a minute; see benchmarks/README.md)
# make lint      style, types, and the text and notebook of every chapter agree (what pre-commit runs)
# make clean     remove everything that make made
#
# Needs Python 3.11 or newer. Uses uv when it is installed, python3 -m venv and pip otherwise (always with UV=).
# Another Python: make lab PYTHON=python3.12

PYTHON ?= python3
# The matrices of a chapter are small: a second thread costs more than it brings.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
UV := $(shell command -v uv 2>/dev/null)
EXTRAS ?= reader,data,exchange
BIN := .venv/bin
# One process for each core, eight at most; a file is run by one of them.
PYTEST = $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

.PHONY: lab test test-fast chapters site assignments class bench lint clean

lab: .venv/installed-$(EXTRAS)
	$(BIN)/jupyter lab --ServerApp.root_dir=. chapters/00_start_here.ipynb

test: .venv/installed-$(EXTRAS)
	$(PYTEST) $(ARGS)

test-fast: .venv/installed-$(EXTRAS)
	$(PYTEST) -m "not slow" $(or $(ARGS),tests/core)

chapters: .venv/installed-$(EXTRAS)
	$(BIN)/python tools/chapters.py $(CHAPTER)

site: .venv/installed-site
	$(BIN)/python -m sphinx -W --keep-going -q -c site . build/site
	@echo "open build/site/index.html"

assignments: .venv/installed-reader,data,course
	$(BIN)/python tools/assignments.py $(ASSIGNMENT)

class: .venv/installed-reader,data,course
	$(BIN)/python -m benchmarks.class_of_200 $(ARGS)

bench: .venv/installed-bench
	$(BIN)/python -m benchmarks.speed $(BENCH)

lint: .venv/installed-reader,dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/chapters/test_chapters.py

clean:
	rm -rf .venv build .pytest_cache .ruff_cache .mypy_cache *.egg-info chapters/.ipynb_checkpoints
	find . -name __pycache__ -prune -exec rm -rf {} +

# One file for each set of extras, so that set-up runs again only when pyproject.toml changes.
.venv/installed-%: pyproject.toml
ifeq ($(UV),)
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
else
	$(UV) venv --quiet --allow-existing --python ">=3.11" .venv
	$(UV) pip install --quiet --python .venv --editable ".[$*]"
endif
	@touch $@
