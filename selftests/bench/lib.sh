# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the tables of two families have in common. To be sourced; whoever sources it
# has a function "flow FAMILY", which prints a figure, and says in $ROUNDS how often.

# median: of the lines of standard input
median()
{
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

heading()
{
	printf '%-26s %10s %10s   %s\n' 'Mbit/s' Ferry TCP 'Ferry / TCP'
}

# compare WHAT: Ferry and TCP in turns, their medians in a line. Ends with 0 if
# Ferry's is at least TCP's.
compare()
{
	local family round
	declare -A runs=() medians=()

	for ((round = 0; round < ROUNDS; round++)); do
		for family in tcp ferry; do
			runs[$family]+="$(flow $family) "
		done
	done
	for family in tcp ferry; do
		medians[$family]=$(tr ' ' '\n' <<<"${runs[$family]% }" | median)
	done
	printf '%-26s %10s %10s   ' "$1" "${medians[ferry]}" "${medians[tcp]}"
	awk -v tcp="${medians[tcp]}" -v ferry="${medians[ferry]}" 'BEGIN {
		printf "%.2f\n", ferry / tcp
		exit !(ferry >= tcp)
	}'
}

# offloads_off COMMAND...: no segmentation and no joining, by ethtool that COMMAND runs.
# What a device does not have it cannot turn off.
offloads_off()
{
	local feature

	for feature in gso tso gro tx-sctp-segmentation; do
		"$@" $feature off
	done 2>/dev/null || true
}
