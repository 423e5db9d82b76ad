/* SPDX-License-Identifier: MIT
 *
 * From a request's target to what answers it: a file, a directory's index.html, its listing, or an error.
 *
 * No path leaves the root, by three locks: a segment that begins with a dot is never served (which is ".."
 * and also ".git"), a decoded slash or NUL is refused, and open_beneath() has the kernel or a walk without
 * symbolic links see to the rest. */
#include "site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *site_path(const char *target, size_t length)
{
    while (length > 0 && *target == '/') {
        target++;
        length--;
    }
    const char *query = memchr(target, '?', length);
    if (query)
        length = (size_t)(query - target);
    char *path = malloc(length + 1);
    if (!path)
        return NULL;

    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char c = target[i];
        if (c == '%') {
            int high = i + 2 < length ? hex(target[i + 1]) : -1;
            int low = i + 2 < length ? hex(target[i + 2]) : -1;
            c = (char)(high * 16 + low);
            if (high < 0 || low < 0 || c == '\0' || c == '/') {
                free(path);
                errno = EINVAL;
                return NULL;
            }
            i += 2;
        }
        path[used++] = c;
    }
    path[used] = '\0';
    return path;
}

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        {"html", "text/html; charset=utf-8"}, {"css", "text/css; charset=utf-8"}, {"js", "text/javascript"},
        {"json", "application/json"},         {"svg", "image/svg+xml"},           {"png", "image/png"},
        {"jpg", "image/jpeg"},                {"jpeg", "image/jpeg"},             {"gif", "image/gif"},
        {"ico", "image/x-icon"},              {"webp", "image/webp"},             {"pdf", "application/pdf"},
        {"wasm", "application/wasm"},         {"xml", "application/xml"},         {"zip", "application/zip"},
        {"a", "application/octet-stream"},    {"o", "application/octet-stream"},  {"gz", "application/gzip"},
    };
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(name ? name : path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    return "text/plain; charset=utf-8"; /* sources, manuals, READMEs: what a browser should show */
}

static int status_of(int error)
{
    switch (error) {
    case EACCES:
    case EPERM: return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM: return 503;
    case EIO: return 500;
    default: return 404; /* there is none, or it leads outside */
    }
}

/* "…/directory" → "./directory/": relative, since only the client knows by which names it came here. */
static void redirect(struct reply *reply, const char *path)
{
    struct text location = TEXT_EMPTY;
    const char *name = strrchr(path, '/');
    text_put(&location, "./");
    text_put_url(&location, name ? name + 1 : path);
    text_put_bytes(&location, "/", sizeof "/"); /* and its NUL */
    reply->status = location.failed ? 503 : 301;
    if (location.failed)
        text_free(&location);
    reply->location = location.at;
}

static void find_in_directory(const struct site *site, int directory, const char *path, struct reply *reply)
{
    size_t length = strlen(path);
    if (length > 0 && path[length - 1] != '/') {
        redirect(reply, path);
        bine_close(directory);
        return;
    }
    struct text index = TEXT_EMPTY;
    text_put(&index, path);
    text_put_bytes(&index, "index.html", sizeof "index.html");
    struct stat st;
    int file = index.failed ? -1 : open_beneath(site, index.at);
    text_free(&index);
    if (file >= 0 && fstat(file, &st) == 0 && S_ISREG(st.st_mode)) {
        bine_close(directory);
        reply->status = 200;
        reply->file = file;
        reply->size = (uint64_t)st.st_size;
        reply->type = "text/html; charset=utf-8";
        return;
    }
    if (file >= 0)
        bine_close(file);
    site_list(directory, path, reply);
}

void site_find(const struct site *site, const char *path, struct reply *reply)
{
    struct stat st;
    bool hidden = path[0] == '.' || strstr(path, "/.");
    int file = hidden ? -1 : open_beneath(site, *path ? path : ".");
    if (file < 0) {
        reply->status = hidden ? 404 : status_of(errno);
    } else if (fstat(file, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
        bine_close(file);
        reply->status = 404; /* a device or a pipe is nothing to serve */
    } else if (S_ISDIR(st.st_mode)) {
        find_in_directory(site, file, path, reply);
    } else {
        reply->status = 200;
        reply->file = file;
        reply->size = (uint64_t)st.st_size;
        reply->type = type_of(path);
    }
}
