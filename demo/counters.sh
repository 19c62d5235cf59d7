# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# counters.sh - read every counter that the demo shows, and what they grew by
#
# To be sourced, with die() and in_ns() there. A counter's key says where it was
# read, a slash, and its name there:
#
#	interrupts/fy1-rx-0		/proc/interrupts, over all CPUs
#	fy1/queue_0_rx_polls		ethtool -S fy1, in its namespace
#	east/InDatagrams		/proc/net/ferry/stat, in the namespace

# What each counter grew by between two snapshots, by key.
declare -A grown

# snapshot: print all counters, "key number" a line
snapshot()
{
	{
		echo '[interrupts]'
		cat /proc/interrupts
		in_ns west sh -ec 'echo "[fy0]"; ethtool -S fy0; echo "[west]"; cat /proc/net/ferry/stat'
		in_ns east sh -ec 'echo "[fy1]"; ethtool -S fy1; echo "[east]"; cat /proc/net/ferry/stat'
	} | awk '
		/^\[.*\]$/ { from = substr($1, 2, length($1) - 2) }
		$1 == "CPU0" { cpus = NF }
		from == "interrupts" && $NF ~ /^fy[01]-rx-/ {
			sum = 0
			for (i = 2; i < 2 + cpus; i++)
				sum += $i
			print from "/" $NF, sum
		}
		from != "interrupts" && NF == 2 && $2 ~ /^[0-9]+$/ {
			sub(/:$/, "", $1)
			print from "/" $1, $2
		}'
}

# compare BEFORE AFTER: fill $grown from two snapshots
compare()
{
	local key number

	grown=()
	while read -r key number; do
		grown[$key]=$number
	done < <(awk 'NR == FNR { before[$1] = $2; next }
		{ print $1, $2 - before[$1] }' "$1" "$2")
}

# sum PATTERN: what the counters whose keys match it grew by, together
sum()
{
	local key total=0 found=''

	for key in "${!grown[@]}"; do
		# shellcheck disable=SC2053
		[[ $key == $1 ]] || continue
		total=$((total + grown[$key]))
		found=y
	done
	[ -n "$found" ] || die "There is no counter $1."
	echo "$total"
}

# names PREFIX: the names of the counters with this prefix
names()
{
	local key

	for key in "${!grown[@]}"; do
		[[ $key != "$1"* ]] || echo "${key#*/}"
	done | sort
}

# moved PREFIX: those among them that grew
moved()
{
	local name

	for name in $(names "$1"); do
		[ "${grown[${1%%/*}/$name]}" -eq 0 ] || echo "$name"
	done
}
