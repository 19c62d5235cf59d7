#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# programs.sh - programs that know nothing of Ferry use it
#
# usage: programs.sh [CASE...]
#
# Prints TAP. Needs root and the module. Everything is within one new namespace,
# over its ferry0. Addresses are packed by hand: struct sockaddr_ferry of this host,
# in the machine's byte order. stress-ng is not among them: it takes no domain by its
# number.

# The cases are called by their names.
# shellcheck disable=SC2317
set -u

# $FERRY_TIMEOUT is more than the usual 400 seconds on slow kernels.
readonly LIMIT=$((20 * ${FERRY_TIMEOUT:-400} / 400))
readonly FAMILY=18 STREAM=1 DGRAM=2 SEQPACKET=5

if [ -z "${FERRY_PROGRAMS_INSIDE:-}" ]; then
	FERRY_PROGRAMS_INSIDE=y exec unshare --net "$0" "$@"
fi

# shellcheck source-path=SCRIPTDIR source=lib/cases.sh
. "$(dirname "$0")/lib/cases.sh"
needs_ferry

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# at PORT: the address of this host's port as socat wants it: without the family
at()
{
	local port

	printf -v port '%08x' "$1"
	echo "x0000${port:6:2}${port:4:2}${port:2:2}${port:0:2}000000000000000000000000"
}

# listener PORT [OPTION...]: what socat is to listen at
listener()
{
	local port=$1
	shift

	echo "SOCKET-LISTEN:$FAMILY:0:$(at "$port")$(printf ',%s' reuseaddr "$@")"
}

# to PORT [OPTION...]: what it is to connect to, once somebody listens there
to()
{
	local port=$1
	shift

	echo "SOCKET-CONNECT:$FAMILY:0:$(at "$port")$(printf ',%s' retry=400 interval=0.05 "$@")"
}

# A program that ends with the case, or sooner.
begin()
{
	timeout "$LIMIT" "$@" &
	started=$!
}

within()
{
	timeout "$LIMIT" "$@"
}

# What is said is answered, and the end of it as well.
case_socat__echo()
{
	needs socat
	begin socat -t "$LIMIT" "$(listener 5000)" PIPE
	[ "$(echo "is anybody there?" | within socat -t "$LIMIT" - "$(to 5000)")" = \
	  "is anybody there?" ] || fail "there is no echo"
	wait "$started" || fail "the server has failed: $?"
}

case_socat__file()
{
	needs socat
	head -c 3000000 /dev/urandom >"$dir/in"
	begin socat -u "$(listener 5001)" "CREATE:$dir/out"
	within socat -u "FILE:$dir/in" "$(to 5001)" || fail "the client has failed: $?"
	wait "$started" || fail "the server has failed: $?"
	cmp "$dir/in" "$dir/out" || fail "the copy is another"
}

# A process for each connection, some at the same time.
case_socat__fork()
{
	local i pids=()

	needs socat
	begin socat -t "$LIMIT" "$(listener 5002 fork)" EXEC:cat
	for ((i = 0; i < 8; i++)); do
		echo "number $i" |
			within socat -t "$LIMIT" - "$(to 5002)" >"$dir/fork$i" &
		pids+=($!)
	done
	for ((i = 0; i < 8; i++)); do
		wait "${pids[i]}" || fail "client $i has failed: $?"
		[ "$(cat "$dir/fork$i")" = "number $i" ] ||
			fail "client $i's answer is '$(cat "$dir/fork$i")'"
	done
	kill "$started"
}

# The answer comes after the question's end.
case_socat__half_close()
{
	local count

	needs socat
	begin socat -t "$LIMIT" "$(listener 5003)" 'EXEC:wc -c'
	count=$(head -c 100000 /dev/zero | within socat -t "$LIMIT" - "$(to 5003)")
	[ "$count" = 100000 ] || fail "of 100000 bytes it counted '$count'"
	wait "$started" || fail "the server has failed: $?"
}

# Each write is a record, and each read is one.
case_socat__records()
{
	needs socat
	begin socat -t "$LIMIT" "$(listener 5004 "type=$SEQPACKET")" PIPE
	[ "$(echo "one record" |
	     within socat -t "$LIMIT" - "$(to 5004 "type=$SEQPACKET")")" = \
	  "one record" ] || fail "there is no echo"
	wait "$started" || fail "the server has failed: $?"
}

case_socat__datagrams()
{
	local i

	needs socat
	begin socat -u "SOCKET-RECV:$FAMILY:$DGRAM:0:$(at 5005)" "CREATE:$dir/datagrams"
	for ((i = 0; i < 400; i++)); do
		echo datagram | within socat -u - "SOCKET-SENDTO:$FAMILY:$DGRAM:0:$(at 5005)"
		[ ! -s "$dir/datagrams" ] || break
	done
	kill "$started"
	[ "$(head -n 1 "$dir/datagrams")" = datagram ] || fail "none has arrived"
}

