/* SPDX-License-Identifier: MIT
 *
 * Strings and file names as JSON, and SARIF with it, wants them; and the end of what a tool prints.  Of all
 * tools (json.c). */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdbool.h>
#include <stdio.h>

/* In quotes.  What is UTF-8 stays so; a byte that is not part of any is told as Latin-1 has it. */
void json_string(FILE *, const char *text);
/* The name of a file as a URI reference (RFC 3986), in quotes. */
void json_uri(FILE *, const char *file);
/* All of standard output has been taken. */
bool stdout_written(void);

#endif
