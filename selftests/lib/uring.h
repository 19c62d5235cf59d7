/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * io_uring for tests, by its system calls.
 */
#ifndef _FERRY_TEST_URING_H
#define _FERRY_TEST_URING_H

#include <linux/io_uring.h>
#include <stddef.h>
#include <sys/uio.h>

/*
 * struct uring - a ring
 *
 * Begin with uring_open(). Of each kind of operation one may be under way,
 * told from others by its user_data, which uring_submit() is given. @flags are
 * those of the end that uring_wait() has returned last: IORING_CQE_F_*.
 */
struct uring {
	int			fd;
	unsigned int		*sq_tail, *sq_mask, *sq_array;
	unsigned int		*cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe	*sqes;
	struct io_uring_cqe	*cqes;
	char			*map;
	size_t			map_len, sqe_len;
	unsigned int		flags;
};

/* Return: 0 or -errno; -EPERM: there is none to be had here. */
int uring_open(struct uring *ring);
void uring_close(struct uring *ring);
/* One buffer, number 0. Return: 0 or -errno. */
int uring_register_buffer(struct uring *ring, const struct iovec *iov);
/* Begin an operation. Return: 0 or -errno. */
int uring_submit(struct uring *ring, const struct io_uring_sqe *sqe,
		 unsigned int id);
/*
 * Wait for the end of any. Return: its result, which is a negative errno if it
 * has failed; -ETIMEDOUT if there is none within WAIT_MS.
 */
int uring_wait(struct uring *ring, unsigned int *id);
/* Is none at its end now? */
int uring_idle(struct uring *ring);

#endif
