# SPDX-License-Identifier: GPL-2.0-only
#
# Ferry's verbs; "make help" lists them. The module itself is Kbuild's.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
MAKEFLAGS += --no-print-directory

# What the module is built for: this kernel's headers, or KDIR=.
KDIR ?= /lib/modules/$(shell uname -r)/build

# The Debian kernels that are supported: check-matrix tests on each.
KERNELS := 6.1 6.12 7.2

all: module tools ## the module and the tools, for the running kernel or KDIR=

module: ## the module alone
	@scripts/build --kdir $(KDIR)

tools: ## the tool, ferry(8)
	@$(MAKE) -s -C tools O=$(CURDIR)/build/tools

demo: setup-demo ## a transfer between two namespaces, drawn
	@scripts/demo

setup: ## install all that is ever needed, as root
	@scripts/setup

# What one verb needs; says nothing where nothing is missing.
setup-%:
	@scripts/setup --check $* >/dev/null 2>&1 || scripts/setup $*

check: setup-check tools ## every test that is quick, side by side
	@FERRY_REPEAT=$${FERRY_REPEAT:-20} scripts/lanes --spare \
		check-kselftest-1of3 check-kselftest-2of3 check-kselftest-3of3 \
		check-unit check-sim

check-unit: ## unit tests and a fuzz smoke of the pure files, in user space
	@$(MAKE) -s -C selftests/unit check | scripts/tap 'unit tests'
	@$(MAKE) -s -C selftests/unit fuzz-smoke | scripts/tap 'fuzz smoke'

check-sim: ## connections over a simulated wire, ten thousand seeds
	@$(MAKE) -s -C selftests/sim check | scripts/tap 'simulator'

check-vm: ## the test VM's own verdicts
	@selftests/vm/vm_test | scripts/tap 'test VM'

check-pair: ## two test VMs on one wire, KERNEL=
	@$(MAKE) -s -C selftests/pair check | scripts/tap 'two machines'

check-demo: ## the demo's own test: can it fail, and is what it shows so?
	@scripts/demo --self-test | scripts/tap demo

check-kselftest: ## the kselftests in the test VM
	@scripts/kselftest

# A part of them, as 1of3.
check-kselftest-%:
	@scripts/kselftest --part $(subst of,/,$*)

check-matrix: setup-matrix $(KERNELS:%=check-kernel-%) ## build and kselftests on each supported kernel

# The first kernel is where all repetitions are.
check-kernel-%:
	@FERRY_REPEAT=$${FERRY_REPEAT:-20} scripts/kselftest --kernel $*

check-debug: setup-debug tools ## the kselftests where every splat, leak and race fails
	@for kernel in debug kcsan; do scripts/debug-kernel $$kernel >/dev/null || exit; done
	@scripts/lanes check-kernel-debug check-kernel-kcsan check-fault check-detectors

check-detectors: ## does each detector of the debug kernels tell?
	@selftests/vm/debug_test | scripts/tap detectors

check-kernel-debug check-kernel-kcsan: check-kernel-%:
	@scripts/kselftest --kernel $* --mem 2G --timeout 3600

check-fault: ## every allocation of every operation fails once
	@$(MAKE) -s -C selftests/fault check | scripts/tap 'fault injection'

coverage: setup-debug ## which lines of the module the tests run: a table and a page
	@scripts/coverage

bench: setup-check ## what work costs beside the peers, and goodput on bad wires
	@scripts/bench-cost
	@scripts/bench-goodput

lint: setup-lint ## every static check
	@scripts/lint

clean: ## remove what was built
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

.PHONY: all module tools setup demo check check-unit check-sim check-vm check-pair check-demo check-kselftest \
	check-matrix check-debug check-detectors check-kernel-debug check-kernel-kcsan check-fault \
	coverage bench lint clean help
