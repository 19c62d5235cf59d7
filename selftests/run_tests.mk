# SPDX-License-Identifier: GPL-2.0-only
# To be included after lib.mk, which looks for settings inside the kernel's tree.
# $FERRY_TIMEOUT is for kernels that take longer. $FERRY_PART, as 1/2, is for runs
# side by side: the first of two takes every second test.

part_of = $(if $(FERRY_PART),$(shell printf '%s\n' $(1) | \
	awk 'BEGIN { split("$(FERRY_PART)", p, "/") } NR % p[2] == p[1] % p[2]'),$(1))

define RUN_TESTS
	BASE_DIR="$(KSELFTEST)";					\
	. $(KSELFTEST)/kselftest/runner.sh;				\
	kselftest_default_timeout=$${FERRY_TIMEOUT:-$$(sed -n		\
		's/^timeout=//p' $(ROOT)/selftests/settings)};		\
	run_many $(call part_of,$(1))
endef
