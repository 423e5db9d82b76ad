/* SPDX-License-Identifier: MIT
 *
 * What bine-race(1) has C++ sources read first: std::string made in the program, and the members of std::atomic
 * kept as functions, so that the line that calls one is a frame of its own.
 *
 * Up to C++17 the strings of libstdc++ are those of its shared library, which tells nothing of what it reads
 * and writes.  Here the program makes its own, as it does from C++20 on.  No program includes this file; it
 * is for -include, and declares nothing. */
#ifndef BINE_RACE_CXX_H
#define BINE_RACE_CXX_H

#if defined __cplusplus && defined __has_include
#if __has_include(<bits/c++config.h>)
#define _GLIBCXX_ALWAYS_INLINE inline
#include <bits/c++config.h>
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE -1 /* of all templates but strings: streams stay in the library */
#endif
#endif

#endif
