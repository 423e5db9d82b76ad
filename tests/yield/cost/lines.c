/* SPDX-License-Identifier: MIT
 *
 * A table that is asked line by line, and its clients: what text costs under the detector. */
#include "load.h"

#include <stdint.h>
#include <string.h>

enum { KEYS = 512, BUCKETS = 256, LINE = 128 };

static struct entry {
    struct entry *next;
    char key[24], value[64];
} * buckets[BUCKETS];
static long requests;

static struct entry **place(const char *key)
{
    uint32_t hash = 2166136261u;
    for (const char *p = key; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    struct entry **at = &buckets[hash % BUCKETS];
    while (*at && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    return at;
}

static void set(const char *key, const char *value)
{
    struct entry **at = place(key);
    if (!*at) {
        *at = calloc(1, sizeof **at);
        if (!*at)
            abort();
        snprintf((*at)->key, sizeof(*at)->key, "%s", key);
    }
    snprintf((*at)->value, sizeof(*at)->value, "%s", value);
}

static void connection(int fd, void *arg)
{
    char line[LINE];
    bine_stream *stream = bine_stream_new(fd);
    (void)arg;
    while (bine_stream_read_line(stream, line, sizeof line) > 0) {
        char *key = strchr(line, ' '), *value = key ? strchr(key + 1, ' ') : NULL;
        requests++;
        line[strcspn(line, "\r\n")] = '\0';
        if (key)
            *key++ = '\0';
        if (value)
            *value++ = '\0';
        if (strcmp(line, "set") == 0 && value) {
            set(key, value);
            bine_stream_printf(stream, "ok\n");
        } else if (strcmp(line, "get") == 0 && key) {
            struct entry *entry = *place(key);
            bine_stream_printf(stream, "%s\n", entry ? entry->value : "");
        } else {
            bine_stream_printf(stream, "what?\n");
        }
        if (bine_stream_flush(stream) < 0)
            break;
    }
    bine_stream_close(stream);
}

static void *client(void *address)
{
    char line[LINE];
    bine_stream *stream = bine_stream_new(bine_dial("unix", address));
    uint32_t x = 1;
    for (int i = 0; i < ROUNDS; i++) {
        x = x * 1664525u + 1013904223u;
        unsigned key = x / 65536 % KEYS;
        if (i % 4)
            bine_stream_printf(stream, "get key:%u\n", key);
        else
            bine_stream_printf(stream, "set key:%u %u of %u\n", key, x, key);
        if (bine_stream_flush(stream) < 0 || bine_stream_read_line(stream, line, sizeof line) <= 0)
            abort();
    }
    bine_stream_close(stream);
    return NULL;
}

int main(void)
{
    load_run(connection, client);
    return requests < CLIENTS * ROUNDS;
}
