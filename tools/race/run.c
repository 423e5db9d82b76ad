/* SPDX-License-Identifier: MIT
 *
 * Runs a program that was built with bine-race.  As text its findings come while it runs, from the program
 * itself; in other forms it leaves them in a file, which is printed when it has ended. */
#define _GNU_SOURCE
#include "race.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void describe(const struct run_options *options, const char *log)
{
    const char *plain = getenv("NO_COLOR"), *term = getenv("TERM");
    const bool shows = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    const bool colour = options->colour > 0 || (options->colour < 0 && shows && !(plain && *plain));
    const char *given = getenv("BINE_RACE");
    char *settings = join(given ? given : "", join(given && *given ? "," : "", options->settings));
    if (colour && !log)
        settings = join(settings, join(*settings ? "," : "", "colour"));
    if (setenv("BINE_RACE", settings, 1) != 0 ||
        (log ? setenv("BINE_RACE_LOG", log, 1) : unsetenv("BINE_RACE_LOG")) != 0)
        fail(EXIT_CANNOT, "cannot set the environment: %s", strerror(errno));
    free(settings);
}

/* Opened before the program runs, so that it does not run in vain; but not emptied before there is something
 * to write. */
static FILE *open_output(const char *path)
{
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : dup(STDOUT_FILENO);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out)
        fail(path ? EXIT_USAGE : EXIT_CANNOT, "cannot write %s: %s", path ? path : "standard output",
             strerror(errno));
    return out;
}

int run(const struct run_options *options, char *program[])
{
    const char *place = getenv("TMPDIR");
    char *path = join(place && *place ? place : "/tmp", "/bine-race.XXXXXX");
    FILE *log = NULL, *out = NULL;
    unsigned found = 0;
    bool signalled;
    if (options->format == FORMAT_TEXT && options->output)
        fail(EXIT_USAGE, "--output goes with --format=json or sarif: text is told as it is found");
    if (options->format != FORMAT_TEXT) {
        out = open_output(options->output);
        int fd = mkostemp(path, O_CLOEXEC);
        log = fd >= 0 ? fdopen(fd, "r") : NULL;
        if (!log)
            fail(EXIT_CANNOT, "cannot make the file %s: %s", path, strerror(errno));
    }
    describe(options, log ? path : NULL);
    int status = run_command(program, &signalled);
    if (log) {
        struct stat before;
        if (options->output && fstat(fileno(out), &before) == 0 && S_ISREG(before.st_mode) &&
            ftruncate(fileno(out), 0) != 0)
            fail(EXIT_CANNOT, "cannot empty %s: %s", options->output, strerror(errno));
        found = print_findings(out, log, options->format);
        fclose(log);
        unlink(path);
        bool written = fflush(out) == 0 && !ferror(out);
        if (fclose(out) != 0 || !written) {
            if (options->output && S_ISREG(before.st_mode))
                truncate(options->output, 0); /* half of a report is none */
            fail(EXIT_CANNOT, "cannot write the report: %s", strerror(errno));
        }
    }
    free(path);
    if (signalled)
        fprintf(stderr, "bine-race: %s was ended by signal %d; what was found until then is told\n",
                program[0], status - 128);
    if (status != 126 && status != 127 && !holds_the_detector(program[0]))
        fprintf(stderr, "bine-race: %s was not built by bine-race: nothing that it did itself was watched\n", program[0]);
    return found ? EXIT_FINDINGS : status;
}
