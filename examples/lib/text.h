/* SPDX-License-Identifier: MIT
 *
 * A string that grows while it is written: how the examples put headers and pages together.
 *
 * It may begin in an array of the caller's and moves to the heap when that is full.  A failure is
 * remembered and later writes do nothing, so that only the end has to be checked: text.failed. */
#ifndef EXAMPLES_TEXT_H
#define EXAMPLES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *at; /* not ended by a NUL */
    size_t length;
    size_t room;
    bool on_heap;
    bool failed; /* out of memory: something is missing */
};
#define TEXT_IN(array) {(array), 0, sizeof(array), false, false}
#define TEXT_EMPTY {NULL, 0, 0, true, false}

void text_put(struct text *, const char *string);
void text_put_bytes(struct text *, const char *bytes, size_t n);
void text_put_number(struct text *, uint64_t number);
/* A file's name inside a URL, and inside HTML. */
void text_put_url(struct text *, const char *name);
void text_put_html(struct text *, const char *name);
/* Room for n more bytes, or NULL.  Who fills it adds to .length. */
char *text_room(struct text *, size_t n);
void text_free(struct text *);

#endif
