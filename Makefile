# `make` says what there is. Everything sets itself up first; what is there already is not installed again.
# PYTHON=…  the interpreter for .venv (3.11 to 3.13)      MLX=cpu|cuda13  the back end of MLX on Linux

MLX ?= cpu
PYTHON ?= $(shell for p in python3.12 python3.13 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& { echo $$p; break; }; done)
WANTED = pyproject.toml packaging/set_up.py packaging/debian.txt setup.py
RUN_READY = .venv/.ready-run-$(MLX)
TEST_READY = .venv/.ready-test-$(MLX)

.DEFAULT_GOAL := help
.PHONY: help run setup test zoo check bench models translations clean

help: ## this list
	@echo 'Silicon Dyno: one Core ML model on every engine of this machine, measured side by side.'
	@echo
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 24
	@echo
	@echo '  MLX=cuda13             with make run or make setup: MLX on an NVIDIA card (Linux)'

run: $(RUN_READY) ## the program: the window, or its main job in the terminal when there is no display
	@.venv/bin/python -m app

setup: $(RUN_READY) ## set up .venv; afterwards .venv/bin/dyno works

test: $(TEST_READY) ## every test but those of make zoo, with set-up, in a virtual screen of its own
	@packaging/run_tests.sh $(or $(TESTS),-m "not zoo")

zoo: $(TEST_READY) .venv-models/.ready-zoo ## networks of every family against PyTorch: built once (.zoo), then tested
	@.venv-models/bin/python tests/zoo/build.py
	@.venv-models/bin/python tests/zoo/compress.py
	@.venv/bin/python -m pytest tests/zoo -q
	@.venv/bin/python tests/zoo/table.py

check: $(TEST_READY) ## style, types and import contracts
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: $(TEST_READY) ## the benchmark, as ratios within one run
	.venv/bin/python tests/benchmarks/run.py $(BENCH)

translations: $(TEST_READY) ## collect sentences into the catalogues and compile them
	.venv/bin/python packaging/translations.py update
	.venv/bin/python packaging/translations.py compile

models: .venv-models/.ready ## rebuild resources/models and show that the result is the same
	.venv-models/bin/python packaging/build_models.py --check

clean: ## remove the environments and what the tools left
	rm -rf .venv .venv-models .zoo build dist out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info

$(RUN_READY): $(WANTED)
	@$(if $(PYTHON),,$(error Python 3.11, 3.12 or 3.13 is needed and was not found; install it or name it with PYTHON=…))
	@$(PYTHON) packaging/set_up.py --environment .venv --mlx $(MLX)
	@touch $@

$(TEST_READY): $(WANTED)
	@$(if $(PYTHON),,$(error Python 3.11, 3.12 or 3.13 is needed and was not found; install it or name it with PYTHON=…))
	@$(PYTHON) packaging/set_up.py --environment .venv --mlx $(MLX) --extra dev
	@touch $@ $(RUN_READY)

.venv-models/.ready: $(WANTED)
	@$(PYTHON) packaging/set_up.py --environment .venv-models --mlx none --extra models
	@touch $@

.venv-models/.ready-zoo: $(WANTED)
	@$(PYTHON) packaging/set_up.py --environment .venv-models --mlx none --extra models --extra zoo
	@touch $@ .venv-models/.ready
