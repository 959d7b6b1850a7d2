# Two commands do everything: `make report` and `make test`. Each target makes .venv itself when it is missing.
PYTHON ?= $(firstword $(foreach v,3.13 3.12 3.11,$(shell python$(v) -c 'import ensurepip; print("python$(v)")' 2>/dev/null)) python3)
BIN := .venv/bin
SAMPLE := data/sample/truth.json

.PHONY: report test lint lab bench notebooks clean

report: $(SAMPLE)            ## one root-cause report per vendor of the sample marketplace
	$(BIN)/rca run params/vendor_performance.yml

test: lint $(SAMPLE)         ## everything: style, types, tests, doctests, notebooks
	$(BIN)/python -m pytest -n 2 --dist loadfile
	JUPYTER_PATH=rca/batch/jupyter $(BIN)/python -m pytest -n 2 --dist loadfile --nbval notebooks

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lab: $(SAMPLE)               ## explore in JupyterLab
	JUPYTER_PATH=rca/batch/jupyter $(BIN)/jupyter lab notebooks

notebooks: $(SAMPLE)         ## execute the committed notebooks again on the sample
	$(BIN)/python -m rca.batch.refresh notebooks/*.ipynb

bench: $(SAMPLE)
	for file in bench/*.py; do $(BIN)/python "$$file" || exit 1; done

$(SAMPLE): .venv/installed $(wildcard rca/sample*.py)
	$(BIN)/rca sample

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

clean:
	rm -rf .venv outputs data build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
