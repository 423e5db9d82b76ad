/* SPDX-License-Identifier: MIT
 *
 * Reads JSON (RFC 8259) from standard input: exit status 0 if it is one value and nothing after it, else 1 and where
 * it goes wrong. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[1 << 22];
static const char *at = text;

static void wrong(const char *what)
{
    int line = 1;
    for (const char *c = text; c < at; c++)
        line += *c == '\n';
    fprintf(stderr, "line %d: %s at: %.40s\n", line, what, at);
    exit(1);
}

static void blanks(void)
{
    at += strspn(at, " \t\r\n");
}

static void string(void)
{
    if (*at++ != '"')
        wrong("no string");
    while (*at != '"') {
        if ((unsigned char)*at < 0x20)
            wrong("control character");
        if (*at++ != '\\')
            continue;
        if (*at == 'u') {
            for (int i = 0; i < 4; i++)
                if (!isxdigit((unsigned char)*++at))
                    wrong("bad \\u");
            at++;
        } else if (*at && strchr("\"\\/bfnrt", *at)) {
            at++;
        } else {
            wrong("bad escape");
        }
    }
    at++;
}

static void value(int depth)
{
    if (depth > 64)
        wrong("too deep");
    blanks();
    if (*at == '{' || *at == '[') {
        char end = *at++ == '{' ? '}' : ']';
        blanks();
        while (*at != end) {
            if (end == '}') {
                blanks();
                string();
                blanks();
                if (*at++ != ':')
                    wrong("no colon");
            }
            value(depth + 1);
            blanks();
            if (*at == end)
                break;
            if (*at++ != ',')
                wrong("no comma");
            blanks();
            if (*at == end)
                wrong("nothing after a comma");
        }
        at++;
    } else if (*at == '"') {
        string();
    } else if (!strncmp(at, "true", 4) || !strncmp(at, "null", 4)) {
        at += 4;
    } else if (!strncmp(at, "false", 5)) {
        at += 5;
    } else {
        char *end;
        if (*at != '-' && !isdigit((unsigned char)*at))
            wrong("no value");
        strtod(at, &end);
        at = end;
    }
}

int main(void)
{
    size_t length = fread(text, 1, sizeof text - 1, stdin);
    text[length] = '\0';
    value(0);
    blanks();
    if (*at)
        wrong("something after it");
    return 0;
}
