#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vsock.sh - the kernel's own test of AF_VSOCK, on our sockets
#
# Prints TAP. Its two ends, which agree over TCP on what comes next, are in one new
# network namespace. A case has passed if both say so, and all if both end with 0.

if [ -z "${VSOCK_INSIDE:-}" ]; then
	VSOCK_INSIDE=y exec unshare --net "$0"
fi

cd "$(dirname "$0")/../.." || exit
program=${OUTPUT:-build/selftests/kernel}/vsock_test
port=1234
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# end MODE: one of the two
end()
{
	"$program" --mode="$1" --control-host=127.0.0.1 --control-port=$port \
		--peer-cid=0 >"$dir/$1" 2>&1
}

ip link set lo up
end server &
until grep -q " 0100007F:$(printf %04X $port) .* 0A " /proc/net/tcp; do
	kill -0 $! || break
	sleep 0.1
done
failed=0
end client || failed=1
wait $! || failed=1

"$program" --list | sed -n 's/\t/ - /; 2,$p' >"$dir/cases"
echo TAP version 13
echo "1..$(wc -l <"$dir/cases")"
while read -r case; do
	if grep -qFx "$case...ok" "$dir/client" && grep -qFx "$case...ok" "$dir/server"; then
		echo "ok $((${case%% *} + 1)) ${case#* - }"
	else
		failed=1
		echo "not ok $((${case%% *} + 1)) ${case#* - }"
	fi
done <"$dir/cases"
[ $failed -eq 0 ] || sed 's/^/# /' "$dir/server" "$dir/client"
exit $failed
