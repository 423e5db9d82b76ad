/* SPDX-License-Identifier: MIT
 *
 * The files that the demo's clients fetch, in memory, so that each answer can be compared with them. */
#include "demo.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, FILES_MAX = 10000, DEPTH_MAX = 16 };

static void free_file(struct demo_file *file)
{
    free(file->request);
    free(file->path);
    free(file->content);
}

void demo_files_free(struct demo_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free_file(&files->at[i]);
    free(files->at);
    *files = (struct demo_files){0};
}

static char *read_whole(int fd, size_t size)
{
    char *content = malloc(size + 1);
    size_t got = 0;
    ssize_t n = 1;
    while (content && got < size && (n = read(fd, content + got, size - got)) > 0)
        got += (size_t)n;
    if (content && got == size)
        return content;
    free(content);
    return NULL;
}

static int add(struct demo_files *files, int fd, const char *path, const struct stat *st)
{
    size_t size = (size_t)st->st_size;
    if (files->count == files->room) {
        size_t room = files->room ? 2 * files->room : 256;
        struct demo_file *at = realloc(files->at, room * sizeof *at);
        if (!at)
            return -1;
        files->at = at;
        files->room = room;
    }
    struct text request = TEXT_EMPTY;
    text_put(&request, "GET /");
    text_put_url(&request, path);
    text_put(&request, " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bine-demo\r\n\r\n");
    struct demo_file file = {
        .request = request.at,
        .request_length = request.length,
        .path = strdup(path),
        .content = read_whole(fd, size),
        .size = size,
        .modified = st->st_mtim,
    };
    if (request.failed || !file.path || !file.content) {
        free_file(&file);
        return -1;
    }
    files->at[files->count++] = file;
    files->bytes += size;
    return 0;
}

/* Adds what lies in an open directory, and closes it.  prefix: its path below the root, "" or "src/". */
static int walk(struct demo_files *files, int at, const char *prefix, unsigned depth)
{
    DIR *directory = fdopendir(at);
    if (!directory) {
        close(at);
        return -1;
    }
    int status = 0;
    const struct dirent *entry;
    while (status == 0 && files->count < FILES_MAX && (entry = readdir(directory))) {
        struct stat st;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "build") == 0)
            continue;
        int fd = openat(at, entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0) {
            if (fd >= 0)
                close(fd);
            continue; /* not for us, or already gone */
        }
        struct text path = TEXT_EMPTY;
        text_put(&path, prefix);
        text_put(&path, entry->d_name);
        text_put_bytes(&path, S_ISDIR(st.st_mode) ? "/" : "", S_ISDIR(st.st_mode) ? 2 : 1);
        if (path.failed) {
            close(fd);
            status = -1;
        } else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
            status = walk(files, fd, path.at, depth + 1); /* and closes it */
        } else {
            if (S_ISREG(st.st_mode) && st.st_size <= FILE_MAX)
                status = add(files, fd, path.at, &st);
            close(fd);
        }
        text_free(&path);
    }
    closedir(directory);
    return status;
}

int demo_files_read(struct demo_files *files, const char *root)
{
    *files = (struct demo_files){.root = root};
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int status = walk(files, fd, "", 0);
    if (status == 0 && files->count > 0)
        return 0;
    int error = status == 0 ? ENOENT : errno;
    demo_files_free(files);
    errno = error;
    return -1;
}

bool demo_file_has_changed(const struct demo_files *files, struct demo_file *file)
{
    struct stat st;
    struct text path = TEXT_EMPTY;
    text_put(&path, files->root);
    text_put(&path, "/");
    text_put_bytes(&path, file->path, strlen(file->path) + 1);
    bool same = path.failed || (stat(path.at, &st) == 0 && (size_t)st.st_size == file->size &&
                                st.st_mtim.tv_sec == file->modified.tv_sec &&
                                st.st_mtim.tv_nsec == file->modified.tv_nsec);
    text_free(&path);
    file->changed |= !same;
    return file->changed;
}
