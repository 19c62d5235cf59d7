# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# lib.sh - what the tests of ferry(8) share; to be sourced by them, with "$@" handed
# to its run_cases at the end
#
# Every case runs in a namespace of its own, here red, and has a second one, blue, where
# it says needs_blue. What needs the module is skipped where it is not loaded, and
# what tells that it is missing where it is. $FERRY is the tool, by default this tree's.
#
# On a debug kernel to start a program takes half a second. So no case starts one that
# it can do without, nor forks for a function what an exec would do.

here=${BASH_SOURCE[0]%/*}
[[ $here == /* ]] || here=$PWD/$here
FERRY=${FERRY:-$here/../../tools/ferry}
[[ $FERRY == /* ]] || FERRY=$PWD/$FERRY
PATH=${FERRY%/*}:$PATH
export blue=${blue:-ferry-blue-$$}
readonly here FERRY blue

# shellcheck source-path=SCRIPTDIR source=../lib/outcome.sh
. "$here/../lib/outcome.sh"

needs_module()
{
	[ -d /sys/module/ferry ] || skip "the ferry module is not loaded"
}

# only_words: what the case tries the tool says before it has asked the kernel anything
# that matters. On a kernel that is slow, by $FERRY_TIMEOUT, it is left to the others.
only_words()
{
	[ -z "${FERRY_TIMEOUT:-}" ] || skip "words are tried on faster kernels"
}

needs_no_module()
{
	[ ! -d /sys/module/ferry ] || skip "the ferry module is loaded"
	! modprobe -nq ferry || skip "the ferry module is installed and would load itself"
}

# It is there for this case, whose mount of it ends with the case.
needs_blue()
{
	[ -d /run/netns ] || mkdir -p /run/netns
	: >"/run/netns/$blue" || fail "there is no place for a second namespace"
	unshare --net="/run/netns/$blue" true || fail "there is no second namespace"
}

# in_blue COMMAND...: in the second namespace
in_blue()
{
	nsenter --net="/run/netns/$blue" "$@"
}

# ethers LINE...: these are /etc/ethers, for this case alone
ethers()
{
	local dir

	dir=$(mktemp -d)
	mount -t tmpfs ethers "$dir" || fail "cannot mount a scratch /etc"
	cp -a /etc/nsswitch.conf /etc/ld.so.cache "$dir" || fail "cannot fill it"
	printf '%s\n' "$@" >"$dir/ethers"
	mount --bind "$dir" /etc || fail "cannot mount it on /etc"
}

# works COMMAND...: it succeeds, and has nothing to say on stderr
works()
{
	local said

	said=$("$@" 2>&1 >/dev/null) || fail "failed: $*: $said"
	[ -z "$said" ] || fail "succeeded, but said: $*: $said"
}

# refuses STATUS SENTENCE COMMAND...: it exits with STATUS, and "ferry: SENTENCE",
# a pattern, is all that it prints
refuses()
{
	local status=$1 sentence="ferry: $2" said got=0

	shift 2
	said=$("$@" 2>&1) || got=$?
	[ "$got" = "$status" ] || fail "status $got, not $status: $*: $said"
	# shellcheck disable=SC2053
	[[ $said == $sentence ]] || fail "$*: said:     $said
	expected: $sentence"
}

# prints TEXT COMMAND...: it succeeds, and TEXT is all that it prints
prints()
{
	local text=$1 said

	shift
	said=$("$@" 2>&1) || fail "failed: $*: $said"
	[ "$said" = "$text" ] || fail "$*: printed:
$said
	expected:
$text"
}

# has TEXT COMMAND...: TEXT is in what it prints
has()
{
	local text=$1 said

	shift
	said=$("$@" 2>&1) || fail "failed: $*: $said"
	[[ $said == *"$text"* ]] || fail "'$text' is not in what '$*' printed:
$said"
}

# until_has TEXT COMMAND...: wait until TEXT is in what it prints
until_has()
{
	local text=$1 end=$((SECONDS + 30))

	shift
	until [[ $("$@" 2>&1) == *"$text"* ]]; do
		[ "$SECONDS" -lt "$end" ] || fail "30 s without '$text' in: $*
$("$@" 2>&1)"
	done
}

# no_device NAME [IP-OPTION...]: there is no such device
no_device()
{
	local name=$1

	shift
	! ip "$@" link show dev "$name" >/dev/null 2>&1 || fail "there is $name"
}

# Every function whose name has the form of a case, in the order of this file.
all_cases()
{
	sed -n 's/^\([a-z]*__[a-z_]*\)()$/\1/p' "$0"
}

# run_case NUMBER NAME
run_case()
{
	local log status

	log=$(unshare --net --mount "$0" --inside "$2" 2>&1)
	status=$?
	case $status in
	0)
		echo "ok $1 $2" ;;
	"$SKIP")
		echo "ok $1 $2 # SKIP $log" ;;
	*)
		echo "not ok $1 $2"
		echo "# ${log//$'\n'/$'\n# '}" ;;
	esac
	[ $status = 0 ] || [ $status = "$SKIP" ]
}

main()
{
	local cases number=0 failed=0 name

	[ -x "$FERRY" ] || bail "there is no $FERRY; build it with: make -C tools"
	unshare --net --mount true || bail "cannot make a network namespace; run it as root"
	cases=("$@")
	[ $# -gt 0 ] || mapfile -t cases < <(all_cases)
	trap 'rm -f "/run/netns/$blue"' EXIT

	echo "TAP version 13"
	echo "1..${#cases[@]}"
	for name in "${cases[@]}"; do
		run_case $((++number)) "$name" || : $((++failed))
	done
	[ $failed = 0 ]
}

bail()
{
	echo "Bail out! $*"
	exit 1
}

# run_cases ARGUMENT...: those of the command line, or all there are
run_cases()
{
	if [ "${1-}" = --inside ]; then
		"$2"
	else
		main "$@"
	fi
}
