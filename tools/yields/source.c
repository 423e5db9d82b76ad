/* SPDX-License-Identifier: MIT
 *
 * Reading sources by their words: see source.h. */
#include "source.h"

#include <ctype.h>
#include <string.h>

static bool word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool is(const struct source *source, size_t at, const char *text)
{
    if (at >= source->tokens.count)
        return false;
    const struct token *token = &source->tokens.at[at];
    return token->length == strlen(text) && memcmp(token->text, text, token->length) == 0;
}

static bool is_word(const struct source *source, size_t at)
{
    return at < source->tokens.count && word_start(*source->tokens.at[at].text);
}

static struct place place_at(const struct source *source, size_t at)
{
    const struct token *token = &source->tokens.at[at < source->tokens.count ? at : source->tokens.count - 1];
    return (struct place){source->known, token->line, token->column};
}

/* ---- Marks --------------------------------------------------------------------------------- */

enum { ATOMIC, NOYIELD, YIELDING };
static const char *const marks[] = {"BINE_ATOMIC", "BINE_NOYIELD", "BINE_YIELDS"};
static struct map other_names; /* of marks: macros without parameters that begin with one */

/* The mark that the word is; NULL: none. */
static const char *mark_at(const struct source *source, size_t at)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (is(source, at, marks[i]))
            return marks[i];
    }
    const struct token *token = &source->tokens.at[at];
    return map_get(&other_names, intern(token->text, token->length));
}

static void note_marks(struct source *source, const struct source *macro, const char *name, bool has_parameters,
                       int line)
{
    for (size_t i = 0; i < macro->tokens.count; i++) {
        const char *mark = is_word(macro, i) ? mark_at(macro, i) : NULL;
        if (mark && i == 0 && !has_parameters) {
            map_set(&other_names, name, (void *)mark);
            return;
        }
        if (mark && mark != marks[YIELDING]) {
            struct hidden_mark hidden = {mark, name, line};
            PUSH(&source->hidden, hidden);
            return;
        }
    }
}

/* ---- Words --------------------------------------------------------------------------------- */

static void read_words(struct source *source);

/* A macro's body, as a source of its own. */
static void note_macro(struct source *source, const char *at, const char *end, int line)
{
    at += strspn(at, " \t");
    size_t length = 0;
    while (word_start(at[length]) || isdigit((unsigned char)at[length]))
        length++;
    const char *name = intern(at, length), *body = at + length;
    bool has_parameters = *body == '(';
    if (has_parameters)
        body += strcspn(body, ")") + 1;
    if (!length || body >= end)
        return;
    struct source *macro = allocate(sizeof *macro);
    char *text = allocate((size_t)(end - body) + 2);
    memcpy(text, body, (size_t)(end - body));
    macro->text = text;
    read_words(macro);
    map_set(&source->macros, name, macro);
    note_marks(source, macro, name, has_parameters, line);
}

/* A directive, with its continued lines; an #include "..." and a macro are noted. */
static const char *past_directive(struct source *source, const char *at, int *line)
{
    bool defines = begins(at + 1 + strspn(at + 1, " \t"), "define");
    const char *definition = strstr(at, "define"), *word = at + 1 + strspn(at + 1, " \t");
    const int first = *line;
    if (begins(word, "include")) {
        word += strlen("include");
        word += strspn(word, " \t");
        size_t length = *word == '"' ? strcspn(word + 1, "\"\n") : 0;
        if (length)
            PUSH(&source->includes, intern(word + 1, length));
    }
    for (; *at && *at != '\n'; at++) {
        if (at[0] == '\\' && at[1] == '\n') {
            at++;
            (*line)++;
        } else if (at[0] == '/' && at[1] == '*') {
            const char *end = strstr(at + 2, "*/");
            for (; at < (end ? end : at); at++)
                *line += *at == '\n';
        }
    }
    if (defines)
        note_macro(source, definition + strlen("define"), at, first);
    return at;
}

/* Each of these is given the beginning of something and returns its end; the lines that end within are counted, and
 * *start is where the last one begins. */

