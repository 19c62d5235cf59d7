# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# story.sh - follow one datagram, or one segment, through the kernel
#
# To be sourced. The kernel's own function tracer and trace events say when what
# ran; this file only says what it is good for. KIND is datagram or segment.

readonly TRACING=/sys/kernel/tracing/instances/ferry-demo

# sleeper KIND: the program that is woken
sleeper()
{
	case $1 in
	datagram) echo reader ;;
	segment) echo receiver ;;
	esac
}

# chapters KIND: function or event, and what it does, in the order of a byte's way
chapters()
{
	"chapters_$1"
}

chapters_datagram()
{
	cat <<-'END'
		ferry_dgram_sendmsg   sendto(2): the line into an skb
		ferry_output          Ferry's header before it
		ferry_link_xmit       Ethernet's header before that
		ferry_nic_start_xmit  onto fy0's TX ring
		ferry_nic_rx_arrive   over the wire, onto fy1's RX ring
		ferry_nic_rx_irq      interrupt: mask it, ask for a poll
		ferry_nic_rx_poll     NAPI takes the frame off the ring
		ferry_link_rcv        fy1's packet handler: is it for us?
		ferry_input_rcv       are header and checksum right?
		ferry_dgram_rcv       whose port is it?
		sock_def_readable     it is on the socket's queue: tell
		ep_poll_callback      an epoll instance listens there
		sched_waking          the reader is woken
		sched_switch          the reader gets a CPU
		ferry_dgram_recvmsg   recv(2): the line out of the skb
	END
}

chapters_segment()
{
	cat <<-'END'
		ferry_stream_sendmsg  write(2): the line into an skb
		ferry_conn_next       the engine: may it leave now?
		ferry_conn_send       the engine: its numbers
		ferry_output_seg      Ferry's header before a clone of it
		ferry_link_xmit       Ethernet's header before that
		ferry_nic_start_xmit  onto fy0's TX ring
		ferry_nic_rx_arrive   over the wire, onto fy1's RX ring
		ferry_nic_rx_irq      interrupt: mask it, ask for a poll
		ferry_nic_rx_poll     NAPI takes the frame off the ring
		ferry_link_rcv        fy1's packet handler: is it for us?
		ferry_input_rcv       are header and checksum right?
		ferry_stream_rcv      whose connection is it?
		ferry_conn_in         the engine: is it its turn?
		ferry_stream_take_in  onto the socket's queue
		sock_def_readable     tell who waits there
		sched_waking          the reader is woken
		sched_switch          the reader gets a CPU
		ferry_conn_read       read(2) has it: room for more
	END
}

# story_possible: whether this kernel can tell
story_possible()
{
	grep -qw function /sys/kernel/tracing/available_tracers 2>/dev/null
}

# event NAME FILTER: trace an event where the filter holds
event()
{
	echo "$2" >"$TRACING/events/$1/filter"
	echo 1 >"$TRACING/events/$1/enable"
}

# story_begin KIND: trace, in a buffer of our own. What this module does not have, or
# its compiler has made part of something else, is left out.
story_begin()
{
	local name who

	who=$(sleeper "$1")
	mkdir "$TRACING"
	echo 0 >"$TRACING/tracing_on"
	echo mono >"$TRACING/trace_clock"
	while read -r name _; do
		[[ $name == sched_* ]] || echo "$name" 2>/dev/null || true
	done < <(chapters "$1") >"$TRACING/set_ftrace_filter"
	event sched/sched_waking "comm == \"$who\""
	event sched/sched_switch "next_comm == \"$who\""
	echo function >"$TRACING/current_tracer"
	echo 1 >"$TRACING/tracing_on"
}

# story_end TRACE: keep what was traced in that file
story_end()
{
	echo 0 >"$TRACING/tracing_on"
	cat "$TRACING/trace" >"$1"
	story_drop
}

story_drop()
{
	[ ! -d "$TRACING" ] || rmdir "$TRACING"
}

# story KIND TRACE: what happened, "who|time|function|meaning" a line, each function
# once; the time is in microseconds since the first
story()
{
	chapters "$1" | awk '
		# The name of what was called, or of the event that happened.
		function name_of(text)
		{
			sub(/[: ].*/, "", text)
			return text
		}

		# In which context, by the flags of a trace line, in whose task.
		function context(flags, task, text)
		{
			if (text ~ /^sched_switch/)
				return "scheduler"
			if (text ~ /<-__handle_irq_event_percpu$/)
				return task ", hard irq"
			if (flags ~ /^..s/)
				return task ", softirq"
			return task ", system call"
		}

		NR == FNR {
			name = $1
			$1 = ""
			meaning[name] = substr($0, 2)
			last = name
			if (NR == 1)
				first = name
			if (name ~ /_(dgram|stream)_rcv$/)
				socket = name
			next
		}

		# "writer-123  [000] d.s2.  16.122018: function <-caller"
		match($0, /\[[0-9]+\] +[^ ]+ +[0-9.]+: /) {
			task = substr($0, 1, RSTART - 1)
			gsub(/^ +|-[0-9]+ *$/, "", task)
			split(substr($0, RSTART, RLENGTH), at, " ")
			text = substr($0, RSTART + RLENGTH)
			name = name_of(text)

			# Others are told and woken too, but not by this one.
			if (!(name in meaning) || name in told ||
			    !(first in told) && name != first ||
			    !(socket in told) && name ~ /^(sock|ep|sched)_/ ||
			    !("sched_switch" in told) && name == last)
				next
			if (!begin)
				begin = at[3] * 1e6
			told[name] = 1
			print context(at[2], task, text) ", CPU " substr(at[1], 2) + 0 "|" \
			      int(at[3] * 1e6 - begin + 0.5) "|" name "|" meaning[name]
		}' - "$2"
}
