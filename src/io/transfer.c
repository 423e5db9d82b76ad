/* SPDX-License-Identifier: MIT
 *
 * One transfer, with its attempt called through a pointer; and what arrays of buffers need. */
#include "io/transfer.h"

#include <limits.h>

ssize_t bine__transfer(struct bine__transfer *transfer)
{
    return bine__transfer_by(transfer, transfer->attempt);
}

ssize_t bine__transfer_told(struct bine__transfer *transfer)
{
    ssize_t moved = bine__transfer(transfer);

    if (moved > 0) /* else there may be no array, or a bad one */
        bine__check_moved(transfer->iov->iov_base,
                          (size_t)moved < transfer->iov->iov_len ? moved : (ssize_t)transfer->iov->iov_len,
                          transfer->direction == BINE__OUT);
    return moved;
}

const struct iovec *bine__window(struct bine__transfer *transfer, struct iovec window[BINE__WINDOW],
                                 int *count)
{
    const struct iovec *iov = transfer->iov;
    size_t skip = transfer->done;
    int left = transfer->count, n = 0;

    *count = left;
    transfer->asked = transfer->total;
    if (skip == 0)
        return iov;
    transfer->asked = 0;
    for (; left > 0 && n < BINE__WINDOW; iov++, left--) {
        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        window[n].iov_base = (char *)iov->iov_base + skip;
        window[n].iov_len = iov->iov_len - skip;
        transfer->asked += window[n++].iov_len;
        skip = 0;
    }
    *count = n;
    return window;
}

ssize_t bine__vector_length(const struct iovec *iov, size_t count)
{
    size_t total = 0;

    if (count > 0 && !iov)
        return bine__error(EFAULT);
    for (size_t i = 0; i < count; i++) {
        if (iov[i].iov_len > SSIZE_MAX || total > SSIZE_MAX - iov[i].iov_len)
            return bine__error(EINVAL);
        total += iov[i].iov_len;
    }
    return (ssize_t)(total < BINE__TRANSFER_MAX ? total : BINE__TRANSFER_MAX);
}
