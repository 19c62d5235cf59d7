# SPDX-License-Identifier: GPL-2.0-only
# For programs over inet.so: within one new network namespace, where localhost is up
# for what is not of IPv4's TCP or UDP. $FERRY_TIMEOUT is more than the usual 400
# seconds on slow kernels.
# shellcheck shell=bash

set -u

readonly USUAL=400
PATIENCE=$((60 * ${FERRY_TIMEOUT:-$USUAL} / USUAL))

if [ -z "${FERRY_INET_INSIDE:-}" ]; then
	FERRY_INET_INSIDE=y exec unshare --net "$0" "$@"
fi
cd "$(dirname "$0")/../.." || exit
so=${OUTPUT:-$PWD/build/selftests/inet}/inet.so
ip link set lo up

# shellcheck source-path=SCRIPTDIR source=../lib/cases.sh
. selftests/lib/cases.sh
[ -r "$so" ] || skip_all 'there is no inet.so: make -C selftests/inet'
needs_ferry
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# over COMMAND...: run it over Ferry, for $PATIENCE seconds at the most
over()
{
	LD_PRELOAD=$so timeout "$PATIENCE" "$@"
}

# begin COMMAND...: the same in the background, as a job that can be killed
begin()
{
	LD_PRELOAD=$so timeout "$PATIENCE" "$@" &
}

# count NAME: one of Ferry's counters, in this namespace
count()
{
	sed -n "s/^$1 //p" /proc/net/ferry/stat
}
