# Everything that a target needs is installed into .venv first.

PYTHON ?= python3
BIN := .venv/bin
QUESTION ?= How many days are there in three weeks and four days?

.PHONY: demo test test-fast lint formats cluster-configs check-cluster check-peers check-vllm check-clients stop bench bench-parser bench-engine bench-perplexity bench-summaries bench-answers hostile

demo: .venv/ready
	$(BIN)/reasoning-gateway up
	$(BIN)/reasoning-ask --budget 256 "$(QUESTION)"
	@echo
	@echo 'The gateway runs on: API http://127.0.0.1:8000, dashboard http://127.0.0.1:8265. `make stop` stops it.'
	@echo 'Ask more: .venv/bin/reasoning-ask "your question", or on the page: http://127.0.0.1:8000/'

test: .venv/ready
	$(BIN)/python -m engine.model_files embedded-0.5b > /dev/null
	$(BIN)/python -m pytest

# Every test that needs neither Ray nor a model, in half a minute: all but those at these paths and those marked `slow`,
# with fewer examples of each property. A new test is among them unless it is placed or marked so.
SLOW := bench cluster deployments e2e engine graph page test_package.py test_serve_config.py web/test_openapi.py
test-fast: .venv/ready
	$(BIN)/python -m pytest $(SLOW:%=--ignore=tests/%) -m 'not slow' --hypothesis-profile=fast -p no:schemathesis

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python .ci/docstrings.py
	$(BIN)/mypy

formats: .venv/ready
	$(BIN)/python -m gateway.reasoning.table

# The Serve configs that KubeRay's files carry, from serve_config.yaml and its overlays.
cluster-configs: .venv/ready
	$(BIN)/python cluster/configs.py

# Every test of the graph on several nodes; `make test` leaves the two longest out.
check-cluster: .venv/ready
	$(BIN)/python -m pytest tests/cluster -m 'cluster or not cluster'

# A real `transformers serve` and the cluster's own /upstream behind the gateway: they say the same through it as raw.
check-peers: .venv/ready
	$(BIN)/python -m engine.model_files embedded-0.5b > /dev/null
	$(BIN)/python -m pytest tests/e2e/test_peers.py -m 'not vllm'

# vLLM behind the gateway: an environment of its own, of some gigabytes, and the test that starts it.
check-vllm: .venv/ready .peers/vllm/ready
	$(BIN)/python -m engine.model_files embedded-0.5b > /dev/null
	$(BIN)/python -m bench.peers

# The lock goes without dependencies: torchvision, torchaudio, torchcodec and triton, which vLLM asks for, bring CUDA, and
# it runs on a CPU without them. torch's CPU build comes from where pip is told to look, such as PIP_EXTRA_INDEX_URL.
.peers/vllm/ready: tests/e2e/vllm.lock
	$(PYTHON) -m venv --clear .peers/vllm
	.peers/vllm/bin/python -m pip install --disable-pip-version-check --no-deps -r $<
	touch $@

# Clients that people already have, each in an environment of its own, against the running gateway. Needs node and npm.
check-clients: .venv/ready .peers/clients/ready .peers/npm/ready
	$(BIN)/python -m engine.model_files embedded-0.5b > /dev/null
	$(BIN)/python -m pytest tests/e2e/test_clients.py -m 'clients or not clients'

.peers/clients/ready: tests/e2e/clients/requirements.lock
	$(PYTHON) -m venv --clear .peers/clients
	.peers/clients/bin/python -m pip install --disable-pip-version-check --no-deps -r $<
	touch $@

.peers/npm/ready: tests/e2e/clients/package.json tests/e2e/clients/package-lock.json
	mkdir -p .peers/npm
	cp $^ .peers/npm
	npm ci --prefix .peers/npm
	touch $@

stop: .venv/ready
	$(BIN)/reasoning-gateway down

# Streams through the gateway and through its alternatives, compared: 15 minutes at most, while the machine does nothing
# else. `python -m bench.load --help` lists the options; `--only gateway --streams 64` measures a change in 3 minutes.
bench: .venv/ready .peers/litellm/ready
	$(BIN)/python -m bench.load

.peers/litellm/ready: bench/load/litellm.lock
	$(PYTHON) -m venv --clear .peers/litellm
	.peers/litellm/bin/python -m pip install --disable-pip-version-check --no-deps -r $<
	touch $@

# An hour of hostile upstreams and clients, and what a well-behaved client notices of it. `MINUTES=1` for a look.
MINUTES ?= 60
hostile: .venv/ready
	$(BIN)/python -m bench.hostile --minutes $(MINUTES)

bench-parser: .venv/ready
	$(BIN)/python -m bench.parser

# As the graph runs it: a model's weights are in huge pages.
bench-engine bench-summaries bench-answers: export GLIBC_TUNABLES = glibc.malloc.hugetlb=1

# The speed of the model alone, behind transformers serve, vLLM and llama.cpp, and behind the gateway; nothing else may be
# running. Needs node and npm.
bench-engine: .venv/ready .peers/vllm/ready .peers/llama_cpp/ready
	$(BIN)/python -m engine.model_files > /dev/null
	$(BIN)/python -m bench.engine

# Its optional packages are builds for other platforms and for GPUs. `npm ci` refuses a lock without those of them that a
# registry lacks; `npm install` installs the versions of the lock as well.
.peers/llama_cpp/ready: bench/llama_cpp/package.json bench/llama_cpp/package-lock.json
	mkdir -p .peers/llama_cpp
	cp $^ .peers/llama_cpp
	npm install --no-save --omit=optional --ignore-scripts --prefix .peers/llama_cpp
	touch $@

# What the kernels for CPUs lose, in perplexity over the recorded traces.
bench-perplexity: .venv/ready
	$(BIN)/python -m engine.model_files > /dev/null
	$(BIN)/python -m bench.perplexity

# The summaries of the recorded traces compared with simpler methods, for which it installs a package.
bench-summaries: .venv/ready
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps -r bench/summaries.lock
	$(BIN)/python -m engine.model_files > /dev/null
	$(BIN)/python -m bench.summaries --scripted
	$(BIN)/python -m bench.summaries

# The embedded models asked plainly and through the thinking harness; an hour on two cores. Installs packages for it.
bench-answers: .venv/ready
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps -r bench/answers.lock
	$(BIN)/python -m bench.answers

.venv/ready: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c requirements.lock -e '.[dev]'
	touch $@
