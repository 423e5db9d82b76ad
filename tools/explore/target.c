/* SPDX-License-Identifier: MIT
 *
 * The program under exploration: is it one that can be, and running it under one schedule after the other.
 *
 * The program is started once for each job, by exec; the checked library in it forks a child for every
 * schedule (src/check/explore_share.h).  A child that exceeds its time, or writes without end, is killed
 * by its number, which the server has told us. */
#define _GNU_SOURCE
#include "explore.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HIGH = 100, HELLO_SECONDS = 20, OUTPUT_LIMIT = 64 << 20, SLICE_MS = 100, FDS = 5 };
#define INTERRUPTED_SECONDS 1.0 /* that a run may take once there was a ^C: most take milliseconds */

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- Can it be explored? ----------------------------------------------------------- */

/* As execvp() would find it. */
static char *find_program(const char *name)
{
    static char found[4096];
    const char *path = getenv("PATH");
    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? strcpy(found, strlen(name) < sizeof found ? name : "") : NULL;
    while (path && *path) {
        size_t length = strcspn(path, ":");
        if (length + strlen(name) + 2 < sizeof found) {
            sprintf(found, "%.*s/%s", (int)length, path, name);
            if (length > 0 && access(found, X_OK) == 0)
                return found;
        }
        path += length + (path[length] == ':');
    }
    return NULL;
}

enum runtime { RUNTIME_NONE, RUNTIME_LINKED, RUNTIME_TO_LOAD };

static bool is_dynamic(const unsigned char *at, size_t size)
{
    const Elf64_Ehdr *head = (const void *)at;
    if (size < sizeof *head || at[EI_CLASS] != ELFCLASS64 || head->e_phoff > size ||
        (size - head->e_phoff) / sizeof(Elf64_Phdr) < head->e_phnum)
        return true; /* not looked into: let the loader say */
    const Elf64_Phdr *segment = (const void *)(at + head->e_phoff);
    for (int i = 0; i < head->e_phnum; i++)
        if (segment[i].p_type == PT_INTERP)
            return true;
    return false;
}

static enum runtime look_at(const char *program)
{
    enum runtime runtime = RUNTIME_NONE;
    int fd = open(program, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd == -1 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        fail(EXIT_CANNOT, "%s: %s", program, fd == -1 ? strerror(errno) : "not a program");
    size_t size = (size_t)status.st_size;
    unsigned char *at = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (at == MAP_FAILED || size < SELFMAG || memcmp(at, ELFMAG, SELFMAG) != 0)
        fail(EXIT_CANNOT, "%s: not a program that can be explored: an ELF executable is wanted, not a script",
             program);
    if (memmem(at, size, BINE__EXPLORE_MARK, strlen(BINE__EXPLORE_MARK)))
        runtime = RUNTIME_LINKED;
    else if (is_dynamic(at, size))
        runtime = RUNTIME_TO_LOAD;
    if (options.race && !memmem(at, size, "__tsan_", strlen("__tsan_")))
        fail(EXIT_CANNOT, "%s: --race wants a program that was compiled with bine-race", program);
    munmap(at, size);
    return runtime;
}

static bool readable(const char *file)
{
    return access(file, R_OK) == 0;
}

/* The checked library: where it is said to be, next to the tool, where it was installed. */
static const char *library(void)
{
    static char file[4400];
    char tool[4096] = "";
    const char *said = getenv("BINE_CHECK_LIBRARY");
    if (said && *said)
        return readable(said) ? said : NULL;
    ssize_t n = readlink("/proc/self/exe", tool, sizeof tool - 1);
    for (int up = 0; n > 0 && up < 2; up++) {
        static const char *const places[] = {"/lib/libbine-check.so", "/lib64/libbine-check.so",
                                             "/libbine-check.so", "-check/libbine-check.so"};
        char *slash = strrchr(tool, '/');
        if (!slash)
            break;
        *slash = '\0';
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            snprintf(file, sizeof file, "%s%s", tool, places[i]);
            if (readable(file))
                return file;
        }
    }
    snprintf(file, sizeof file, "%s/libbine-check.so", BINE_LIBDIR);
    return readable(file) ? file : NULL;
}

/* ---- Start and stop ---------------------------------------------------------------- */

static int high(int fd)
{
    int moved = fcntl(fd, F_DUPFD, HIGH); /* out of the way of those that the program counts on */
    return moved == -1 ? dup(fd) : moved;
}

static void set_environment(const char *env)
{
    setenv(BINE__EXPLORE_ENV, env, 1);
    unsetenv(BINE__EXPLORE_PATH_ENV);
    setenv("LD_BIND_NOW", "1", 1); /* not in each run anew */
    unsetenv("BINE_DEBUG"); /* its watchdog goes by real time */
    if (!options.race)
        setenv("BINE_RACE", "off", 1);
}

static void preload(const char *file)
{
    const char *before = getenv("LD_PRELOAD");
    char *list = NULL;
    if (asprintf(&list, "%s%s%s", file, before && *before ? ":" : "", before ? before : "") >= 0)
        setenv("LD_PRELOAD", list, 1);
}

