#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ferry_link.sh - ferry link add, del, show, enable, disable
#
# usage: ferry_link.sh [CASE...]
#
# Prints TAP. Needs root. Every case runs in a namespace of its own, here red,
# and has a second one where it says needs_blue:
#
#	+---------+               +---------+
#	|   red   |               |  blue   |
#	|     fy0 +---------------+ fy1     |	what the case makes of it
#	+---------+               +---------+
#
# lib.sh says what is the same for all tests of the tool.

set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%"${0##*/}"}./lib.sh"

readonly ROW='%-15s  %-17s  %5s  %-5s  %-7s  %s\n'
readonly NOT_ENABLED='Ferry is not enabled on the device; see where it is with: ferry link show'
readonly NO_DEVICE='There is no such device here; see what there is with: ip link'
readonly NO_RIGHTS='CAP_NET_ADMIN is missing in this network namespace; run it as root'
readonly MAC0=02:00:00:00:00:0a MAC1=02:00:00:00:00:0b

# without_rights COMMAND...: without CAP_NET_ADMIN
without_rights()
{
	setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$@"
}

# head_and_row NAME ADDRESS MTU STATE CARRIER TYPE
head_and_row()
{
	# shellcheck disable=SC2059
	printf "$ROW" DEVICE ADDRESS MTU STATE CARRIER 'TYPE    NAME' "$@"
}

# --- the command line ---------------------------------------------------------

usage__words()
{
	local see='; see: ferry help'

	only_words
	refuses 2 "a command is missing after 'ferry'$see" "$FERRY"
	refuses 2 "'ferry' has no command 'lnik'$see" "$FERRY" lnik
	see='; see: ferry link help'
	refuses 2 "a command is missing after 'ferry link'$see" "$FERRY" link
	refuses 2 "'ferry link' has no command 'ad'$see" "$FERRY" link ad
}

usage__add()
{
	local see='; see: ferry link help' long=abcdefghijklmnop
	local add=("$FERRY" link add)

	only_words
	refuses 2 "'add' needs a name for the card$see" "${add[@]}"
	refuses 2 "the device name '' must have 1 to 15 characters$see" "${add[@]}" ''
	refuses 2 "the device name '$long' must have 1 to 15 characters$see" "${add[@]}" $long
	refuses 2 "the device name 'a/b' has a '/', ':' or space in it$see" "${add[@]}" a/b
	refuses 2 "the device name 'a:b' has a '/', ':' or space in it$see" "${add[@]}" a:b
	refuses 2 "the device name 'a b' has a '/', ':' or space in it$see" "${add[@]}" 'a b'
	refuses 2 "'-x' is an option that this command does not have$see" "${add[@]}" -x
	refuses 2 "'add' has no option 'speed'$see" "${add[@]}" fy0 speed
	refuses 2 "'mtu' needs a value$see" "${add[@]}" fy0 mtu
	refuses 2 "'mtu' is given twice$see" "${add[@]}" fy0 mtu 100 mtu 100
	refuses 2 "'mtu' must come before 'peer NAME'$see" "${add[@]}" fy0 peer fy1 mtu 100
	refuses 2 "'queues' must come before 'peer NAME'$see" "${add[@]}" fy0 peer fy1 queues 1
	refuses 2 "'netns' must come after 'peer NAME'$see" "${add[@]}" fy0 netns blue
	refuses 2 "the device name 'a/b' has a '/', ':' or space in it$see" \
		"${add[@]}" fy0 peer a/b
	refuses 2 "'address' is given twice$see" \
		"${add[@]}" fy0 address $MAC0 peer fy1 address $MAC0 address $MAC1
}

usage__numbers()
{
	local value

	only_words
	for value in -1 0 '' 1k 1.5 4294967297 99999999999999999999; do
		refuses 2 "'$value' is no number above 0; see: ferry link help" \
			"$FERRY" link add fy0 mtu "$value"
		refuses 2 "'$value' is no number above 0; see: ferry link help" \
			"$FERRY" link add fy0 queues "$value"
	done
}

usage__addresses()
{
	local see='; see: ferry link help' value

	only_words
	for value in '' 1 1:2:3:4:5 1:2:3:4:5:6:7 1:2:3:4:5:6: :1:2:3:4:5 02:00:00:00:00:0g \
		002:0:0:0:0:1 2:0:0:0:0:-1 '2: 0:0:0:0:1' 0x:0:0:0:0:1 2-0-0-0-0-1; do
		refuses 2 "'$value' is no MAC address such as 02:00:00:00:00:01$see" \
			"$FERRY" link add fy0 address "$value"
	done
}

