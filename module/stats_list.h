/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters in their order: FERRY_STAT(symbol, name in /proc/net/ferry/stat)
 *
 * What arrives is InPackets, and is counted once more by what became of it.
 * Included by those who define FERRY_STAT(), so without a guard.
 */
FERRY_STAT(IN_PACKETS, "InPackets")
FERRY_STAT(IN_DATAGRAMS, "InDatagrams")
FERRY_STAT(IN_UNREACH, "InUnreach")
FERRY_STAT(IN_OTHER_HOST, "InDropOtherHost")
FERRY_STAT(IN_GROUP, "InDropNoGroup")
FERRY_STAT(IN_SOURCE, "InDropBadSource")
FERRY_STAT(IN_ECHO, "InDropOwnEcho")
FERRY_STAT(IN_SHORT, "InDropShort")
FERRY_STAT(IN_VERSION, "InDropVersion")
FERRY_STAT(IN_KIND, "InDropKind")
FERRY_STAT(IN_MALFORMED, "InDropMalformed")
FERRY_STAT(IN_CHECKSUM, "InDropChecksum")
FERRY_STAT(IN_NO_PORT, "InDropNoPort")
FERRY_STAT(IN_FILTER, "InDropFilter")
FERRY_STAT(IN_RCVBUF, "InDropReceiveBuffer")
FERRY_STAT(IN_MEMORY, "InDropMemory")
FERRY_STAT(IN_FAULT, "InDropReaderFault")
FERRY_STAT(IN_STRAY_UNREACH, "InDropStrayUnreach")
FERRY_STAT(OUT_DATAGRAMS, "OutDatagrams")
FERRY_STAT(OUT_UNREACH, "OutUnreach")
FERRY_STAT(OUT_UNREACH_LIMIT, "OutDropUnreachLimit")
FERRY_STAT(OUT_MEMORY, "OutDropMemory")
FERRY_STAT(OUT_DEVICE, "OutDropDevice")
