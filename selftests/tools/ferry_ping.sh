#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ferry_ping.sh - ferry ping, ferry discover, and names
#
# usage: ferry_ping.sh [CASE...]
#
# Prints TAP. Needs root. Every case runs in a namespace of its own, here red,
# and has a second one where it says needs_blue:
#
#	+---------+               +---------+
#	|   red   |               |  blue   |
#	|     fy0 +---------------+ fy1     |	needs_wire
#	+---------+               +---------+
#
# lib.sh says what is the same for all tests of the tool.

set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%"${0##*/}"}./lib.sh"

readonly MAC0=02:00:00:00:00:0a MAC1=02:00:00:00:00:0b MAC2=02:00:00:00:00:0c
readonly SEE='; see: ferry help'
readonly TIME='[0-9]+\.[0-9]{4}'

# needs_wire: fy0 in red and fy1 in blue, up
needs_wire()
{
	needs_module
	needs_blue
	works ferry link add fy0 address $MAC0 peer fy1 netns "$blue" address $MAC1
	works ip link set dev fy0 up
	works ip -n "$blue" link set dev fy1 up
	until_has ' yes ' ferry link show fy0
	# Its first socket makes the loop.
	works ferry ping -q -c 1 localhost
}

# says STATUS REGEXP COMMAND...: it exits with STATUS, and all it prints, its lines joined
# by '|', is REGEXP
says()
{
	local status=$1 regexp=$2 said got=0

	shift 2
	said=$(
		"$@" 2>&1
		got=$?
		echo .
		exit $got
	) || got=$?
	said=${said%.}
	said=${said//$'\n'/|}
	[ "$got" = "$status" ] || fail "status $got, not $status: $*: $said"
	[[ $said =~ ^$regexp$ ]] || fail "$*: said:     $said
	expected: $regexp"
}

# statistics SENT RECEIVED LOSS [MORE]: a regular expression
statistics()
{
	local rtt=''

	[ "$2" = 0 ] || rtt="rtt min/avg/max/mdev = $TIME/$TIME/$TIME/$TIME ms\\|"
	echo "\\|--- [^|]* ping statistics ---\\|$1 packets transmitted, $2 received${4-}, $3% packet loss, time [0-9]+ms\\|$rtt"
}

# --- ferry ping ---------------------------------------------------------------

ping__words()
{
	local value

	only_words
	refuses 2 "'ping' takes one address$SEE" "$FERRY" ping
	refuses 2 "'ping' takes one address$SEE" "$FERRY" ping $MAC0 $MAC1
	refuses 2 "'ping' has no option '-x'$SEE" "$FERRY" ping -x $MAC0
	refuses 2 "'-c' needs a value$SEE" "$FERRY" ping $MAC0 -c
	for value in 0 -1 x '' 1.5 99999999999; do
		refuses 2 "'$value' is no number above 0$SEE" "$FERRY" ping -c "$value" $MAC0
	done
	for value in 0 0.0001 -1 x '' . 1e3 86401 0x1; do
		refuses 2 "'$value' is no time from 0.001 to 86400 seconds$SEE" \
			"$FERRY" ping -i "$value" $MAC0
	done
	for value in -1 x '' 86401; do
		refuses 2 "'$value' is no time from 0 to 86400 seconds$SEE" \
			"$FERRY" ping -W "$value" $MAC0
	done
	for value in -1 x '' 65516; do
		refuses 2 "'$value' is no size from 0 to 65515 bytes$SEE" \
			"$FERRY" ping -s "$value" $MAC0
	done
	refuses 2 "there is no device 'nowhere'$SEE" "$FERRY" ping -I nowhere $MAC0
	refuses 2 "there is no device 'nowhere'$SEE" "$FERRY" ping $MAC0%nowhere
	refuses 2 "there is no device ''$SEE" "$FERRY" ping $MAC0%
}

ping__addresses()
{
	local value

	only_words
	ethers "$MAC1 blue.example"
	for value in 1:2:3:4:5 red.example 1:2:3:4:5:6:7 '' 02:00:00:00:00:0g; do
		refuses 2 "'$value' is neither a MAC address nor a name in /etc/ethers$SEE" \
			"$FERRY" ping "$value"
	done
	value=$(printf '%0300d' 0)
	refuses 2 "'$value' is too long for an address$SEE" "$FERRY" ping "$value"
}

ping__answered()
{
	local line="76 bytes from $MAC1: seq=[12] time=$TIME ms\\|"

	needs_wire
	says 0 "PING $MAC1 56\\(76\\) bytes of data\\.\\|$line$line$(statistics 2 2 0)" \
		ferry ping -c 2 -i 0.01 $MAC1
	has '--- 02:00:00:00:00:0b%fy0 ping statistics ---' ferry ping -c 1 $MAC1%fy0
	has ' 1 received' ferry ping -c 1 -I fy0 $MAC1
	has ' 1 received' ferry ping -c 1 -I fy0 $MAC1%fy0
}

ping__this_host()
{
	needs_module
	has ' 1 received' ferry ping -c 1 localhost
	has ' 1 received' ferry ping -c 1 '*'
}

ping__quiet()
{
	needs_wire
	says 0 "PING $MAC1 0\\(20\\) bytes of data\\.\\|$(statistics 3 3 0)" \
		ferry ping -q -c 3 -i 0.01 -s 0 $MAC1
}

ping__sizes()
{
	local size

	needs_wire
	for size in 0 1 1480; do
		has "$((size + 20)) bytes from $MAC1" ferry ping -c 1 -s $size $MAC1
	done
	[[ $(ferry ping -c 1 -s 1480 $MAC1) != *'not what was sent'* ]] ||
		fail 'another payload came back'
	says 2 "PING $MAC1 1481\\(1501\\) bytes of data\\.\\|ferry: cannot ping $MAC1: the packet exceeds its device's MTU; see: ferry link show\\|" \
		ferry ping -c 1 -s 1481 $MAC1
}

ping__names()
{
	needs_wire
	ethers "$MAC1 blue.example"
	has "PING blue.example ($MAC1) 56(76)" ferry ping -c 1 blue.example
	has "76 bytes from blue.example ($MAC1): seq=1" ferry ping -c 1 $MAC1
	has "76 bytes from $MAC1: seq=1" ferry ping -n -c 1 blue.example%fy0
	has '--- blue.example ping statistics ---' ferry ping -n -c 1 blue.example
}

ping__silence()
{
	needs_wire
	works in_blue sh -c 'echo 0 >/proc/sys/net/ferry/echo'
	says 1 "PING $MAC1 56\\(76\\) bytes of data\\.\\|$(statistics 2 0 100)" \
		ferry ping -c 2 -i 0.01 -W 0.1 $MAC1
}

# The second is not answered.
ping__loss()
{
	local pid

	needs_wire
	exec 3< <(exec "$FERRY" ping -c 2 -i 1 -W 0.2 $MAC1)
	pid=$!
	read -r <&3
	read -r <&3
	works in_blue sh -c 'echo 0 >/proc/sys/net/ferry/echo'
	[[ $(cat <&3) == *'2 packets transmitted, 1 received, 50% packet loss'* ]] ||
		fail 'not one of two'
	wait $pid || fail "status $? though one was answered"
}

ping__everyone()
{
	needs_wire
	has ' 1 received, +1 duplicates, 0% packet loss' \
		ferry ping -c 1 -I fy0 -W 1 ff:ff:ff:ff:ff:ff
}

ping__interrupted()
{
	local pid said

	needs_wire
	exec 3< <(trap - INT; exec "$FERRY" ping -i 1000 $MAC1)
	pid=$!
	read -r <&3
	read -r <&3
	kill -INT $pid
	said=$(cat <&3)
	[[ $said == *'1 packets transmitted, 1 received, 0% packet loss'* ]] ||
		fail "no statistics: $said"
	wait $pid || fail "status $? though it was answered"
}

ping__errors()
{
	local none='no device, or more than one, leads there; see: ferry link show'
	local head="PING $MAC1 56\\(76\\) bytes of data\\.\\|ferry: cannot ping"

	needs_module
	says 2 "$head $MAC1: $none\\|" ferry ping -c 1 $MAC1
	works ferry link add fy0 address $MAC0 peer fy1
	says 2 "$head $MAC1%fy0: its device is down; raise it with: ip link set dev DEV up\\|" \
		ferry ping -c 1 $MAC1%fy0
	says 2 "PING 03:00:00:00:00:01 56\\(76\\) bytes of data\\.\\|ferry: cannot ping 03:00:00:00:00:01: nobody answers for a group; give a host's address\\|" \
		ferry ping -c 1 03:00:00:00:00:01
	refuses 2 "'$MAC1%fy0' and -I name two devices$SEE" ferry ping -I fy1 $MAC1%fy0
}

ping__no_module()
{
	needs_no_module
	refuses 2 'cannot send echoes: the ferry module is not loaded; load the module with: modprobe ferry' \
		ferry ping -c 1 $MAC1
}

# --- ferry discover -----------------------------------------------------------

discover__words()
{
	only_words
	refuses 2 "'discover' takes one device at most$SEE" "$FERRY" discover fy0 fy1
	refuses 2 "'discover' has no option '-x'$SEE" "$FERRY" discover -x
	refuses 2 "'-W' needs a value$SEE" "$FERRY" discover -W
	refuses 2 "'x' is no time from 0 to 86400 seconds$SEE" "$FERRY" discover -W x
	refuses 2 "the device name 'a/b' has a '/', ':' or space in it$SEE" "$FERRY" discover a/b
}

# row DEVICE ADDRESS NAME: a regular expression
row()
{
	echo "$1 +$2 +1 +$TIME ms  $3\\|"
}

readonly HEAD='DEVICE +ADDRESS +VERSION +RTT  NAME\|'

discover__one()
{
	needs_wire
	says 0 "$HEAD$(row fy0 $MAC1 -)" ferry discover -W 0.3
	says 0 "$HEAD$(row fy0 $MAC1 -)" ferry discover -W 0.3 fy0
	has '"device":"fy0","address":"02:00:00:00:00:0b","version":1,"rtt_ns":' \
		ferry discover -j -W 0.3
}

discover__names()
{
	needs_wire
	ethers "$MAC1 blue.example"
	says 0 "$HEAD$(row fy0 $MAC1 blue.example)" ferry discover -W 0.3
	says 0 "$HEAD$(row fy0 $MAC1 -)" ferry discover -n -W 0.3
	has ',"host":"blue.example"}' ferry discover -j -W 0.3
	[[ $(ferry discover -j -n -W 0.3) != *host* ]] || fail 'a name, with -n'
}

# Three hosts at one bridge, and this one at its port.
discover__bridge()
{
	local i

	needs_module
	works ip link add br0 type bridge
	works ip link set dev br0 up
	works ip link add ve0 address $MAC0 type veth peer name port0
	works ip link set dev port0 master br0 up
	works ip link set dev ve0 up
	works ferry link enable ve0
	for i in 1 2 3; do
		# Its shell's own, which ends with this case.
		unshare --net sleep 1000 &
		trap 'kill $(jobs -p)' EXIT
		until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do
			:
		done
		works ip link add "port$i" type veth peer name ve netns $!
		works ip link set dev "port$i" master br0 up
		works nsenter -t $! -n ip link set dev ve address 02:00:00:00:01:0$i up
		works nsenter -t $! -n "$FERRY" link enable ve
	done
	for i in 1 2 3; do
		until_has ' 1 received' ferry ping -q -c 1 -W 0.2 02:00:00:00:01:0$i
	done
	says 0 "$HEAD$(row ve0 02:00:00:00:01:01 -)$(row ve0 02:00:00:00:01:02 -)$(
		)$(row ve0 02:00:00:00:01:03 -)" ferry discover -W 1
}