usage__one_device()
{
	local see='; see: ferry link help' verb

	only_words
	for verb in del enable disable; do
		refuses 2 "'$verb' takes one device$see" "$FERRY" link $verb
		refuses 2 "'$verb' takes one device$see" "$FERRY" link $verb fy0 fy1
		refuses 2 "the device name '' must have 1 to 15 characters$see" \
			"$FERRY" link $verb ''
	done
	refuses 2 "'show' takes one device at most$see" "$FERRY" link show fy0 fy1
	refuses 2 "'-q' is an option that this command does not have$see" "$FERRY" link show -q
}

help__lists_every_command()
{
	local verb word words said

	only_words
	for words in help -h --help 'link help' 'link -h' 'link --help'; do
		read -ra word <<<"$words"
		said=$("$FERRY" "${word[@]}") || fail "failed: ferry $words"
		for verb in 'add NAME' 'del NAME' 'show [-j] [-n] [DEV]' 'enable DEV' 'disable DEV'; do
			[[ $said == *"ferry link $verb"* ]] ||
				fail "'$verb' is not in what 'ferry $words' printed: $said"
		done
	done
	prints "usage:
  ferry link enable DEV
	let Ferry send and receive on an Ethernet device" "$FERRY" link enable -h
}

version__prints_it()
{
	has 'ferry ' "$FERRY" -V
}

output__full_device()
{
	local said status=0

	said=$("$FERRY" help 2>&1 >/dev/full) || status=$?
	[ $status = 1 ] || fail "status $status, not 1"
	[ "$said" = 'ferry: cannot write the output: No space left on device' ] ||
		fail "said: $said"
}

# --- without the module -------------------------------------------------------

module__missing()
{
	local why='the ferry module is not loaded; load the module with: modprobe ferry'

	needs_no_module
	refuses 1 "cannot show the links: $why" ferry link show
	refuses 1 "cannot show lo: $why" ferry link show lo
	refuses 1 "cannot enable lo: $why" ferry link enable lo
	refuses 1 "cannot disable lo: $why" ferry link disable lo
	refuses 1 'cannot add fy0: Unknown device type; load the module with: modprobe ferry' \
		ferry link add fy0
}

# --- ferry link add -----------------------------------------------------------

add__loop()
{
	needs_module
	works ferry link add fy0
	has ' ferry ' ip -d link show dev fy0
}

add__options()
{
	needs_module
	works ferry link add fy0 queues 3 address 2:0:0:0:0:A mtu 4000
	has " $MAC0 " ip link show dev fy0
	has ' mtu 4000 ' ip link show dev fy0
	has ' numtxqueues 3 numrxqueues 3 ' ip -d link show dev fy0
}

add__pair()
{
	needs_module
	works ferry link add fy0 address $MAC0 mtu 4000 queues 3 peer fy1 address $MAC1
	has " $MAC0 " ip link show dev fy0
	has " $MAC1 " ip link show dev fy1
	has ' mtu 4000 ' ip link show dev fy0
	has ' mtu 4000 ' ip link show dev fy1
	has ' numtxqueues 3 numrxqueues 3 ' ip -d link show dev fy0
	has ' numtxqueues 3 numrxqueues 3 ' ip -d link show dev fy1
}

add__pair_with_netns_by_name()
{
	needs_module
	needs_blue
	works ferry link add fy0 peer fy1 netns "$blue" address $MAC1
	has ' ferry ' ip -d link show dev fy0
	has " $MAC1 " ip -n "$blue" link show dev fy1
	no_device fy1
}

add__pair_with_netns_by_pid()
{
	local pid

	needs_module
	needs_blue
	# It reads what nobody writes, until this case's shell ends.
	exec 3<> <(:)
	nsenter --net="/run/netns/$blue" cat <&3 >/dev/null 2>&1 &
	pid=$!
	trap 'kill $!' EXIT
	until [ "/proc/$pid/ns/net" -ef "/run/netns/$blue" ]; do
		kill -0 $pid || fail 'nobody is in the second namespace'
	done
	works ferry link add fy0 peer fy1 netns $pid
	has ' ferry ' ip -n "$blue" -d link show dev fy1
}