# Perl packs what it is told to: both ends of each type.
case_perl()
{
	needs perl
	within perl -w - "$FAMILY" "$STREAM" "$SEQPACKET" "$DGRAM" <<-'END' || fail "it has failed"
		use strict;
		my ($family, $stream, $seqpacket, $dgram) = @ARGV;

		sub at { return pack('S S L L a6 x2', $family, 0, $_[0], 0, ''); }

		sub pair {
			my ($type, $port) = @_;
			socket(my $listener, $family, $type, 0) or die "socket: $!";
			bind($listener, at($port)) or die "bind: $!";
			socket(my $a, $family, $type, 0) or die "socket: $!";
			return ($a, $listener) if $type == $dgram;
			listen($listener, 1) or die "listen: $!";
			connect($a, at($port)) or die "connect: $!";
			my $from = accept(my $b, $listener) or die "accept: $!";
			(unpack('S', $from))[0] == $family or die "whose address is that?";
			(unpack('S S L', getpeername($a)))[2] == $port or die "getpeername";
			return ($a, $b);
		}

		for my $type ($stream, $seqpacket) {
			my ($a, $b) = pair($type, 6000 + $type);
			defined(send($a, 'there', 0)) or die "send: $!";
			defined(recv($b, my $buf, 100, 0)) or die "recv: $!";
			$buf eq 'there' or die "'$buf' has arrived";
			syswrite($b, 'back') == 4 or die "write: $!";
			sysread($a, $buf, 100) == 4 && $buf eq 'back' or die "'$buf' came back";
			shutdown($a, 1) or die "shutdown: $!";
			sysread($b, $buf, 100) == 0 or die "that is no end";
			vec(my $ready = '', fileno($b), 1) = 1;
			select($ready, undef, undef, 0) == 1 or die "select: $!";
		}

		my ($a, $b) = pair($dgram, 6002);
		defined(send($a, 'datagram', 0, at(6002))) or die "sendto: $!";
		my $from = recv($b, my $buf, 100, 0) or die "recvfrom: $!";
		$buf eq 'datagram' or die "'$buf' has arrived";
		send($b, 'answer', 0, $from) == 6 or die "sendto: $!";
		defined(recv($a, $buf, 100, 0)) or die "recv: $!";
		$buf eq 'answer' or die "'$buf' came back";
	END
}

# Python knows no address of a family that it does not know: where there is one in a
# call, the C library's is called instead, and all else is Python's own.
case_python()
{
	needs python3
	within python3 - "$FAMILY" <<-'END' || fail "it has failed"
		import asyncio, ctypes, os, select, socket, struct, sys

		family = int(sys.argv[1])
		libc = ctypes.CDLL(None, use_errno=True)

		def at(port):
		    return struct.pack("=HHII6s2x", family, 0, port, 0, b"")

		def call(function, sock, port):
		    addr = at(port)
		    if function(sock.fileno(), addr, len(addr)):
		        raise OSError(ctypes.get_errno(), function.__name__)

		def pair(kind, port):
		    listener = socket.socket(family, kind)
		    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    call(libc.bind, listener, port)
		    listener.listen(1)
		    a = socket.socket(family, kind)
		    call(libc.connect, a, port)
		    fd = libc.accept(listener.fileno(), None, None)
		    if fd < 0:
		        raise OSError(ctypes.get_errno(), "accept")
		    return a, socket.socket(family, kind, fileno=fd)

		for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET:
		    a, b = pair(kind, 7000 + kind)
		    a.sendall(b"there")
		    assert b.recv(100) == b"there"
		    assert b.sendmsg([b"ba", b"ck"]) == 4
		    buf = bytearray(8)
		    assert a.recv_into(buf) == 4 and buf[:4] == b"back", buf
		    with select.epoll() as ep:
		        ep.register(b, select.EPOLLIN | select.EPOLLRDHUP)
		        assert not ep.poll(0)
		        a.shutdown(socket.SHUT_WR)
		        assert ep.poll(10) == [(b.fileno(), select.EPOLLIN | select.EPOLLRDHUP)]
		    assert b.recv(100) == b""

		# Files of lines, and an event loop.
		a, b = pair(socket.SOCK_STREAM, 7100)
		with a.makefile("w") as out, b.makefile() as lines:
		    print("one\ntwo", file=out, flush=True)
		    assert [next(lines), next(lines)] == ["one\n", "two\n"]

		async def talk():
		    size = 1000000
		    loop = asyncio.get_running_loop()
		    a.setblocking(False)
		    b.setblocking(False)
		    sending = asyncio.create_task(loop.sock_sendall(a, bytes(size)))
		    while size:
		        size -= len(await loop.sock_recv(b, 65536))
		    await sending

		asyncio.run(talk())

		with open("/proc/self/exe", "rb") as file:
		    size = min(os.fstat(file.fileno()).st_size, 100000)
		    a.setblocking(True)
		    b.setblocking(True)
		    assert a.sendfile(file, count=size) == size
		    assert len(b.recv(size, socket.MSG_WAITALL)) == size
	END
}

run_cases "$@"
