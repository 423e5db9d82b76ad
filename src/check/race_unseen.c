/* SPDX-License-Identifier: MIT
 *
 * Says at the end which shared libraries of the program the detector did not look into, since they are not
 * instrumented: what they read and write could be what matters.  What is linked in, the tool tells when it
 * links.
 *
 * A library that is instrumented names the hooks among its dynamic symbols.  Those of libc and of the
 * compiler's own runtime are not told of: every program has them, and the manual says what is seen of libc.
 */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/race.h"

static bool is_of_the_system(const char *name)
{
    static const char *const known[] = {
        "libc.so",      "libm.so",      "libpthread.so", "libdl.so",     "librt.so",   "ld-linux",
        "libgcc_s.so",  "libstdc++.so", "libc++.so",     "libresolv.so", "linux-vdso", "libc++abi.so",
        "libunwind.so", "libatomic.so", "libnss_",       "ld-musl",      "libbine"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(name, known[i], strlen(known[i])) == 0)
            return true;
    return false;
}

/* Whether the hooks are among the names of its dynamic symbols. */
static bool is_instrumented(const struct dl_phdr_info *module)
{
    const char *names = NULL;
    size_t size = 0;
    for (unsigned i = 0; i < module->dlpi_phnum; i++) {
        if (module->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *entry = (const void *)(module->dlpi_addr + module->dlpi_phdr[i].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++)
            if (entry->d_tag == DT_STRTAB)
                names = (const char *)entry->d_un.d_ptr; /* the loader has made an address of it */
            else if (entry->d_tag == DT_STRSZ)
                size = entry->d_un.d_val;
    }
    return !names || (uintptr_t)names < module->dlpi_addr || memmem(names, size, "__tsan_", 7);
}

static int look(struct dl_phdr_info *module, size_t size, void *count)
{
    (void)size;
    const char *slash = strrchr(module->dlpi_name, '/'), *name = slash ? slash + 1 : module->dlpi_name;
    if (!*name || is_of_the_system(name) || is_instrumented(module)) /* the program itself has no name */
        return 0;
    dprintf(STDERR_FILENO, "%s%s", (*(unsigned *)count)++ ? ", " : "bine-race: not looked into: ", name);
    return 0;
}

void bine__race_say_unseen(void)
{
    unsigned count = 0;
    dl_iterate_phdr(look, &count);
    if (count)
        dprintf(STDERR_FILENO, " (not compiled with instrumentation)\n");
}
