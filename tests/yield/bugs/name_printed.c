/* SPDX-License-Identifier: MIT
 *
 * A user's name is made in a place for all, the user is looked up, which waits, and a line is written to the journal
 * and sent with the name that is there by then.
 * KIND: CLOBBERED */
#include "../corpus.h"

static char name[24];
static int wrong;

static void *visit(void *arg)
{
    const char *who = arg;
    char line[64] = "";
    strcpy(name, who); /* SITE looked wrote */
#ifdef FIXED
    char copy[sizeof name];
    strcpy(copy, name);
#else
    const char *copy = name;
#endif
    bine_sleep(BINE_MS); /* SITE gave-up */
    FILE *journal = fmemopen(line, sizeof line, "w");
    fprintf(journal, "%d %s\n", 1, copy); /* SITE acted */
    fclose(journal);
    wrong += strstr(line, who) == NULL;
    return NULL;
}

static void *program(void *arg)
{
    static char ada[] = "ada", bob[] = "bob";
    both(visit, ada, visit, bob);
    EXPECT(wrong == 0);
    return arg;
}
PROGRAM(program)
