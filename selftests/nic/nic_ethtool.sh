#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# nic_ethtool.sh - what ethtool shows of a virtual card, and sets under traffic
#
# usage: nic_ethtool.sh [CASE...]
#
#	+---------+               +---------+
#	|   red   |               |  blue   |
#	|     fy0 +---------------+ fy1     |
#	+---------+   frames -->  +---------+

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%"${0##*/}"}./lib.sh"

# Frames from red to blue for as long as the case goes on, and as many as it leaves the
# CPUs time for.
traffic()
{
	in_red nice -n 19 "$WIRE" send fy0 100000000 &
	sender=$!
	# shellcheck disable=SC2064
	trap "kill $sender 2>/dev/null || true; end" EXIT
	counted "$blue" fy1 rx_packets 100
}

# still_flows: blue gets more frames than it has now
still_flows()
{
	kill -0 "$sender" || fail "the sender has died"
	counted "$blue" fy1 rx_packets \
		$(($(counter "$blue" fy1 rx_packets) + 100))
}

# setting LETTER NAME: a current value of ethtool's in blue
setting()
{
	in_blue ethtool "-$1" fy1 | awk -v name="$2:" '
		/Current hardware settings/ { current = 1 }
		index($0, name) == 1 && (current || !/^(RX|TX|Combined)/) {
			print $NF
		}'
}

case_driver()
{
	pair
	expect 'driver' ferry "$(in_blue ethtool -i fy1 | awk '/^driver/ { print $2 }')"
}

case_link()
{
	pair
	in_blue ethtool fy1 | grep -q 'Link detected: yes'
	in_red ip link set fy0 down
	in_blue ethtool fy1 | grep -q 'Link detected: no'
}

case_time_stamps()
{
	pair
	in_blue ethtool -T fy1 | grep -q software-transmit
}

case_features_are_veth_s()
{
	local feature

	pair
	for feature in scatter-gather tx-checksumming rx-checksumming \
		tcp-segmentation-offload generic-segmentation-offload \
		tx-scatter-gather-fraglist tx-udp-segmentation \
		tx-sctp-segmentation tx-gso-list tx-vlan-offload highdma; do
		in_blue ethtool -k fy1 | grep -q "$feature: on" ||
			fail "$feature is not on"
	done
	in_blue ethtool -K fy1 tso off tx off
	in_blue ethtool -k fy1 | grep -q 'tcp-segmentation-offload: off'
	in_blue ethtool -K fy1 tso on tx on
	in_blue ethtool -k fy1 | grep -q 'tcp-segmentation-offload: on'
}

case_rings_are_resized_under_traffic()
{
	local size

	pair
	expect 'RX ring' 1024 "$(setting g RX)"
	traffic
	for size in 64 16384 4096 128 1000; do
		in_blue ethtool -G fy1 rx "$size" tx "$size"
		in_red ethtool -G fy0 rx "$size" tx "$size"
		still_flows
	done
	expect 'RX ring, as the next power of two' 1024 "$(setting g RX)"
}

case_rings_have_limits()
{
	pair
	refused '' in_blue ethtool -G fy1 rx 16385
	refused 'at least 64' in_blue ethtool -G fy1 rx 63
	refused 'at least 64' in_blue ethtool -G fy1 tx 1
	expect 'RX ring' 1024 "$(setting g RX)"
}

case_ring_size_outlives_down()
{
	pair
	in_blue ip link set fy1 down
	in_blue ethtool -G fy1 rx 256
	"$WIRE" up "$blue" fy1
	expect 'RX ring' 256 "$(setting g RX)"
	carrier "$red" fy0
	in_red "$WIRE" send fy0 5
	counted "$blue" fy1 rx_packets 5
}

case_channels_change_under_traffic()
{
	local count

	pair queues 4
	traffic
	for count in 1 4 2 3 1; do
		in_blue ethtool -L fy1 combined "$count"
		in_red ethtool -L fy0 combined "$count"
		expect 'queues' "$count" "$(setting l Combined)"
		interrupts "fy1-rx-$((count - 1))" >/dev/null
		! interrupts "fy1-rx-$count" >/dev/null ||
			fail "queue $count has an interrupt and should be gone"
		still_flows
	done
	refused '' in_blue ethtool -L fy1 combined 5
	refused '' in_blue ethtool -L fy1 combined 0
}

case_coalescing_changes_under_traffic()
{
	pair
	expect 'rx-usecs' 50 "$(setting c rx-usecs)"
	expect 'rx-frames' 32 "$(setting c rx-frames)"
	in_blue ethtool -c fy1 | grep -q 'Adaptive RX: on'
	traffic
	in_blue ethtool -C fy1 adaptive-rx off rx-usecs 1000 rx-frames 0
	still_flows
	in_blue ethtool -C fy1 rx-usecs 0
	still_flows
	in_blue ethtool -C fy1 adaptive-rx on rx-usecs 20 rx-frames 16
	still_flows
	expect 'rx-usecs' 20 "$(setting c rx-usecs)"
	expect 'rx-frames' 16 "$(setting c rx-frames)"
	refused 'at most 10000000' in_blue ethtool -C fy1 rx-usecs 10000001
}

case_counters_agree()
{
	local sent

	pair
	in_red "$WIRE" send fy0 1000
	counted "$blue" fy1 rx_packets 1000
	sent=$(counter "$red" fy0 tx_packets)
	expect 'frames sent' 1000 "$sent"
	expect 'frames that ip counts' 1000 \
		"$(sysfs "$blue" fy1/statistics/rx_packets)"
	expect 'bytes that ip counts' 60000 \
		"$(sysfs "$red" fy0/statistics/tx_bytes)"
	expect 'doorbells, one a frame' 1000 "$(counter "$red" fy0 tx_doorbells)"
	expect 'missed' 0 "$(counter "$blue" fy1 rx_missed)"
}

run_cases "$@"
