#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# nic_link.sh - virtual cards come, go, move, and tell of their wire
#
# usage: nic_link.sh [CASE...]
#
#	+---------+               +---------+
#	|   red   |               |  blue   |
#	|     fy0 +---------------+ fy1     |	a pair
#	|         |               +---------+
#	|  fy2-+  |
#	|   +--+  |				a card whose wire loops back
#	+---------+

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%"${0##*/}"}./lib.sh"

address()
{
	ip -n "$1" -o link show dev "$2" | sed 's/.*link\/ether \([^ ]*\).*/\1/'
}

case_loop_is_made_and_deleted()
{
	in_red ip link add fy2 type ferry
	link_has "$red" fy2 ferry
	link_has "$red" fy2 'mtu 1500'
	in_red ip link del fy2
	refused 'does not exist' in_red ip link show dev fy2
}

case_default_name()
{
	in_red ip link add type ferry
	link_has "$red" ferry0 ferry
}

case_loop_brings_frames_back()
{
	in_red ip link add fy2 type ferry
	"$WIRE" up "$red" fy2
	in_red "$WIRE" send fy2 10
	counted "$red" fy2 rx_packets 10
	expect 'frames sent' 10 "$(counter "$red" fy2 tx_packets)"
	expect 'bytes received' 600 "$(counter "$red" fy2 rx_bytes)"
}

case_loop_has_carrier_when_up()
{
	in_red ip link add fy2 type ferry
	link_has "$red" fy2 'state DOWN'
	"$WIRE" up "$red" fy2
	wait_until link_has "$red" fy2 'state UP'
	in_red ip link set fy2 down
	wait_until link_has "$red" fy2 'state DOWN'
}

case_pair_crosses_namespaces()
{
	pair
	in_red "$WIRE" send fy0 10
	counted "$blue" fy1 rx_packets 10
	in_blue "$WIRE" send fy1 7
	counted "$red" fy0 rx_packets 7
	expect 'frames that blue got' 10 "$(counter "$blue" fy1 rx_packets)"
}

case_pair_tells_of_its_peer()
{
	pair
	link_has "$red" fy0 "link-netns $blue"
	expect 'iflink' "$(sysfs "$blue" fy1/ifindex)" \
		"$(sysfs "$red" fy0/iflink)"
}

case_carrier_needs_both_ends()
{
	in_red "$FERRY" link add fy0 peer fy1 netns "$blue"
	"$WIRE" up "$red" fy0
	wait_until link_has "$red" fy0 NO-CARRIER
	"$WIRE" up "$blue" fy1
	carrier "$red" fy0
	carrier "$blue" fy1
	in_blue ip link set fy1 down
	wait_until link_has "$red" fy0 NO-CARRIER
}

case_peer_down_receives_nothing()
{
	pair
	in_red "$WIRE" send fy0 3
	counted "$blue" fy1 rx_packets 3
	in_blue ip link set fy1 down
	in_red "$WIRE" send fy0 5
	"$WIRE" up "$blue" fy1
	carrier "$red" fy0
	in_red "$WIRE" send fy0 2
	counted "$blue" fy1 rx_packets 5
	expect 'frames received' 5 "$(counter "$blue" fy1 rx_packets)"
}

case_either_end_deletes_both()
{
	pair
	in_blue ip link del fy1
	refused 'does not exist' in_red ip link show dev fy0
	pair
	in_red ip link del fy0
	refused 'does not exist' in_blue ip link show dev fy1
}

gone()
{
	! ip -n "$1" link show dev "$2" >/dev/null 2>&1
}

case_namespace_takes_both()
{
	pair
	ip netns del "$blue"
	wait_until gone "$red" fy0
}

case_moves_and_comes_back()
{
	local green=nic-green-$$

	pair
	ip netns add "$green"
	ip -n "$blue" link set fy1 netns "$green"
	ip -n "$green" link set fy1 up
	carrier "$red" fy0
	in_red "$WIRE" send fy0 3
	counted "$green" fy1 rx_packets 3

	ip -n "$green" link set fy1 netns "$blue"
	"$WIRE" up "$blue" fy1
	in_red "$WIRE" send fy0 4
	counted "$blue" fy1 rx_packets 7
	ip netns del "$green"
	link_has "$red" fy0 LOWER_UP
}

case_mtu_has_limits()
{
	in_red ip link add fy2 type ferry
	in_red ip link set fy2 mtu 68
	in_red ip link set fy2 mtu 65535
	refused 'mtu greater than device maximum' in_red ip link set fy2 mtu 65536
	refused 'mtu less than device minimum' in_red ip link set fy2 mtu 67
	refused 'mtu greater' in_red ip link add fy3 mtu 65536 type ferry
}

case_frame_over_mtu_is_counted()
{
	pair
	in_red ip link set fy0 mtu 9000
	in_red "$WIRE" send fy0 1 1514
	in_red "$WIRE" send fy0 2 1600
	counted "$blue" fy1 rx_packets 1
	expect 'frames too long' 2 "$(counter "$blue" fy1 rx_over_length)"
	expect 'length errors' 2 \
		"$(sysfs "$blue" fy1/statistics/rx_length_errors)"
	in_blue ip link set fy1 mtu 9000
	in_red "$WIRE" send fy0 1 9014
	counted "$blue" fy1 rx_packets 2
}

case_longest_frame_crosses()
{
	pair mtu 65535
	in_red "$WIRE" send fy0 3 65549
	counted "$blue" fy1 rx_packets 3
	expect 'bytes' 196647 "$(counter "$blue" fy1 rx_bytes)"
}

case_addresses()
{
	in_red "$FERRY" link add fy0 address 02:00:00:00:00:0a \
		peer fy1 address 02:00:00:00:00:0b
	expect 'address of fy0' 02:00:00:00:00:0a "$(address "$red" fy0)"
	expect 'address of fy1' 02:00:00:00:00:0b "$(address "$red" fy1)"
	in_red ip link set fy0 address 02:00:00:00:00:0c
	expect 'new address' 02:00:00:00:00:0c "$(address "$red" fy0)"
	refused 'neither zero nor a group' \
		in_red ip link add fy2 address 01:00:00:00:00:01 type ferry
}

case_names_that_are_taken()
{
	in_red ip link add fy2 type ferry
	refused 'exist' in_red ip link add fy2 type ferry
	refused 'exist' in_red "$FERRY" link add fy3 peer fy2
	gone "$red" fy3 || fail "half a pair was left behind"
}

case_queues_as_asked()
{
	in_red ip link add fy2 numtxqueues 3 numrxqueues 3 type ferry
	"$WIRE" up "$red" fy2
	link_has "$red" fy2 'numtxqueues 3'
	expect 'queues' 3 "$(in_red ethtool -l fy2 | awk '/Combined/ { print $2; exit }')"
	interrupts fy2-rx-2 >/dev/null
	in_red ip link set fy2 down
	! interrupts fy2-rx-2 >/dev/null || fail "a card that is down has interrupts"
}

run_cases "$@"