add__name_taken()
{
	local why="a device of this name or the peer's exists already"
	local advice="choose a name that 'ip link' does not show"

	needs_module
	works ferry link add fy0
	refuses 1 "cannot add fy0: $why; $advice" ferry link add fy0
	refuses 1 "cannot add fy1: $why; $advice" ferry link add fy1 peer fy0
	no_device fy1
}

add__bad_address()
{
	local value why="A card's address is neither zero nor a group's"
	local advice='choose another, or give none for a random one'

	needs_module
	for value in 01:00:00:00:00:01 ff:ff:ff:ff:ff:ff 00:00:00:00:00:00; do
		refuses 1 "cannot add fy0: $why; $advice" ferry link add fy0 address $value
		refuses 1 "cannot add fy0: $why; $advice" \
			ferry link add fy0 peer fy1 address $value
	done
	no_device fy0
}

add__bad_values()
{
	local advice='see what it can be with: man ferry'

	needs_module
	refuses 1 "cannot add fy0: mtu greater than device maximum; $advice" \
		ferry link add fy0 mtu 65536
	refuses 1 "cannot add fy0: mtu less than device minimum; $advice" \
		ferry link add fy0 mtu 1
	refuses 1 "cannot add fy0: Invalid number of transmit queues; $advice" \
		ferry link add fy0 queues 5000
}

add__no_such_netns()
{
	refuses 1 "there is no network namespace 'nowhere'; see what there is with: ip netns" \
		ferry link add fy0 peer fy1 netns nowhere
}

add__no_such_process()
{
	local advice='give the name of a namespace or the id of a process in it'

	needs_module
	# One more than the highest id that a process can have.
	refuses 1 "cannot add fy0: *; $advice" \
		ferry link add fy0 peer fy1 netns $(($(</proc/sys/kernel/pid_max) + 1))
}

add__no_rights()
{
	refuses 1 "cannot add fy0: $NO_RIGHTS" \
		without_rights "$FERRY" link add fy0
}

# --- ferry link del -----------------------------------------------------------

del__card()
{
	needs_module
	works ferry link add fy0
	works ferry link del fy0
	no_device fy0
}

del__takes_the_peer()
{
	needs_module
	needs_blue
	works ferry link add fy0 peer fy1 netns "$blue"
	works ferry link del fy0
	no_device fy0
	no_device fy1 -n "$blue"
}

del__not_a_card()
{
	local why="it is not one of Ferry's cards; if it shall go: ip link del"

	works ip link add ve0 type veth peer ve1
	refuses 1 "cannot delete ve0: $why ve0" ferry link del ve0
	has 've0@' ip link show dev ve0
	refuses 1 "cannot delete lo: $why lo" ferry link del lo
}

del__no_such_device()
{
	refuses 1 "cannot delete fy0: ${NO_DEVICE,}" ferry link del fy0
}

del__no_rights()
{
	needs_module
	works ferry link add fy0
	refuses 1 "cannot delete fy0: $NO_RIGHTS" \
		without_rights "$FERRY" link del fy0
	has fy0 ip link show dev fy0
}

# --- ferry link show ----------------------------------------------------------

show__nothing()
{
	needs_module
	prints "$(head_and_row '' '' '' '' '' '' | head -n 1)" ferry link show
	prints '[]' ferry link show -j
}

show__states()
{
	needs_module
	needs_blue
	works ferry link add fy0 address $MAC0 mtu 4000 peer fy1 netns "$blue"
	prints "$(head_and_row fy0 $MAC0 4000 down no card)" ferry link show fy0
	works ip link set dev fy0 up
	until_has ' up ' ferry link show fy0
	works ip -n "$blue" link set dev fy1 up
	until_has ' yes ' ferry link show fy0
	prints "$(head_and_row fy0 $MAC0 4000 up yes card)" ferry link show fy0
	works ip -n "$blue" link set dev fy1 down
	until_has ' no ' ferry link show fy0
	prints "$(head_and_row fy0 $MAC0 4000 up no card)" ferry link show
}

show__loop()
{
	local mac

	needs_module
	works perl -e 'socket(S, 18, 2, 0) or die "no Ferry socket\n"'
	mac=$(ip -o link show dev ferry0 | sed 's/.*ether \([^ ]*\).*/\1/')
	prints "$(head_and_row ferry0 "$mac" 65535 up yes loop)" ferry link show
	has '"card":true,"loop":true' ferry link show -j
}

