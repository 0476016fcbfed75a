# make lab       set up .venv (first time only) and open your copy of the first chapter in JupyterLab; the copies are in
#                reading/ (ARGS=--no-browser, or any options of Jupyter: --port 8889, as root --allow-root)
# make reading   copy the chapters to reading/, which make lab does too; CHAPTER=03 makes one more copy of chapter 03
# make test      unit tests, and every chapter re-executed and compared with its stored outputs, on all cores
#                (ARGS=chapters/03_through_time.ipynb for one of them; any options of pytest; ARGS="-n 0 --pdb" on one core)
# make test-fast the unit tests of the package that are fast, in less than a minute
# make chapters  re-execute the chapters and store their outputs (CHAPTER=03 for one)
# make site      the book as a website in build/site: chapters, reference of the package, glossary, search
# make assignments   notebooks for students and instructors, and a syllabus, in build/assignments (ASSIGNMENT=01 for one)
# make class     a made-up class of 300 graded in three ways: how long, how much memory, the same files (ARGS="--students 20")
# make bench     the benchmarks of speed, some twenty minutes (BENCH=--quick for two; see benchmarks/README.md)
# make lint      style, types, and the text and notebook of every chapter agree (what pre-commit runs)
# make clean     remove everything that make made, except your copies in reading/
#
# Needs Python 3.11 or newer. Uses uv when it is installed, python3 -m venv and pip otherwise (always with UV=).
# Another Python: make lab PYTHON=python3.12

PYTHON ?= python3
# The matrices of a chapter are small: a second thread costs more than it brings.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
UV := $(shell command -v uv 2>/dev/null)
EXTRAS ?= reader,data,exchange
LINT ?= reader,dev
SITE ?= site
# Programs are run as modules (python -m), because the scripts in .venv/bin stop working when the folder is moved.
PY := .venv/bin/python
# The marks that .venv is set up name this place: in a moved folder, set-up runs again.
DONE := .venv/installed-$(shell pwd | cksum | cut -d ' ' -f 1)
# One process for each core, eight at most; a file is run by one of them.
PYTEST = $(PY) -m pytest -n auto --maxprocesses 8 --dist loadfile

.PHONY: lab reading test test-fast chapters site assignments class bench lint clean

lab: $(DONE)-$(EXTRAS)
	$(PY) tools/reading.py
	$(PY) -m jupyterlab --ServerApp.root_dir=. reading/00_start_here.ipynb $(ARGS)

reading:
	$(PYTHON) tools/reading.py $(CHAPTER)

test: $(DONE)-$(EXTRAS)
	$(PYTEST) $(ARGS)

test-fast: $(DONE)-$(EXTRAS)
	$(PYTEST) -m "not slow" $(or $(ARGS),tests/core)

chapters: $(DONE)-$(EXTRAS)
	$(PY) tools/chapters.py $(CHAPTER)

site: $(DONE)-$(SITE)
	$(PY) -m sphinx -W --keep-going -q -c site . build/site
	@echo "open build/site/index.html"

assignments: $(DONE)-reader,data,course
	$(PY) tools/assignments.py $(ASSIGNMENT)

class: $(DONE)-reader,data,course
	$(PY) -m benchmarks.class_of_300 $(ARGS)

bench: $(DONE)-bench
	$(PY) -m benchmarks.speed $(BENCH)
	$(PY) -m benchmarks.training_step $(filter --quick --write,$(BENCH))

lint: $(DONE)-$(LINT)
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m pytest -q chapters -m stored

clean:
	rm -rf .venv build reference .pytest_cache .ruff_cache .mypy_cache *.egg-info chapters/.ipynb_checkpoints
	find . -name __pycache__ -prune -exec rm -rf {} +

# One file for each set of extras, so that set-up runs again only when pyproject.toml changes.
$(DONE)-%: pyproject.toml
ifeq ($(UV),)
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Setting up .venv: a minute or two, without another word."
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --no-compile --editable ".[$*]"
else
	$(UV) venv --quiet --allow-existing --python ">=3.11" .venv
	$(UV) pip install --quiet --python .venv --editable ".[$*]"
endif
	@touch $@
