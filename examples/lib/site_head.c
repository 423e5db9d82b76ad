/* SPDX-License-Identifier: MIT
 *
 * A reply's head: the status line and the fields. */
#include "site.h"

#include <time.h>

const char *site_reason(int status)
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

void site_put_head(struct text *head, const struct reply *reply, bool close)
{
    text_put(head, "HTTP/1.1 ");
    text_put_number(head, (uint64_t)reply->status);
    text_put(head, " ");
    text_put(head, site_reason(reply->status));
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
