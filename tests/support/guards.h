/* SPDX-License-Identifier: MIT
 *
 * How many guarded stacks a process can have here: where the kernel knows guard pages (Linux 6.13) as many as
 * memory allows; elsewhere each is two mappings, of which vm.max_map_count allows 65530 unless it was changed. */
#ifndef TESTS_GUARDS_H
#define TESTS_GUARDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static inline size_t most_guarded_stacks(void)
{
    enum { GUARD_INSTALL = 102 /* MADV_GUARD_INSTALL, which older headers lack */, OTHERS = 5000 };
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    unsigned long allowed = 65530;
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int known = page != MAP_FAILED && madvise(page, size, GUARD_INSTALL) == 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");

    if (page != MAP_FAILED)
        munmap(page, size);
    if (file && fscanf(file, "%lu", &allowed) != 1)
        allowed = 65530;
    if (file)
        fclose(file);
    return known ? SIZE_MAX : allowed > 2 * OTHERS ? (allowed - OTHERS) / 2 : OTHERS / 2;
}

#endif
