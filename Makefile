# Two commands for a newcomer: `make demo` and `make test`. Both install what is missing and say what before they do.
# Every chore itself is `cargo xtask VERB` (xtask/).

# One build directory for all of it, outside the checkout, so that a fresh clone on the same machine builds quickly.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/pvtcoms/target
# rustup's own place, in case it was installed a minute ago and the shell does not know yet.
export PATH := $(HOME)/.cargo/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

demo: ## Two people talk over a private Tor network on this machine. First build 10-25 min, then 2-3 min.
	@tools/install.sh demo
	@cargo xtask demo

test: ## Everything that is checked: style, layers, claims, supply chain, all tests. First run 45 min on two cores.
	@tools/install.sh test
	@cargo xtask ci

lint: ## The quick part of `test`: formatting, clippy, layers, claims, spec, secrets.
	@tools/install.sh build
	@cargo xtask lint

bench: ## Speed: beside another messenger's protocol, and instruction counts against the committed ones. 10 min.
	@tools/install.sh bench
	@cargo xtask bench --check
	@cargo xtask bench --peers

clean: ## Remove what was built.
	@cargo clean
