/* SPDX-License-Identifier: MIT
 *
 * A context variable for each request: who the user is, known to whatever logs on its behalf.
 *
 *     context_var [--real]
 *
 * Nobody passes the name down to log_line(), and the requests are dealt with at the same time.  A handler
 * starts with the default, since its parent has set nothing; what it sets goes to the tasks that it spawns
 * from then on, each with a copy.  A token takes one setting back.  A task local (gevent.local) is the other
 * thing: never inherited, and tidied up when its task ends. */
#include <bine.h>

#include <errno.h>
#include <stdlib.h>

#include "../lib/trace.h"

static bine_var *user;
static bine_key *lines_logged;

/* How many lines this task has logged: its own count, made when it is first needed. */
static int count_line(void)
{
    int *lines = bine_local_get(lines_logged);
    if (!lines) {
        lines = calloc(1, sizeof *lines);
        if (!lines || bine_local_set(lines_logged, lines) < 0)
            abort();
    }
    return ++*lines;
}

static void tell_lines(void *lines)
{
    trace("  (a task of %s has logged %d)", (const char *)bine_var_get(user), *(int *)lines);
    free(lines);
}

static void log_line(const char *what)
{
    trace("user %s: %s, line %d", (const char *)bine_var_get(user), what, count_line());
}

static void *send_mail(void *arg)
{
    static char mailer[] = "mailer";
    log_line("mail"); /* inherited */
    bine_var_set(user, mailer, NULL);
    if (bine_sleep(BINE_SECOND) < 0)
        return bine_fail(errno);
    log_line("sent"); /* its own now */
    return arg;
}

static void *handler(void *name)
{
    static char root[] = "root";
    bine_token token;
    log_line("request"); /* the default: nothing of another request */
    bine_var_set(user, name, NULL);
    if (bine_sleep(BINE_SECOND / 2) < 0)
        return bine_fail(errno);
    BINE_GROUP(mails, BINE_GROUP_ALL)
        bine_group_spawn(&mails, send_mail, NULL);
    log_line("answer"); /* what the child has set is not seen here */

    if (bine_var_set(user, root, &token) == 0) {
        log_line("audit");
        bine_var_reset(user, &token);
    }
    log_line("end");
    return NULL;
}

static void *run(void *arg)
{
    static char nobody[] = "nobody";
    static char ann[] = "ann";
    static char bob[] = "bob";
    user = bine_var_new("user", nobody);
    lines_logged = bine_key_new(tell_lines);
    if (!user || !lines_logged)
        return bine_fail(errno);
    BINE_GROUP(requests, BINE_GROUP_ALL) {
        bine_group_spawn(&requests, handler, ann);
        bine_group_spawn(&requests, handler, bob);
    }
    bine_key_free(lines_logged);
    bine_var_free(user);
    return arg;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
