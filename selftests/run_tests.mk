# SPDX-License-Identifier: GPL-2.0-only
# To be included after lib.mk, which looks for settings inside the kernel's tree.
# $FERRY_TIMEOUT is for kernels that take longer.

define RUN_TESTS
	BASE_DIR="$(KSELFTEST)";					\
	. $(KSELFTEST)/kselftest/runner.sh;				\
	kselftest_default_timeout=$${FERRY_TIMEOUT:-$$(sed -n		\
		's/^timeout=//p' $(ROOT)/selftests/settings)};		\
	run_many $(1)
endef
