/* SPDX-License-Identifier: MIT
 *
 * A reply, onto the wire: the status line and the fields, then a page from memory or a file. */
#include "site.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* Bytes handed to the kernel at once; how much a slow reader must take before its deadline starts anew. */
enum { PIECE = 256 * 1024 };

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {
        {200, "OK"},
        {301, "Moved Permanently"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            return known[i].reason;
    return "Unknown";
}

/* The Date field's value, made once a second.  Nothing switches in here, so all tasks can share it. */
static const char *date(void)
{
    static char text[32];
    static time_t made;
    time_t now = time(NULL);
    struct tm tm;
    if (now != made && gmtime_r(&now, &tm) &&
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
        made = now;
    return text;
}

static void put_head(struct text *head, const struct reply *reply, bool close)
{
    text_put(head, "HTTP/1.1 ");
    text_put_number(head, (uint64_t)reply->status);
    text_put(head, " ");
    text_put(head, reason(reply->status));
    text_put(head, "\r\nDate: ");
    text_put(head, date());
    text_put(head, "\r\nContent-Type: ");
    text_put(head, reply->type);
    text_put(head, "\r\nContent-Length: ");
    text_put_number(head, reply->file >= 0 ? reply->size : reply->page.length);
    if (reply->location) {
        text_put(head, "\r\nLocation: ");
        text_put(head, reply->location);
    }
    if (reply->status == 405)
        text_put(head, "\r\nAllow: GET, HEAD");
    text_put(head, close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
}

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
        text_put(&reply->page, reason(reply->status));
        text_put(&reply->page, "\n");
    }
    put_head(&head, reply, close);
    bool sent = !head.failed && !reply->page.failed;

    if (reply->file >= 0) {
        bool body = !only_head && reply->size > 0;
        sent = sent && send_bytes(site, fd, head.at, head.length, body ? MSG_MORE : 0) &&
               (!body || send_file(site, fd, reply->file, reply->size));
    } else {
        if (!only_head) /* one packet for both */
            text_put_bytes(&head, reply->page.at, reply->page.length);
        sent = sent && !head.failed && send_bytes(site, fd, head.at, head.length, 0);
    }
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
