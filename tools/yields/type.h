/* SPDX-License-Identifier: MIT
 *
 * Function types, as far as they tell which functions a pointer may hold.
 *
 * They are read from the compiler's own printing.  Matching errs on the side of a match: `void *` goes with
 * every pointer, a typedef that is not known goes with what it may stand for.  What is cast to a type of
 * another shape and called through that is not found: C leaves such a call undefined. */
#ifndef YIELDS_TYPE_H
#define YIELDS_TYPE_H

#include <stdbool.h>
#include <stddef.h>

struct type {
    const char *base; /* interned, canonical; NULL: anything */
    int depth;        /* how many times a pointer */
    bool unknown;     /* base is a typedef of some number: gcc prints what other typedefs stand for */
    bool tagged;      /* struct, union or class */
    bool function;    /* a pointer to a function, of whatever type */
};

struct signature {
    const char *text; /* for people: "int (*)(struct s *, long)" */
    struct type result;
    struct type *parameter;
    size_t count;
    bool variadic;
    bool unprototyped; /* "()" : parameter[] holds what is passed */
    bool any_result;
    bool method; /* of a function: its first parameter is `this`; of a call: virtual, the first does not count
                  */
};

/* From a pointer's type as the compiler prints it, "int (*<T1>) (struct s *, long)"; NULL if it is none. */
struct signature *signature_of_pointer(const char *text);
/* From a definition's head: the type before the name, and what stands between its parentheses, names
 * included. */
struct signature *signature_of_function(const char *result, const char *parameters);
/* A type by itself. */
struct type type_of(const char *text, bool named);

enum match {
    NO_MATCH,
    LOOSE_MATCH, /* by `void *`, or a typedef that is not known */
    EXACT_MATCH
};

/* May a pointer that is called as `call` hold a function of type `function`? */
enum match may_hold(const struct signature *call, const struct signature *function);

#endif
