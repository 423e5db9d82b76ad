/* SPDX-License-Identifier: MIT
 *
 * bine: stackful green threads for C.  This header includes all of them. */
#ifndef BINE_H
#define BINE_H

#include <bine/base.h>
#include <bine/task.h>
#include <bine/scope.h>
#include <bine/group.h>
#include <bine/future.h>
#include <bine/gen.h>
#include <bine/context.h>
#include <bine/sync.h>
#include <bine/chan.h>
#include <bine/io.h>
#include <bine/net.h>
#include <bine/stream.h>
#include <bine/offload.h>
#include <bine/process.h>
#include <bine/signal.h>
#include <bine/check.h>
#include <bine/debug.h>

#endif