static const char *past_comment(const char *at, int *line, const char **start)
{
    for (at += 2; *at && !(at[0] == '*' && at[1] == '/'); at++) {
        if (*at == '\n') {
            ++*line;
            *start = at + 1;
        }
    }
    return at + (*at ? 2 : 0);
}

/* "text" or 'c'. */
static const char *past_literal(const char *at, int *line, const char **start)
{
    const char quote = *at++;
    for (; *at && *at != quote && *at != '\n'; at++) {
        if (*at == '\\' && at[1]) {
            at++;
            if (*at == '\n') {
                ++*line;
                *start = at + 1;
            }
        }
    }
    return at + (*at == quote);
}

/* C++: R"x(...)x", at its quote. */
static const char *past_raw_string(const char *at, int *line, const char **start)
{
    size_t length = strcspn(at + 1, "(\n");
    const char *end = format(")%.*s\"", (int)length, at + 1), *found = strstr(at, end);
    found = found ? found + strlen(end) : at + 1;
    for (; at < found; at++) {
        if (*at == '\n') {
            ++*line;
            *start = at + 1;
        }
    }
    return found;
}

static void read_words(struct source *source)
{
    int line = 1;
    const char *start = source->text; /* of the line */
    bool fresh = true;                /* nothing but blanks in the line yet */
    for (const char *at = source->text; *at;) {
        const char *from = at;
        int column = (int)(at - start) + 1, first = line;
        if (*at == '\n') {
            line++;
            start = ++at;
            fresh = true;
            continue;
        }
        if (isspace((unsigned char)*at) || (at[0] == '\\' && at[1] == '\n')) {
            at++;
            continue;
        }
        if (at[0] == '/' && at[1] == '/') {
            at += strcspn(at, "\n");
            continue;
        }
        if (at[0] == '/' && at[1] == '*') {
            at = past_comment(at, &line, &start);
            continue;
        }
        if (*at == '#' && fresh) {
            at = past_directive(source, at, &line);
            continue;
        }
        fresh = false;
        if (*at == '"' || *at == '\'') {
            at = past_literal(at, &line, &start);
        } else if (word_start(*at)) {
            while (word_start(*at) || isdigit((unsigned char)*at))
                at++;
            if (*at == '"' && at[-1] == 'R')
                at = past_raw_string(at, &line, &start);
        } else if (isdigit((unsigned char)*at)) {
            /* With C++'s separators: 1'000. */
            while (word_start(*at) || isdigit((unsigned char)*at) || *at == '.' ||
                   (*at == '\'' && isalnum((unsigned char)at[1])))
                at++;
        } else if ((at[0] == '-' && at[1] == '>') || (at[0] == ':' && at[1] == ':')) {
            at += 2;
        } else {
            at++;
        }
        PUSH(&source->tokens, ((struct token){from, (size_t)(at - from), first, column}));
    }
}

/* The token that closes the bracket at `open`; the last one if none does. */
static size_t closing(const struct source *source, size_t open)
{
    int depth = 0;
    for (size_t at = open; at < source->tokens.count; at++) {
        char c = *source->tokens.at[at].text;
        if (c == '(' || c == '[' || c == '{')
            depth++;
        else if ((c == ')' || c == ']' || c == '}') && --depth == 0)
            return at;
    }
    return source->tokens.count - 1;
}

/* ---- What they mean ------------------------------------------------------------------------ */

/* The end of the statement that begins at `at`: of a block, or at its semicolon. */
static size_t statement_end(const struct source *source, size_t at)
{
    for (; at < source->tokens.count; at++) {
        if (is(source, at, "{"))
            return closing(source, at);
        if (is(source, at, "("))
            at = closing(source, at);
        else if (is(source, at, ";"))
            return at;
    }
    return source->tokens.count - 1;
}

/* The name of the function that is declared after a word at `at`: the first name before a parenthesis. */
static const char *declared(const struct source *source, size_t at)
{
    for (size_t i = at + 1; i + 1 < source->tokens.count && i < at + 64; i++) {
        if (is(source, i, ";") || is(source, i, "{") || is(source, i, "}"))
            return NULL;
        if (is(source, i, "__attribute__") || is(source, i, "[")) {
            i = closing(source, is(source, i, "[") ? i : i + 1);
            continue;
        }
        if (is_word(source, i) && is(source, i + 1, "("))
            return intern(source->tokens.at[i].text, source->tokens.at[i].length);
    }
    return NULL;
}

