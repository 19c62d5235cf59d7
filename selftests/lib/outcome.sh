# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# outcome.sh - how a case in bash ends before its end; to be sourced

readonly SKIP=4

# fail SENTENCE...: what went wrong; ends the case
fail()
{
	echo "$*"
	exit 1
}

# skip SENTENCE...: why the case cannot be tried here
skip()
{
	echo "$*"
	exit "$SKIP"
}
