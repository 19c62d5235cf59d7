#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# nic_irq.sh - the card's interrupts: counted, masked, moderated; rings that fill
#
# usage: nic_irq.sh [CASE...]
#
#	+---------+               +---------+
#	|   red   |               |  blue   |
#	|     fy0 +---------------+ fy1     |
#	+---------+   frames -->  +---------+
#
# The pair has one queue each way, so that its one line counts all.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%"${0##*/}"}./lib.sh"

# The card waits for up to 800 us: a machine that takes longer than this many to
# send a frame cannot fill a batch of 8 in it.
readonly SLOW=80

# coalesce OPTION...: ethtool -C in blue
coalesce()
{
	in_blue ethtool -C fy1 "$@"
}

# cost COUNT COMMAND...: how many interrupts COMMAND's COUNT frames took
cost()
{
	local count=$1 before frames
	shift

	before=$(interrupts fy1-rx-0)
	frames=$(counter "$blue" fy1 rx_packets)
	"$@"
	counted "$blue" fy1 rx_packets $((frames + count))
	echo $(($(interrupts fy1-rx-0) - before))
}

case_line_counts_interrupts()
{
	pair queues 1
	expect 'interrupts before' 0 "$(interrupts fy1-rx-0)"
	in_red "$WIRE" send fy0 1
	counted "$blue" fy1 rx_packets 1
	expect 'interrupts' 1 "$(interrupts fy1-rx-0)"
	expect 'interrupts by ethtool' 1 "$(counter "$blue" fy1 rx_interrupts)"
	expect 'polls' 1 "$(counter "$blue" fy1 rx_polls)"
}

# Each is answered before the next is sent: by then its poll is over on this CPU.
case_without_waiting_one_a_frame()
{
	pair queues 1
	coalesce adaptive-rx off rx-usecs 0
	in_blue taskset 1 "$WIRE" echo fy1 100 >/dev/null &
	wait_until echo_hears
	expect 'interrupts' 100 "$(cost 100 in_red taskset 1 "$WIRE" ping fy0 100 | tail -n 1)"
	wait
}

# At full rate, as a card is when it is made: far under one for 8 frames.
case_flood_shares_interrupts()
{
	pair queues 1
	flood_shares "$WIRE"
	[ "$(counter "$blue" fy1 rx_waits_paid)" -gt 0 ] || fail "no wait has paid"
}

# The sender, the interrupt and the poll take turns on one CPU, so that the
# ring is empty whenever a frame is sent.
case_flood_on_one_cpu_shares_interrupts()
{
	pair queues 1
	flood_shares taskset 1 "$WIRE"
}

# flood_shares WIRE: send with it, at full rate. What this machine can do, it
# does not do while it has other work; so the best of some rounds counts.
flood_shares()
{
	local frames round cost start took slow=''

	frames=$(repeat 5000)
	for round in 1 2 3 4 5; do
		start=$(date +%s%N)
		cost=$(cost "$frames" in_red "$@" send fy0 "$frames")
		took=$((($(date +%s%N) - start) / frames / 1000))
		echo "# round $round: $frames frames, $took us each, took $cost" \
			"interrupts: one for $((frames / cost))"
		[ $((cost * 8)) -ge "$frames" ] || return 0
		[ "$took" -lt "$SLOW" ] || slow=$took
		# What the card has learnt of a busy machine, it forgets.
		coalesce adaptive-rx off
		coalesce adaptive-rx on
	done
	[ -z "$slow" ] || skip "this machine takes $slow us to send a frame"
	fail "one for 8 or fewer"
}

case_after_so_many_frames()
{
	pair queues 1
	coalesce adaptive-rx off rx-usecs 10000000 rx-frames 10
	expect 'interrupts' 10 "$(cost 100 in_red taskset 1 "$WIRE" send fy0 100)"
	expect 'of them by the timer' 0 "$(counter "$blue" fy1 rx_timer_interrupts)"
}

case_after_so_long()
{
	pair queues 1
	coalesce adaptive-rx off rx-usecs 100000 rx-frames 0
	expect 'interrupts' 1 "$(cost 5 in_red taskset 1 "$WIRE" send fy0 5)"
	expect 'of them by the timer' 1 "$(counter "$blue" fy1 rx_timer_interrupts)"
}

case_long_frames_count_as_many()
{
	pair queues 1 mtu 65535
	coalesce adaptive-rx off rx-usecs 10000000 rx-frames 32
	expect 'interrupts' 3 "$(cost 3 in_red taskset 1 "$WIRE" send fy0 3 65549)"
}

