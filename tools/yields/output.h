/* SPDX-License-Identifier: MIT
 *
 * What bine-yields says, as text, JSON or SARIF.
 *
 * Everything is gathered first and printed whole when the command is through: one that fails prints nothing.
 */
#ifndef YIELDS_OUTPUT_H
#define YIELDS_OUTPUT_H

#include "graph.h"

enum output_format { AS_TEXT, AS_JSON, AS_SARIF };
enum level { NOTE, WARNING, ERROR };

struct remark {
    struct place place;
    const char *text;
};

struct finding {
    enum level level;
    const char *rule; /* "switch-point", "switch-in-atomic" ... */
    struct place place;
    const char *function; /* in which it is; may be NULL */
    const char *text;
    VECTOR(struct remark) remarks; /* printed as notes, in JSON and SARIF as related places */
};

struct report {
    const char *command;
    VECTOR(struct finding) findings;
    VECTOR(const char *) lines;  /* text only: instead of the findings, if there are any */
    VECTOR(const char *) asides; /* what could not be seen: to standard error, in JSON "notes" */
    /* In JSON "summary": names and numbers. */
    VECTOR(struct total {
        const char *name;
        long value;
    })
    totals;
};

extern enum output_format output_format;
extern bool output_colour;

/* Valid until the next is added. */
struct finding *report_add(struct report *, enum level, const char *rule, struct place, const struct node *in,
                           const char *text);
void report_remark(struct finding *, struct place, const char *text);
/* The steps by which a call leads to a switch, as remarks. */
void report_chain(struct finding *, const struct call *);
void report_total(struct report *, const char *name, long value);
/* What the graph does not have: functions without a body, inline assembly that calls. */
void report_unseen(struct report *, const struct graph *);
/* Sorted by place, without doubles. */
void report_sort(struct report *);
void report_print(const struct report *);

const char *painted(const char *text, const char *paint); /* for terminals */
#define PAINT_BOLD "1"
#define PAINT_ERROR "1;31"
#define PAINT_WARNING "1;35"
#define PAINT_NOTE "1;36"
#define PAINT_MARK "1;32"

#endif
