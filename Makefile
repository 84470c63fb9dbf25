# make help lists the targets. Every one of them works from a fresh clone and may be run again at any time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/ci.lock.txt
# What the quickstart shows: the pair of the README.
TOWN := spaces_demo/examples/town
PIP := $(BIN)/python -m pip --disable-pip-version-check

# A stamp file says that a step was finished; a step that was interrupted leaves none and is done again from the start.
TORCH_STAMP := $(VENV)/.torch-installed
PACKAGE_STAMP := $(VENV)/.package-installed
TEST_STAMP := $(VENV)/.test-installed
DOCS_VENV := .venv-docs
DOCS_STAMP := $(DOCS_VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help quickstart demo test lint docs bench checkpoint reproduce-tiny sync-checkpoint publish-dry-run publish images clean

help:
	@echo "make quickstart  install into $(VENV), segment the example pair, print the path of the overlay"
	@echo "make demo        start the demo in the browser"
	@echo "make test        install the tested versions into $(VENV), then lint, check types and formatting, run the tests"
	@echo "make lint        lint, check formatting and types only"
	@echo "make docs        build the documentation as a site in site/, check its links"
	@echo "make bench       measure prediction with the tiny preset, append to benchmarks/results/inference.csv"
	@echo "make checkpoint  train the checkpoint from scratch (hours); REAL_DATA=DIR adds the real pairs and images in DIR"
	@echo "make reproduce-tiny  every step of docs/reproduce.md on generated pairs, in minutes; ends with the table"
	@echo "make sync-checkpoint  copy the code of modeling_mtrefseg to mtrefseg-r1"
	@echo "make publish-dry-run  build the Hub repositories in outputs/hub and load each one separately, without pushing"
	@echo "make publish NAMESPACE=... the same, then push to the Hub (needs HF_TOKEN in the environment)"
	@echo "make images    evaluate mtrefseg-r1 for the demo's report, and redraw the README's images (needs Chromium)"
	@echo "make clean       remove $(VENV), $(DOCS_VENV), outputs, site and caches"

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
	$(BIN)/mtrefseg predict $(TOWN)_t1.jpg $(TOWN)_t2.jpg \
		"which buildings are new?" \
		"which building is new at the top?" \
		"the house that no longer exists" \
		"the swimming pool that was filled in" \
		--domain remote_sensing --out outputs/quickstart
	@echo "Look at outputs/quickstart/overlay.png"

lint: $(TEST_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# One process a core, but at most four: each takes up to 3 GB of memory.
test: lint
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

# A small environment of its own: the docstrings are read without importing the packages.
$(DOCS_STAMP): requirements/docs.txt
	rm -rf $(DOCS_VENV)
	$(PYTHON) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --disable-pip-version-check --quiet --requirement requirements/docs.txt
	@touch $@

docs: $(DOCS_STAMP)
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/python -m mkdocs build --strict
	@echo "Open site/index.html; for the search: python3 -m http.server --bind 127.0.0.1 --directory site"

demo: $(TEST_STAMP)
	$(BIN)/mtrefseg demo

# Without REAL_DATA the checkpoint is trained on generated pairs alone, and the card says so. With it, pairs are also composed
# of images with instance masks, from the folders REAL_DATA/instances/*.
FOLDERS = RS_real_train RS_more_train NS_real_train NS_more_train
COMPOSED = ns_coco,ns_pennfudan rs_vhr10,rs_dubai
comma := ,
composed = composed:$(REAL_DATA)/instances/$(subst $(comma),$(comma)$(REAL_DATA)/instances/,$(1))
SENTENCES = $(if $(REAL_DATA),--train_data generated $(FOLDERS:%=$(REAL_DATA)/%) $(foreach names,$(COMPOSED),$(call composed,$(names))) \
	--train_weights 3.6 1.4 1.7 0.6 0.7 0.6 0.5 --move_share 0.3)
CHANGES = $(if $(REAL_DATA),--train_data generated $(REAL_DATA)/RS_real_pretrain $(FOLDERS:%=$(REAL_DATA)/%) \
	--train_weights 1 1 1.5 2 0.7 0.7)

# Sentences about places and ranks, which few of the real pairs have.
describe = $(BIN)/mtrefseg data describe $(REAL_DATA)/$(1) $(MADE)/described/$(1) \
	--domain $(firstword $(subst _, ,$(1))) --sentences 24 --seed 5 $(if $(STEPS),--pairs 8)
described = $(if $(REAL_DATA),--train_data generated $(FOLDERS:%=$(REAL_DATA)/%) $(FOLDERS:%=$(MADE)/described/%) \
	$(foreach names,$(COMPOSED),$(call composed,$(names))) --train_weights $(1) --move_share 0.3)

# Running the command again skips finished steps and resumes the one that was stopped.
# STEPS=4 tries all of it in minutes, in a folder of its own.
RESUME = --resume_from_checkpoint last $(if $(STEPS),--max_steps $(STEPS))
MADE = outputs/$(if $(STEPS),trial_of_,)checkpoint
RECIPE = --config trainer/recipes/checkpoint/$(1).yaml --output_dir $(MADE)/$(1) $(RESUME)

checkpoint: $(TEST_STAMP)
	$(BIN)/python trainer/pretrain_scenes.py $(call RECIPE,01_generated_scenes)
	$(BIN)/python trainer/finetune.py $(call RECIPE,02_sentences) --stage1 $(MADE)/01_generated_scenes $(SENTENCES)
	$(BIN)/python trainer/finetune.py $(call RECIPE,03_larger_images) --model_name_or_path $(MADE)/02_sentences $(SENTENCES)
	$(BIN)/python trainer/pretrain.py $(call RECIPE,04_every_change) $(CHANGES)
	$(BIN)/python trainer/finetune.py $(call RECIPE,05_pretrained_backbone) --model_name_or_path $(MADE)/03_larger_images \
		--parts_from $(MADE)/04_every_change $(SENTENCES)
	$(BIN)/python trainer/distill.py $(call RECIPE,06_distill_vocabulary) --model_name_or_path $(MADE)/05_pretrained_backbone $(SENTENCES) \
		$(if $(STEPS),--epoch_pairs 60)
	$(BIN)/python trainer/finetune.py $(call RECIPE,07_all_parts) --model_name_or_path $(MADE)/06_distill_vocabulary $(SENTENCES)
	$(if $(REAL_DATA),$(foreach folder,$(FOLDERS),$(call describe,$(folder)) &&) true)
	$(BIN)/python trainer/finetune.py $(call RECIPE,08_described_pairs) --model_name_or_path $(MADE)/07_all_parts \
		$(call described,4.0 0.7 0.6 0.3 0.3 1.2 1.4 0.5 0.5 0.8 0.7)
	$(BIN)/python trainer/finetune.py $(call RECIPE,09_canvas_320) --model_name_or_path $(MADE)/08_described_pairs \
		$(call described,4.4 1.1 0.9 0.3 0.3 0.6 0.7 0.3 0.3 0.8 0.7)
	$(BIN)/python trainer/distill.py $(call RECIPE,10_distill_paraphrases) --model_name_or_path $(MADE)/09_canvas_320 \
		$(call described,6 1 1 0.5 0.5 0.6 0.6 0.4 0.4 0.1 0.1) $(if $(STEPS),--epoch_pairs 60)
	$(BIN)/python trainer/finetune.py $(call RECIPE,11_colours_removed) --model_name_or_path $(MADE)/10_distill_paraphrases \
		$(call described,5.2 1.1 0.9 0.3 0.3 0.6 0.7 0.3 0.3 0.8 0.7)
	$(BIN)/python trainer/finetune.py $(call RECIPE,12_more_generated) --model_name_or_path $(MADE)/11_colours_removed \
		$(call described,6 1 0.9 0.3 0.3 0.6 0.7 0.3 0.3 0.6 0.7)
	$(BIN)/python trainer/finetune.py $(call RECIPE,13_joined_places) --model_name_or_path $(MADE)/12_more_generated \
		$(call described,6 1 0.9 0.3 0.3 0.6 0.7 0.3 0.3 0.6 0.7)
	$(BIN)/python trainer/finetune.py $(call RECIPE,14_word_noise) --model_name_or_path $(MADE)/13_joined_places \
		$(call described,6 1 0.9 0.3 0.3 0.6 0.7 0.3 0.3 0.6 0.7)
	$(BIN)/python trainer/finetune.py $(call RECIPE,15_mask_refinement) --model_name_or_path $(MADE)/14_word_noise \
		$(call described,7 1.3 0.9 0.3 0.3 0.6 0.7 0.3 0.3 0.6 0.7)
	$(BIN)/python trainer/finetune.py $(call RECIPE,16_bfloat16) --model_name_or_path $(MADE)/15_mask_refinement \
		$(call described,7 1.3 0.9 0.3 0.3 0.6 0.7 0.3 0.3 0.6 0.7)
	$(BIN)/python trainer/finetune.py $(call RECIPE,17_more_paraphrases) --model_name_or_path $(MADE)/16_bfloat16 \
		$(call described,7 1.3 0.9 0.3 0.3 0.6 0.7 0.3 0.3 0.6 0.7)
	$(BIN)/python trainer/calibrate.py --model $(MADE)/17_more_paraphrases --output_dir $(MADE)/mtrefseg-r1 --pixel_size 0.4 --choose_objects \
		$(if $(REAL_DATA),--also $(REAL_DATA)/RS_real_train $(REAL_DATA)/NS_real_train)
	@echo "The checkpoint is in $(MADE)/mtrefseg-r1"

# Each step of docs/reproduce.md, as small as it can be. What is there from an earlier run is removed first.
TINY = outputs/reproduced
FEW = --save_strategy no --eval_strategy no --load_best_model_at_end false --eval_data none --dataloader_num_workers 0

reproduce-tiny: $(TEST_STAMP)
	rm -rf $(TINY)
	$(BIN)/mtrefseg data synth $(TINY)/data --pairs 300 --size 128 --num-proc 2 --kind pretrain
	$(BIN)/mtrefseg data synth $(TINY)/data --pairs 300 --size 128 --num-proc 2
	$(BIN)/mtrefseg data synth $(TINY)/data --pairs 40 --size 128 --split validation
	$(BIN)/mtrefseg data validate $(TINY)/data
	$(BIN)/python trainer/pretrain.py --config trainer/recipes/tiny_stage1.yaml --estimate
	$(BIN)/python trainer/pretrain.py --config trainer/recipes/tiny_stage1.yaml $(FEW) \
		--train_data $(TINY)/data --max_steps 60 --output_dir $(TINY)/stage1
	$(BIN)/python trainer/finetune.py --config trainer/recipes/tiny_stage2.yaml $(FEW) \
		--stage1 $(TINY)/stage1 --train_data $(TINY)/data --max_steps 80 --output_dir $(TINY)/ours
	$(BIN)/python trainer/ablate.py --matrix trainer/ablation/leaderboard.yaml --output_dir $(TINY)/ablation \
		--runs early_fusion change_detector --steps 40
	$(BIN)/mtrefseg benchmark run --models mtrefseg:$(TINY)/ours image_difference nothing \
		mtrefseg:$$(echo $(TINY)/ablation/runs/early_fusion-*),name=early_fusion \
		mtrefseg:$$(echo $(TINY)/ablation/runs/change_detector-*),name=change_detector \
		--data $(TINY)/data --settings TV NS RS --output_dir $(TINY)/benchmark
	$(BIN)/mtrefseg benchmark table $(TINY)/benchmark

# Needs no package: it only copies files.
sync-checkpoint:
	$(PYTHON) -m publishing.sync_checkpoint

publish-dry-run: $(TEST_STAMP)
	$(BIN)/python -m publishing --out outputs/hub

publish: $(TEST_STAMP)
	$(BIN)/python -m publishing --out outputs/hub --push --namespace "$(NAMESPACE)"

bench: $(TEST_STAMP)
	$(BIN)/python -m benchmarks.model.inference --preset tiny

# Renews the images that show what the checkpoint does; run it when the checkpoint has changed.
images: $(TEST_STAMP)
	rm -rf outputs/examples
	$(BIN)/python trainer/evaluate.py --model mtrefseg-r1 --data generated --generated_pairs 30 --output_dir outputs/examples
	cp outputs/examples/predictions.parquet spaces_demo/examples/
	$(BIN)/python -m docs.draw_images

clean:
	rm -rf $(VENV) $(DOCS_VENV) outputs site build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
