/* SPDX-License-Identifier: MIT
 *
 * Diagnostics: every one names the task and its spawn site, and goes through one hook.
 *
 * A message has little room on the stack of whoever it is about; one that needs more, a backtrace, say, is
 * allocated, and ends in "..." where there is no memory for it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/runtime.h"

enum { MESSAGE_SIZE = 512 }; /* on the stack */

const char *bine_version(void)
{
    return BINE_VERSION;
}

static struct iovec piece(const char *text)
{
    return (struct iovec){(void *)(uintptr_t)text, strlen(text)};
}

/* One writev(2), so that lines of several threads do not mix. */
static void to_stderr(const bine_report *report)
{
    char task[96] = "", error[128] = "";
    bool about = report->task != 0;
    if (report->error)
        snprintf(error, sizeof error, ": %s", strerror(report->error));
    if (about)
        snprintf(task, sizeof task, "task %llu '%s' (spawned at ", (unsigned long long)report->task, report->name);
    const struct iovec line[] = {piece("bine: "),
                                 piece(task),
                                 piece(!about ? "" : report->site ? report->site : "?"),
                                 piece(about ? "): " : ""),
                                 piece(report->message),
                                 piece(error),
                                 piece("\n")};
    if (writev(STDERR_FILENO, line, sizeof line / sizeof line[0]) < 0) {
        /* there is nobody left to tell */
    }
}

static _Atomic(bine_report_fn *) hook = to_stderr;

bine_report_fn *bine_set_report(bine_report_fn *fn)
{
    bine_report_fn *former = atomic_exchange(&hook, fn ? fn : to_stderr);
    return former == to_stderr ? NULL : former;
}

/* Into what there is, or into what it allocates; to be freed if it is that. */
static char *compose(char few[MESSAGE_SIZE], const char *format, va_list args)
{
    static const char cut[] = "...";
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(few, MESSAGE_SIZE, format, args);
    char *all = length >= MESSAGE_SIZE ? malloc((size_t)length + 1) : NULL;
    if (all)
        vsnprintf(all, (size_t)length + 1, format, again);
    else if (length >= MESSAGE_SIZE)
        memcpy(few + MESSAGE_SIZE - sizeof cut, cut, sizeof cut);
    va_end(again);
    return all ? all : few;
}

static __attribute__((format(printf, 4, 0))) void send(bine_report_kind kind, const struct bine_task *task, int error,
                                                       const char *format, va_list args)
{
    int kept = errno;
    char few[MESSAGE_SIZE], *message = compose(few, format, args);
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
    if (message != few)
        free(message);
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
