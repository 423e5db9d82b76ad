/* SPDX-License-Identifier: MIT
 *
 * Runs a program that was built with bine-race.  As text its findings come while it runs, from the program
 * itself; in other forms it leaves them in a file, which is printed when it has ended. */
#define _GNU_SOURCE
#include "race.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void describe(const struct run_options *options, const char *log)
{
    bool colour = options->colour > 0 || (options->colour < 0 && isatty(STDERR_FILENO));
    const char *given = getenv("BINE_RACE");
    char *settings = join(given ? given : "", join(given && *given ? "," : "", options->settings));
    if (colour && !log)
        settings = join(settings, join(*settings ? "," : "", "colour"));
    if (setenv("BINE_RACE", settings, 1) != 0 ||
        (log ? setenv("BINE_RACE_LOG", log, 1) : unsetenv("BINE_RACE_LOG")) != 0)
        fail(EXIT_CANNOT, "cannot set the environment: %s", strerror(errno));
    free(settings);
}

int run(const struct run_options *options, char *program[])
{
    char path[] = "/tmp/bine-race.XXXXXX";
    FILE *log = NULL;
    unsigned found = 0;
    if (options->format != FORMAT_TEXT) {
        int fd = mkstemp(path);
        log = fd >= 0 ? fdopen(fd, "r") : NULL;
        if (!log)
            fail(EXIT_CANNOT, "cannot make a file in /tmp: %s", strerror(errno));
    }
    describe(options, log ? path : NULL);
    int status = run_command(program, false);
    if (log) {
        FILE *out = options->output ? fopen(options->output, "w") : stdout;
        if (!out)
            fail(EXIT_USAGE, "cannot write %s: %s", options->output, strerror(errno));
        found = print_findings(out, log, options->format);
        fclose(log);
        unlink(path);
        if (fflush(out) != 0 || (out != stdout && fclose(out) != 0))
            fail(EXIT_CANNOT, "cannot write the report: %s", strerror(errno));
    }
    if (status > 128)
        fprintf(stderr, "bine-race: %s was ended by signal %d; what was found until then is told\n",
                program[0], status - 128);
    return found ? EXIT_FINDINGS : status;
}
