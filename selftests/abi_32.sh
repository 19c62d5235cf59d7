#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# abi_32.sh - what a 32-bit program sees of the ABI: abi.c, compiled so
#
# Wants a compiler with -m32 (gcc-multilib), and a kernel with CONFIG_IA32_EMULATION,
# as Debian's are.

here=$(dirname "$0")
program=${OUTPUT:-$here/../build/selftests}/abi_32

skip()
{
	echo "1..0 # SKIP $*"
	exit 4
}

[ -x "$program" ] || skip 'the compiler makes no 32-bit programs'
env "$program"
status=$?
[ $status -ne 126 ] || skip 'the kernel runs no 32-bit programs'
exit $status
