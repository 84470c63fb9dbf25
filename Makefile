# make help lists the targets. Every one of them works from a fresh clone and may be run again at any time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/ci.lock.txt
# What the quickstart shows: a generated pair.
SAMPLE := dataset_scripts/sample/RS_synthetic_val
PAIR := RS_validation_210_0000003.jpg
PIP := $(BIN)/python -m pip --disable-pip-version-check

# A stamp file says that a step was finished; a step that was interrupted leaves none and is done again from the start.
TORCH_STAMP := $(VENV)/.torch-installed
PACKAGE_STAMP := $(VENV)/.package-installed
TEST_STAMP := $(VENV)/.test-installed

.DEFAULT_GOAL := help
.PHONY: help quickstart demo test lint bench checkpoint sync-checkpoint publish-dry-run publish images clean

help:
	@echo "make quickstart  install into $(VENV), segment the example pair, print where the overlay is"
	@echo "make demo        start the demo as a page for the browser"
	@echo "make test        install the tested versions into $(VENV), then lint, check types and formatting, run the tests"
	@echo "make lint        lint, check formatting and types only"
	@echo "make bench       measure prediction with the tiny preset, append to benchmarks/results/inference.csv"
	@echo "make checkpoint  train the checkpoint from scratch (hours); REAL_DATA=DIR adds DIR/RS_real_train and DIR/NS_real_train"
	@echo "make sync-checkpoint  copy the code of modeling_mtrefseg beside the weights in mtrefseg-r1"
	@echo "make publish-dry-run  build what would go to the Hub in outputs/hub, load each folder alone, push nothing"
	@echo "make publish NAMESPACE=... with HF_TOKEN in the environment, the same and push it"
	@echo "make images    evaluate mtrefseg-r1 for the demo's report, and redraw the README's images (needs Chromium)"
	@echo "make clean       remove $(VENV), outputs and caches"

# PyTorch comes first and alone: where a CPU build is offered for exactly this version, pip then takes it, and the
# packages that follow find it installed.
$(TORCH_STAMP): pyproject.toml $(LOCK)
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet torch==2.13.0
	@touch $@

$(PACKAGE_STAMP): $(TORCH_STAMP)
	$(PIP) install --quiet --constraint $(LOCK) --no-build-isolation --editable .
	@touch $@

$(TEST_STAMP): $(TORCH_STAMP)
	$(PIP) install --quiet --requirement $(LOCK)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

quickstart: $(PACKAGE_STAMP)
	$(BIN)/mtrefseg predict $(SAMPLE)/A/$(PAIR) $(SAMPLE)/B/$(PAIR) \
		"all the houses whose roofs turned white" \
		"the pool that showed up" \
		"the pool that disappeared" \
		--out outputs/quickstart
	@echo "Look at outputs/quickstart/overlay.png"

lint: $(TEST_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest

demo: $(TEST_STAMP)
	$(BIN)/mtrefseg demo

# Without REAL_DATA the checkpoint is trained on generated pairs alone, and the card says so.
REAL = $(if $(REAL_DATA),--train_data generated $(REAL_DATA)/RS_real_train $(REAL_DATA)/NS_real_train \
	--train_weights 4 1 1 --move_share 0.5)

# Running the command again skips finished steps and resumes the one that was stopped.
# STEPS=4 tries all of it in minutes, in a folder of its own.
RESUME = --resume_from_checkpoint last $(if $(STEPS),--max_steps $(STEPS))
MADE = outputs/$(if $(STEPS),trial_of_,)checkpoint

checkpoint: $(TEST_STAMP)
	$(BIN)/python trainer/pretrain_scenes.py --config trainer/recipes/checkpoint_scenes.yaml \
		--output_dir $(MADE)/scenes $(RESUME)
	$(BIN)/python trainer/finetune.py --config trainer/recipes/checkpoint_stage2.yaml $(REAL) \
		--stage1 $(MADE)/scenes --output_dir $(MADE)/stage2 $(RESUME)
	$(BIN)/python trainer/finetune.py --config trainer/recipes/checkpoint_stage2_256.yaml $(REAL) \
		--model_name_or_path $(MADE)/stage2 --output_dir $(MADE)/stage2_256 $(RESUME)
	$(BIN)/python trainer/calibrate.py --model $(MADE)/stage2_256 --output_dir $(MADE)/mtrefseg-r1
	@echo "The checkpoint is in $(MADE)/mtrefseg-r1"

# Needs no package: it only copies files.
sync-checkpoint:
	$(PYTHON) -m publishing.sync_checkpoint

publish-dry-run: $(TEST_STAMP)
	$(BIN)/python -m publishing --out outputs/hub

publish: $(TEST_STAMP)
	$(BIN)/python -m publishing --out outputs/hub --push --namespace "$(NAMESPACE)"

bench: $(TEST_STAMP)
	$(BIN)/python -m benchmarks.inference --preset tiny

# Renews the images that show what the checkpoint does; run it when the checkpoint has changed.
images: $(TEST_STAMP)
	rm -rf outputs/examples
	$(BIN)/python trainer/evaluate.py --model mtrefseg-r1 --data generated --generated_pairs 30 --output_dir outputs/examples
	cp outputs/examples/predictions.parquet spaces_demo/examples/
	$(BIN)/python -m docs.draw_images

clean:
	rm -rf $(VENV) outputs build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
