/* SPDX-License-Identifier: MIT
 *
 * The high-water mark of each spawn site, kept while debugging: how large a stack its tasks need. */
#include <stdlib.h>
#include <string.h>

#include "runtime/debug.h"

/* A program has few spawn sites and the last one used is first: a list will do. */
void bine__sites_note(struct bine__site **sites, const char *site, size_t used, size_t size)
{
    struct bine__site **link = sites, *found;
    if (!site)
        site = "?"; /* as reports say where nobody told it */
    while ((found = *link) && strcmp(found->site, site) != 0)
        link = &found->next;
    if (found) {
        *link = found->next;
    } else {
        found = calloc(1, sizeof *found);
        if (!found)
            return;
        found->site = site;
    }
    found->next = *sites;
    *sites = found;
    found->tasks++;
    if (used > found->used)
        found->used = used;
    if (size > found->size)
        found->size = size;
}

void bine__sites_free(struct bine__site *sites)
{
    while (sites) {
        struct bine__site *site = sites;
        sites = site->next;
        free(site);
    }
}