static void understand(struct source *source)
{
    for (size_t i = 0; i < source->tokens.count; i++) {
        if (!is_word(source, i))
            continue;
        const char *mark = mark_at(source, i);
        if (mark == marks[ATOMIC] && i + 1 < source->tokens.count) {
            struct region region = {ATOMIC_BLOCK, place_at(source, i + 1),
                                    place_at(source, statement_end(source, i + 1)), place_at(source, i)};
            PUSH(&source->regions, region);
        } else if (is(source, i, "bine_await") && is(source, i + 1, "(")) {
            /* From the word on: a call that a macro's argument makes has the place of the macro. */
            struct region region = {AWAITED, place_at(source, i), place_at(source, closing(source, i + 1)),
                                    place_at(source, i)};
            PUSH(&source->regions, region);
        } else if ((is(source, i, "BINE_GROUP_AWAIT") || is(source, i, "BINE_FOR_EACH_AWAIT")) &&
                   is(source, i + 1, "(")) {
            struct region region = {AWAITED, place_at(source, i), place_at(source, closing(source, i + 1)),
                                    place_at(source, i)};
            PUSH(&source->regions, region);
        } else if (mark == marks[NOYIELD]) {
            struct promise promise = {declared(source, i), place_at(source, i)};
            if (promise.function)
                PUSH(&source->promises, promise);
        } else if (mark == marks[YIELDING]) {
            const char *function = declared(source, i);
            if (function)
                map_set(&source->yielding, function, source);
        } else if (!is(source, i + 1, "(")) {
            const char *name = intern(source->tokens.at[i].text, source->tokens.at[i].length);
            map_set(&source->values, name, source);
        }
    }
}

const char *source_beside(const char *file, const char *name)
{
    const char *directory = directory_of(file);
    return strcmp(directory, ".") || begins(file, "./") ? format("%s/%s", directory, name) : name;
}

static struct map opened; /* path -> source; a source without text could not be opened */

/* The headers beside it come first: they may give marks other names. */
static void read_headers(const struct source *source)
{
    for (size_t i = 0; i < source->includes.count; i++) {
        const char *path = source_beside(source->known, source->includes.at[i]);
        if (!is_system(path))
            source_open(path, NULL);
    }
}

static struct source *source_read(const char *path, const char *known)
{
    char *text = is_directory(path) ? NULL : slurp(path, NULL);
    if (!text)
        return NULL;
    struct source *source = allocate(sizeof *source);
    source->path = path;
    source->known = known;
    source->text = text;
    read_words(source);
    read_headers(source);
    understand(source);
    return source;
}

struct source *source_open(const char *file, const struct unit *unit)
{
    if (!file)
        return NULL;
    struct source *source = map_get(&opened, file);
    if (source)
        return source->text ? source : NULL;
    map_set(&opened, file, allocate(sizeof *source)); /* while it is read: headers may include each other */
    source = source_read(file, file);
    if (!source && unit && file[0] != '/') {
        const char *directory = directory_of(unit->path);
        for (int level = 0; level < 16 && !source; level++) {
            source = source_read(format("%s/%s", directory, file), file);
            if (!strcmp(directory, "/") || !strcmp(directory, "."))
                break;
            directory = directory_of(directory);
        }
    }
    if (source)
        map_set(&opened, file, source);
    return source;
}

/* ---- Asking -------------------------------------------------------------------------------- */

static bool before(struct place a, struct place b)
{
    return a.line < b.line || (a.line == b.line && a.column < b.column);
}

const struct region *source_region(const struct source *source, enum region_kind kind, struct place place)
{
    const struct region *inner = NULL;
    for (size_t i = 0; i < source->regions.count; i++) {
        const struct region *region = &source->regions.at[i];
        if (region->kind == kind && !before(place, region->from) && !before(region->to, place))
            inner = region; /* later ones begin later */
    }
    return inner;
}

