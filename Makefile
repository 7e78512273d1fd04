# Everything a developer runs, one command each. `make` alone lists the targets.
#
# `make test` installs what the tests need, as far as it may, and runs them all. With CI=true or
# WARREN_REQUIRE_ALL=1 anything that is missing is a failure; otherwise it is named and left out.

SHELL = /bin/sh
GO ?= go

# Flags for every go test, such as TESTFLAGS=-v.
TESTFLAGS ?=
# How long each fuzz target runs.
FUZZTIME ?= 30s
# The systems and processors the binary is built for, always without cgo.
PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# Random tests of rapid start from this seed, so that a run can be repeated; 0 takes any.
export RAPID_SEED ?= 1

ifeq ($(CI),true)
export WARREN_REQUIRE_ALL = 1
endif

# What is generated, to see whether generating it again changes it.
GENERATED = find . -name '*_gen.go' -not -path '*/node_modules/*' -exec cksum {} + | sort
# Packages where goroutines meet: all but the pure ones, and those that only read the tree.
CONCURRENT = $(GO) list ./... | \
	grep -v -E '/(amqp(/internal/gen)?|internal/(definition|exchange|machine|message|queue|tidy))$$'
# Packages with fuzz targets.
FUZZED = grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## build the binary, ./warren
	CGO_ENABLED=0 $(GO) build -trimpath -o warren ./cmd/warren

.PHONY: test
test: deps lint unit poison race gen-check cross conformance ## install what the tests need and run them all

.PHONY: deps
deps: ## install what the tests need, or say what is missing
	scripts/install-test-deps.sh

.PHONY: unit
unit: ## run all tests that need no foreign program
	$(GO) test $(TESTFLAGS) ./...

.PHONY: race
race: ## run the tests of concurrent packages under the race detector
	@if command -v "$$($(GO) env CC)" >/dev/null; then \
		packages=$$($(CONCURRENT)) && \
		echo "$(GO) test -race" $$packages && \
		CGO_ENABLED=1 $(GO) test $(TESTFLAGS) -race $$packages; \
	else \
		echo "missing: a C compiler, which the race detector needs" >&2; \
		test -z "$$WARREN_REQUIRE_ALL"; \
	fi

.PHONY: poison
poison: ## run tests in a build that overwrites memory that goes back to a pool
	$(GO) test $(TESTFLAGS) -tags poison ./internal/poison ./internal/broker ./internal/protocol/... \
		./internal/wiretest
	$(GO) test $(TESTFLAGS) -tags poison -run 'Load|Publish|Spill|Kept|Buffer' ./internal/store

.PHONY: conformance
conformance: ## run foreign clients against warren and RabbitMQ, and compare
	cd conformance && $(GO) vet ./... && $(GO) test -timeout 20m -v ./...

.PHONY: lint
lint: ## check the format, and run go vet
	@files=$$(find . -name '*.go' -not -path '*/testdata/*' -not -path '*/node_modules/*' | \
		xargs gofmt -l) && \
	if [ -n "$$files" ]; then echo "gofmt would change:" $$files >&2; exit 1; fi
	$(GO) vet ./...

.PHONY: gen
gen: ## generate code again, from the AMQP specification
	$(GO) generate ./...

.PHONY: gen-check
gen-check: ## generate code again, and fail if that changes anything
	@before=$$($(GENERATED)); $(GO) generate ./... && after=$$($(GENERATED)) && \
	if [ "$$before" != "$$after" ]; then \
		echo "generated files were out of date; they are new now: commit them" >&2; exit 1; \
	fi; echo "generated files are up to date"

.PHONY: cross
cross: ## build for linux, darwin and windows on amd64 and arm64, tests included
	@for platform in $(PLATFORMS); do \
		export CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/}; \
		echo "$$platform"; \
		$(GO) build ./... && $(GO) vet ./... || exit 1; \
	done

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@for package in $$($(FUZZED)); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

.PHONY: crash
crash: ## prove durability: simulated crashes, kill -9, power cuts, bit flips
	scripts/crash.sh

# Numbers of rounds that take hours, and seeds that nobody chose. A failure prints its seed.
.PHONY: soak
soak: ## run the random tests at full count, and fuzz every target for ten minutes
	RAPID_SEED=0 RAPID_CHECKS=20000 WARREN_CRASHES=200 WARREN_CRASH_HISTORIES=500 \
		$(GO) test -count=1 -timeout 6h ./...
	cd conformance && WARREN_PROGRAMS=20000 $(GO) test -count=1 -timeout 3h -v ./differential
	$(MAKE) fuzz FUZZTIME=10m

.PHONY: bench
bench: ## measure warren beside its peers, into bench/results (about two hours)
	$(GO) run ./bench

.PHONY: bench-code
bench-code: ## measure the hot paths of the code
	$(GO) test -run '^$$' -bench . -benchmem -count 3 ./...

.PHONY: clean
clean: ## remove what was built
	$(GO) clean
	rm -rf warren bench/out .conformance conformance/*/javascript/node_modules
