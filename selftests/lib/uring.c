// SPDX-License-Identifier: GPL-2.0-only
/* io_uring: see uring.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring.h"
#include "wait.h"

#define ENTRIES	16

static void *ring_map(int fd, size_t len, off_t what)
{
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, fd, what);

	return map == MAP_FAILED ? NULL : map;
}

static void *at(const struct uring *ring, size_t offset)
{
	return ring->map + offset;
}

int uring_open(struct uring *ring)
{
	struct io_uring_params p = { };
	size_t cq_len;

	ring->fd = syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (ring->fd < 0)
		return -errno;
	/* One map for both rings: kernels have it since 5.4. */
	ring->map_len = p.sq_off.array + p.sq_entries * sizeof(unsigned int);
	cq_len = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	if (cq_len > ring->map_len)
		ring->map_len = cq_len;
	ring->sqe_len = p.sq_entries * sizeof(struct io_uring_sqe);
	ring->map = ring_map(ring->fd, ring->map_len, IORING_OFF_SQ_RING);
	ring->sqes = ring_map(ring->fd, ring->sqe_len, IORING_OFF_SQES);
	if (!ring->map || !ring->sqes)
		return -ENOMEM;
	ring->sq_tail = at(ring, p.sq_off.tail);
	ring->sq_mask = at(ring, p.sq_off.ring_mask);
	ring->sq_array = at(ring, p.sq_off.array);
	ring->cq_head = at(ring, p.cq_off.head);
	ring->cq_tail = at(ring, p.cq_off.tail);
	ring->cq_mask = at(ring, p.cq_off.ring_mask);
	ring->cqes = at(ring, p.cq_off.cqes);
	return 0;
}

void uring_close(struct uring *ring)
{
	munmap(ring->map, ring->map_len);
	munmap(ring->sqes, ring->sqe_len);
	close(ring->fd);
}

int uring_register_buffer(struct uring *ring, const struct iovec *iov)
{
	return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS,
		       iov, 1) ? -errno : 0;
}

int uring_submit(struct uring *ring, const struct io_uring_sqe *sqe,
		 unsigned int id)
{
	unsigned int tail = *ring->sq_tail;
	unsigned int slot = tail & *ring->sq_mask;

	ring->sqes[slot] = *sqe;
	ring->sqes[slot].user_data = id;
	ring->sq_array[slot] = slot;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) == 1 ?
	       0 : -errno;
}

int uring_idle(struct uring *ring)
{
	return *ring->cq_head == __atomic_load_n(ring->cq_tail,
						 __ATOMIC_ACQUIRE);
}

int uring_wait(struct uring *ring, unsigned int *id)
{
	struct pollfd p = { .fd = ring->fd, .events = POLLIN };
	const struct io_uring_cqe *cqe;
	unsigned int head = *ring->cq_head;
	int res;

	while (uring_idle(ring)) {
		if (poll(&p, 1, WAIT_MS) != 1)
			return -ETIMEDOUT;
		/* What is to be done in this task's name is done here. */
		syscall(SYS_io_uring_enter, ring->fd, 0, 0,
			IORING_ENTER_GETEVENTS, NULL, 0);
	}
	cqe = &ring->cqes[head & *ring->cq_mask];
	*id = cqe->user_data;
	res = cqe->res;
	ring->flags = cqe->flags;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return res;
}
