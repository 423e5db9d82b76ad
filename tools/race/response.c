/* SPDX-License-Identifier: MIT
 *
 * Response files: build systems put long command lines into a file and give the compiler "@file".  The words
 * of it are apart by white space, quotes keep them together, a backslash takes the next character as it is.
 */
#include "race.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 16 }; /* a file may name others */

static void add_deeper(struct words *words, const char *word, unsigned depth);

static void add_from(struct words *words, FILE *file, unsigned depth)
{
    struct words found = {NULL, 0, 0};
    char *word = NULL, quote = 0;
    size_t size = 0;
    FILE *into = NULL;
    for (int c; (c = getc(file)) != EOF;) {
        if (!quote && isspace(c)) {
            if (into && fclose(into) == 0)
                add(&found, word);
            into = NULL;
            continue;
        }
        if (!into)
            into = need(open_memstream(&word, &size));
        if (c == '\\') {
            if ((c = getc(file)) != EOF)
                putc(c, into);
        } else if (quote ? c == quote : c == '"' || c == '\'') {
            quote = quote ? 0 : (char)c;
        } else {
            putc(c, into);
        }
    }
    if (into && fclose(into) == 0)
        add(&found, word);
    for (size_t i = 0; i < found.n; i++)
        add_deeper(words, found.at[i], depth + 1);
}

static void add_deeper(struct words *words, const char *word, unsigned depth)
{
    FILE *file = word[0] == '@' && depth < DEEPEST ? fopen(word + 1, "re") : NULL;
    if (!file) {
        add(words, word); /* the compiler takes it for a name, too */
        return;
    }
    add_from(words, file, depth);
    fclose(file);
}

void add_with_files(struct words *words, const char *word) { add_deeper(words, word, 0); }
