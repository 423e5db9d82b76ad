/* SPDX-License-Identifier: MIT
 *
 * The little that every example program does and that is not its subject. */
#ifndef EXAMPLES_PROGRAM_H
#define EXAMPLES_PROGRAM_H

/* Prints "listening on 127.0.0.1:7007": with port 0 the kernel has chosen one.  0, or -1 with errno. */
int program_print_address(int listener);
/* The same, into a buffer. */
int program_address(int listener, char *buf, unsigned long size);

/* Yields until SIGINT or SIGTERM arrives: 0, or -1 with errno.  One task at a time. */
int program_wait_for_signal(void);

/* Raises the limit of open descriptors as far as is allowed, and returns it. */
unsigned long program_raise_descriptors(void);

/* What a program's end comes to: how = bine_run()'s value, error = its result's.  Says why it failed. */
int program_end(const char *name, int how, int error);

#endif
