/* SPDX-License-Identifier: MIT
 *
 * The memory of a ring: ours, where the kernel takes it (Linux 6.10), and not the kernel's that is mapped here.
 *
 * A ring that is mapped lives for as long as it is, and one that is unmapped tells nothing any more.  In memory of
 * our own the kernel goes on writing completions after the ring has been closed, until it is done with the last
 * operation: so it is known how each has ended, and what number a file has that it has opened, even where a sandbox
 * has forbidden every call that concerns the ring.  Older kernels' rings are mapped.
 *
 * For the same reason the ring is not registered with the thread (io_uring_register_ring_fd(3)): that keeps it alive
 * until another such call, which may be forbidden by then. */
#define _GNU_SOURCE
#include "io/uring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What liburing 2.3 does not name yet. */
enum { NO_MMAP = 1 << 14 /* IORING_SETUP_NO_MMAP */ };

enum { HEADER = 1024 /* bytes: the kernel's is some 200 */ };

static size_t whole_pages(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

static size_t entries_size(unsigned entries)
{
    return whole_pages(entries * sizeof(struct io_uring_sqe));
}

static size_t queues_size(unsigned entries, unsigned completions)
{
    return whole_pages(HEADER + completions * sizeof(struct io_uring_cqe) + entries * sizeof(unsigned));
}

static unsigned *word(void *queues, unsigned offset)
{
    return (unsigned *)(void *)((char *)queues + offset);
}

/* What liburing does with a ring that it has mapped. */
static void adopt(struct io_uring *ring, const struct io_uring_params *params, int fd, void *entries, void *queues)
{
    struct io_uring_sq *sq = &ring->sq;
    struct io_uring_cq *cq = &ring->cq;

    *ring = (struct io_uring){.flags = params->flags, .features = params->features, .ring_fd = fd, .enter_ring_fd = fd};
    sq->sqes = entries;
    sq->khead = word(queues, params->sq_off.head);
    sq->ktail = word(queues, params->sq_off.tail);
    sq->kring_mask = word(queues, params->sq_off.ring_mask);
    sq->kring_entries = word(queues, params->sq_off.ring_entries);
    sq->kflags = word(queues, params->sq_off.flags);
    sq->kdropped = word(queues, params->sq_off.dropped);
    sq->array = word(queues, params->sq_off.array);
    sq->ring_mask = *sq->kring_mask;
    sq->ring_entries = *sq->kring_entries;
    for (unsigned i = 0; i < sq->ring_entries; i++)
        sq->array[i] = i;
    cq->khead = word(queues, params->cq_off.head);
    cq->ktail = word(queues, params->cq_off.tail);
    cq->kring_mask = word(queues, params->cq_off.ring_mask);
    cq->kring_entries = word(queues, params->cq_off.ring_entries);
    cq->koverflow = word(queues, params->cq_off.overflow);
    cq->kflags = word(queues, params->cq_off.flags);
    cq->cqes = (struct io_uring_cqe *)(void *)((char *)queues + params->cq_off.cqes);
    cq->ring_mask = *cq->kring_mask;
    cq->ring_entries = *cq->kring_entries;
}

/* False: the kernel does not take it. */
static bool open_in_own_memory(struct bine__uring *uring, unsigned entries, struct io_uring_params *params)
{
    const size_t first = entries_size(entries), size = first + queues_size(entries, params->cq_entries);
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct io_uring_params own = *params;
    long fd;

    if (memory == MAP_FAILED)
        return false;
    own.flags |= NO_MMAP;
    own.sq_off.resv2 = (uintptr_t)memory; /* called user_addr by now */
    own.cq_off.resv2 = (uintptr_t)(memory + first);
    fd = syscall(__NR_io_uring_setup, entries, &own);
    if (fd < 0) {
        munmap(memory, size);
        return false;
    }
    adopt(&uring->ring, &own, (int)fd, memory, memory + first);
    uring->memory = memory;
    uring->size = size;
    *params = own;
    return true;
}

int bine__uring_ring_open(struct bine__uring *uring, unsigned entries, struct io_uring_params *params)
{
    uring->memory = NULL;
    uring->closed = false;
    if (open_in_own_memory(uring, entries, params))
        return 0;
    return -io_uring_queue_init_params(entries, &uring->ring, params);
}

void bine__uring_ring_close(struct bine__uring *uring)
{
    if (uring->closed)
        return;
    uring->closed = true;
    if (uring->memory)
        close(uring->ring.ring_fd);
    else
        io_uring_queue_exit(&uring->ring);
}

void bine__uring_ring_free(struct bine__uring *uring)
{
    bine__uring_ring_close(uring);
    if (uring->memory)
        munmap(uring->memory, uring->size);
    uring->memory = NULL;
}
