/* SPDX-License-Identifier: MIT
 *
 * Reads what gcc -fdump-tree-ssa-lineno-asmname writes: each function as it was before any optimisation, with
 * every call, its place, and the types of what is called through and passed.
 *
 *     ;; Function area (area, funcdef_no=3, decl_uid=2003, cgraph_uid=4, symbol_order=5)
 *
 *     int area (struct shape * s, int scale)
 *     {
 *       int (*<T353>) (struct shape *) _1;
 *       ...
 *       <bb 2> :
 *       [shape.c:14:13] _1 = [shape.c:14:13] s_3(D)->area;
 *       [shape.c:14:12] _2 = _1 (s_3(D));
 *
 * A value is a variable with a version (s_3), or a version alone (_1); a function stands by its symbol. */
#include "graph.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct graph *graph;
    struct unit *unit;
    struct node *function; /* whose body this is */
    struct map types;      /* of its parameters and variables: name -> interned text */
};

/* Registered functions that keep what they are given for later, so that a call of them calls nothing back. */
static const char *const keepers[] = {
    "pthread_create",
    "thrd_create",
    "atexit",
    "at_quick_exit",
    "on_exit",
    "signal",
    "bsd_signal",
    "sigset",
    "__cxa_atexit",
    "__cxa_thread_atexit",
    "__cxa_throw",
    "pthread_atfork",
    "pthread_key_create",
    "tss_create",
    "std::set_terminate",
    "_ZSt13set_terminatePFvvE",
    "sigaction",
};

static bool keeps(const char *symbol)
{
    if (!strcmp(symbol, "bine_context_run"))
        return false;
    if (begins(symbol, "bine_")) /* spawned, queued, registered: it runs in a task or a callback of its own */
        return true;
    for (size_t i = 0; i < sizeof keepers / sizeof *keepers; i++) {
        if (!strcmp(symbol, keepers[i]))
            return true;
    }
    return false;
}

static bool name_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$' || c == '#' ||
           (unsigned char)c >= 0x80;
}

static size_t name_length(const char *at)
{
    size_t length = 0;
    while (name_character(at[length]))
        length++;
    return length;
}

/* Past a quoted text. */
static const char *past_quotes(const char *at)
{
    char quote = *at++;
    while (*at && *at != quote)
        at += at[0] == '\\' && at[1] ? 2 : 1;
    return *at ? at + 1 : at;
}

/* The parenthesis that closes the one at `at`; NULL. */
static const char *closing(const char *at)
{
    int depth = 0;
    while (*at) {
        if (*at == '"') {
            at = past_quotes(at);
            continue;
        }
        if (*at == '(')
            depth++;
        else if (*at == ')' && --depth == 0)
            return at;
        at++;
    }
    return NULL;
}

/* Takes "[file:line:col] " out of a statement, in place, and gives the first of them. */
static struct place take_places(char *statement)
{
    struct place first = {NULL, 0, 0};
    char *to = statement;
    for (char *at = statement; *at;) {
        if (*at == '"') {
            const char *end = past_quotes(at);
            while (at < end)
                *to++ = *at++;
            continue;
        }
        if (*at == '[') {
            char *end = at + strcspn(at, "]");
            size_t length = (size_t)(end - at) - 1;
            char *note = strstr(at, " discrim");
            if (note && note < end)
                length = (size_t)(note - at) - 1;
            struct place place = *end ? place_of(at + 1, length) : first;
            if (place.file || !strncmp(at, "[LP ", 4) || !strncmp(at, "[MNT ", 5)) {
                if (!first.file)
                    first = place;
                at = end + 1 + (end[1] == ' ');
                continue;
            }
        }
        *to++ = *at++;
    }
    *to = '\0';
    return first;
}

/* ---- Values -------------------------------------------------------------------------------- */

/* The declared type of a value, by its own name or without its version; NULL if it is no value of the
 * function's. */
static const char *type_of_value(const struct reader *reader, const char *name, size_t length)
{
    const char *type = map_get(&reader->types, intern(name, length));
    if (type)
        return type;
    size_t version = length;
    while (version > 0 && isdigit((unsigned char)name[version - 1]))
        version--;
    if (version < 2 || version == length || name[version - 1] != '_')
        return NULL;
    return map_get(&reader->types, intern(name, version - 1));
}

/* "f_12" of a variable f that holds a function; also the name of a function might end so. */
static bool versioned(const struct reader *reader, const char *name, size_t length)
{
    while (length > 0 && isdigit((unsigned char)name[length - 1]))
        length--;
    const char *type =
        length > 1 && name[length - 1] == '_' ? map_get(&reader->types, intern(name, length - 1)) : NULL;
    return type && signature_of_pointer(type);
}

/* "type name" from a declaration or a parameter; a pointer to a function carries its name last too. */
static void declare(struct reader *reader, const char *from, const char *to)
{
    while (to > from && to[-1] == ' ')
        to--;
    const char *name = to;
    while (name > from && name_character(name[-1]))
        name--;
    if (name == to || name == from)
        return;
    map_set(&reader->types, intern(name, (size_t)(to - name)), (void *)intern(from, (size_t)(name - from)));
}

