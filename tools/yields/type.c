/* SPDX-License-Identifier: MIT
 *
 * Function types, and which of them go together: see type.h.
 *
 * Widths are those of 64-bit Unix: there `long` and int64_t are one type.  On a 32-bit system a pair may be
 * told apart that is one; the standard's own names match by name there too. */
#include "type.h"

#include "text.h"

#include <ctype.h>
#include <string.h>

static const char *const known[][2] = {
    {"long int", "long"},
    {"signed long", "long"},
    {"long signed int", "long"},
    {"ssize_t", "long"},
    {"int64_t", "long"},
    {"ptrdiff_t", "long"},
    {"intptr_t", "long"},
    {"off_t", "long"},
    {"time_t", "long"},
    {"bine_ns", "long"},
    {"long long int", "long"},
    {"long long", "long"},
    {"__off_t", "long"},
    {"__ssize_t", "long"},
    {"long unsigned int", "unsigned long"},
    {"unsigned long int", "unsigned long"},
    {"size_t", "unsigned long"},
    {"uint64_t", "unsigned long"},
    {"uintptr_t", "unsigned long"},
    {"long long unsigned int", "unsigned long"},
    {"unsigned long long", "unsigned long"},
    {"uint32_t", "unsigned"},
    {"unsigned int", "unsigned"},
    {"int32_t", "int"},
    {"signed int", "int"},
    {"signed", "int"},
    {"pid_t", "int"},
    {"socklen_t", "unsigned"},
    {"uint16_t", "unsigned short"},
    {"short unsigned int", "unsigned short"},
    {"unsigned short int", "unsigned short"},
    {"int16_t", "short"},
    {"short int", "short"},
    {"uint8_t", "unsigned char"},
    {"int8_t", "signed char"},
    {"_Bool", "bool"},
    {"nfds_t", "unsigned long"},
    {"mode_t", "unsigned"},
    {"void", "void"},
    {"char", "char"},
    {"int", "int"},
    {"unsigned", "unsigned"},
    {"long", "long"},
    {"short", "short"},
    {"unsigned long", "unsigned long"},
    {"unsigned short", "unsigned short"},
    {"unsigned char", "unsigned char"},
    {"signed char", "signed char"},
    {"bool", "bool"},
    {"float", "float"},
    {"double", "double"},
    {"long double", "long double"},
};

static bool word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == ':' || c == '$' || c == '~' || c == '#';
}

/* Past "<...>", which nests; at its end otherwise. */
static const char *past_angles(const char *at)
{
    int depth = 0;
    for (; *at; at++) {
        if (*at == '<')
            depth++;
        else if (*at == '>' && --depth == 0)
            return at + 1;
    }
    return at;
}

/* gcc tells a structure by the name that stood in the source, its tag or one that a typedef gave it: uv_loop_s and
 * uv_loop_t, ssl_st and SSL, _GtkWidget and GtkWidget, tagMSG and MSG are one.  So what such names have in common is
 * compared. */
static const char *common_name(const char *tag)
{
    static const char *const ends_of_names[] = {"_struct", "_type", "_tag", "_st", "_s", "_t"};
    while (*tag == '_' && tag[1])
        tag++;
    if (begins(tag, "tag") && isupper((unsigned char)tag[3]))
        tag += 3;
    size_t length = strlen(tag);
    for (size_t i = 0; i < sizeof ends_of_names / sizeof *ends_of_names; i++) {
        const size_t end = strlen(ends_of_names[i]);
        if (length > end && ends(tag, ends_of_names[i])) {
            length -= end;
            break;
        }
    }
    char *name = allocate(length + 1);
    for (size_t i = 0; i < length; i++)
        name[i] = (char)tolower((unsigned char)tag[i]);
    return intern(name, length);
}

struct type type_of(const char *text, bool named)
{
    struct type type = {NULL, 0, false, false, false};
    const char *word[16];
    size_t words = 0;
    bool tagged = false, enumeration = false, this = false;
    for (const char *at = text; *at;) {
        if (*at == '*' || *at == '&' || *at == '[') {
            type.depth++;
            at += strcspn(at, "&*[") + 1;
            if (at[-1] == '[')
                at += strcspn(at, "]");
        } else if (*at == '{') {
            at += strcspn(at, "}");
        } else if (*at == '(') { /* "(*name) (...)": all that matters is that it is one */
            type.function = at[1] == '*' || strstr(at, "*)") || strstr(at, "::");
            break;
        } else if (word_character(*at)) {
            const char *from = at;
            while (word_character(*at))
                at++;
            if (*at == '<')
                at = past_angles(at);
            const char *w = intern(from, (size_t)(at - from));
            if (!strcmp(w, "struct") || !strcmp(w, "union") || !strcmp(w, "class"))
                tagged = true;
            else if (!strcmp(w, "enum"))
                tagged = enumeration = true;
            else if (!strcmp(w, "this"))
                this = true;
            else if (strcmp(w, "const") && strcmp(w, "volatile") && strcmp(w, "restrict") &&
                     strcmp(w, "this") && words < sizeof word / sizeof *word)
                word[words++] = w;
        } else {
            at++;
        }
    }
    if (named && !this && words > (tagged ? 0 : 1))
        words--;
    const char *base = words ? word[0] : "";
    for (size_t i = 1; i < words; i++)
        base = format("%s %s", base, word[i]);
    if (enumeration) {
        type.base = intern_text("int");
        return type;
    }
    for (size_t i = 0; !tagged && i < sizeof known / sizeof *known; i++) {
        if (strcmp(base, known[i][0]) == 0) {
            type.base = intern_text(known[i][1]);
            return type;
        }
    }
    if (tagged &&
        (!*base || !strcmp(base, "type"))) /* no name, as va_list's; C++'s std::...::type: anything */
        return type;
    type.base = tagged ? common_name(base) : intern_text(base);
    type.tagged = tagged;
    type.unknown =
        !tagged && !strchr(base, ' ') && strcmp(base, "__int128") != 0; /* "complex double" is none */
    return type;
}