static size_t token_at(const struct source *source, struct place place)
{
    size_t low = 0, high = source->tokens.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct token *token = &source->tokens.at[middle];
        if (before((struct place){NULL, token->line, token->column}, place))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many stand between the parentheses at `open`. */
static int listed(const struct source *source, size_t open, bool definition)
{
    size_t close = closing(source, open);
    if (close == open + 1 || (close == open + 2 && is(source, open + 1, "void")))
        return 0;
    int count = 1;
    for (size_t at = open + 1; at < close; at++) {
        if (is(source, at, "(") || is(source, at, "[") || is(source, at, "{"))
            at = closing(source, at);
        else if (is(source, at, ","))
            count++;
        else if (definition && is(source, at, "."))
            return -1; /* "...": any number */
    }
    return count;
}

/* The arguments of the first call through a pointer between two words, by its looks: "(*f)(...)",
 * "a->f(...)". */
static int first_indirect(const struct source *source, size_t from, size_t to)
{
    for (size_t at = from; at + 2 < to; at++) {
        if (is(source, at, "(") && is(source, at + 1, "*") && is_word(source, at + 2)) {
            size_t close = closing(source, at);
            if (is(source, close + 1, "("))
                return listed(source, close + 1, false);
        } else if (is(source, at, "->") && is_word(source, at + 1) && is(source, at + 2, "(")) {
            return listed(source, at + 2, false);
        }
    }
    return -1;
}

/* What a name stands for in a source or in what it includes. */
static struct source *macro_named(const struct source *source, const char *name, int depth)
{
    struct source *macro = map_get(&source->macros, name);
    for (size_t i = 0; depth < 4 && !macro && i < source->includes.count; i++) {
        struct source *header = source_open(source_beside(source->path, source->includes.at[i]), NULL);
        if (header)
            macro = macro_named(header, name, depth + 1);
    }
    return macro;
}

static struct source *macro_of(const struct source *source, size_t at)
{
    return macro_named(source, intern(source->tokens.at[at].text, source->tokens.at[at].length), 0);
}

/* The place is that of the called expression's first word, of its last parenthesis, or of the star in it. */
int source_arguments(const struct source *source, struct place call)
{
    size_t at = token_at(source, call);
    if (at >= source->tokens.count || source->tokens.at[at].line != call.line)
        return -1;
    if (is(source, at, "*") && at > 0 && is(source, at - 1, "("))
        at--;
    if (is(source, at, "(")) {
        at = closing(source, at) + 1;
    } else if (is_word(source, at)) {
        struct source *macro = is(source, at + 1, "(") ? macro_of(source, at) : NULL;
        if (macro) {
            int passed = first_indirect(source, at + 2, closing(source, at + 1));
            return passed >= 0 ? passed : first_indirect(macro, 0, macro->tokens.count);
        }
        at++;
    } else {
        return -1;
    }
    for (; at < source->tokens.count; at++) {
        if (is(source, at, "("))
            return listed(source, at, false);
        if (is(source, at, "["))
            at = closing(source, at);
        else if (!is(source, at, "->") && !is(source, at, ".") && !is_word(source, at))
            return -1;
    }
    return -1;
}

int source_parameters(const struct source *source, struct place definition)
{
    size_t at = token_at(source, definition);
    if (!is_word(source, at))
        return -1;
    for (at++; is(source, at, ")"); at++) /* (name)(parameters) */
        ;
    return is(source, at, "(") ? listed(source, at, true) : -1;
}

bool source_takes(const struct source *source, const char *function)
{
    return map_get(&source->values, function) != NULL;
}

const char *source_line(struct source *source, int line)
{
    for (const char *at = source->text; !source->lines.count || *at;) {
        if (source->lines.count && source->lines.at[source->lines.count - 1] >= at)
            break; /* read before */
        PUSH(&source->lines, at);
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    if (line < 1 || (size_t)line > source->lines.count || !*source->lines.at[line - 1])
        return NULL;
    const char *at = source->lines.at[line - 1];
    return intern(at, strcspn(at, "\r\n"));
}
