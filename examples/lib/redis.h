/* SPDX-License-Identifier: MIT
 *
 * As much of Redis's protocol (RESP2) as the programs of examples/seeds need: commands out, replies in.
 *
 * Writing never switches tasks, reading may: the two halves are apart on purpose, since all that is right
 * or wrong with pipelining is about what may happen between them. */
#ifndef EXAMPLES_REDIS_H
#define EXAMPLES_REDIS_H

#include <bine.h>

enum { REDIS_REPLY_SIZE = 256 };

/* Yields.  A connection over a Unix socket, NULL with errno. */
bine_stream *redis_open(const char *path);

/* Never switches.  Buffers one command, its words separated by single blanks: "SET a b".  To be flushed. */
int redis_write(bine_stream *, const char *command);

/* Yields.  One reply as text: "OK", "(error) ERR ...", "3", "(nil)", "[one two]".  0; -1 with errno: EPROTO
 * if it is no reply, EMSGSIZE if it is longer than REDIS_REPLY_SIZE, ENODATA at end of file.
 * Cancelled in the middle of a reply, what was taken of it is lost. */
int redis_read(bine_stream *, char reply[REDIS_REPLY_SIZE]);

/* Yields.  A command and its reply, one at a time: for a connection that nobody shares. */
int redis_ask(bine_stream *, const char *command, char reply[REDIS_REPLY_SIZE]);

/* The whole of main(): runs fn(SOCKET) in a loop. */
int redis_main(int argc, char **argv, bine_fn *fn);

#endif
