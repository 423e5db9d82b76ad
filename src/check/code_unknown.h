/* SPDX-License-Identifier: MIT
 *
 * For processors whose code is not known: nothing is ever found.
 * Included by race_code.c, which says what is asked. */
#ifndef BINE_CHECK_CODE_UNKNOWN_H
#define BINE_CHECK_CODE_UNKNOWN_H

enum { CALL_BYTES = 1 };
static uintptr_t call_to(const uint8_t *at) { return (uintptr_t)at; }
static bool calls_through_pointer(const uint8_t *at) { return at != NULL; }
static bool tested_code(const uint8_t *from, bool pointer) { return !from && pointer; }
static int condition(const uint8_t *from) { return from ? -1 : 0; }
static bool merged(const uint8_t *back, bool surely) { return !back && surely; }
static bool regardless(const uint8_t *from, const uint8_t *to) { return to < from; }
static bool straight(const uint8_t *from, const uint8_t *to) { return to < from; }
static const enum bine__condition conditions[] = {BINE__IF_UNKNOWN};
static bool result_used(const uint8_t *back) { return back != NULL; }
enum { STEP = 1 };

#endif
