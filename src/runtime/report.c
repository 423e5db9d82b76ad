/* SPDX-License-Identifier: MIT
 *
 * Diagnostics: every one names the task and its spawn site, and goes through one hook. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/runtime.h"

enum { MESSAGE_SIZE = 512 };

const char *bine_version(void)
{
    return BINE_VERSION;
}

/* One write(2), so that lines of several threads do not mix. */
static void to_stderr(const bine_report *report)
{
    char line[MESSAGE_SIZE + 256], error[128] = "";
    int n;
    if (report->error)
        snprintf(error, sizeof error, ": %s", strerror(report->error));
    if (report->task)
        n = snprintf(line, sizeof line, "bine: task %llu '%s' (spawned at %s): %s%s\n",
                     (unsigned long long)report->task, report->name, report->site ? report->site : "?",
                     report->message, error);
    else
        n = snprintf(line, sizeof line, "bine: %s%s\n", report->message, error);
    if (n >= (int)sizeof line)
        n = (int)sizeof line - 1;
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0) {
        /* there is nobody left to tell */
    }
}

static _Atomic(bine_report_fn *) hook = to_stderr;

bine_report_fn *bine_set_report(bine_report_fn *fn)
{
    bine_report_fn *former = atomic_exchange(&hook, fn ? fn : to_stderr);
    return former == to_stderr ? NULL : former;
}

static void send(bine_report_kind kind, const struct bine_task *task, int error, const char *format, va_list args)
{
    int kept = errno;
    char message[MESSAGE_SIZE];
    vsnprintf(message, sizeof message, format, args);
    const bine_report report = {
        .kind = kind,
        .message = message,
        .task = task ? task->id : 0,
        .name = task ? bine__task_name(task) : "",
        .site = task ? task->site : NULL,
        .error = error,
    };
    bine__explore_report(&report);
    bine__check_reported(&report, task);
    bine_report_fn *fn = atomic_load(&hook);
    fn(&report);
    errno = kept;
}

void bine__report(bine_report_kind kind, const struct bine_task *task, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    send(kind, task, error, format, args);
    va_end(args);
}

void bine__fatal(const struct bine_task *task, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    send(BINE_REPORT_FATAL, task, 0, format, args);
    va_end(args);
    abort();
}
