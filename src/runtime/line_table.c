/* SPDX-License-Identifier: MIT
 *
 * Reads the line programs of an object (DWARF 2 to 5, section 6.2) for the one row that covers an address.
 *
 * What it is given may be cut short or broken: every read is checked against its bounds, and a unit that
 * cannot be read is passed over.  Supplementary and compressed sections are not read. */
#include <stdio.h>
#include <string.h>

#include "runtime/symbol.h"

enum { /* DW_LNS_, DW_LNE_, DW_LNCT_, DW_FORM_: section 7.22 and 7.5.6 */
       LNS_COPY = 1,
       LNS_ADVANCE_PC,
       LNS_ADVANCE_LINE,
       LNS_SET_FILE,
       LNS_SET_COLUMN,
       LNS_NEGATE,
       LNS_BLOCK,
       LNS_CONST_ADD_PC,
       LNS_FIXED_ADVANCE,
       LNE_END_SEQUENCE = 1,
       LNE_SET_ADDRESS,
       LNCT_PATH = 1,
       LNCT_DIRECTORY,
       FORM_BLOCK2 = 0x03,
       FORM_BLOCK4,
       FORM_DATA2,
       FORM_DATA4,
       FORM_DATA8,
       FORM_STRING,
       FORM_BLOCK,
       FORM_BLOCK1,
       FORM_DATA1,
       FORM_UDATA = 0x0f,
       FORM_STRP = 0x0e,
       FORM_DATA16 = 0x1e,
       FORM_LINE_STRP = 0x1f,
       MOST_FORMATS = 8,
       MOST_OPCODES = 64
};

struct reader {
    const uint8_t *at, *end;
    bool wide;   /* 64-bit DWARF */
    bool broken; /* a read went past the end: gives zeros from then on */
};

struct unit {
    const struct bine__debug_sections *sections;
    unsigned version, least_instruction, line_range, opcode_base, address_size;
    int line_base;
    uint8_t operands[MOST_OPCODES]; /* of the standard opcodes */
    const uint8_t *tables;          /* the directories and files */
};

struct row {
    uint64_t address, file, line;
};

static uint64_t fixed(struct reader *reader, unsigned size)
{
    uint64_t value = 0;
    if ((size_t)(reader->end - reader->at) < size) {
        reader->broken = true;
        reader->at = reader->end;
        return 0;
    }
    memcpy(&value, reader->at,
           size); /* the object is of this machine: little-endian as all that are supported */
    reader->at += size;
    return value;
}

static uint64_t offset(struct reader *reader)
{
    return fixed(reader, reader->wide ? 8 : 4);
}

static uint64_t leb(struct reader *reader, bool with_sign)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = (uint8_t)fixed(reader, 1);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) && !reader->broken);
    if (with_sign && shift < 64 && (byte & 0x40))
        value |= ~(uint64_t)0 << shift;
    return value;
}

static const char *text_at(struct bine__bytes bytes, uint64_t at)
{
    size_t size = (size_t)(bytes.end - bytes.at);
    if (at >= size || !memchr(bytes.at + at, 0, size - (size_t)at))
        return "";
    return (const char *)bytes.at + at;
}

static const char *text(struct reader *reader)
{
    const char *value = (const char *)reader->at;
    const uint8_t *end =
        reader->at < reader->end ? memchr(reader->at, 0, (size_t)(reader->end - reader->at)) : NULL;
    reader->broken |= !end;
    reader->at = end ? end + 1 : reader->end;
    return end ? value : "";
}

/* An attribute of an entry of version 5's tables: a name or a number. */
static uint64_t attribute(struct reader *reader, const struct unit *unit, unsigned form, const char **name)
{
    switch (form) {
    case FORM_STRING: *name = text(reader); return 0;
    case FORM_LINE_STRP: *name = text_at(unit->sections->line_strings, offset(reader)); return 0;
    case FORM_STRP: *name = text_at(unit->sections->strings, offset(reader)); return 0;
    case FORM_DATA1: return fixed(reader, 1);
    case FORM_DATA2: return fixed(reader, 2);
    case FORM_DATA4: return fixed(reader, 4);
    case FORM_DATA8: return fixed(reader, 8);
    case FORM_UDATA: return leb(reader, false);
    case FORM_DATA16: fixed(reader, 8); return fixed(reader, 8);
    default: reader->broken = true; return 0;
    }
}