show__json()
{
	local rest='"mtu":4000,"up":false,"carrier":false,"card":true,"loop":false}'

	needs_module
	works ferry link add fy0 address $MAC0 mtu 4000 peer fy1 address $MAC1
	prints "[$(json_of fy0 $MAC0 "$rest")]" ferry link show -j fy0
	prints "[$(json_of fy0 $MAC0 "$rest")]" ferry link show fy0 -j
	has "$(json_of fy0 $MAC0 "$rest")" ferry link show -j
	has "$(json_of fy1 $MAC1 "$rest")" ferry link show -j
	[ "$(ferry link show -j | wc -l)" = 2 ] || fail 'not one line a link'
}

# json_of NAME ADDRESS REST: the object of a device in red
json_of()
{
	local number

	number=$(ip -o link show dev "$1")
	printf '{"ifindex":%s,"name":"%s","address":"%s",%s' "${number%%:*}" "$@"
}

show__names()
{
	needs_module
	ethers "$MAC0 red.example"
	works ferry link add fy0 address red.example mtu 4000 peer fy1 address $MAC1
	prints "$(head_and_row fy0 $MAC0 4000 down no 'card    red.example')" ferry link show fy0
	prints "$(head_and_row fy1 $MAC1 4000 down no card)" ferry link show fy1
	prints "$(head_and_row fy0 $MAC0 4000 down no card)" ferry link show -n fy0
	has '"loop":false,"host":"red.example"}' ferry link show -j fy0
	[[ $(ferry link show -n -j) != *host* ]] || fail 'a name, with -n'
}

show__json_escapes()
{
	needs_module
	works ferry link add $'a"b\\c\001'
	has '"name":"a\"b\\c\u0001"' ferry link show -j
}

show__only_this_namespace()
{
	needs_module
	needs_blue
	works ferry link add fy0 peer fy1 netns "$blue"
	has fy0 ferry link show
	[[ $(ferry link show) != *fy1* ]] || fail "red shows blue's card"
	has fy1 in_blue "$FERRY" link show
}

show__needs_no_rights()
{
	needs_module
	works ferry link add fy0
	has fy0 without_rights "$FERRY" link show
	has fy0 without_rights "$FERRY" link show fy0
}

show__not_enabled()
{
	needs_module
	works ip link add ve0 type veth peer ve1
	refuses 1 "cannot show ve0: $NOT_ENABLED" ferry link show ve0
}

show__no_such_device()
{
	needs_module
	refuses 1 "cannot show fy0: $NO_DEVICE" ferry link show fy0
}

# --- ferry link enable, disable -----------------------------------------------

enable__ethernet()
{
	needs_module
	works ip link add ve0 address $MAC0 type veth peer ve1
	works ferry link enable ve0
	prints "$(head_and_row ve0 $MAC0 1500 down no device)" ferry link show
	has '"card":false,"loop":false' ferry link show -j ve0
	[[ $(ferry link show) != *ve1* ]] || fail 've1 was enabled too'
	works ferry link disable ve0
	prints '[]' ferry link show -j
}

enable__twice()
{
	local why='Ferry is already enabled on the device'

	needs_module
	works ip link add ve0 type veth peer ve1
	works ferry link enable ve0
	refuses 1 "cannot enable ve0: $why; there is nothing to do" ferry link enable ve0
	works ferry link disable ve0
}

enable__not_ethernet()
{
	local choose="choose one that 'ip link' shows as link/ether"

	needs_module
	refuses 1 "cannot enable lo: Ferry runs over Ethernet devices only; $choose" \
		ferry link enable lo
}

enable__no_such_device()
{
	needs_module
	refuses 1 "cannot enable fy0: $NO_DEVICE" ferry link enable fy0
}

enable__no_rights()
{
	needs_module
	works ip link add ve0 type veth peer ve1
	refuses 1 "cannot enable ve0: $NO_RIGHTS" \
		without_rights "$FERRY" link enable ve0
	prints '[]' ferry link show -j
}

disable__not_enabled()
{
	needs_module
	works ip link add ve0 type veth peer ve1
	refuses 1 "cannot disable ve0: $NOT_ENABLED" \
		ferry link disable ve0
}

disable__no_such_device()
{
	needs_module
	refuses 1 "cannot disable fy0: $NO_DEVICE" ferry link disable fy0
}

disable__no_rights()
{
	needs_module
	works ip link add ve0 type veth peer ve1
	works ferry link enable ve0
	refuses 1 "cannot disable ve0: $NO_RIGHTS" \
		without_rights "$FERRY" link disable ve0
	has ve0 ferry link show
}

run_cases "$@"
