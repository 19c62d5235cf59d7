#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# epoll_wakeup.sh - the kernel's own test of who epoll wakes, on our sockets
#
# Threads of it that are to do two things at a stroke do so only if nobody comes
# between: so all of them share one CPU, and give it up when they sleep. In a network
# namespace of their own they leave no card behind.

cd "$(dirname "$0")/../.." || exit
exec unshare --net taskset 1 chrt --fifo 1 "${OUTPUT:-build/selftests/kernel}/epoll_wakeup"
