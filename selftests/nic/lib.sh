# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the card's tests share. To be sourced; then define functions whose names
# begin with case_ and call run_cases "$@".
#
# Every case has two namespaces of its own, red and blue, and runs in a shell
# of its own that ends at the first command that fails.

here=${BASH_SOURCE[0]%/*}
FERRY=${FERRY:-$here/../../tools/ferry}
WIRE=${WIRE:-$here/../../build/selftests/nic/wire}
[ ! -x "$here/wire" ] || WIRE=$here/wire
readonly here FERRY WIRE PATIENCE=20
# A pipe in which there is never anything: waiting for it is a short sleep.
exec {never}<> <(:)
red=nic-red-$$
blue=nic-blue-$$

# shellcheck source-path=SCRIPTDIR source=../lib/outcome.sh
. "$here/../lib/outcome.sh"

# Not by ip netns exec: under emulation each start of a program takes its time.
in_red()
{
	"$WIRE" in "$red" "$@"
}

in_blue()
{
	"$WIRE" in "$blue" "$@"
}

# sysfs NAMESPACE FILE...: what its /sys/class/net has in them
sysfs()
{
	local net=$1
	shift

	ip netns exec "$net" cat "${@/#//sys/class/net/}"
}

# pair [OPTION...]: fy0 in red, fy1 in blue, both up
pair()
{
	in_red "$FERRY" link add fy0 "$@" peer fy1 netns "$blue"
	"$WIRE" up "$red" fy0
	"$WIRE" up "$blue" fy1
}

# repeat COUNT: all of them, or as many of 100 as $FERRY_REPEAT says, as repeat()
# of selftests/lib has it
repeat()
{
	local count=$(($1 * ${FERRY_REPEAT:-100} / 100))

	echo $((count > 1 ? count : 1))
}

# expect WHAT WANTED GOT
expect()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# refused SENTENCE COMMAND...: it fails, and says so
refused()
{
	local sentence=$1 said
	shift

	! said=$("$@" 2>&1) || fail "'$*' was not refused"
	[[ $said == *"$sentence"* ]] ||
		fail "'$*': expected the words '$sentence', got '$said'"
}

# wait_until COMMAND...: wait for a state; give up where it will not come
wait_until()
{
	local end=$((SECONDS + PATIENCE))

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "waited in vain for: $*"
		read -r -t 0.02 -u "$never" || true
	done
}

# counter NAMESPACE DEV NAME: one of ethtool -S, summed over the queues; to be called in
# $(...), which it ends
counter()
{
	exec "$WIRE" counter "$@"
}

# counted NAMESPACE DEV NAME COUNT: wait until the counter is so many
counted()
{
	"$WIRE" counted "$@" || fail "waited in vain for: $*"
}

# carrier NAMESPACE DEV: wait until it has one
carrier()
{
	"$WIRE" carrier "$@" || fail "waited in vain for the carrier of: $*"
}

# interrupts LINE: what /proc/interrupts counts for it, over all CPUs
interrupts()
{
	awk -v line="$1" '$NF == line {
		for (i = 2; $i ~ /^[0-9]+$/; i++)
			sum += $i
		found = 1
	} END { if (!found) exit 1; print sum }' /proc/interrupts
}

# link_has NAMESPACE DEV WORD
link_has()
{
	ip -n "$1" -d link show dev "$2" | grep -qw -- "$3"
}

begin()
{
	# Without IPv6: only what a case sends shall be counted.
	"$WIRE" add "$red" "$blue"
}

end()
{
	"$WIRE" del "$red" "$blue"
}

# run_case CASE: its output is kept for when it fails, but for lines with #
run_case()
(
	set -eu
	trap end EXIT
	begin
	"$1"
)

run_cases()
{
	local cases=("$@") number=0 failed=0 status output name line

	if [ ! -d /sys/module/ferry ]; then
		echo "1..0 # SKIP the ferry module is not loaded"
		exit "$SKIP"
	fi
	[ -x "$WIRE" ] || {
		echo "Bail out! $WIRE is missing; build it with: make -C selftests/nic"
		exit 1
	}
	[ "$#" -gt 0 ] ||
		mapfile -t cases < <(declare -F | sed -n 's/.* case_//p')

	echo "TAP version 13"
	echo "1..${#cases[@]}"
	for name in "${cases[@]}"; do
		number=$((number + 1))
		output=$(run_case "case_$name" 2>&1)
		status=$?
		while IFS= read -r line; do
			[[ $line != '# '* ]] || echo "$line"
		done <<<"$output"
		case $status in
		0) echo "ok $number $name" ;;
		"$SKIP") echo "ok $number $name # SKIP ${output##*$'\n'}" ;;
		*)
			echo "not ok $number $name"
			printf '#   %s\n' "${output//$'\n'/$'\n#   '}"
			failed=$((failed + 1))
			;;
		esac
	done
	[ "$failed" -eq 0 ]
}
