/* SPDX-License-Identifier: MIT
 *
 * The graph of calls: functions, the calls in them, and of each whether it may switch.
 *
 * Built from what gcc writes beside an object: the call graph (.ci: functions, frames, calls), and, where
 * they are there, its dumps (.ssa: each call with the type of the pointer that it goes through; .cgraph: the
 * functions whose address is taken).  A unit without dumps is filled in from its source, by the number of
 * arguments.
 *
 * A call has a target, or goes through a pointer and has the functions that the pointer may hold. */
#ifndef YIELDS_GRAPH_H
#define YIELDS_GRAPH_H

#include "text.h"
#include "type.h"

struct place {
    const char *file; /* interned, as the compiler was given it; NULL: not known */
    int line, column;
};

/* How surely something may switch tasks. */
enum colour {
    QUIET,
    MAYBE,   /* through a pointer that nothing was found for */
    POINTER, /* through a pointer that may hold a function that does */
    YIELDS   /* by direct calls alone */
};

enum kind {
    DIRECT,
    CALLED_BACK, /* passed by name to a function that is not in the graph, and taken to be called by it */
    INDIRECT     /* through a pointer */
};

struct node;
struct nodes {
    struct node **at;
    size_t count, room;
};

struct call {
    struct node *from, *to; /* to: NULL if indirect */
    struct place place;
    enum kind kind;
    const struct signature *through; /* indirect: the pointer's type, if known */
    int arguments;                   /* indirect, without a type: how many are passed; -1: not known */
    bool found;                      /* indirect: some function goes with it */
    struct nodes candidates;
    size_t exact; /* the first so many are of the pointer's own type */
    const struct node *passed_to; /* called back, or the pointer was passed: by whom */
    bool colours, stacks;         /* which questions it answers: the dump's, the .ci's, or both */
};

struct node {
    const char *symbol;                /* as in the object file */
    const char *name;                  /* for people */
    struct unit *unit;                 /* where its body is; NULL: not in the graph */
    struct unit *seen_in;              /* that mentions it first: for finding its declaration */
    struct place place;                /* its definition, or a declaration */
    bool defined;                      /* its body is in the graph */
    bool ours;                         /* a call of bine's that switches (the list that the manual gives) */
    bool hands_out;                    /* of these, one that a generator goes to its consumer by */
    bool resumes;                      /* a call of bine's that lets a generator's body run */
    bool switches;                     /* not only by handing out */
    bool taken;                        /* its address is */
    bool shared;                       /* other units see it, and may have another: weak, or inline */
    struct node *alias_of;             /* another name of that one; NULL: of none */
    const struct signature *signature; /* NULL: not known */
    int parameters;                    /* without a signature: how many; -1: not known */
    long frame;                        /* bytes of stack; -1: not known */
    bool unbounded;                    /* alloca, variable-length array */
    VECTOR(struct call *) calls;
    VECTOR(struct call *) callers; /* calls that may reach it */
    enum colour colour;
    const struct call *why;  /* the call through which it got its colour */
    const struct node *next; /* and where that leads */
    size_t index;            /* for walks: its place among the nodes */
    int mark;
};

struct unit {
    const char *path;   /* of its .ci */
    const char *source; /* the file that was compiled */
    bool typed;         /* it has the dump with the types */
    bool knows_taken;   /* and the one that says whose address is taken */
    bool cxx;
    struct map by_symbol; /* interned symbol -> node, of what the unit mentions */
};

struct graph {
    VECTOR(struct unit *) units;
    VECTOR(struct node *) nodes;
    VECTOR(struct call *) calls;
    struct map global;             /* symbol -> node that all units see */
    VECTOR(const char *) assembly; /* "file:line:col" of inline assembly that calls */
};

struct graph *graph_new(void);
/* Takes a further function for one that switches. */
void graph_add_ours(struct graph *, const char *symbol);
/* The node for a symbol of a unit; local: one of the unit's own. */
struct node *graph_node(struct graph *, struct unit *, const char *symbol, bool local);
/* The same for one whose body the unit has: marks it as defined. */
struct node *graph_definition(struct graph *, struct unit *, const char *symbol, bool local);
struct call *graph_call(struct graph *, struct node *from, struct node *to, struct place, enum kind);
/* Finds what pointers may hold, then colours.  Once, when all units are read. */
void graph_finish(struct graph *);

/* The readers.  Each ends the program with a message if its file is not what it should be. */
void read_units(struct graph *, char *const *paths, size_t count);
void read_ci(struct graph *, struct unit *);
const char *source_of_ci(const char *path);
void read_ssa(struct graph *, struct unit *, const char *path);
void read_taken(struct graph *, struct unit *, const char *path);

struct place place_of(const char *text, size_t length); /* "file:line:col" */
enum colour call_colour(const struct call *);
bool is_system(const char *file); /* the compiler's and the C library's own headers */
/* Where a call leads and why it switches: "f() -> int (*)(void) as g() -> bine_read()". */
const char *chain_of(const struct call *);
const char *chain_from(const struct node *);
const char *step_of(const struct call *, const struct node *next);

#endif
