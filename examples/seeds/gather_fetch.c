/* SPDX-License-Identifier: MIT
 *
 * gather() over fetch(): several JSON documents at once, in the order in which they were asked for.
 *
 *     gather_fetch URL...
 *
 * fetch() is straight-line code: dial, ask, read.  bine_map() runs it once for each URL, and the first
 * failure stops the others. Of JSON only what is needed is read here: the string that belongs to "name" in
 * a flat object. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/http.h"
#include "../lib/program.h"

enum { DOCUMENT_MAX = 4096 };

/* All of the body that fits, ended by a NUL. */
static ssize_t read_document(struct http_conn *c, struct http_response *response, char *document)
{
    size_t length = 0;
    ssize_t n = 0;
    if (http_read_response(c, response) < 0)
        return -1;
    c->start += response->head.at;
    while (length < DOCUMENT_MAX &&
           (n = http_read_body(c, &response->body, document + length, DOCUMENT_MAX - length)) > 0)
        length += (size_t)n;
    document[length] = '\0';
    return n < 0 ? -1 : (ssize_t)length;
}

/* The document, on the heap. */
static void *fetch(void *url)
{
    char address[HTTP_ADDRESS_SIZE];
    const char *target;
    if (!http_split_url(url, address, &target))
        return bine_fail(EINVAL);

    struct http_conn c = {.fd = bine_dial("tcp", address)};
    struct http_response response = {0};
    char *document = malloc(DOCUMENT_MAX + 1);
    int error = 0;
    if (c.fd < 0 || !document || http_send_get(&c, address, target) < 0 ||
        read_document(&c, &response, document) < 0)
        error = errno;
    else if (response.status != 200)
        error = ENOENT;
    if (c.fd >= 0)
        bine_close(c.fd);
    http_conn_free(&c);
    if (error) {
        free(document);
        return bine_fail(error);
    }
    return document;
}

/* The value of "name", cut out of the document; NULL: there is none. */
static const char *name_in(char *document)
{
    static const char key[] = "\"name\":";
    char *at = strstr(document, key);
    char *begin = at ? strchr(at + sizeof key - 1, '"') : NULL;
    char *end = begin ? strchr(begin + 1, '"') : NULL;
    if (!end)
        return NULL;
    *end = '\0';
    return begin + 1;
}

static int show(size_t n, void *const urls[])
{
    bine_result *results = calloc(n + 1, sizeof *results);
    int how = results ? bine_map(n, fetch, urls, 0, results) : -1;
    int error = errno;
    for (size_t i = 0; how == 0 && i < n; i++) {
        const char *name = name_in(results[i].value);
        printf("%s\n", name ? name : "(no name)");
    }
    for (size_t i = 0; results && i < n; i++)
        if (results[i].error == 0)
            free(results[i].value);
    free(results);
    errno = error;
    return how;
}

static void *run(void *arg)
{
    char **urls = arg;
    size_t n = 0;
    while (urls[n])
        n++;
    if (show(n, (void *const *)urls) < 0)
        return bine_fail(errno);

    /* One that is not there, and the rest is stopped. */
    char missing[256];
    snprintf(missing, sizeof missing, "%s.missing", urls[0]);
    printf("with one that is missing: %s\n",
           show(2, (void *const[]){missing, urls[0]}) < 0 ? strerror(errno) : "all are there");
    return NULL;
}

int main(int argc, char **argv)
{
    bine_result result = {NULL, 0};
    if (argc < 2) {
        fprintf(stderr, "usage: %s URL...\n", argv[0]);
        return EXIT_FAILURE;
    }
    int how = bine_run(run, argv + 1, &result);
    return program_end(argv[0], how, result.error);
}
