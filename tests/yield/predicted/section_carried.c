/* SPDX-License-Identifier: MIT
 *
 * A reader of settings keeps the section in a static buffer from one turn of its loop to the next; the other file is
 * read later.
 * KIND: CLOBBERED */
#include "../corpus.h"

static char section[16];
static char settings[4][40];
static int count;

static void take_line(const char *line)
{
    if (line[0] == '[')
        snprintf(section, sizeof section, "%s", line + 1); /* SITE looked wrote */
    else
        snprintf(settings[count++], sizeof settings[0], "%s.%s", section, line); /* SITE acted */
}

struct file {
    bine_ns at;
    const char *line[3];
};

static void *load(void *arg)
{
    const struct file *file = arg;
    bine_sleep(file->at);
    for (int i = 0; file->line[i]; i++) {
        take_line(file->line[i]);
#ifndef FIXED
        bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    }
    return NULL;
}

static void *program(void *arg)
{
    static struct file mail = {0, {"[mail", "port=25", NULL}}, news = {BINE_MINUTE, {"[news", "port=119", NULL}};
    both(load, &mail, load, &news);
    EXPECT(strcmp(settings[0], "mail.port=25") == 0 && count == 2);
    return arg;
}
PROGRAM(program)
