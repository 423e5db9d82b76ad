/* SPDX-License-Identifier: MIT
 *
 * Traces with times, and how the programs that print them are run: see trace.h. */
#include "trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

static bine_ns start;

void trace_restart(void)
{
    start = bine_now();
}

void trace(const char *format, ...)
{
    bine_ns ms = (bine_now() - start) / BINE_MS;
    va_list arguments;
    printf("%d.%03d ", (int)(ms / 1000), (int)(ms % 1000));
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static void *begin(void *arg)
{
    bine_fn *const *fn = arg;
    trace_restart();
    return (*fn)(NULL);
}

int trace_main(int argc, char **argv, bine_fn *fn)
{
    bine_options options = BINE_OPTIONS_INIT;
    bine_result result = {NULL, 0};
    options.virtual_clock = !(argc > 1 && strcmp(argv[1], "--real") == 0);
    int how = bine_run_with(&options, begin, &fn, &result);
    return program_end(argv[0], how, result.error);
}
