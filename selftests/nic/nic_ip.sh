#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# nic_ip.sh - a virtual card is an Ethernet card: IP, VLANs and bridges over it
#
# usage: nic_ip.sh [CASE...]
#
#	+--------------+               +--------------+
#	|     red      |               |     blue     |
#	|          fy0 +---------------+ fy1          |
#	| 192.0.2.1/24 |               | 192.0.2.2/24 |
#	+--------------+               +--------------+

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%"${0##*/}"}./lib.sh"

readonly PORT=4711

addresses()
{
	in_red ip address add 192.0.2.1/24 dev "${1:-fy0}"
	in_blue ip address add 192.0.2.2/24 dev "${2:-fy1}"
	carrier "$red" "${1:-fy0}"
}

listens()
{
	in_blue ss -Htln "sport = :$PORT" | grep -q .
}

# transfer BYTES: over TCP, and compare the sums
transfer()
{
	local sums=/tmp/nic-ip-$$ server

	command -v socat >/dev/null || skip "socat is not installed"
	in_blue socat -u "TCP-LISTEN:$PORT,reuseaddr" - | sha256sum >"$sums" &
	server=$!
	wait_until listens
	head -c "$1" /dev/urandom |
		tee >(sha256sum >"$sums.sent") |
		in_red socat -u - "TCP:192.0.2.2:$PORT"
	wait "$server"
	wait_until test -s "$sums.sent"
	cmp "$sums" "$sums.sent" || fail "what arrived is not what was sent"
	rm -f "$sums" "$sums.sent"
}

case_tcp_arrives_whole()
{
	pair
	addresses
	transfer 8000000
	[ "$(counter "$blue" fy1 rx_bytes)" -gt 8000000 ] || fail "it went elsewhere"
	[ "$(counter "$blue" fy1 rx_packets)" -lt 4000 ] ||
		fail "large segments do not cross whole"
}

case_tcp_arrives_whole_without_offloads()
{
	pair
	addresses
	in_red ethtool -K fy0 tso off gso off sg off tx off
	in_blue ethtool -K fy1 tso off gso off gro off sg off tx off
	transfer 2000000
	[ "$(counter "$blue" fy1 rx_packets)" -gt 1300 ] ||
		fail "segments are larger than the MTU"
}

case_tcp_through_small_rings()
{
	pair queues 1
	addresses
	in_blue ethtool -G fy1 rx 64 tx 64
	in_red ethtool -G fy0 rx 64 tx 64
	in_red ethtool -K fy0 tso off gso off
	transfer 2000000
}

case_tcp_with_every_wait()
{
	pair
	addresses
	in_blue ethtool -C fy1 adaptive-rx off rx-usecs 300 rx-frames 16
	in_red ethtool -C fy0 adaptive-rx off rx-usecs 300 rx-frames 16
	transfer 2000000
}

case_vlan()
{
	pair
	in_red ip link add link fy0 name fy0.7 type vlan id 7
	in_blue ip link add link fy1 name fy1.7 type vlan id 7
	"$WIRE" up "$red" fy0.7
	"$WIRE" up "$blue" fy1.7
	addresses fy0.7 fy1.7
	transfer 100000
}

case_bridge()
{
	pair
	in_blue ip link add br0 type bridge
	in_blue ip link set fy1 master br0
	"$WIRE" up "$blue" br0
	addresses fy0 br0
	transfer 100000
}

# Two cards of a bridge whose wires lead to two others: what is sent into one
# comes out of the other, from its poll.
#
#	fy0 ---- fy1 [br0] fy2 ---- fy3
case_bridge_between_cards()
{
	pair
	in_blue "$FERRY" link add fy2 peer fy3 netns "$red"
	in_blue ip link add br0 type bridge
	in_blue ip link set fy1 master br0
	in_blue ip link set fy2 up master br0
	"$WIRE" up "$blue" br0
	"$WIRE" up "$red" fy3
	carrier "$red" fy3
	wait_until forwarding
	in_red "$WIRE" send fy0 100
	counted "$red" fy3 rx_packets 100
}

forwarding()
{
	[ "$(sysfs "$blue" fy1/brport/state fy2/brport/state | sort -u)" = 3 ]
}

run_cases "$@"