static void declare_parameters(struct reader *reader, const char *from, const char *to)
{
    int depth = 0;
    const char *start = from;
    for (const char *at = from; at <= to; at++) {
        if (at < to && strchr("(<[{", *at))
            depth++;
        else if (at < to && strchr(")>]}", *at))
            depth--;
        if (at == to || (*at == ',' && depth == 0)) {
            declare(reader, start + strspn(start, " "), at);
            start = at + 1;
        }
    }
}

/* ---- Calls --------------------------------------------------------------------------------- */

static bool is_function(const struct reader *reader, const char *name, size_t length)
{
    const struct node *node = map_get(&reader->unit->by_symbol, intern(name, length));
    return node || map_get(&reader->graph->global, intern(name, length));
}

/* What a call passes to a function outside the graph may be called back by it. */
static void pass(struct reader *reader, struct node *to, struct place place, const char *argument,
                 size_t length)
{
    if (keeps(to->symbol))
        return;
    struct call *call = NULL;
    const char *type = type_of_value(reader, argument, length);
    const struct signature *signature = type ? signature_of_pointer(type) : NULL;
    if (signature) {
        call = graph_call(reader->graph, reader->function, NULL, place, INDIRECT);
        call->through = signature;
    } else if (!type && is_function(reader, argument, length)) {
        struct node *passed = graph_node(reader->graph, reader->unit, intern(argument, length), false);
        if (passed == to)
            return;
        call = graph_call(reader->graph, reader->function, passed, place, CALLED_BACK);
    } else {
        return;
    }
    call->passed_to = to;
    call->stacks = false;
}

static struct type argument_type(const struct reader *reader, const char *argument, size_t length)
{
    struct type any = {NULL, 0, false, false, false};
    const char *type = length ? type_of_value(reader, argument, length) : NULL;
    return type ? type_of(type, false) : any;
}

/* The arguments between two parentheses: passed on, or the parameters of a signature made from them. */
static void arguments(struct reader *reader, const char *from, const char *to, struct node *callee,
                      struct place place, struct signature *signature)
{
    VECTOR(struct type) types = {NULL, 0, 0};
    int depth = 0;
    const char *start = from;
    for (const char *at = from; at <= to && from < to;) {
        if (at < to && *at == '"') {
            at = past_quotes(at);
            continue;
        }
        if (at < to && strchr("([{<", *at))
            depth++;
        else if (at < to && strchr(")]}>", *at))
            depth--;
        if (at == to || (*at == ',' && depth == 0)) {
            start += strspn(start, " &");
            size_t length = name_length(start);
            if (callee)
                pass(reader, callee, place, start, length);
            else
                PUSH(&types, argument_type(reader, start, length));
            start = at + 1;
        }
        at++;
    }
    if (signature) {
        signature->parameter = types.at;
        signature->count = types.count;
    }
}

static void direct_call(struct reader *reader, const char *name, size_t length, const char *from,
                        const char *to, struct place place)
{
    struct node *callee = graph_node(reader->graph, reader->unit, intern(name, length), false);
    struct call *call = graph_call(reader->graph, reader->function, callee, place, DIRECT);
    call->stacks = false;
    if (!callee->defined)
        arguments(reader, from, to, callee, place, NULL);
}

static void indirect_call(struct reader *reader, const char *type, bool virtual, const char *from,
                          const char *to, struct place place)
{
    struct call *call = graph_call(reader->graph, reader->function, NULL, place, INDIRECT);
    call->stacks = false;
    const bool member = type && !virtual && strstr(type, "::<"); /* "void shape::<T1> (struct shape *) *" */
    struct signature *signature = type && !virtual && !member ? signature_of_pointer(type) : NULL;
    if (!signature || signature->unprototyped) {
        bool typed = signature != NULL;
        struct signature *passed = allocate(sizeof *passed);
        if (typed)
            *passed = *signature;
        arguments(reader, from, to, NULL, place, passed);
        passed->unprototyped = true;
        passed->any_result = !typed;
        passed->method = virtual || member;
        passed->text = virtual  ? intern_text("a virtual call")
                       : member ? intern_text("a pointer to a member")
                       : typed  ? signature->text
                                : NULL;
        signature = passed;
    }
    call->through = signature;
}

