/* SPDX-License-Identifier: MIT
 *
 * A reply, onto the wire: its head, and then a page from memory or a file. */
#include "site.h"

#include <stdlib.h>

enum {
    PIECE = 256 * 1024, /* handed to the kernel at once: what a slow reader must take before its deadline */
    SMALL = 16 * 1024,  /* files up to here go out together with their head: one packet, one call */
};

/* Both send everything; the deadline is for each piece, so that slow readers may read on and those that
 * have stopped may not. */
static bool send_bytes(const struct site *site, int fd, const char *bytes, size_t n, int flags)
{
    while (n > 0) {
        ssize_t sent = -1;
        BINE_TIMEOUT(site->stalled)
            sent = bine_send(fd, bytes, n < PIECE ? n : PIECE, flags);
        if (sent < 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool send_file(const struct site *site, int fd, int file, uint64_t size)
{
    off_t offset = 0;
    while ((uint64_t)offset < size) {
        uint64_t left = size - (uint64_t)offset;
        ssize_t sent = -1;
        BINE_TIMEOUT(site->stalled)
            sent = bine_sendfile(fd, file, &offset, left < PIECE ? (size_t)left : PIECE);
        if (sent <= 0)
            return false; /* 0: the file has shrunk, and the length that was promised is wrong */
    }
    return true;
}

/* The file's first bytes at the end of the text; false: it is not so long any more, or cannot be read. */
static bool put_file(struct text *text, int file, size_t size)
{
    char *room = text_room(text, size);
    if (!room || bine_pread(file, room, size, 0) != (ssize_t)size)
        return false;
    text->length += size;
    return true;
}

static bool send_reply(const struct site *site, int fd, const struct reply *reply, struct text *head)
{
    bool file = reply->file >= 0 && reply->size > SMALL;
    if (reply->file >= 0 && !file && !put_file(head, reply->file, (size_t)reply->size))
        return false;
    text_put_bytes(head, reply->page.at, reply->page.length);
    return !head->failed && send_bytes(site, fd, head->at, head->length, file ? MSG_MORE : 0) &&
           (!file || send_file(site, fd, reply->file, reply->size));
}

bool site_send(const struct site *site, int fd, struct reply *reply, bool only_head, bool close)
{
    char room[512];
    struct text head = TEXT_IN(room);
    if (reply->page.failed)
        reply->status = 503;
    if (reply->status != 200) { /* the page says what the status line says */
        text_free(&reply->page);
        text_put_number(&reply->page, (uint64_t)reply->status);
        text_put(&reply->page, " ");
        text_put(&reply->page, site_reason(reply->status));
        text_put(&reply->page, "\n");
    }
    site_put_head(&head, reply, close);
    bool sent = !reply->page.failed && !head.failed;
    if (sent && only_head)
        sent = send_bytes(site, fd, head.at, head.length, 0);
    else if (sent)
        sent = send_reply(site, fd, reply, &head);
    text_free(&head);
    return sent;
}

void reply_free(struct reply *reply)
{
    if (reply->file >= 0)
        bine_close(reply->file);
    text_free(&reply->page);
    free(reply->location);
}
