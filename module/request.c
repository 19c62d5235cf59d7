// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests. See request.h.
 */
#ifdef __KERNEL__
#include <linux/minmax.h>
#else
#include "user.h"
#endif

#include "conn.h"
#include "request.h"

/**
 * ferry_request_init() - remember a SYN
 * @request: where
 * @syn: the SYN
 * @offer: what the listener offers
 *
 * Context: any; pure.
 * Return: false if the SYN asks for a stream and the listener has records, or
 * the other way around: then ferry_conn_stray() says what answers it.
 */
bool ferry_request_init(struct ferry_request *request,
			const struct ferry_seg *syn,
			const struct ferry_request_offer *offer)
{
	if (!syn->code != !offer->code)
		return false;
	*request = (struct ferry_request) {
		.irs = syn->seq,
		.iss = offer->iss,
		.window = min_t(u32, offer->window, FERRY_WINDOW_MAX),
		.mss = offer->mss,
		.peer_window = min_t(u32, syn->window, FERRY_WINDOW_MAX),
		.peer_mss = syn->mss,
		.echo = syn->stamp,
		.code = offer->code,
		.peer_code = syn->code,
		.retries = offer->retries,
		.defer = offer->defer,
	};
	return true;
}

/**
 * ferry_request_recall() - remember a SYN by what its cookie says
 * @request: where
 * @ack: the segment that brings the cookie back
 * @peer_mss: the SYN's largest segment, from the cookie
 * @peer_code: its record code, from the cookie
 * @offer: what the listener offers, as it did in the SYN-ACK; @offer->iss is not
 *	read
 *
 * What the cookie does not remember, the segment says: its window is as good as
 * the SYN's.
 *
 * Context: any; pure.
 */
void ferry_request_recall(struct ferry_request *request,
			  const struct ferry_seg *ack, u32 peer_mss,
			  u8 peer_code,
			  const struct ferry_request_offer *offer)
{
	*request = (struct ferry_request) {
		.irs = ack->seq - 1,
		.iss = ack->ack - 1,
		.window = min_t(u32, offer->window, FERRY_WINDOW_MAX),
		.mss = offer->mss,
		.peer_window = min_t(u32, ack->window, FERRY_WINDOW_MAX),
		.peer_mss = peer_mss,
		.echo = ack->stamp,
		.code = offer->code,
		.peer_code = peer_code,
		.sends = 1,
	};
}

/**
 * ferry_request_wait() - wait for the end of the handshake
 * @request: the request, its SYN-ACK sent; its deadline is set
 * @now: the time
 *
 * As long as after the last SYN-ACK.
 *
 * Context: any; pure.
 */
void ferry_request_wait(struct ferry_request *request, u64 now)
{
	u64 wait = (u64)FERRY_RTO_INITIAL << min_t(u8, request->sends - 1, 7);

	request->deadline = now + min_t(u64, wait, FERRY_RTO_MAX);
}

/**
 * ferry_request_synack() - the SYN-ACK is about to leave, first or again
 * @request: the request; its deadline is set
 * @now: the time
 * @seg: where to store what its packet says
 *
 * Context: any; pure.
 */
void ferry_request_synack(struct ferry_request *request, u64 now,
			  struct ferry_seg *seg)
{
	*seg = (struct ferry_seg) {
		.kind = FERRY_KIND_SYNACK,
		.code = request->code,
		.seq = request->iss,
		.ack = request->irs + 1,
		.window = request->window,
		.stamp = (u32)now ?: 1,
		.echo = request->echo,
		.mss = request->mss,
	};
	if (request->sends < U8_MAX)
		request->sends++;
	ferry_request_wait(request, now);
}

/**
 * ferry_request_expired() - whether a request whose deadline has come is to die
 * @request: the request
 *
 * Context: any; pure.
 * Return: whether it is; if not, its SYN-ACK is to be sent again.
 */
bool ferry_request_expired(const struct ferry_request *request)
{
	return request->sends > request->retries &&
	       (!request->acked || request->sends > request->defer);
}

/**
 * ferry_request_pass() - whether a SYN-ACK that is due need not be sent
 * @request: the request, its deadline come; if so, another one is set
 * @now: the time
 *
 * The last one was acknowledged, and only data is waited for. The one before the
 * end of that is sent, so that it is acknowledged once more.
 *
 * Context: any; pure.
 * Return: whether it need not.
 */
bool ferry_request_pass(struct ferry_request *request, u64 now)
{
	if (!request->acked || request->sends >= request->defer)
		return false;
	request->sends++;
	ferry_request_wait(request, now);
	return true;
}

/**
 * ferry_request_put_off() - whether a handshake's last segment is to come again
 * @request: the request, of which ferry_request_in() has told to accept
 * @seg: the segment
 *
 * Context: any; pure.
 * Return: whether it is, because it has no data.
 */
bool ferry_request_put_off(struct ferry_request *request,
			   const struct ferry_seg *seg)
{
	if (request->sends > request->defer || ferry_seg_end(seg) != seg->seq)
		return false;
	request->acked = true;
	return true;
}

/**
 * ferry_request_in() - a segment arrives for a request
 * @request: the request
 * @seg: the segment
 *
 * RFC 9293, 3.10.7.4, SYN-RECEIVED.
 *
 * Context: any; pure.
 * Return: what it means.
 */
enum ferry_request_verdict
ferry_request_in(const struct ferry_request *request,
		 const struct ferry_seg *seg)
{
	u64 nxt = request->irs + 1;

	switch (seg->kind) {
	case FERRY_KIND_SYN:
		return seg->seq == request->irs ? FERRY_REQUEST_SYNACK :
						  FERRY_REQUEST_IGNORE;
	case FERRY_KIND_RST:
		return seg->seq == nxt ? FERRY_REQUEST_DEAD :
					 FERRY_REQUEST_IGNORE;
	case FERRY_KIND_SYNACK:
		return FERRY_REQUEST_STRAY;
	}
	if (seg->ack != request->iss + 1)
		return FERRY_REQUEST_STRAY;
	if (seg->seq < nxt || seg->seq > nxt + request->window)
		return FERRY_REQUEST_IGNORE;
	return FERRY_REQUEST_ACCEPT;
}
