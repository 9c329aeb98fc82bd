# A thin front: every line below can be run by hand.
#
#   make demo   set up, predict photographs, train the three phases on toy data, evaluate, draw
#               (minutes on 2 cores)
#   make test   set up, run the tests
#   make lint   set up, check style (ruff), types (mypy) and who imports whom (import-linter)
#   make docs   set up, build the documentation as a site: work_dirs/site/index.html
#   make clean  remove what these made, the environment too

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/ready
DEMO := work_dirs/demo
PHASES := acnn_toy_phase1 acnn_toy_phase2 acnn_toy_phase3

# Worker processes and torch's threads share the cores: threads that wait must not spin.
export OMP_WAIT_POLICY := passive
export PYTHONUNBUFFERED := 1
# The toy configs read data/toy unless this is set.
unexport ACNN_DATA_ROOT

.PHONY: demo test lint docs clean
.DELETE_ON_ERROR:

demo: $(DEMO)/photographs/predictions.json $(DEMO)/table.md $(PHASES:%=$(DEMO)/%.png) $(DEMO)/log.png
	@cat $(DEMO)/table.md
	@echo "photographs: $(DEMO)/photographs/"
	@echo "story boards: $(DEMO)/acnn_toy_phase*.png; how training went: $(DEMO)/log.png"

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)
	$(BIN)/pip install --quiet -r requirements/docs.txt
	$(BIN)/mkdocs build --strict --site-dir work_dirs/site

clean:
	rm -rf .venv data/toy $(DEMO) work_dirs/site *.egg-info

# --- environment -------------------------------------------------------------------------------

$(READY): setup.py requirements/environment.txt requirements/openmmlab.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --progress-bar off -r requirements/environment.txt
	$(BIN)/pip install --progress-bar off --no-deps -r requirements/openmmlab.txt
	$(BIN)/pip install --no-deps --no-build-isolation -e .
	touch $@

# --- demo --------------------------------------------------------------------------------------

PHOTOGRAPHS := docs/images/photographs

$(DEMO)/photographs/predictions.json: | $(READY)
	$(BIN)/python tools/infer.py configs/reference/acnn_reference_phase2.py weights/acnn_reference-*.safetensors \
		$(PHOTOGRAPHS) --boxes $(PHOTOGRAPHS)/boxes.json --show story --out-dir $(@D)

data/toy/annotations/mpii_gt_val.mat: | $(READY)
	$(BIN)/python tools/make_toy_data.py data/toy

# Stopped in between? `make demo` goes on from the last epoch.
$(DEMO)/trained: data/toy/annotations/mpii_gt_val.mat
	$(BIN)/python tools/train.py $(PHASES:%=configs/toy/%.py) --work-dir $(DEMO) --resume
	touch $@

$(DEMO)/table.md: $(DEMO)/trained
	$(BIN)/python tools/compare.py $(PHASES:%=$(DEMO)/%) --out $(DEMO)/table

$(DEMO)/log.png: $(DEMO)/trained
	$(BIN)/python tools/plot_log.py $(PHASES:%=$(DEMO)/%) $@

$(DEMO)/acnn_%.png: $(DEMO)/trained
	$(BIN)/python tools/visualize.py configs/toy/acnn_$*.py `cat $(DEMO)/acnn_$*/last_checkpoint` $@ --num-people 2
