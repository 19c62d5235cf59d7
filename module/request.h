/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request: what a listener remembers of a SYN that it has answered, until the
 * handshake is over. A cookie is a request that is remembered by the client.
 *
 * Pure: no kernel state, no allocation, no lock, no clock.
 */
#ifndef _FERRY_REQUEST_H
#define _FERRY_REQUEST_H

#include <linux/types.h>

#include "wire.h"

/**
 * struct ferry_request - a connection in the making
 *
 * @irs: the SYN's sequence number
 * @iss: the SYN-ACK's
 * @deadline: when to send the SYN-ACK again, or to give up
 * @window: what the SYN-ACK offers, in bytes
 * @mss: largest segment that it offers
 * @peer_window: what the SYN offered
 * @peer_mss: largest segment that it offered
 * @echo: its stamp
 * @code: the SYN-ACK's record code
 * @peer_code: the SYN's
 * @sends: SYN-ACKs sent
 * @retries: SYN-ACKs that may follow the first
 * @defer: until so many were sent, an acknowledgment without data is not enough
 * @acked: there was one
 *
 * Embedded in its owner, whose lock guards it.
 */
struct ferry_request {
	u64	irs;
	u64	iss;
	u64	deadline;
	u32	window;
	u32	mss;
	u32	peer_window;
	u32	peer_mss;
	u32	echo;
	u8	code;
	u8	peer_code;
	u8	sends;
	u8	retries;
	u8	defer;
	bool	acked;
};

/**
 * struct ferry_request_offer - what a listener offers those who connect
 *
 * @iss: initial sequence number, or a cookie
 * @window: bytes that it takes at first
 * @mss: largest segment that its device can take
 * @code: its record code, or FERRY_CODE_STREAM
 * @retries: SYN-ACKs that may follow the first
 * @defer: as in struct ferry_request
 */
struct ferry_request_offer {
	u64	iss;
	u32	window;
	u32	mss;
	u8	code;
	u8	retries;
	u8	defer;
};

/**
 * enum ferry_request_verdict - what a segment means for a request
 *
 * @FERRY_REQUEST_IGNORE: nothing
 * @FERRY_REQUEST_SYNACK: send the SYN-ACK again
 * @FERRY_REQUEST_STRAY: answer by what ferry_conn_stray() says
 * @FERRY_REQUEST_DEAD: the client takes it back
 * @FERRY_REQUEST_ACCEPT: the handshake is over: ferry_conn_accept()
 */
enum ferry_request_verdict {
	FERRY_REQUEST_IGNORE,
	FERRY_REQUEST_SYNACK,
	FERRY_REQUEST_STRAY,
	FERRY_REQUEST_DEAD,
	FERRY_REQUEST_ACCEPT,
};

bool ferry_request_init(struct ferry_request *request,
			const struct ferry_seg *syn,
			const struct ferry_request_offer *offer);
void ferry_request_recall(struct ferry_request *request,
			  const struct ferry_seg *ack, u32 peer_mss,
			  u8 peer_code,
			  const struct ferry_request_offer *offer);
void ferry_request_wait(struct ferry_request *request, u64 now);
void ferry_request_synack(struct ferry_request *request, u64 now,
			  struct ferry_seg *seg);
bool ferry_request_expired(const struct ferry_request *request);
bool ferry_request_pass(struct ferry_request *request, u64 now);
bool ferry_request_put_off(struct ferry_request *request,
			   const struct ferry_seg *seg);
enum ferry_request_verdict
ferry_request_in(const struct ferry_request *request,
		 const struct ferry_seg *seg);

#endif /* _FERRY_REQUEST_H */