discover__all_devices()
{
	needs_wire
	works ferry link add fy2 peer fy3 netns "$blue" address $MAC2
	works ip link set dev fy2 up
	works ip -n "$blue" link set dev fy3 up
	until_has ' yes ' ferry link show fy2
	says 0 "$HEAD$(row fy0 $MAC1 -)$(row fy2 $MAC2 -)" ferry discover -W 0.5
	works ip link set dev fy0 down
	says 0 "$HEAD$(row fy2 $MAC2 -)" ferry discover -W 0.5
}

discover__nobody()
{
	needs_wire
	works in_blue sh -c 'echo 1 >/proc/sys/net/ferry/echo'
	says 1 "$HEAD" ferry discover -W 0.2
	says 1 '\[\]\|' ferry discover -j -W 0.2
}

discover__errors()
{
	needs_module
	refuses 1 'cannot search: no device is enabled; see: ferry link help' \
		ferry discover
	works ip link add ve0 type veth peer ve1
	refuses 1 'cannot search ve0: Ferry is not enabled on the device; see where it is with: ferry link show' \
		ferry discover ve0
	refuses 1 'cannot search nowhere: There is no such device here; see what there is with: ip link' \
		ferry discover nowhere
	works ferry link add fy0 peer fy1
	refuses 1 'cannot search fy0: its device is down; raise it with: ip link set dev DEV up' \
		ferry discover fy0
}

run_cases "$@"
