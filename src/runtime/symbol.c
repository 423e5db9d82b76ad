/* SPDX-License-Identifier: MIT
 *
 * Finds the object that holds an address, maps its file, and asks the symbol table for the function and the
 * line table (line_table.c) for the line.  ELF; elsewhere the dynamic linker's own knowledge has to do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "runtime/debug.h"
#include "runtime/symbol.h"

void (*bine__name_for_people)(char name[BINE__SYMBOL_SIZE], const char *symbol, size_t length);

static void say_roughly(struct bine__place *place, const void *pc)
{
    Dl_info info;
    memset(&info, 0, sizeof info);
    if (dladdr(pc, &info) && info.dli_sname)
        snprintf(place->function, sizeof place->function, "%s", info.dli_sname);
    if (info.dli_fname)
        snprintf(place->where, sizeof place->where, "%.96s+0x%zx", info.dli_fname,
                 (size_t)((const char *)pc - (const char *)info.dli_fbase));
    else
        snprintf(place->where, sizeof place->where, "%p", pc);
}

#ifdef __ELF__
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct object {
    uintptr_t pc, base;
    char path[256];
    const char *file;
    size_t size;
};

static int holds(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct object *object = arg;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || object->pc - info->dlpi_addr - part->p_vaddr >= part->p_memsz)
            continue;
        object->base = info->dlpi_addr;
        snprintf(object->path, sizeof object->path, "%s",
                 info->dlpi_name && info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe");
        return 1;
    }
    return 0;
}

static const void *part_of(const struct object *object, uint64_t offset, uint64_t size)
{
    return offset <= object->size && size <= object->size - offset ? object->file + offset : NULL;
}

static void name_function(const struct object *object, const ElfW(Shdr) * table, const ElfW(Shdr) * texts,
                          struct bine__place *place)
{
    const ElfW(Sym) *symbols = part_of(object, table->sh_offset, table->sh_size);
    const char *text = part_of(object, texts->sh_offset, texts->sh_size);
    uint64_t wanted = object->pc - object->base;
    for (size_t i = 0; symbols && text && i < table->sh_size / sizeof *symbols; i++) {
        const ElfW(Sym) *symbol = &symbols[i];
        if ((symbol->st_info & 0xf) != STT_FUNC || wanted - symbol->st_value >= symbol->st_size ||
            symbol->st_name >= texts->sh_size)
            continue;
        const char *name = text + symbol->st_name;
        size_t length = strnlen(name, texts->sh_size - symbol->st_name);
        const char *part = memchr(name, '.', length); /* f.cold, f.part.0: of f */
        if (part && part != name)
            length = (size_t)(part - name);
        if (length > 11 && !memcmp(name, "bine_", 5) && !memcmp(name + length - 6, "_sized", 6))
            length -= 6; /* bine_serve() and others like it are macros */
        snprintf(place->function, sizeof place->function, "%.*s", (int)length, name);
        if (bine__name_for_people)
            bine__name_for_people(place->function, name, length);
        return;
    }
}