static const char *lib;

const char *target_library(void)
{
    return lib;
}

static _Noreturn void become_program(const char *program, const int fd[FDS])
{
    char env[80];
    int kept[FDS], nothing = open("/dev/null", O_RDONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)personality(ADDR_NO_RANDOMIZE); /* what is told of addresses is the same each time */
    for (int i = 0; i < FDS; i++)
        kept[i] = high(fd[i]);
    snprintf(env, sizeof env, "%d:%d:%d:%d:%d:%d", BINE__EXPLORE_VERSION, kept[0], kept[1], kept[2], kept[3],
             kept[4]);
    set_environment(env);
    if (lib)
        preload(lib);
    dup2(nothing, STDIN_FILENO);
    close(nothing);
    dup2(kept[3], STDOUT_FILENO);
    dup2(kept[3], STDERR_FILENO);
    execv(program, options.program);
    dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

static char *read_all(int fd)
{
    struct stat status;
    size_t size = fstat(fd, &status) == 0 ? (size_t)status.st_size : 0;
    char *text = malloc(size + 1);
    if (!text)
        fail(EXIT_CANNOT, "out of memory");
    ssize_t n = pread(fd, text, size, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* False: it has ended, or says nothing. */
static bool hello(const struct target *target)
{
    struct pollfd pollfd = {.fd = target->replies, .events = POLLIN};
    int word = 0;
    while (poll(&pollfd, 1, HELLO_SECONDS * 1000) == -1 && errno == EINTR && !interrupted)
        ;
    return (pollfd.revents & POLLIN) && read(target->replies, &word, sizeof word) == (ssize_t)sizeof word &&
           word == BINE__EXPLORE_HELLO;
}

static _Noreturn void say_why_not(struct target *target, const char *program, enum runtime runtime)
{
    char *said = read_all(target->output);
    target_stop(target);
    if (interrupted)
        fail(EXIT_PARTIAL, "interrupted");
    if (*said)
        fprintf(stderr, "%s%s", said, said[strlen(said) - 1] == '\n' ? "" : "\n");
    fail(
        EXIT_CANNOT,
        runtime == RUNTIME_LINKED
            ? "%s: the checked runtime in it did not answer"
            : "%s: there is no checked runtime in it: link it with the shared libbine, or with libbine-check",
        program);
}

static void prepare(const char **program, enum runtime *runtime)
{
    *program = find_program(options.program[0]);
    if (!*program)
        fail(EXIT_CANNOT, "%s: %s", options.program[0],
             strchr(options.program[0], '/') ? strerror(errno) : "not found");
    *runtime = look_at(*program);
    if (*runtime == RUNTIME_NONE)
        fail(
            EXIT_CANNOT,
            "%s: there is no checked runtime in it: it is linked with -static; link it without, with the shared "
            "libbine or with libbine-check.a",
            *program);
    lib = NULL;
    if (*runtime == RUNTIME_TO_LOAD && !(lib = library()))
        fail(EXIT_CANNOT, "libbine-check.so is not where bine-explore looks: name it in BINE_CHECK_LIBRARY");
}

/* The same for all processes. */
static int known_states(void)
{
    static int fd = -1;
    if (fd == -1) {
        fd = memfd_create("bine-explore-states", MFD_CLOEXEC);
        if (fd == -1 || ftruncate(fd, sizeof(struct bine__explore_known)) != 0)
            fail(EXIT_CANNOT, "%s", strerror(errno));
    }
    return fd;
}

void target_forget_states(void)
{
    if (ftruncate(known_states(), 0) != 0 ||
        ftruncate(known_states(), sizeof(struct bine__explore_known)) != 0)
        fail(EXIT_CANNOT, "%s", strerror(errno));
}

void target_start(struct target *target)
{
    (void)known_states();
    const char *program;
    enum runtime runtime;
    int commands[2], replies[2];
    int memory = memfd_create("bine-explore", MFD_CLOEXEC);

    prepare(&program, &runtime);
    *target = (struct target){.output = memfd_create("bine-explore-output", MFD_CLOEXEC)};
    if (memory == -1 || target->output == -1 || ftruncate(memory, sizeof *target->share) != 0 ||
        pipe2(commands, O_CLOEXEC) != 0 || pipe2(replies, O_CLOEXEC) != 0)
        fail(EXIT_CANNOT, "%s", strerror(errno));
    (void)fcntl(target->output, F_SETFL, O_APPEND);
    target->share = mmap(NULL, sizeof *target->share, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (target->share == MAP_FAILED)
        fail(EXIT_CANNOT, "%s", strerror(errno));
    target->share->magic = BINE__EXPLORE_MAGIC;
    target->share->version = BINE__EXPLORE_VERSION;
    target->server = fork();
    if (target->server == -1)
        fail(EXIT_CANNOT, "fork: %s", strerror(errno));
    if (target->server == 0)
        become_program(program,
                       (const int[FDS]){memory, commands[0], replies[1], target->output, known_states()});
    close(memory);
    close(commands[0]);
    close(replies[1]);
    target->commands = commands[1];
    target->replies = replies[0];
    if (!hello(target))
        say_why_not(target, program, runtime);
}

void target_stop(struct target *target)
{
    if (!target->server)
        return;
    if (target->busy && target->share->pid > 0)
        kill(target->share->pid, SIGKILL);
    close(target->commands); /* the server reads the end of it, and ends */
    if (!target->busy && target->share->pid == 0)
        kill(target->server, SIGKILL); /* it never became one */
    while (waitpid(target->server, NULL, 0) == -1 && errno == EINTR)
        ;
    close(target->replies);
    close(target->output);
    munmap(target->share, sizeof *target->share);
    *target = (struct target){.server = 0};
}

/* ---- Runs -------------------------------------------------------------------------- */

void target_configure(struct target *target, enum bine__explore_policy policy, uint64_t seed,
                      const struct path *path)
{
    struct bine__explore_share *share = target->share;
    share->policy = policy;
    share->seed = seed;
    share->timers = options.timers;
    share->depth = options.depth;
    share->unfair = options.unfair;
    share->max_steps = options.max_steps;
    share->fifo = options.fifo;
    share->eager_io = options.eager_io;
    share->patience_ms = options.patience > 1e6 ? UINT32_MAX : (uint32_t)(options.patience * 1000);
    share->follow = share->tell = share->merge = false;
    share->picks = path ? path->n : 0;
    if (path && path->n)
        memcpy(share->pick, path->pick, path->n * sizeof *path->pick);
}

void target_run(struct target *target)
{
    target->busy = true;
    target->killed = target->flooded = false;
    target->started = now();
    target->share->pid = -1; /* until the server has told */
    if (write(target->commands, "r", 1) != 1)
        fail(EXIT_CANNOT, "the program's server has gone: %s", strerror(errno));
}

static void enforce_limits(struct target *target)
{
    struct stat status;
    if (!target->busy || target->killed || target->share->pid <= 0)
        return;
    target->flooded = fstat(target->output, &status) == 0 && status.st_size > OUTPUT_LIMIT;
    const bool hurry = interrupted && (options.run_time == 0 || options.run_time > INTERRUPTED_SECONDS);
    const double patience = hurry ? INTERRUPTED_SECONDS : options.run_time;
    if (target->flooded || (patience > 0 && now() - target->started > patience) || interrupted > 1) {
        target->killed = true;
        kill(target->share->pid, SIGKILL);
    }
}

struct target *target_wait(struct target *targets, unsigned n, double seconds, int *status)
{
    struct pollfd fds[64];
    double until = now() + seconds;
    for (;;) {
        for (unsigned i = 0; i < n; i++)
            fds[i] = (struct pollfd){.fd = targets[i].busy ? targets[i].replies : -1, .events = POLLIN};
        int found = poll(fds, n, SLICE_MS);
        for (unsigned i = 0; found > 0 && i < n; i++) {
            if (!fds[i].revents)
                continue;
            if (read(targets[i].replies, status, sizeof *status) != (ssize_t)sizeof *status)
                fail(EXIT_CANNOT, "the program's server has gone");
            targets[i].busy = false;
            return &targets[i];
        }
        for (unsigned i = 0; i < n; i++)
            enforce_limits(&targets[i]);
        if (now() >= until)
            return NULL;
    }
}

enum verdict target_verdict(const struct target *target, int status)
{
    const struct bine__explore_share *share = target->share;
    if (target->killed)
        return target->flooded ? RUN_OUTPUT : RUN_TIME;
    switch ((enum bine__explore_outcome)share->outcome) {
    case BINE__EXPLORE_STEPS:
        return RUN_STEPS;
    case BINE__EXPLORE_STUCK:
        return RUN_STUCK;
    case BINE__EXPLORE_MISFIT:
        return RUN_MISFIT;
    case BINE__EXPLORE_MERGED:
        return share->findings ? RUN_REPORTED : RUN_CLEAN;
    case BINE__EXPLORE_RUNNING:
        break;
    }
    if (WIFSIGNALED(status))
        return RUN_SIGNAL;
    if (WEXITSTATUS(status) != 0)
        return RUN_EXIT;
    return share->findings ? RUN_REPORTED : RUN_CLEAN;
}

enum verdict target_replay(struct target *target, const struct path *path, bool strictly, bool tell,
                           int *status)
{
    target_configure(target, BINE__EXPLORE_FIRST, 0, path);
    target->share->follow = strictly;
    target->share->tell = tell;
    target_run(target);
    while (!target_wait(target, 1, 1, status))
        ;
    enum verdict verdict = target_verdict(target, *status);
    /* Picks for points that were never reached do not fit either. */
    if (strictly && path->n && verdict != RUN_MISFIT &&
        path->pick[path->n - 1].point >= target->share->points) {
        target->share->misfit = path->pick[path->n - 1].point + 1;
        return RUN_MISFIT;
    }
    return verdict;
}
