/* SPDX-License-Identifier: MIT
 *
 * Reads what gcc -fdump-ipa-cgraph writes: the symbols of a unit, among them the functions whose address is
 * taken, in code, in initialisers or in virtual tables.
 *
 *     work/0 (work) @0x7fbff7b67000
 *       Type: function definition analyzed
 *       Visibility: public
 *       Address is taken.
 *
 * It also tells which functions other units see, also where link-time optimisation keeps them out of the .ci.
 */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void read_taken(struct graph *graph, struct unit *unit, const char *path)
{
    char *text = slurp(path, NULL);
    if (!text)
        fail("%s: %s", path, strerror(errno));
    const char *symbol = NULL;
    bool function = false, body = false;
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (line[0] != ' ') {
            /* "symbol/12 (name) @0x..." */
            const char *slash = strchr(line, '/');
            const char *start = line + (line[0] == '*');
            symbol = slash && strstr(line, " @0x") ? intern(start, (size_t)(slash - start)) : NULL;
            function = body = false;
        } else if (symbol && begins(line, "  Type: function")) {
            function = true;
            body = strstr(line, "definition analyzed") != NULL;
        } else if (symbol && function && body && begins(line, "  Visibility:")) {
            if (strstr(line, " public") && !strstr(line, " external") && !strstr(line, "comdat"))
                graph_definition(graph, unit, symbol, false);
        } else if (symbol && function && begins(line, "  Address is taken")) {
            graph_node(graph, unit, symbol, body && !map_get(&graph->global, symbol))->taken = true;
        }
    }
    free(text);
}
