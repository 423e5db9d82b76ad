/* SPDX-License-Identifier: MIT
 *
 * A directory's listing, as a page. */
#include "site.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names between two yields: a directory of a hundred thousand must not keep others waiting. */
enum { NAMES_A_TURN = 256 };

struct names {
    char **at;
    size_t count;
    size_t room;
};

static bool add(struct names *names, const struct dirent *entry)
{
    bool directory = entry->d_type == DT_DIR;
    size_t length = strlen(entry->d_name);
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        char **at = realloc(names->at, room * sizeof *at);
        if (!at)
            return false;
        names->at = at;
        names->room = room;
    }
    char *name = malloc(length + sizeof "/");
    if (!name)
        return false;
    memcpy(name, entry->d_name, length + 1);
    if (directory)
        memcpy(name + length, "/", sizeof "/");
    names->at[names->count++] = name;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* readdir(3) blocks while the disk is asked, as everything that has no bine_ call of its own. */
static int read_names(DIR *directory, struct names *names)
{
    const struct dirent *entry;
    for (size_t i = 1; (errno = 0, entry = readdir(directory)) != NULL; i++) {
        if (entry->d_name[0] != '.' && !add(names, entry))
            return -1;
        if (i % NAMES_A_TURN == 0 && bine_yield() < 0)
            return -1;
    }
    if (errno != 0)
        return -1;
    if (names->count > 0) /* qsort(3) must not be given NULL, which an empty list is */
        qsort(names->at, names->count, sizeof *names->at, by_name);
    return 0;
}

static void put_page(struct text *page, const char *path, const struct names *names)
{
    text_put(page, "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>/");
    text_put_html(page, path);
    text_put(page, "</title>\n<h1>/");
    text_put_html(page, path);
    text_put(page, "</h1>\n<ul>\n");
    if (*path)
        text_put(page, "<li><a href=\"../\">../</a>\n");
    for (size_t i = 0; i < names->count; i++) {
        text_put(page, "<li><a href=\"./");
        text_put_url(page, names->at[i]);
        text_put(page, "\">");
        text_put_html(page, names->at[i]);
        text_put(page, "</a>\n");
    }
    text_put(page, "</ul>\n");
}

void site_list(int fd, const char *path, struct reply *reply)
{
    struct names names = {NULL, 0, 0};
    DIR *directory = fdopendir(fd);
    if (!directory) {
        bine_close(fd);
        reply->status = 503;
        return;
    }
    if (read_names(directory, &names) == 0) {
        put_page(&reply->page, path, &names);
        reply->type = "text/html; charset=utf-8";
        reply->status = 200;
    } else {
        reply->status = 503;
    }
    for (size_t i = 0; i < names.count; i++)
        free(names.at[i]);
    free(names.at);
    closedir(directory);
}
