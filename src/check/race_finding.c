/* SPDX-License-Identifier: MIT
 *
 * Findings: each is told once, with its sites as lines of the source.
 *
 * Text for people goes to standard error.  For the tool, which prints other forms, a file gets a line for
 * each thing: "finding KIND<tab>summary", then for each site "site role<tab>text" and its frames, innermost
 * first, "frame function<tab>file:line", then "end". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/race.h"
#include "runtime/symbol.h"

enum { SEEN = 1024, FRAMES = 16, TEXT_SIZE = 16 << 10 };

static uint64_t seen[SEEN];
static unsigned seen_count, told;
bool bine__findings_without_lines;

struct text {
    char at[TEXT_SIZE];
    size_t used;
};

static __attribute__((format(printf, 2, 3))) void add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text->at + text->used, sizeof text->at - text->used, format, args);
    va_end(args);
    text->used =
        n < 0 || (size_t)n >= sizeof text->at - text->used ? sizeof text->at - 1 : text->used + (size_t)n;
}

void bine__finding_site(struct bine__finding *finding, const char *role, uint32_t pc, uint32_t context,
                        const char *format, ...)
{
    if (finding->sites == BINE__SITES)
        return;
    struct bine__site_of *site = &finding->site[finding->sites++];
    va_list args;
    va_start(args, format);
    vsnprintf(site->text, sizeof site->text, format, args);
    va_end(args);
    site->role = role;
    site->where = NULL;
    site->pc = pc;
    site->context = context;
}

void bine__finding_place(struct bine__finding *finding, const char *role, const char *where, const char *text)
{
    bine__finding_site(finding, role, 0, 0, "%s", text);
    finding->site[finding->sites - 1].where = where;
}

static bool is_new(const struct bine__finding *finding)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (const char *c = finding->kind; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 0x100000001b3U;
    for (unsigned i = 0; i < finding->sites; i++)
        hash = (hash ^ finding->site[i].pc ^ (uintptr_t)finding->site[i].where) * 0x100000001b3U;
    if (finding->sites == 0) /* all it has is what it says */
        for (const char *c = finding->summary; *c; c++)
            hash = (hash ^ (uint8_t)*c) * 0x100000001b3U;
    for (unsigned i = 0; i < seen_count && i < SEEN; i++)
        if (seen[i] == hash)
            return false;
    seen[seen_count++ % SEEN] = hash;
    return true;
}

/* Of the C++ library, where the program has it. */
extern char *__cxa_demangle(const char *, char *, size_t *, int *) __attribute__((weak)); /* NOLINT: its name */

/* Whom a finding is told for: it is told on that one's stack, and making a name of a long symbol takes much of it. */
static const struct bine__strand *telling;

static bool has_room(const char *frame)
{
    enum { NEEDED = 32 << 10 };
    if (!telling || !telling->stack)
        return true; /* the loop's own */
    return (uintptr_t)frame < telling->stack_end && (uintptr_t)frame - telling->stack > NEEDED;
}

/* Without its parameters: "gate::enter", not "_ZN4gate5enterEv". */
static void demangle(char name[BINE__SYMBOL_SIZE], const char *symbol, size_t length)
{
    char copy[256];
    if (!__cxa_demangle || strncmp(symbol, "_Z", 2) != 0 || length >= sizeof copy || !has_room(copy))
        return;
    memcpy(copy, symbol, length);
    copy[length] = '\0';
    char *said = __cxa_demangle(copy, NULL, NULL, NULL), *end = said ? strrchr(said, ')') : NULL;
    for (int depth = 0; end && end > said; end--) {
        depth += (*end == ')') - (*end == '(');
        if (depth == 0) {
            *end = '\0';
            break;
        }
    }
    if (said)
        snprintf(name, BINE__SYMBOL_SIZE, "%s", said);
    free(said);
}

/* The program's own functions end where the library called the first of them. */
static bool add_frame(struct text *text, unsigned number, uintptr_t pc)
{
    struct bine__place place;
    bine__place_of_call(&place, (const void *)pc);
    if (strncmp(place.function, "bine__", 6) == 0)
        return false;
    if (!place.line_known && bine__race_near(pc)) /* the program's own */
        bine__findings_without_lines = true;
    const char *function = place.function[0] ? place.function : "?";
    if (bine__race_options.log)
        add(text, "frame %s\t%s\n", function, place.where);
    else
        add(text, "    #%u %s %s\n", number, function, place.where);
    return true;
}

static void add_stack(struct text *text, uint32_t pc, uint32_t context)
{
    if (!add_frame(text, 0, bine__race_pc(pc)))
        add_frame(text, 0, bine__race_pc(pc)); /* it is all there is */
    for (unsigned n = 1; context && n < FRAMES; n++) {
        uintptr_t call = bine__race_context_call(context, &context);
        if (!call || !add_frame(text, n, call))
            return;
    }
}

static void write_all(int fd, const char *at, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n <= 0)
            return;
        at += n;
        size -= (size_t)n;
    }
}

void bine__finding_tell(struct bine__finding *finding)
{
    static struct text text; /* not on a task's stack; one thread is watched */
    int error = errno;
    if (bine__race_options.off || !is_new(finding))
        return;
    bine__explore_finding(finding->kind, finding->summary);
    if (told++ < bine__race_options.most) {
        struct bine__strand *self = bine__race_self;
        bine__race_self = NULL; /* what is done here is not the program's doing */
        telling = self;
        bine__name_for_people = demangle;
        bool log = bine__race_options.log != NULL;
        text.used = 0;
        bool colour = bine__race_options.colour && !log;
        add(&text,
            log      ? "finding %s\t%s\n"
            : colour ? "bine-race: \033[1;31m%s\033[0m: \033[1m%s\033[0m\n"
                     : "bine-race: %s: %s\n",
            finding->kind, finding->summary);
        for (unsigned i = 0; i < finding->sites; i++) {
            const struct bine__site_of *site = &finding->site[i];
            if (log)
                add(&text, "site %s\t%s\n", site->role, site->text);
            else
                add(&text, "  %s:\n", site->text);
            if (site->where)
                add(&text, log ? "frame %s\t%s\n" : "    #0 %s %s\n", "?", site->where);
            else
                add_stack(&text, site->pc, site->context);
        }
        add(&text, log ? "end\n" : "\n");
        int fd = log ? open(bine__race_options.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)
                     : STDERR_FILENO;
        write_all(fd, text.at, text.used);
        if (log && fd >= 0)
            close(fd);
        bine__name_for_people = NULL;
        bine__race_self = self;
    }
    errno = error;
}

unsigned bine__findings(void) { return told; }

const char *bine__strand_name(char text[64], uint32_t number)
{
    const struct bine__strand *strand = bine__race_strand(number);
    if (strand && strand->name[0])
        snprintf(text, 64, "task %llu '%s'", (unsigned long long)strand->task, strand->name);
    else if (strand)
        snprintf(text, 64, "task %llu", (unsigned long long)strand->task);
    else
        snprintf(text, 64, "a task that is gone");
    return text;
}

const char *bine__left_name(char text[64], const struct bine__left *left)
{
    struct bine__place place;
    bine__place_of_call(&place, (const void *)left->library);
    bool public = strncmp(place.function, "bine_", 5) == 0 && place.function[5] != '_';
    const char *wait = left->wait < BINE__WAIT_COUNT ? bine__wait_names[left->wait] : NULL;
    if (left->library && public)
        snprintf(text, 64, "%.60s()", place.function);
    else
        snprintf(text, 64, "%s", wait ? wait : "a call that yields");
    return text;
}