# A wait of a second is under way; the new setting does not leave it to that.
case_new_setting_ends_a_wait()
{
	pair queues 1
	coalesce adaptive-rx off rx-usecs 10000000 rx-frames 0
	in_red "$WIRE" send fy0 3
	coalesce rx-usecs 0
	counted "$blue" fy1 rx_packets 3
	expect 'interrupts by the timer' 0 "$(counter "$blue" fy1 rx_timer_interrupts)"
}

case_down_during_a_wait()
{
	pair queues 1
	coalesce adaptive-rx off rx-usecs 10000000 rx-frames 0
	in_red "$WIRE" send fy0 3
	in_blue ip link set fy1 down
	"$WIRE" up "$blue" fy1
	carrier "$red" fy0
	coalesce rx-usecs 0
	in_red "$WIRE" send fy0 2
	counted "$blue" fy1 rx_packets 2
	expect 'frames received, without those that waited' 2 \
		"$(counter "$blue" fy1 rx_packets)"
}

case_full_ring_wakes_and_nothing_is_lost()
{
	pair queues 1
	in_blue ethtool -G fy1 rx 64
	coalesce adaptive-rx off rx-usecs 10000000 rx-frames 0
	in_red "$WIRE" send fy0 640
	counted "$blue" fy1 rx_packets 640
	expect 'missed' 0 "$(counter "$blue" fy1 rx_missed)"
}

# A queueing discipline holds the frames, and lets all go in one softirq: the
# receiving card's poll, on the same CPU, does not get between them.
case_overrun_is_counted()
{
	local frames=200 missed

	pair queues 1
	in_blue ethtool -G fy1 rx 64
	sysctl -qw net.core.dev_weight=1000
	in_red tc qdisc add dev fy0 root plug limit 10000000 block
	in_red "$WIRE" send fy0 "$frames" &
	wait_until plugged "$frames"
	in_red tc qdisc change dev fy0 root plug release_indefinite
	wait
	counted "$red" fy0 tx_packets "$frames"
	counted "$blue" fy1 rx_packets 64
	missed=$(counter "$blue" fy1 rx_missed)
	sysctl -qw net.core.dev_weight=64
	echo "# of $frames frames into a ring of 64, $missed were missed"
	[ "$missed" -gt 0 ] || fail "none was missed"
	counted "$blue" fy1 rx_packets $((frames - missed))
	expect 'missed, by ip' "$missed" \
		"$(sysfs "$blue" fy1/statistics/rx_missed_errors)"
	expect 'dropped by the sender' 0 "$(counter "$red" fy0 tx_dropped)"
}

# plugged COUNT: the qdisc holds so many
plugged()
{
	in_red tc -s qdisc show dev fy0 | grep -q "backlog .* ${1}p "
}

# With a queueing discipline frames come in batches, and share doorbells; a TX
# ring that fills up stops its queue, and is woken.
case_batches_share_doorbells()
{
	local frames=200 bells

	pair queues 1
	in_red ethtool -G fy0 tx 64
	in_red tc qdisc add dev fy0 root plug limit 10000000 block
	in_red "$WIRE" send fy0 "$frames" &
	wait_until plugged "$frames"
	in_red tc qdisc change dev fy0 root plug release_indefinite
	wait
	counted "$blue" fy1 rx_packets "$frames"
	bells=$(counter "$red" fy0 tx_doorbells)
	echo "# $frames frames took $bells doorbells"
	[ "$bells" -lt "$frames" ] || fail "each frame took one"
}

echo_hears()
{
	[ "$(in_blue cat /proc/net/packet | wc -l)" -gt 1 ]
}

# waits: how many waits the two ends have ended by their timers
waits()
{
	echo $(($(counter "$red" fy0 rx_timer_interrupts) +
		$(counter "$blue" fy1 rx_timer_interrupts)))
}

# Waiting must not cost a conversation: each side is idle until the other speaks,
# so that a wait gains nothing and delays it. The card finds out by trying, seldom.
case_ping_pong_is_not_delayed()
{
	local rounds=2000 took

	pair queues 1
	coalesce adaptive-rx on rx-usecs 1000
	in_red ethtool -C fy0 adaptive-rx on rx-usecs 1000
	in_blue taskset 1 "$WIRE" echo fy1 "$rounds" >/dev/null &
	wait_until echo_hears
	took=$(in_red taskset 1 "$WIRE" ping fy0 "$rounds")
	wait
	echo "# of $((rounds * 2)) frames $(waits) waited; a round takes $took us"
	[ $(($(waits) * 20)) -le $((rounds * 2)) ] || fail "more than one in 20 waited"
}

run_cases "$@"