static void read_object(const struct object *object, struct bine__place *place)
{
    const ElfW(Ehdr) *head = part_of(object, 0, sizeof *head);
    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_shentsize != sizeof(ElfW(Shdr)))
        return;
    const ElfW(Shdr) *sections = part_of(object, head->e_shoff, (uint64_t)head->e_shnum * sizeof *sections);
    if (!sections || head->e_shstrndx >= head->e_shnum)
        return;
    const ElfW(Shdr) *names = &sections[head->e_shstrndx];
    const char *text = part_of(object, names->sh_offset, names->sh_size);
    struct bine__debug_sections debug;
    memset(&debug, 0, sizeof debug);
    for (unsigned i = 0; text && i < head->e_shnum; i++) {
        const ElfW(Shdr) *section = &sections[i];
        if (section->sh_name >= names->sh_size)
            continue;
        const char *name = text + section->sh_name;
        size_t room = names->sh_size - section->sh_name;
        bool symbols =
            section->sh_type == SHT_SYMTAB || (section->sh_type == SHT_DYNSYM && !place->function[0]);
        if (symbols && section->sh_link < head->e_shnum)
            name_function(object, section, &sections[section->sh_link], place);
        struct bine__bytes *wanted = strncmp(name, ".debug_line", room) == 0       ? &debug.line
                                     : strncmp(name, ".debug_line_str", room) == 0 ? &debug.line_strings
                                     : strncmp(name, ".debug_str", room) == 0      ? &debug.strings
                                                                                   : NULL;
        const uint8_t *bytes =
            wanted && section->sh_type == SHT_PROGBITS && !(section->sh_flags & SHF_COMPRESSED)
                ? part_of(object, section->sh_offset, section->sh_size)
                : NULL;
        if (bytes)
            *wanted = (struct bine__bytes){bytes, bytes + section->sh_size};
    }
    if (debug.line.at)
        place->line_known =
            bine__line_of(&debug, object->pc - object->base, place->where, sizeof place->where);
}

static void look_up(struct bine__place *place, const void *pc)
{
    struct object object;
    memset(&object, 0, sizeof object);
    object.pc = (uintptr_t)pc;
    if (!dl_iterate_phdr(holds, &object))
        return;
    int fd = open(object.path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && status.st_size > 0) {
        object.size = (size_t)status.st_size;
        void *file = mmap(NULL, object.size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (file != MAP_FAILED) {
            object.file = file;
            read_object(&object, place);
            munmap(file, object.size);
        }
    }
    close(fd);
}
#else
static void look_up(struct bine__place *place, const void *pc)
{
    (void)place, (void)pc;
}
#endif

void bine__place_of(struct bine__place *place, const void *pc)
{
    memset(place, 0, sizeof *place);
    look_up(place, pc);
    if (!place->line_known) {
        char known[sizeof place->function];
        memcpy(known, place->function, sizeof known);
        say_roughly(place, pc);
        if (known[0])
            memcpy(place->function, known, sizeof known);
    }
}

void bine__place_of_call(struct bine__place *place, const void *return_address)
{
    bine__place_of(place, (const char *)return_address - 1);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* What the task's own function is called by. */
static bool is_beginning(const struct bine__place *place)
{
    static const char *const names[] = {"bine__task_main", "bine__run_explicit", "bine__first_run",
                                        "bine__context_entry"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(place->function, names[i]) == 0)
            return true;
    return false;
}

/* The library's own frames come first: up to one with a public name that was called from one without.  Where
 * from is known the search begins there: functions that end in a jump have left no frame. */
int bine__call_places(struct bine__place *place, int max, const void *from, char name[BINE__SYMBOL_SIZE])
{
    enum { OWN_FRAMES = 14 };
    void *frames[BINE__FRAMES];
    int depth = bine__backtrace(frames, BINE__FRAMES), n = 0, first = 1;
    struct bine__place one;
    bool public = false;
    name[0] = '\0';
    for (int i = 1; i < depth && from; i++)
        if (frames[i] == from) {
            first = i;
            break;
        }
    for (int i = from ? first - 1 : 1; i > 0 && i < depth && i < OWN_FRAMES; i++) {
        bine__place_of_call(&one, frames[i]);
        bool own = begins(one.function, "bine_");
        if (is_beginning(&one) || (!own && public))
            break;
        if (own) {
            first = i + 1;
            public = !begins(one.function, "bine__");
            if (public)
                memcpy(name, one.function, BINE__SYMBOL_SIZE);
        } else if (from && i > first) {
            break;
        }
    }
    for (int i = first; i < depth && n < max; i++, n++) {
        bine__place_of_call(&place[n], frames[i]);
        if (is_beginning(&place[n]))
            break;
    }
    if (n == 0 && from && max > 0)
        bine__place_of_call(&place[n++], from);
    return n;
}
