/* SPDX-License-Identifier: MIT
 *
 * The trace in words, written to the memory that the tool reads.
 *
 * A step is a line: its number, the time, a star where there was a choice, and what happens; then,
 * indented, where the task gives up the loop again.  The tool only passes these on. */
#include "check/explore.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/debug.h"
#include "runtime/symbol.h"

enum { DEPTH = 14, CALLS = 3 };

extern char __start_bine_text[] __attribute__((visibility("hidden")));
extern char __stop_bine_text[] __attribute__((visibility("hidden")));

/* Of a long schedule its beginning and its end are told. */
bool bine__explore_telling(const struct bine__explore *explore)
{
    const struct bine__explore_share *share = explore->share;
    return share && share->tell && share->text_used < BINE__EXPLORE_TEXT - 1 &&
           (share->steps <= BINE__EXPLORE_TOLD || share->steps >= share->tell_last);
}

void bine__explore_say(struct bine__explore *explore, const char *format, ...)
{
    struct bine__explore_share *share = explore->share;
    va_list args;

    if (!bine__explore_telling(explore))
        return;
    va_start(args, format);
    int n = vsnprintf(share->text + share->text_used, BINE__EXPLORE_TEXT - share->text_used, format, args);
    va_end(args);
    if (n < 0)
        return;
    if ((uint32_t)n >= BINE__EXPLORE_TEXT - share->text_used)
        share->text_used = BINE__EXPLORE_TEXT - 1;
    else
        share->text_used += (uint32_t)n;
}

void bine__explore_name(char *text, size_t size, const struct bine_task *task)
{
    if (task->flags & BINE__TASK_NAMED)
        snprintf(text, size, "task %llu '%s'", (unsigned long long)task->id, task->name_);
    else
        snprintf(text, size, "task %llu (spawned at %s)", (unsigned long long)task->id,
                 task->site ? task->site : "?");
}

static void say_timer(struct bine__explore *explore, const struct bine__timer *timer)
{
    const char *what = bine__explore_is_deadline(timer) ? "the deadline of a scope passes"
                       : bine__explore_is_sleep(timer)  ? "its sleep is over"
                                                        : "a timer fires";
    bine__explore_say(explore, "%s (set for %.6f s)", what, (double)timer->deadline / 1e9);
}

void bine__explore_say_option(struct bine__explore *explore, const struct bine__option *option, bool quietly)
{
    char name[128] = "the loop";
    if (!bine__explore_telling(explore))
        return;
    if (explore->share->steps == explore->share->tell_last && explore->share->steps > BINE__EXPLORE_TOLD + 1)
        bine__explore_say(explore, "     ... %u steps\n", explore->share->steps - BINE__EXPLORE_TOLD - 1);
    if (option->task)
        bine__explore_name(name, sizeof name, option->task);
    bine__explore_say(explore, "%s%4u %.6f s  %s%s: ", quietly ? "   +" : "", explore->share->steps,
                      (double)explore->loop->now / 1e9, explore->point && !quietly ? "* " : "  ", name);
    switch (option->kind) {
    case BINE__OPTION_RUN:
        bine__explore_say(explore, option->task->flags & BINE__TASK_STARTED ? "goes on" : "starts");
        break;
    case BINE__OPTION_IO:
        bine__explore_say(explore, "descriptor %d is ready%s", option->io.fd,
                          option->io.events & 1 ? " to read" : " to write");
        break;
    case BINE__OPTION_TIMER:
        say_timer(explore, option->timer);
        break;
    }
    if (option->second) {
        bine__explore_say(explore, ", and ");
        say_timer(explore, option->second);
    }
    bine__explore_say(explore, "%s\n", quietly ? ", before its task runs" : "");
}

/* The first address that is not the library's; its code is a section of its own (Makefile). */
static const void *outside(void *const frame[], int depth)
{
    for (int i = 1; i < depth; i++)
        if ((char *)frame[i] < __start_bine_text || (char *)frame[i] >= __stop_bine_text)
            return frame[i];
    return NULL;
}

/* "bine_sleep() at bank.c:31 in transfer(), from bank.c:52" */
static void write_place(char *text, size_t size, void *const frame[], int depth)
{
    struct bine__place place[CALLS];
    char name[BINE__SYMBOL_SIZE];
    int n = bine__call_places(place, CALLS, outside(frame, depth), name);
    size_t used = 0;

    text[0] = '\0';
    for (int i = 0; i < n && used < size; i++)
        if (i == 0)
            used += (size_t)snprintf(text, size, "%s%sat %s%s%s%s", *name ? name : "", *name ? "() " : "",
                                     place[i].where, place[i].function[0] ? " in " : "", place[i].function,
                                     place[i].function[0] ? "()" : "");
        else
            used += (size_t)snprintf(text + used, size - used, ", from %s", place[i].where);
}

/* Looking a place up takes milliseconds, and a loop comes there again. */
static const char *place_text(uint64_t hash, void *const frame[], int depth)
{
    static struct {
        uint64_t hash;
        char text[600];
    } known[64];
    unsigned at = (unsigned)(hash % (sizeof known / sizeof known[0]));

    if (known[at].hash != hash)
        write_place(known[at].text, sizeof known[at].text, frame, depth);
    known[at].hash = hash;
    return known[at].text;
}

uint64_t bine__explore_place(struct bine__explore *explore, bool say)
{
    void *frame[DEPTH];
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    int depth = bine__backtrace(frame, DEPTH);

    for (int i = 1; i < depth; i++)
        hash = (hash ^ (uint64_t)(uintptr_t)frame[i]) * UINT64_C(0x100000001b3);
    if (say)
        bine__explore_say(explore, "%s\n", place_text(hash, frame, depth));
    return hash;
}
