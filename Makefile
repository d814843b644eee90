# Leat's commands; each is safe to run again. `make demo` and `make test` need nothing but Debian 12 and Swift 6.3.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.PHONY: deps build demo test bench format lint

# One set of flags for every build, or SwiftPM compiles everything anew when they change.
BUILD_FLAGS := --static-swift-stdlib --explicit-target-dependency-import-check error
LIBRARIES := libdeflate-dev liblz4-dev libpcre2-dev libsqlite3-dev libssl-dev libxxhash-dev libyaml-dev libzstd-dev \
	pkg-config zlib1g-dev tzdata
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
INSTALL = missing=$$(for package in $(1); do dpkg -s $$package >/dev/null 2>&1 || echo $$package; done); \
	[ -z "$$missing" ] || { $(SUDO) apt-get update -qq; \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }
SWIFT_SOURCES := Package.swift Sources Tests Benchmarks

deps: ## install the system libraries
	@$(call INSTALL,$(LIBRARIES))

build: deps ## leave leat-agent, leat-server and leat in .build/release
	swift build -c release $(BUILD_FLAGS)

demo: build ## run all three programs on real container logs
	@config/demo/run

test: deps ## everything that a change must pass
	@$(call INSTALL,libluajit-5.1-2 python3 python3-botocore python3-venv tmux less \
		strace curl gcc libc6-dev)
	Tests/run

bench: build ## whole-process runs beside the peers that are on the PATH
	Benchmarks/run

format: ## rewrite the sources in the house's format
	swift format -i -r $(SWIFT_SOURCES)

lint:
	swift format lint --strict -r $(SWIFT_SOURCES)
