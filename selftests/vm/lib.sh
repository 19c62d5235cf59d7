# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016,SC2034
# What the tests of the test VM share. To be sourced, with the names of the cases
# in the array cases; a case is a function of that name that ends by fail if it
# does not come out. Each runs in a shell of its own.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
tmp=$(mktemp -d /var/tmp/ferry-vm-test.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
export TMPDIR=$tmp

# The exit statuses of scripts/vm.
readonly COMPLAINED=121 DIED=122 OVERRUN=124 SETUP=125

# The kernel that vm boots.
kernel=6.1

# vm ARGUMENT...: run it; its status, output and errors are then in $status,
# $tmp/out and $tmp/err.
vm()
{
	"$top/scripts/vm" --kernel "$kernel" --no-load "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

# fail SENTENCE...: end the case
fail()
{
	echo "# $*"
	sed 's/^/# err: /' "$tmp/err"
	exit 1
}

# expect STATUS [SENTENCE]: what the last vm came to, and what it said of it
expect()
{
	[ "$status" -eq "$1" ] || fail "the status is $status, not $1"
	[ $# -lt 2 ] || grep -qE "$2" "$tmp/err" || fail "nothing says '$2'"
}

# printed TEXT: exactly that was the command's output
printed()
{
	printf '%s' "$1" | cmp -s - "$tmp/out" || fail "the output is not '$1', but '$(cat "$tmp/out")'"
}

# crime NAME [REPORT]: commit it in the VM, in which the watchdogs are made quick,
# and wait for the report in the kernel's log
crime()
{
	local module name=$1 report=${2:-}

	module=$(crime_module)
	vm --timeout 600 -- sh -c '
		echo 3 >/proc/sys/kernel/watchdog_thresh
		echo 3 >/proc/sys/kernel/hung_task_timeout_secs
		insmod "$1" crime="$2" &
		[ -z "$3" ] || grep -qE -m 1 "$3" /dev/kmsg
		[ -n "$3" ] || wait $! && echo alive' sh "$module" "$name" "$report"
}

crime_module()
{
	"$top/scripts/build" --kernel "$kernel" "$top/selftests/vm/crime" || fail 'the crime module does not build'
}

# run_cases [CASE...]: those, or all, as TAP
run_cases()
{
	local i failed=0

	[ $# -eq 0 ] || cases=("$@")
	echo 'TAP version 13'
	echo "1..${#cases[@]}"
	for i in "${!cases[@]}"; do
		: >"$tmp/err"
		if ("${cases[$i]}"); then
			echo "ok $((i + 1)) ${cases[$i]}"
		else
			echo "not ok $((i + 1)) ${cases[$i]}"
			failed=1
		fi
	done
	return $failed
}
