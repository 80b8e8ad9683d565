# make test is the one command that passes every test. Each other target is a part of it or a longer run of a part.
#
#   make js      install the JavaScript peers for the tests
#   make kubo    build the IPFS node that tests run beside ours
#   make test    js, kubo, lint, every test, the tests with goroutines again under the race detector, each fuzz target for 10 s
#   make lint    formatting, vet, staticcheck, module file, builds for every supported platform
#   make fuzz    each fuzz target for a million executions       FUZZTIME=10m or 5000000x, FUZZ=regexp of targets
#   make crash   a million power losses, 200 kills a mode and of a reader   HYPERNODE_CRASH_POINTS, HYPERNODE_ENGINE_POINTS, HYPERNODE_KILLS
#   make rot     ten thousand flipped bits                       HYPERNODE_ROT_FLIPS
#   make interop everything with JavaScript peers, five times   HYPERNODE_INTEROP_RUNS
#   make sim     ten thousand simulated networks                HYPERNODE_SIM_SEEDS
#   make netlab  processes in network namespaces, whole         HYPERNODE_NETLAB
#   make churn   sixty nodes that come and go for a minute      HYPERNODE_CHURN
#   make evil    a hundred thousand random message sequences    HYPERNODE_SEQUENCES
#   make proofs  every proof of every tree up to 64 blocks       (long)
#   make bench   the tables of speeds of logs, streams, bees and drives, with the JavaScript figures beside
#   make speed   copies and live appends, ours and JavaScript peers in turn   HYPERNODE_BENCH_ROUNDS, HYPERNODE_BENCH_SCALE

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := test
.NOTPARALLEL:
.PHONY: test js kubo lint format vet staticcheck tidy cross golangci unit race fuzz fuzz-slice crash rot proofs interop sim netlab churn evil bench speed

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
PLATFORMS   := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
MODULE      := github.com/hypernode/hypernode

# Code that starts no goroutine, which internal/arch proves: the race detector has nothing to look for there.
PURE := core/keys core/manifest core/merkle protocols/wire internal/bitfield internal/blake2x internal/compact

# A continuous run takes no result from a cache and passes over no missing tool.
COUNT := $(if $(CI),-count=1)

# $(call have,TOOL,WHAT) is a condition: TOOL is there. If not, it says so, and under CI it ends the run.
have = { command -v $(1) >/dev/null || { echo "$(1) is not installed: no $(2)" >&2; $(if $(CI),exit 1,false); }; }

test: js kubo lint unit race fuzz-slice

# The packages of the stock JavaScript peers that tests talk to, and those of js-libp2p with the Node that it needs.
js:
	@if $(call have,npm,tests against JavaScript peers); then \
		for folder in js js22; do \
			(cd internal/interop/$$folder && npm ci --no-audit --no-fund --loglevel=error) || exit 1; \
		done; \
	fi

# A module of its own, so that nothing of it is among what programs link. It takes minutes the first time.
kubo:
	cd internal/netlab/kubo && $(GO) build -o bin/ipfs github.com/ipfs/kubo/cmd/ipfs

lint: format vet staticcheck tidy golangci cross

format:
	@bad=$$(gofmt -l .); test -z "$$bad" || { echo "not formatted by gofmt:" $$bad >&2; exit 1; }

vet:
	$(GO) vet ./...

staticcheck:
	$(GO) run $(STATICCHECK) ./...

tidy:
	$(GO) mod tidy -diff

# Staticcheck and vet are the gate; golangci-lint is an extra for those who have it.
golangci:
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; fi

# Every package that a program can link, and the command, without cgo; test kits may lean on one system.
cross:
	@packages=$$($(GO) list ./... | grep -v '/internal/'); \
	for p in $(PLATFORMS); do \
		echo "build for $$p"; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build $$packages; \
	done

unit: export HYPERNODE_CRASH_POINTS ?= 20000
unit: export HYPERNODE_ROT_FLIPS ?= 500
unit: export HYPERNODE_KILLS ?= 20
unit:
	$(GO) test $(COUNT) -timeout 5m ./...

race: export HYPERNODE_CRASH_POINTS ?= 500
race: export HYPERNODE_ROT_FLIPS ?= 50
race: export HYPERNODE_KILLS ?= 2
race:
	@if $(call have,$(firstword $(shell $(GO) env CC)),race detector without a C compiler); then \
		packages=$$($(GO) list ./... | grep -vxE '$(MODULE)/($(subst $() ,|,$(strip $(PURE))))'); \
		set -x; $(GO) test $(COUNT) -race -short -timeout 5m $$packages; \
	fi

fuzz:
	@internal/ci/fuzz.sh $(or $(FUZZTIME),1000000x)

fuzz-slice:
	@internal/ci/fuzz.sh $(or $(FUZZTIME),10s)

# The log's points lie in every file operation of the engine beneath it; a tenth as many go to the engine alone, for
# histories that a log does not make.
crash: export HYPERNODE_CRASH_POINTS ?= 1000000
crash: export HYPERNODE_ENGINE_POINTS ?= 100000
crash: export HYPERNODE_KILLS ?= 200
crash:
	$(GO) test -count=1 -v -timeout 6h -run 'Crash|Kill|Power' ./core/... | $(SHOWN)
	HYPERNODE_CRASH_POINTS=$$HYPERNODE_ENGINE_POINTS \
		$(GO) test -count=1 -v -timeout 6h -run 'Crash|Kill|Power' ./datastore/... | $(SHOWN)
	$(GO) test -count=1 -v -timeout 1h -run KillReader ./protocols/replicate | $(SHOWN)

rot: export HYPERNODE_ROT_FLIPS ?= 10000
rot:
	$(GO) test -count=1 -v -timeout 1h -run 'Rot|Flip' ./datastore/... ./core/... | $(SHOWN)

interop: export HYPERNODE_INTEROP_RUNS ?= 5
interop: js
	$(GO) test -count=$$HYPERNODE_INTEROP_RUNS -v -timeout 2h ./internal/interop | $(SHOWN)

sim: export HYPERNODE_SIM_SEEDS ?= 10000
sim:
	$(GO) test -count=1 -v -timeout 6h ./internal/sim | $(SHOWN)

netlab: export HYPERNODE_NETLAB ?= long
netlab: kubo
	$(GO) test -count=1 -v -timeout 1h ./internal/netlab | $(SHOWN)

churn: export HYPERNODE_CHURN ?= 60
churn:
	$(GO) test -count=1 -v -timeout 30m -run Churn ./node | $(SHOWN)

evil: export HYPERNODE_SEQUENCES ?= 100000
evil:
	$(GO) test -count=1 -v -timeout 6h ./internal/evilpeer | $(SHOWN)

proofs: export HYPERNODE_LONG ?= 1
proofs:
	$(GO) test -count=1 -v -timeout 6h ./core/merkle | $(SHOWN)

# A filter that fails when no test ran: a renamed test must not turn a long run into an empty one.
SHOWN := awk '{ print; fflush() } /^--- PASS/ { n++ } END { if (!n) { print "no test ran"; exit 1 } }'

speed: js
	HYPERNODE_BENCH_JS=1 $(GO) test -count=1 -v -timeout 2h -run Speed ./internal/interop | $(SHOWN)

bench:
	$(GO) run ./internal/bench
	$(GO) test -run '^$$' -timeout 1h -bench . ./bee
	$(GO) test -run '^$$' -timeout 1h -bench Table ./drive/mirror
