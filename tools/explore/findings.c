/* SPDX-License-Identifier: MIT
 *
 * What failed: its title, the reports that came with it, the way it went. */
#define _GNU_SOURCE
#include "explore.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *format, ...)
{
    char *made = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&made, format, args);
    va_end(args);
    if (n < 0)
        fail(EXIT_CANNOT, "out of memory");
    return made;
}

static char *title_of(const struct target *target, enum verdict verdict, int status)
{
    const struct bine__explore_share *share = target->share;
    switch (verdict) {
    case RUN_REPORTED:
        return text("%s", share->finding[0]);
    case RUN_EXIT:
        return share->findings ? text("%s", share->finding[0])
                               : text("it ended with status %d", WEXITSTATUS(status));
    case RUN_SIGNAL:
        return text("it was killed by signal %d (%s)%s%s", WTERMSIG(status), strsignal(WTERMSIG(status)),
                    share->doing[0] ? " in " : "", share->doing);
    case RUN_STUCK:
        return text("nothing can ever run again");
    case RUN_STEPS:
        return text("it does not end: more than %u steps", options.max_steps);
    case RUN_TIME:
        if (share->doing[0])
            return text("it does not end: %s holds the loop for more than %g s", share->doing,
                        options.run_time);
        return text("it does not end: more than %g s%s", options.run_time,
                    share->outside ? ", waiting for something outside of the program" : "");
    case RUN_OUTPUT:
        return text("it writes without end");
    case RUN_CLEAN:
    case RUN_MISFIT:
        break;
    }
    return text("it ended well");
}

/* The same, but for numbers: those of tasks, and addresses, differ between schedules. */
static bool same_words(const char *one, const char *other)
{
    while (*one && *other) {
        if (isdigit((unsigned char)*one) && isdigit((unsigned char)*other)) {
            one += strspn(one, "0123456789abcdefx");
            other += strspn(other, "0123456789abcdefx");
        } else if (*one++ != *other++) {
            return false;
        }
    }
    return *one == *other;
}

bool finding_same(const struct finding *finding, const struct target *target, int status)
{
    const struct bine__explore_share *share = target->share;
    enum verdict verdict = target_verdict(target, status);
    if (finding->verdict != verdict || (finding->n_reports == 0) != (share->findings == 0))
        return false;
    if ((verdict == RUN_EXIT || verdict == RUN_SIGNAL) && finding->status != status)
        return false;
    return share->findings == 0 || same_words(finding->reports[0], share->finding[0]);
}

struct finding *finding_add(struct result *result, const struct target *target, int status)
{
    const struct bine__explore_share *share = target->share;
    struct finding *findings = realloc(result->findings, (result->n_findings + 1) * sizeof *findings);
    if (!findings)
        fail(EXIT_CANNOT, "out of memory");
    result->findings = findings;
    struct finding *finding = &findings[result->n_findings++];
    enum verdict verdict = target_verdict(target, status);
    *finding = (struct finding){.verdict = verdict,
                                .status = status,
                                .title = title_of(target, verdict, status),
                                .steps = share->steps,
                                .found_at = result->schedules};
    finding->reports = calloc(BINE__EXPLORE_FINDINGS, sizeof *finding->reports);
    if (!finding->reports)
        fail(EXIT_CANNOT, "out of memory");
    for (uint32_t i = 0; i < share->findings && i < BINE__EXPLORE_FINDINGS; i++)
        finding->reports[finding->n_reports++] = text("%s", share->finding[i]);
    path_of_run(&finding->path, share);
    return finding;
}

/* The usual one, if that will do: then its path is good without an option, and for a debugger. */
static void find_fairness(struct target *target, struct finding *finding)
{
    const unsigned unfair = options.unfair;
    int status;
    finding->unfair = unfair;
    if (options.unfair_given || unfair == BINE__EXPLORE_UNFAIR)
        return;
    options.unfair = BINE__EXPLORE_UNFAIR;
    if (target_replay(target, &finding->path, true, false, &status) != RUN_MISFIT &&
        finding_same(finding, target, status))
        finding->unfair = BINE__EXPLORE_UNFAIR;
    options.unfair = unfair;
}

/* Which limit is exceeded first may be chance. */
static bool endless(enum verdict verdict)
{
    return verdict == RUN_STEPS || verdict == RUN_TIME;
}

/* Once more, this time telling what happens. */
void finding_complete(struct target *target, struct finding *finding)
{
    int status;
    struct stat size;
    find_fairness(target, finding);
    /* In between a schedule that is long goes in circles. */
    target->share->tell_last = finding->steps > BINE__EXPLORE_TOLD ? finding->steps - BINE__EXPLORE_TOLD : 0;
    target_replay(target, &finding->path, true, true, &status);
    finding->again = finding_same(finding, target, status) ||
                     (endless(finding->verdict) && endless(target_verdict(target, status)));
    finding->trace = text("%.*s", (int)target->share->text_used, target->share->text);
    finding->output = text("%s", "");
    if (fstat(target->output, &size) == 0 && size.st_size > 0) {
        enum { SHOWN = 16 << 10 };
        off_t from = size.st_size > SHOWN ? size.st_size - SHOWN : 0;
        char *output = calloc(1, SHOWN + 1);
        ssize_t n = output ? pread(target->output, output, SHOWN, from) : -1;
        for (ssize_t i = 0; i < n; i++)
            if (output[i] == '\0')
                output[i] = '?';
        if (n > 0) {
            free(finding->output);
            finding->output = output;
        } else {
            free(output);
        }
    }
}
