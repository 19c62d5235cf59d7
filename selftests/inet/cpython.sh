#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cpython.sh - CPython's own tests of its socket module, of TCP and UDP, over Ferry
#
# Prints TAP: a case for each of theirs. Those of other families in the same file are
# left out, and so is what asks for a connection of IPv4 to a socket of IPv6.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Of test_socket.py.
readonly CLASSES=(
	BasicTCPTest BasicUDPTest
	SendmsgUDPTest RecvmsgUDPTest RecvmsgIntoUDPTest
	SendmsgTCPTest RecvmsgTCPTest RecvmsgIntoTCPTest
	InterruptedRecvTimeoutTest InterruptedSendTimeoutTest
	TCPCloserTest NonBlockingTCPTests
	FileObjectClassTestCase UnbufferedFileObjectClassTestCase
	LineBufferedFileObjectClassTestCase SmallBufferedFileObjectClassTestCase
	UnicodeReadFileObjectClassTestCase UnicodeWriteFileObjectClassTestCase
	UnicodeReadWriteFileObjectClassTestCase
	NetworkConnectionNoServer NetworkConnectionAttributesTest
	NetworkConnectionBehaviourTest
	TCPTimeoutTest UDPTimeoutTest ContextManagersTest BufferIOTest
	SendfileUsingSendTest SendfileUsingSendfileTest
)

python3 -c 'import test.test_socket' 2>/dev/null ||
	skip_all 'the tests of Python are not installed'

PATIENCE=${FERRY_TIMEOUT:-$USUAL}
# They write files where they are.
cd "$dir" || exit
before=$(count ActiveOpens)
over python3 -X faulthandler -m unittest -v "${CLASSES[@]/#/test.test_socket.}" \
	test.test_socketserver test.test_asyncio.test_sock_lowlevel \
	test.test_asyncio.test_sendfile >said 2>&1
status=$?

# What a test prints may stand between its name and its result, which ends a line.
echo TAP version 13
awk '
	function result(word, name, note) {
		printf "%s %d %s%s\n", word, ++n, name, note
		bad += word != "ok"
	}
	{ sub(/^# /, "") }
	/^test[[:alnum:]_]* \(.*\)/ {
		name = $2
		gsub(/^\((test\.)?|\)$/, "", name)
	}
	name == "" { next }
	/(^| )ok$/ { result("ok", name, ""); name = "" }
	/(^| )skipped / { sub(/.*skipped /, ""); result("ok", name, " # SKIP " $0); name = "" }
	/(^| )(FAIL|ERROR)$/ { result("not ok", name, ""); name = "" }
	END {
		print "1.." (n + 0)
		exit !n || bad
	}' said
judged=$?
opened=$(($(count ActiveOpens) - before))
echo "# $opened connections were of Ferry"
if [ $status -ne 0 ] || [ $judged -ne 0 ] || [ $opened -lt 100 ]; then
	sed 's/^/# /' said
	exit 1
fi
