/* SPDX-License-Identifier: MIT
 *
 * The memory that bine-explore(1) shares with the program that it explores, and how the two talk.
 *
 * The tool starts the program once, with
 * BINE_EXPLORE=<version>:<memory>:<commands>:<replies>:<output>:<states> in its environment, each a
 * descriptor.  A constructor of the checked library maps the memory and becomes a server: for each byte
 * that it reads from <commands> it forks a child that runs main() under one schedule, and when that has
 * ended it writes its wait status, an int, to <replies>.  The first thing it ever writes there is HELLO.
 * The child's standard output and error go to <output>, emptied before.
 *
 * What is before `pid` the tool writes between two runs; the rest is the child's, but for the server's
 * reset.
 *
 * A schedule is told by its picks: at point so-and-so, counted from 0, such a choice of so many.  At all
 * other points it is the first choice, which is what would happen without the explorer. */
#ifndef BINE_CHECK_EXPLORE_SHARE_H
#define BINE_CHECK_EXPLORE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#define BINE__EXPLORE_ENV "BINE_EXPLORE"
#define BINE__EXPLORE_PATH_ENV "BINE_EXPLORE_PATH" /* a path to follow, without the tool: for a debugger */
#define BINE__EXPLORE_MARK "bine-explore: checked runtime 3" /* found in programs that can be explored */

enum {
    BINE__EXPLORE_MAGIC = 0x62786c31,
    BINE__EXPLORE_VERSION = 3,
    BINE__EXPLORE_HELLO = 0x68656c6f,
    BINE__EXPLORE_UNFAIR = 6, /* unless told otherwise */
    BINE__EXPLORE_UNFAIR_MERGED = 50,
    BINE__EXPLORE_PICKS = 4096,
    BINE__EXPLORE_POINTS = 1 << 16,
    BINE__EXPLORE_FINDINGS = 16,
    BINE__EXPLORE_FINDING = 600, /* bytes of each */
    BINE__EXPLORE_TEXT = 1 << 20,
    BINE__EXPLORE_TOLD = 200, /* steps at the beginning */
    BINE__EXPLORE_STATES = 1 << 22
};

enum bine__explore_policy {
    BINE__EXPLORE_FIRST,  /* beyond the picks: the first choice */
    BINE__EXPLORE_RANDOM, /* drawn from .seed */
    BINE__EXPLORE_PCT     /* by priorities drawn from .seed, changed .depth - 1 times */
};

enum bine__explore_timers {
    BINE__TIMERS_ANY,    /* any pending timer may be the next to fire */
    BINE__TIMERS_LIMITS, /* any sleep may; what limits time keeps its place in time */
    BINE__TIMERS_ORDERED /* in the order of their deadlines */
};

/* What of time is part of a state (--merge).  A program turns out to need more as it goes on; then the
 * tool begins again. */
enum bine__explore_time {
    BINE__TIME_NONE,     /* there are only sleeps, of which any may end next */
    BINE__TIME_RELATIVE, /* how long it is until each timer is due */
    BINE__TIME_ABSOLUTE  /* the program has looked at the clock */
};

enum bine__explore_outcome {
    BINE__EXPLORE_RUNNING, /* ended somehow without having told */
    BINE__EXPLORE_STEPS,   /* took more steps than allowed */
    BINE__EXPLORE_STUCK,   /* nothing could ever happen any more */
    BINE__EXPLORE_MISFIT,  /* the picks do not fit: .misfit says where */
    BINE__EXPLORE_MERGED   /* came to a state that was known: what follows need not be run */
};

struct bine__explore_pick {
    uint32_t point;
    uint16_t choice, of;
    uint32_t quiet; /* choices, a bit each, that complete before it without their tasks' running */
};

/* ---- A path, as it is written: "first", or picks with commas between -------------------------------- */

/* Digits alone: no sign, no space.  false: none, or too large. */
static inline bool bine__explore_digits(const char **text, unsigned base, uint32_t most, uint32_t *value)
{
    uint64_t sum = 0;
    const char *from = *text;
    for (;; (*text)++) {
        const unsigned c = (unsigned char)**text;
        const unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : base;
        if (digit >= base)
            break;
        sum = sum * base + digit;
        if (sum > most)
            return false;
    }
    *value = (uint32_t)sum;
    return *text != from;
}

/* Picks, room for BINE__EXPLORE_PICKS; -1: it is no path. */
static inline int bine__explore_parse(struct bine__explore_pick *pick, const char *text)
{
    if (text[0] == 'f')
        return __builtin_strcmp(text, "first") == 0 ? 0 : -1;
    for (int n = 0; n < BINE__EXPLORE_PICKS; text++) {
        uint32_t point, choice, of, quiet = 0;
        if (!bine__explore_digits(&text, 10, BINE__EXPLORE_POINTS - 1, &point) || *text++ != ':' ||
            !bine__explore_digits(&text, 10, UINT16_MAX, &choice) || *text++ != '/' ||
            !bine__explore_digits(&text, 10, UINT16_MAX, &of) || choice >= of || of < 2)
            return -1;
        if (*text == 'q' && (text++, !bine__explore_digits(&text, 16, UINT32_MAX, &quiet)))
            return -1;
        if (n > 0 && point <= pick[n - 1].point)
            return -1;
        pick[n++] = (struct bine__explore_pick){point, (uint16_t)choice, (uint16_t)of, quiet};
        if (*text != ',')
            return *text ? -1 : n;
    }
    return -1;
}

/* Of all processes: hashes of states; 0: free. */
struct bine__explore_known {
    _Atomic uint64_t state[BINE__EXPLORE_STATES];
};

struct bine__explore_point {
    uint16_t chosen, of;
    uint32_t quiet;   /* as picked */
    uint32_t touched; /* what then ran would have seen a difference had these completed before, quietly */
    uint32_t hash;    /* of all choices offered so far */
};

struct bine__explore_finding {
    int kind; /* enum bine_report_kind */
    char text[600];
};

struct bine__explore_share {
    uint32_t magic, version;
    uint32_t time_needed; /* enum bine__explore_time; raised by the runs */
    uint32_t policy, timers, depth, unfair, max_steps, expected_points;
    uint32_t patience_ms; /* how long to wait for something outside */
    uint32_t tell_last; /* told: the first steps, and those from this one on */
    uint64_t seed;
    bool fifo, eager_io, tell, follow, merge; /* follow: every pick has to fit */
    uint32_t picks;
    struct bine__explore_pick pick[BINE__EXPLORE_PICKS];

    int32_t pid;
    uint32_t outcome, steps, points, misfit;
    bool ran, trimmed, outside, truncated; /* a loop was explored; by .unfair; waited really; out of room */
    bool descriptors, unseen; /* used: descriptors, by bine; something else that is not in memory */
    char doing[160]; /* the task that runs; "": none does */
    uint32_t findings;
    char finding[BINE__EXPLORE_FINDINGS][BINE__EXPLORE_FINDING];
    uint32_t text_used;
    struct bine__explore_point point[BINE__EXPLORE_POINTS];
    char text[BINE__EXPLORE_TEXT];
};

#endif