/* The wanted entry of a table of version 5: its path and its directory's index; the reader ends behind the
 * table. */
static void entry_5(struct reader *reader, const struct unit *unit, uint64_t wanted, const char **path,
                    uint64_t *directory)
{
    uint64_t content[MOST_FORMATS], form[MOST_FORMATS];
    unsigned formats = (unsigned)fixed(reader, 1);
    if (formats > MOST_FORMATS) {
        reader->broken = true;
        return;
    }
    for (unsigned i = 0; i < formats; i++) {
        content[i] = leb(reader, false);
        form[i] = leb(reader, false);
    }
    uint64_t count = leb(reader, false);
    for (uint64_t i = 0; i < count && !reader->broken; i++)
        for (unsigned k = 0; k < formats; k++) {
            const char *name = NULL;
            uint64_t value = attribute(reader, unit, (unsigned)form[k], &name);
            if (i == wanted && content[k] == LNCT_PATH)
                *path = name ? name : "";
            else if (i == wanted && content[k] == LNCT_DIRECTORY)
                *directory = value;
        }
}

/* Before version 5: lists of names that end with an empty one; files are counted from 1, directory 0 is the
 * compiler's own. */
static void entry_4(struct reader *reader, uint64_t wanted, const char **path, const char **directory)
{
    const uint8_t *directories = reader->at;
    uint64_t index = 0, in = 0;
    while (*text(reader) && !reader->broken)
        ;
    for (uint64_t i = 1; !reader->broken; i++) {
        const char *name = text(reader);
        if (!*name)
            break;
        in = leb(reader, false);
        leb(reader, false);
        leb(reader, false);
        if (i == wanted) {
            *path = name;
            index = in;
        }
    }
    struct reader again = {directories, reader->end, false, false};
    for (uint64_t i = 1; i <= index && !again.broken; i++) {
        const char *name = text(&again);
        if (!*name)
            break;
        if (i == index)
            *directory = name;
    }
}

/* As much of it as fits, from a directory or a name on. */
static const char *end_of(const char *path, size_t room)
{
    size_t length = strlen(path);
    if (length <= room)
        return path[0] == '/' ? path + 1 : path;
    const char *end = path + (length - room), *slash = strchr(end, '/');
    return slash ? slash + 1 : end;
}

/* As the compiler was given it: with a directory only if that was relative, since a report is read where the
 * program was built. */
static void say(const struct unit *unit, const struct reader *program, const struct row *row, char *where,
                size_t size)
{
    const struct reader tables = {unit->tables, program->end, program->wide, false};
    struct reader reader = tables;
    const char *path = "", *directory = "";
    if (unit->version >= 5) {
        uint64_t index = 0, none = 0;
        const char *own = "";
        entry_5(&reader, unit, 0, &own, &none);
        struct reader files = reader;
        entry_5(&files, unit, row->file, &path, &index);
        reader = tables;
        if (index)
            entry_5(&reader, unit, index, &directory, &none);
        if (strcmp(own, directory) == 0)
            directory = "";
    } else {
        entry_4(&reader, row->file, &path, &directory);
    }
    if (path[0] == '/')
        directory = "";
    char line[32];
    size_t digits = (size_t)snprintf(line, sizeof line, ":%llu", (unsigned long long)row->line);
    size_t length = strlen(path), before = strlen(directory);
    if (before + 1 + length + digits < size) {
        snprintf(where, size, "%s%s%s%s", directory, before ? "/" : "", path, line);
        return;
    }
    /* Too long: its end, from a directory on; the line in any case. */
    size_t room = size > digits + sizeof ".../" ? size - digits - sizeof ".../" : 0;
    path = end_of(path, room);
    length = strlen(path);
    directory = length + 1 < room ? end_of(directory, room - length - 1) : "";
    snprintf(where, size, ".../%s%s%s%s", directory, directory[0] ? "/" : "", path, line);
}