static const char *trimmed(const char *from, const char *to)
{
    while (from < to && *from == ' ')
        from++;
    while (from < to && to[-1] == ' ')
        to--;
    return intern(from, (size_t)(to - from));
}

/* The parameters between two parentheses that are not part of the range. */
static void read_parameters(struct signature *signature, const char *from, const char *to, bool named)
{
    VECTOR(struct type) all = {NULL, 0, 0};
    int depth = 0;
    const char *start = from;
    for (const char *at = from; at <= to; at++) {
        if (at < to && (*at == '(' || *at == '<' || *at == '[' || *at == '{'))
            depth++;
        else if (at < to && (*at == ')' || *at == '>' || *at == ']' || *at == '}'))
            depth--;
        if (at < to && (*at != ',' || depth != 0))
            continue;
        const char *one = trimmed(start, at);
        start = at + 1;
        if (!strcmp(one, "...")) {
            signature->variadic = true;
        } else if (*one && strcmp(one, "void") != 0) {
            if (all.count == 0 && named && ends(one, " this"))
                signature->method = true;
            PUSH(&all, type_of(one, named));
        }
    }
    signature->parameter = all.at;
    signature->count = all.count;
    if (!named && all.count == 0 && from == to && !signature->variadic)
        signature->unprototyped = true;
}

/* Where the parenthesis at `at` closes; NULL if it does not. */
static const char *closing(const char *at)
{
    int depth = 0;
    for (; *at; at++) {
        if (*at == '(')
            depth++;
        else if (*at == ')' && --depth == 0)
            return at;
    }
    return NULL;
}

struct signature *signature_of_pointer(const char *text)
{
    /* "result (*) (parameters)": the last two parentheses; a result that is such a pointer itself has two of
     * its own. */
    const char *open = NULL, *close = NULL, *next = NULL, *end = NULL;
    for (const char *at = text; (at = strchr(at, '(')) != NULL;) {
        open = next;
        close = end;
        next = at;
        end = closing(at);
        if (!end)
            return NULL;
        at = end + 1;
    }
    if (!open || end[1 + strspn(end + 1, " ")] == '*')
        return NULL;
    const char *inside = intern(open + 1, (size_t)(close - open - 1));
    if (inside[0] != '*' && !strstr(inside, "::"))
        return NULL;
    struct signature *signature = allocate(sizeof *signature);
    const char *result = trimmed(text, open), *parameters = trimmed(next + 1, end);
    signature->result = type_of(result, false);
    read_parameters(signature, next + 1, end, false);
    signature->text = format("%s (*)(%s)", result, parameters);
    return signature;
}

struct signature *signature_of_function(const char *result, const char *parameters)
{
    struct signature *signature = allocate(sizeof *signature);
    signature->result = type_of(result, false);
    signature->text = format("%s (%s)", result, parameters);
    read_parameters(signature, parameters, parameters + strlen(parameters), true);
    signature->unprototyped = false;
    return signature;
}

static bool is_void_pointer(const struct type *type)
{
    return type->depth == 1 && type->base && !strcmp(type->base, "void");
}

static bool is_same(const struct type *passed, const struct type *taken)
{
    if (passed->function || taken->function)
        return passed->function && taken->function;
    return passed->base && passed->base == taken->base && passed->depth == taken->depth;
}

/* passed: at the call; taken: by the function.  A function that takes a certain pointer is often kept as one
 * that takes `void *`, as task bodies are; the other way round is not done, and would open every call to
 * those. */
static bool goes_with(const struct type *passed, const struct type *taken)
{
    if (!passed->base || !taken->base || is_same(passed, taken))
        return true;
    if (passed->function || taken->function)
        return is_void_pointer(passed) || passed->unknown || taken->unknown;
    if ((passed->unknown && !taken->tagged) || (taken->unknown && !passed->tagged))
        return passed->depth == taken->depth || (taken->depth > 0 && is_void_pointer(passed));
    return taken->depth > 0 && is_void_pointer(passed);
}

enum match may_hold(const struct signature *call, const struct signature *function)
{
    bool exact = call->any_result || is_same(&call->result, &function->result);

    if (call->method && !function->method)
        return NO_MATCH;
    if (call->count != function->count)
        return NO_MATCH; /* of a variadic definition the compiler prints the named ones only, as of the pointer */
    if (!call->any_result && !goes_with(&call->result, &function->result))
        return NO_MATCH;
    for (size_t i = call->method ? 1 : 0; i < call->count; i++) {
        const struct type *passed = &call->parameter[i], *taken = &function->parameter[i];
        /* What is passed without a prototype has been promoted: its width tells nothing. */
        if ((call->unprototyped || call->method) && !passed->depth && !taken->depth && !passed->unknown)
            continue;
        if (!goes_with(passed, taken))
            return NO_MATCH;
        exact = exact && is_same(passed, taken);
    }
    return exact ? EXACT_MATCH : LOOSE_MATCH;
}
