/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Echoes: this host answers who asks whether it is there.
 */
#ifndef _FERRY_ECHO_H
#define _FERRY_ECHO_H

/**
 * enum ferry_echo_who - who is answered: net.ferry.echo
 *
 * @FERRY_ECHO_NOBODY: nobody
 * @FERRY_ECHO_DIRECT: who asks this host alone
 * @FERRY_ECHO_ALL: also who asks everyone on the wire
 */
enum ferry_echo_who {
	FERRY_ECHO_NOBODY,
	FERRY_ECHO_DIRECT,
	FERRY_ECHO_ALL,
};

void ferry_echo_init(void);

#endif /* _FERRY_ECHO_H */
