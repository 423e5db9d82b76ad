/* SPDX-License-Identifier: MIT
 *
 * Strings as JSON wants them.
 *
 * A name of a file need not be text, and what a program prints need not be either; JSON has to be UTF-8.  So
 * what is well-formed UTF-8 passes as it is (RFC 3629: no overlong forms, no surrogates, nothing beyond
 * U+10FFFF), and each other byte is told by the character of its number. */
#include "json.h"

#include <string.h>

/* Bytes of the character that begins here; 0: none does. */
static unsigned length_of(const unsigned char *at)
{
    static const struct {
        unsigned char first, last, low, high; /* of the first byte; of the second */
        unsigned length;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (*at < forms[i].first || *at > forms[i].last)
            continue;
        if (forms[i].length > 1 && (at[1] < forms[i].low || at[1] > forms[i].high))
            return 0;
        for (unsigned k = 2; k < forms[i].length; k++)
            if (at[k] < 0x80 || at[k] > 0xbf)
                return 0;
        return forms[i].length;
    }
    return 0;
}

void json_string(FILE *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    fputc('"', out);
    while (at && *at) {
        const unsigned length = length_of(at);
        if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at == '\n')
            fputs("\\n", out);
        else if (length == 0 || *at < 0x20 || *at == 0x7f)
            fprintf(out, "\\u%04x", *at);
        else
            fwrite(at, 1, length, out);
        at += length ? length : 1;
    }
    fputc('"', out);
}

void json_uri(FILE *out, const char *file)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    fputc('"', out);
    for (; *file; file++)
        if (strchr(plain, *file))
            fputc(*file, out);
        else
            fprintf(out, "%%%02X", (unsigned char)*file);
    fputc('"', out);
}

bool stdout_written(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}
