# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# cases.sh - cases of a test in bash; to be sourced, with "$@" handed to its
# run_cases at the end
#
# A case is a function case_NAME. It has passed if it ends, and has not called fail
# or skip.

# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "${BASH_SOURCE[0]}")/outcome.sh"

# needs PROGRAM...: without them the case is skipped
needs()
{
	local program

	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# skip_all REASON: there is nothing to be tested
skip_all()
{
	echo TAP version 13
	echo "1..0 # SKIP $*"
	exit "$SKIP"
}

# needs_ferry: without the module all is skipped
needs_ferry()
{
	grep -qs '^FERRY-STREAM' /proc/net/protocols || skip_all 'the ferry module is not loaded'
}

# What is the same in each case, before and after; to be defined anew where there is any.
before_case()
{
	:
}

after_case()
{
	:
}

# run_cases [CASE...]: these or all, as TAP. What a case has begun ends with it.
run_cases()
{
	local case said status failed=0 number=0 cases

	[ $# -gt 0 ] || {
		mapfile -t cases < <(compgen -A function case_ | sed 's/^case_//' | sort)
		set -- "${cases[@]}"
	}
	echo TAP version 13
	echo "1..$#"
	for case; do
		number=$((number + 1))
		said=$(
			exec 2>&1
			# shellcheck disable=SC2046
			trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
			before_case
			"case_$case"
			after_case
		)
		status=$?
		[ -z "$said" ] || printf '# %s\n' "${said//$'\n'/$'\n# '}"
		case $status in
		0) echo "ok $number $case" ;;
		"$SKIP") echo "ok $number $case # SKIP $said" ;;
		*) echo "not ok $number $case" && failed=$((failed + 1)) ;;
		esac
	done
	exit $((failed > 0))
}