/* Runs the unit's program; true: *found is the row that covers the address. */
static bool run(struct reader *reader, const struct unit *unit, uint64_t address, struct row *found)
{
    struct row now = {0, 1, 1}, last = now, sound = now;
    bool in_sequence = false, covered = false;
    while (reader->at < reader->end && !reader->broken && !covered) {
        unsigned opcode = (unsigned)fixed(reader, 1);
        bool emit = false, ends = false;
        if (opcode >= unit->opcode_base) {
            unsigned special = opcode - unit->opcode_base;
            now.address += (uint64_t)(special / unit->line_range) * unit->least_instruction;
            now.line += (uint64_t)(int64_t)(unit->line_base + (int)(special % unit->line_range));
            emit = true;
        } else if (opcode == 0) {
            uint64_t length = leb(reader, false);
            const uint8_t *start = reader->at;
            unsigned kind = length ? (unsigned)fixed(reader, 1) : 0;
            if (kind == LNE_END_SEQUENCE)
                emit = ends = true;
            else if (kind == LNE_SET_ADDRESS)
                now.address = fixed(reader, length - 1 <= 8 ? (unsigned)(length - 1) : 8);
            reader->broken |= length > (uint64_t)(reader->end - start);
            if (!reader->broken)
                reader->at = start + length;
        } else if (opcode == LNS_COPY) {
            emit = true;
        } else if (opcode == LNS_ADVANCE_PC) {
            now.address += leb(reader, false) * unit->least_instruction;
        } else if (opcode == LNS_ADVANCE_LINE) {
            now.line += leb(reader, true);
        } else if (opcode == LNS_SET_FILE) {
            now.file = leb(reader, false);
        } else if (opcode == LNS_CONST_ADD_PC) {
            now.address += (uint64_t)((255 - unit->opcode_base) / unit->line_range) * unit->least_instruction;
        } else if (opcode == LNS_FIXED_ADVANCE) {
            now.address += fixed(reader, 2);
        } else {
            for (unsigned i = 0; opcode < MOST_OPCODES && i < unit->operands[opcode]; i++)
                leb(reader, false);
        }
        if (!emit)
            continue;
        covered = in_sequence && last.address <= address && address < now.address;
        if (covered) { /* line 0: of no line of its own; the one before it is near */
            sound.line = last.line ? 0 : sound.line;
            *found = sound.line ? sound : last;
        }
        last = now;
        if (now.line)
            sound = now;
        in_sequence = !ends;
        if (ends)
            now = (struct row){0, 1, 1};
    }
    return covered;
}

/* A unit's header; the reader is left at its program.  False: it is passed over. */
static bool header(struct reader *reader, struct unit *unit)
{
    unit->version = (unsigned)fixed(reader, 2);
    if (unit->version < 2 || unit->version > 5)
        return false;
    unit->address_size = 8;
    if (unit->version >= 5) {
        unit->address_size = (unsigned)fixed(reader, 1);
        fixed(reader, 1);
    }
    uint64_t length = offset(reader);
    const uint8_t *start = reader->at;
    unit->least_instruction = (unsigned)fixed(reader, 1);
    if (unit->version >= 4)
        fixed(reader, 1); /* operations per instruction: 1 where there are no bundles */
    fixed(reader, 1);
    int base = (int)fixed(reader, 1);
    unit->line_base = base < 128 ? base : base - 256; /* a signed byte */
    unit->line_range = (unsigned)fixed(reader, 1);
    unit->opcode_base = (unsigned)fixed(reader, 1);
    if (reader->broken || !unit->line_range || length > (uint64_t)(reader->end - start))
        return false;
    for (unsigned i = 1; i < unit->opcode_base; i++) {
        uint8_t operands = (uint8_t)fixed(reader, 1);
        if (i < MOST_OPCODES)
            unit->operands[i] = operands;
    }
    unit->tables = reader->at;
    reader->at = start + length;
    return !reader->broken;
}

bool bine__line_of(const struct bine__debug_sections *sections, uint64_t address, char *where, size_t size)
{
    const uint8_t *at = sections->line.at, *end = sections->line.end;
    while (at < end) {
        struct reader reader = {at, end, false, false};
        uint64_t length = fixed(&reader, 4);
        if (length == 0xffffffff) {
            reader.wide = true;
            length = fixed(&reader, 8);
        }
        if (reader.broken || length > (uint64_t)(end - reader.at))
            return false;
        reader.end = at = reader.at + length;
        struct unit unit = {.sections = sections};
        struct row row = {0, 0, 0};
        if (header(&reader, &unit) && run(&reader, &unit, address, &row) && row.line) {
            say(&unit, &reader, &row, where, size);
            return true;
        }
    }
    return false;
}
