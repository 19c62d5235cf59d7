# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# stream.sh - the acts of the demo that are about streams
#
# To be sourced by run, whose namespaces, cards, counters and pictures these use.

# What the bad wire does to packets each way.
readonly BAD=(delay 2ms 1ms loss 1% reorder 5% limit 10000)

# start_receiver: sets $receiver, a process that is about to accept
start_receiver()
{
	ip netns exec east "$PROGRAMS/receiver" "$PORT" "$scratch/figures" >"$scratch/received" &
	receiver=$!
	until sleeps_in "$receiver" accept; do
		kill -0 "$receiver" 2>/dev/null || die 'The receiver died before the first segment.'
	done
}

# sleeps_in PROCESS CALL: in that system call; sets $wchan, where in the kernel
sleeps_in()
{
	local number

	case $2 in
	read) number=0 ;;
	accept) number=43 ;;
	esac
	{ read -r call _ <"/proc/$1/syscall"; } 2>/dev/null && [ "$call" = "$number" ] &&
		{ wchan=$(<"/proc/$1/wchan"); } 2>/dev/null && [ "$wchan" != 0 ]
}

# stream FILE [TRACE]: send a file to the receiver, which must run; sets $calls, $took,
# $received, $reads, $wakeups, $lost and $grown. TRACE is for the kernel's story of it.
stream()
{
	local trace=${2:-} name number sender gate

	rm -f "$scratch/gate"
	mkfifo "$scratch/gate"
	in_ns west "$PROGRAMS/sender" "$EAST" "$PORT" "$scratch/gate" <"$1" >"$scratch/sent" &
	sender=$!
	until sleeps_in "$receiver" read; do
		kill -0 "$receiver" "$sender" 2>/dev/null || die 'The two did not connect.'
	done
	snapshot >"$scratch/before"
	! [ "$trace" ] || before_the_segment
	! [ "$trace" ] || ! story_possible || story_begin segment
	exec {gate}>"$scratch/gate"
	wait "$sender" || die 'The sender failed.'
	wait "$receiver" || die 'The receiver failed.'
	exec {gate}>&-
	! [ "$trace" ] || ! story_possible || story_end "$trace"
	snapshot >"$scratch/after"
	compare "$scratch/before" "$scratch/after"
	lost=$(in_ns west tc -s qdisc show dev fy0 |
		awk '/^qdisc netem/ { netem = 1 } netem && /dropped/ { print $7 + 0 }')
	read -r calls took <"$scratch/sent"
	while read -r name number; do
		declare -g "$name=$number"
	done <"$scratch/figures"
}

# verify_stream FILE: that it is what the receiver has read, byte for byte
verify_stream()
{
	local size

	size=$(stat -L -c %s "$1")
	[ "$received" -eq "$size" ] ||
		die "LOST: $((size - received)) of $size bytes did not arrive."
	cmp -s "$1" "$scratch/received" ||
		die "CHANGED: byte $(cmp "$1" "$scratch/received" |
			sed -E 's/.*byte ([0-9]+),.*/\1/') is not what was sent."
}

# damage_stream HOW FILE: print the file with a byte changed in its middle, or
# without its last one
damage_stream()
{
	local half size

	size=$(stat -L -c %s "$2")
	half=$((size / 2))
	if [ "$1" = end ]; then
		head -c $((size - 1)) "$2"
		return
	fi
	head -c $half "$2"
	head -c $((half + 1)) "$2" | tail -c 1 | tr '\000-\377' '\001-\377\000'
	tail -c +$((half + 2)) "$2"
}

# before_the_segment: the two, connected
before_the_segment()
{
	local state

	read -r _ _ state _ <"/proc/$receiver/stat"
	two_boxes "namespace west
sender: connected

fy0  $WEST" "namespace east
receiver: process $receiver, state $state
sleeps in $wchan()
fy1  $EAST"
	echo
}

# one_segment FILE: the third act
one_segment()
{
	heading '3. One segment of a stream, for a reader who sleeps'
	start_receiver
	stream "$1" "$scratch/trace"
	if story_possible; then
		say "$DIM" "The segment's way, by the kernel's function tracer, which slows it:"
		story segment "$scratch/trace" | draw_story
	else
		say "$DIM" 'This kernel has no function tracer to tell of the way.'
	fi
	verify_stream "$1"
	echo
	say '' "Counted, with the ACKs and the two FINs: $(sum west/OutSegs) segments there," \
		"$(sum east/OutSegs) back."
}

# stream_stages: the way of one file, for draw_stages
stream_stages()
{
	stage_of 'write(2)' 'the sender' "$calls"
	stage_of 'segments' '/proc/net/ferry/stat' "$(sum west/OutSegs)"
	stage_of 'sent again' '/proc/net/ferry/stat' "$(sum west/RetransSegs)"
	stage_of 'lost on wire' 'tc -s qdisc' "${lost:-0}"
	stage_of 'frames at fy1' 'ethtool -S fy1' "$(sum 'fy1/*_rx_packets')"
	stage_of 'interrupts' /proc/interrupts "$(sum 'interrupts/fy1-rx-*')"
	stage_of 'packets taken' /proc/net/ferry/stat "$(sum east/InPackets)"
	stage_of 'ACKs back' /proc/net/ferry/stat "$(sum east/OutSegs)"
	stage_of 'read(2)' 'the receiver' "$reads"
	stage_of 'wake-ups' 'getrusage(2)' "$wakeups"
}

# rate: of the last stream
rate()
{
	awk -v bytes="$received" -v us="$took" \
		'BEGIN { printf "%.1f s, %.0f Mbit/s", us / 1e6, bytes * 8 / us }'
}

# spoil: make the wire bad
spoil()
{
	in_ns west tc qdisc add dev fy0 root netem "${BAD[@]}"
	in_ns east tc qdisc add dev fy1 root netem "${BAD[@]}"
}

# whole_stream FILE SENT: the fourth act
whole_stream()
{
	local clean

	# Off the host's disk, so that only the wire is slow.
	cat "$2" >"$scratch/large"
	heading "4. $(stat -L -c %s "$1") bytes as a stream, over a good wire and a bad one"
	start_receiver
	stream "$scratch/large"
	stream_stages >"$scratch/first"
	verify_stream "$1"
	clean=$(rate)

	spoil
	start_receiver
	stream "$scratch/large"
	stream_stages >"$scratch/second"
	verify_stream "$1"

	columns 'as it is' "${BAD[*]:0:5}"
	draw_stages "$scratch/first" "$scratch/second"
	echo
	say '' "As it is: $clean. With that, and 5 % reordered: $(rate)."
	say "$GREEN$BOLD" "All $received bytes arrived, both times, in order."
	say "$DIM" "sha256 of ${1##*/} $(digest "$1"), read $(digest "$scratch/received")"
}
