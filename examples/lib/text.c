/* SPDX-License-Identifier: MIT
 *
 * Strings that grow: see text.h. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

static bool grow(struct text *t, size_t n)
{
    if (t->failed)
        return false;
    if (n <= t->room - t->length)
        return true;
    size_t room = t->room < 256 ? 256 : t->room;
    while (room - t->length < n)
        room *= 2;
    char *at = realloc(t->on_heap ? t->at : NULL, room);
    if (!at) {
        t->failed = true;
        return false;
    }
    if (!t->on_heap && t->length > 0)
        memcpy(at, t->at, t->length);
    t->at = at;
    t->room = room;
    t->on_heap = true;
    return true;
}

char *text_room(struct text *t, size_t n)
{
    return grow(t, n) ? t->at + t->length : NULL;
}

void text_put_bytes(struct text *t, const char *bytes, size_t n)
{
    if (n == 0 || !grow(t, n))
        return;
    memcpy(t->at + t->length, bytes, n);
    t->length += n;
}

void text_put(struct text *t, const char *string)
{
    text_put_bytes(t, string, strlen(string));
}

void text_put_number(struct text *t, uint64_t number)
{
    char digits[20];
    size_t i = sizeof digits;
    do {
        digits[--i] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_put_bytes(t, digits + i, sizeof digits - i);
}

void text_put_url(struct text *t, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    static const char hex[] = "0123456789ABCDEF";
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (strchr(plain, c)) {
            text_put_bytes(t, name, 1);
        } else {
            char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
            text_put_bytes(t, escape, sizeof escape);
        }
    }
}

void text_put_html(struct text *t, const char *name)
{
    for (; *name; name++) {
        switch (*name) {
        case '&': text_put(t, "&amp;"); break;
        case '<': text_put(t, "&lt;"); break;
        case '>': text_put(t, "&gt;"); break;
        case '"': text_put(t, "&quot;"); break;
        default: text_put_bytes(t, name, 1);
        }
    }
}

void text_free(struct text *t)
{
    if (t->on_heap)
        free(t->at);
    *t = (struct text)TEXT_EMPTY;
}
