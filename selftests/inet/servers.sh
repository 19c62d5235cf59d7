#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# servers.sh - servers that everybody knows, and their clients, over Ferry
#
# usage: servers.sh [CASE...]
#
# Prints TAP. A program that is not installed is not missed.

# The cases are called by their names.
# shellcheck disable=SC2317

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

before_case()
{
	passive_opens=$(count PassiveOpens)
	: >"$dir/log"
}

# A program that connects elsewhere shows nothing.
after_case()
{
	[ "$(count PassiveOpens)" -gt "$passive_opens" ] || fail "no connection was Ferry's"
}

# serve COMMAND...: until the case ends
serve()
{
	begin "$@" >>"$dir/log" 2>&1
}

# until_true COMMAND...: it is within time
until_true()
{
	local tries

	for ((tries = 0; tries < 10 * PATIENCE; tries++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	fail "it never is: $*; the log: $(cat "$dir/log")"
}

# redis PORT COMMAND...: what the server there says to it
redis()
{
	over redis-cli -p "$@"
}

replica_is_up()
{
	redis 7001 info replication | grep -q '^master_link_status:up'
}

has_replicated()
{
	[ "$(redis 7001 get river)" = "$1" ]
}

# Many connections in an event loop, in pipelines, and a server that is the client of
# another.
case_redis()
{
	needs redis-server redis-cli redis-benchmark
	serve redis-server --port 7000 --save '' --dir "$dir"
	until_true redis 7000 ping
	over redis-benchmark -p 7000 -q -n 2000 -c 20 -P 4 -t set,get,lpush,mset >"$dir/bench" 2>&1 ||
		fail "the benchmark has failed: $(cat "$dir/bench")"
	[ "$(tr '\r' '\n' <"$dir/bench" | grep -c 'requests per second, p50')" -eq 4 ] ||
		fail "not all of it was done: $(cat "$dir/bench")"
	serve redis-server --port 7001 --save '' --dir "$dir" --replicaof 127.0.0.1 7000
	until_true replica_is_up
	redis 7000 set river Styx >/dev/null
	until_true has_replicated Styx
}

# Workers that accept side by side, sendfile, and a proxy between client and server.
case_nginx()
{
	local i

	needs nginx curl
	mkdir -p "$dir/web/logs"
	head -c 3000000 /dev/urandom >"$dir/web/file"
	cat >"$dir/web/conf" <<-END
		daemon off;
		user root;
		worker_processes 2;
		pid $dir/web/pid;
		events { worker_connections 256; }
		http {
			access_log off;
			sendfile on;
			tcp_nopush on;
			server { listen 127.0.0.1:8080 reuseport; root $dir/web; }
			server {
				listen 127.0.0.1:8081;
				location / { proxy_pass http://127.0.0.1:8080; }
			}
		}
	END
	serve nginx -p "$dir/web" -c "$dir/web/conf" -e "$dir/log"
	until_true over curl -s http://127.0.0.1:8081/conf
	for i in 8080 8081; do
		over curl -s "http://127.0.0.1:$i/file" | cmp - "$dir/web/file" ||
			fail "what comes from $i is another"
	done
	# Eight at a time, each more than once.
	for i in {1..32}; do
		echo "url = http://127.0.0.1:8080/conf"
		echo "output = $dir/web/out.$i"
	done >"$dir/web/urls"
	over curl -s --no-progress-meter -Z --parallel-max 8 -K "$dir/web/urls" || fail "one of 32 has failed: $?"
	for i in {1..32}; do
		cmp "$dir/web/out.$i" "$dir/web/conf" || fail "answer $i is another"
	done
}

# iperf PORT OPTION...: a server for one client
iperf()
{
	local port=$1 listening said=$dir/iperf.$1
	shift

	begin iperf3 -4 -s -1 --forceflush -p "$port" >"$said" 2>&1
	listening=$!
	until_true grep -q listening "$said"
	over iperf3 -4 -c 127.0.0.1 -p "$port" -t 1 "$@" >"$dir/client" 2>&1 ||
		fail "the client has failed: $(cat "$dir/client")"
	wait "$listening" || fail "the server has failed: $(cat "$said")"
	grep 'receiver$' "$dir/client" | tail -n 1
}

case_iperf3()
{
	local line

	needs iperf3
	line=$(iperf 5201 -P 2) || fail "$line"
	[[ $line =~ ' MBytes ' || $line =~ ' GBytes ' ]] || fail "two streams brought $line"
	line=$(iperf 5202 -R -Z) || fail "$line"
	[[ $line =~ ' MBytes ' || $line =~ ' GBytes ' ]] || fail "files brought $line"
	line=$(iperf 5203 -u -b 1M -l 1000) || fail "$line"
	[[ $line =~ ' 0/'[1-9] ]] || fail "of datagrams came $line"
}

run_cases "$@"