/* A call at `at`, "callee (arguments)"; false if this is none. */
static bool read_call(struct reader *reader, const char *at, struct place place)
{
    static const char virtual[] = "OBJ_TYPE_REF(";
    if (begins(at, virtual)) {
        const char *end = closing(at + sizeof virtual - 2);
        if (!end || end[1] != ' ' || end[2] != '(')
            return false;
        const char *close = closing(end + 2);
        if (close)
            indirect_call(reader, NULL, true, end + 3, close, place);
        return close != NULL;
    }
    if (*at == '*') /* a symbol that the source chose */
        at++;
    size_t length = name_length(at);
    const char *next = at + length;
    bool value = begins(next, "(D)");
    if (value)
        next += 3;
    if (length == 0 || next[0] != ' ' || next[1] != '(' || isdigit((unsigned char)*at) || *at == '.')
        return false;
    static const char *const words[] = {"if", "switch", "return", "goto", "__asm__", "resx", "while"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == length && !strncmp(at, words[i], length))
            return false;
    }
    const char *close = closing(next + 1);
    if (!close)
        return false;
    /* A variable never stands without a version here; but a block's own may have a function's name. */
    bool function = !value && is_function(reader, at, length);
    const char *type = function && !versioned(reader, at, length) ? NULL : type_of_value(reader, at, length);
    if (value || type)
        indirect_call(reader, type, false, next + 2, close, place);
    else
        direct_call(reader, at, length, next + 2, close, place);
    return true;
}

static void read_statement(struct reader *reader, char *statement)
{
    struct place place = take_places(statement);
    if (!reader->function->place.file) /* inlined everywhere: the .ci does not name it */
        reader->function->place = place;
    if (begins(statement, "__asm__")) {
        if (strstr(statement, "call") || strstr(statement, "blr"))
            PUSH(&reader->graph->assembly,
                 format("%s:%d:%d: inline assembly in %s()", place.file ? place.file : "?", place.line,
                        place.column, reader->function->name));
        return;
    }
    if (begins(statement, "#") || begins(statement, "//") || read_call(reader, statement, place))
        return;
    for (char *at = statement; *at && *at != '"'; at++) {
        if (begins(at, " = ") || begins(at, " ={v} ")) {
            read_call(reader, at + (at[2] == ' ' ? 3 : 6), place);
            return;
        }
    }
}

/* ---- Functions ----------------------------------------------------------------------------- */

/* ";; Function name (symbol, funcdef_no=..." */
static void begin_function(struct reader *reader, const char *line)
{
    const char *end = strstr(line, ", funcdef_no=");
    const char *open = end;
    while (open && open > line && *open != '(')
        open--;
    if (!open || *open != '(')
        return;
    const char *symbol = open + 1 + (open[1] == '*');
    reader->function =
        graph_definition(reader->graph, reader->unit, intern(symbol, (size_t)(end - symbol)), true);
    const char *name = line + strlen(";; Function ");
    if (reader->unit->cxx && open > name + 1)
        reader->function->name = intern(name, (size_t)(open - 1 - name));
    reader->types = (struct map){NULL, 0, 0};
}

/* "int area (struct shape * s, int scale)" */
static void read_head(struct reader *reader, const char *line)
{
    /* The last parenthesis at the outermost level opens the parameters. */
    const char *open = NULL, *close = NULL;
    for (const char *at = line; *at; at++) {
        if (*at == '(') {
            open = at;
            close = closing(at);
            if (!close)
                return;
            at = close;
        }
    }
    if (!open)
        return;
    const char *name = open;
    while (name > line && name[-1] == ' ')
        name--;
    int depth = 0; /* C++ names hold spaces between angles */
    while (name > line && (depth > 0 || name[-1] != ' ')) {
        name--;
        depth += *name == '>' || *name == ')' ? 1 : *name == '<' || *name == '(' ? -1 : 0;
    }
    declare_parameters(reader, open + 1, close);
    if (!reader->function->signature)
        reader->function->signature = signature_of_function(intern(line, (size_t)(name - line)),
                                                            intern(open + 1, (size_t)(close - open - 1)));
}

void read_ssa(struct graph *graph, struct unit *unit, const char *path)
{
    char *text = slurp(path, NULL);
    if (!text)
        fail("%s: %s", path, strerror(errno));
    struct reader reader = {graph, unit, NULL, {NULL, 0, 0}};
    enum { OUTSIDE, HEAD, DECLARATIONS, BODY } state = OUTSIDE;
    /* All functions of the unit must be known before the first call is read. */
    for (const char *at = text; (at = strstr(at, ";; Function ")) != NULL; at++) {
        if (at == text || at[-1] == '\n')
            begin_function(&reader, intern(at, strcspn(at, "\n")));
    }
    reader.function = NULL;
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (begins(line, ";; Function ")) {
            begin_function(&reader, line);
            state = reader.function ? HEAD : OUTSIDE;
        } else if (state == HEAD && !strcmp(line, "{")) {
            state = DECLARATIONS;
        } else if (state == HEAD && *line && !begins(line, "__attribute__") && !begins(line, ";;")) {
            read_head(&reader, line);
        } else if (!strcmp(line, "}")) {
            state = OUTSIDE;
        } else if (state == DECLARATIONS && begins(line, "  <bb ")) {
            state = BODY;
        } else if (state == DECLARATIONS && begins(line, "  ") && ends(line, ";")) {
            declare(&reader, line + 2, line + strlen(line) - 1);
        } else if (state == BODY && begins(line, "  ") && line[2] != '<') {
            read_statement(&reader, line + 2);
        }
    }
    free(text);
}
