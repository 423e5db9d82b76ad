/* SPDX-License-Identifier: MIT
 *
 * Which functions a call through a pointer may reach.  */
#ifndef YIELDS_RESOLVE_H
#define YIELDS_RESOLVE_H

struct graph;
void resolve(struct graph *);

#endif
