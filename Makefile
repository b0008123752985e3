# Every target of twiliosf. Needs Go; what else a target needs, it says.
# `make` alone lists them.

SHELL         := /bin/sh
.DEFAULT_GOAL := help

GO       ?= go
ARGS     ?=
PKG      ?= ./...
BENCH    ?= .
KILLS    ?= 60
DRAFTS   ?= 10000
MEMBERS  ?= 5000
BULKROWS ?= 120000
# A count, not a time: at the end of a time the engine may call a target that was just running a failure
# (context deadline exceeded), https://go.dev/issue/48591.
FUZZRUNS ?= 100000
# Per package: a test that hangs ends with all goroutines printed.
TIMEOUT  ?= 10m

# git may be missing, or there may be no repository: then nobody knows better.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unreleased)
# Builds do not ask git a second time, which fails in a container that does not
# own the checkout.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)

# The race detector needs cgo, and that a C compiler.
CC_FOUND := $(shell command -v gcc 2>/dev/null || command -v cc 2>/dev/null || command -v clang 2>/dev/null)
ifneq ($(CC_FOUND),)
# SQLite's translation from C is left uninstrumented: it shares nothing between
# goroutines but through database/sql's locks, and with the detector in it the
# tests take five times as long.
RACE     := -race $(foreach lib,sqlite/lib libc memory,-gcflags='modernc.org/$(lib)=-race=false -d=checkptr=0')
TEST_CGO := CGO_ENABLED=1
RACE_SAY := with the race detector
else
RACE     :=
TEST_CGO := CGO_ENABLED=0
RACE_SAY := without the race detector (no C compiler here: apt-get install gcc libc6-dev)
endif

LINT := $(GO) tool -modfile=tools.mod golangci-lint

##@ Use it

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z][a-z-]*:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: build ## See it work: an emulated Twilio account and Salesforce org, nothing leaves the machine (ARGS="--for 30s")
	@exec bin/twiliosf demo $(ARGS)

.PHONY: build
build: ## Build the static binary bin/twiliosf (TAGS=stores: the archive reaches object stores)
	@[ -x bin/twiliosf ] || echo "building bin/twiliosf; the first time takes a minute or two"
	@CGO_ENABLED=0 $(GO) build -trimpath -tags '$(TAGS)' -ldflags '-s -w -X main.version=$(VERSION)' -o bin/twiliosf ./cmd/twiliosf

##@ Check it

.PHONY: test
test: ## Run all tests, with the race detector where there is a C compiler
	@echo "make test: all packages, $(RACE_SAY)"
	@[ -d ../shared/data ] || echo "left out: the tests on the texts of ../shared/data, which is not there"
	@command -v systemd-analyze >/dev/null 2>&1 || echo "left out: the check of the unit files' hardening (no systemd-analyze here)"
	@echo "left out: the vendors' npm clients (make interop), the long crash runs (make crash), figures (make bench)"
	@$(TEST_CGO) $(GO) test $(RACE) -timeout $(TIMEOUT) $(PKG)

.PHONY: race
race: ## Run all tests anew with the race detector, in random order
	@[ -n "$(CC_FOUND)" ] || { echo "make race: no C compiler here: apt-get install gcc libc6-dev" >&2; exit 1; }
	@CGO_ENABLED=1 $(GO) test $(RACE) -count=1 -shuffle=on -timeout $(TIMEOUT) $(PKG)

.PHONY: fmt
fmt: ## Check that all Go files are formatted
	@unformatted=$$(gofmt -l $$(find . -name '*.go' -not -path './.cache/*' -not -path '*/node_modules/*')) || exit 1; \
	[ -z "$$unformatted" ] || { echo "not formatted (gofmt -w):"; echo "$$unformatted"; exit 1; } >&2

.PHONY: vet
vet: ## Run go vet
	@$(GO) vet $(PKG)

.PHONY: lint
lint: ## Run golangci-lint, at the version in tools.mod (its first build takes minutes)
	@$(LINT) run $(PKG)

.PHONY: fuzz
fuzz: ## Run every fuzz test FUZZRUNS times
	@grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file _ name; do \
		name=$${name#func }; \
		echo "$$name in $$(dirname "$$file"), $(FUZZRUNS) runs"; \
		out=$$($(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZRUNS)x -timeout $(TIMEOUT) "$$(dirname "$$file")" 2>&1) \
			|| { echo "$$out"; exit 1; }; \
	done

.PHONY: crash
crash: ## Kill the daemon with SIGKILL at counted moments, KILLS times; let DRAFTS records ask while connections break; kill it 100 times in a campaign of MEMBERS; kill a bulk job of BULKROWS records at each of its states; compare both sides
	@TWILIOSF_KILLS=$(KILLS) $(GO) test -count=1 -run 'Kill|Crash' -skip ACampaign -v -timeout 60m ./cmd/...
	@TWILIOSF_KILLS=100 TWILIOSF_MEMBERS=$(MEMBERS) $(GO) test -count=1 -run TestCrashesSendACampaign -v -timeout 60m ./cmd/internal/daemon
	@TWILIOSF_DRAFTS=$(DRAFTS) $(GO) test -count=1 -run TestManyRecords -v -timeout 60m ./sync/outbox
	@TWILIOSF_DRAFTS=5000 $(GO) test -count=1 -run TestWhenAnswersAreLost -v -timeout 60m ./cmd/internal/e2e
	@TWILIOSF_BULK_ROWS=$(BULKROWS) $(GO) test -count=1 -run TestABulkJobOutlivesAKill -v -timeout 60m ./salesforce

.PHONY: interop
interop: ## Let the vendors' npm clients (twilio, jsforce) talk to the sandbox, and Salesforce's library convert the metadata
	@GO=$(GO) sh interop/run.sh

.PHONY: vet-stores
vet-stores: ## Check the build that reaches object stores
	@$(GO) vet -tags stores ./sync/archive/blobs

.PHONY: verify
verify: fmt vet vet-stores lint docs-check test fuzz ## Everything that must hold before a change is merged

##@ Measure and describe it

.PHONY: bench
bench: ## Print the README's figures, each with its goal (ARGS="-rows cpu,backfill")
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/bench ./cmd/internal/bench && bin/bench $(ARGS)

.PHONY: microbench
microbench: ## Run the packages' own benchmarks
	@$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m $(PKG)

.PHONY: docs
docs: ## Write docs/configuration.md from the configuration's own table
	@sh docs/configuration.sh > docs/configuration.md.new && mv docs/configuration.md.new docs/configuration.md

.PHONY: docs-check
docs-check: ## Check that docs/configuration.md is what the code says
	@made=$$(sh docs/configuration.sh) || { echo "docs/configuration.md cannot be made, see above" >&2; exit 1; }; \
	printf '%s\n' "$$made" | diff -u docs/configuration.md - >&2 || { echo "docs/configuration.md is out of date: make docs" >&2; exit 1; }

.PHONY: clean
clean: ## Remove what was built and downloaded here
	@rm -rf bin .cache coverage.out
