/* SPDX-License-Identifier: MIT
 *
 * The command line of bine-explore(1). */
#include "explore.h"

#include "../json.h"

#include <bine/base.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct options options = {.mode = MODE_ALL,
                          .seed = 1,
                          .depth = 3,
                          .max_steps = 20000,
                          .time = 60,
                          .run_time = 10,
                          .patience = 2,
                          .timers = BINE__TIMERS_ANY,
                          .shrink = true};

void fail(int status, const char *format, ...)
{
    va_list args;
    progress_end();
    fputs("bine-explore: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(status);
}

static const char usage[] =
    "usage: bine-explore [options] [--] program [argument ...]\n"
    "Runs a program that uses bine under many schedules, in virtual time, and says which of them fail.\n"
    "\n"
    "  --all             every schedule there is (the default)\n"
    "  --random N        N schedules, drawn\n"
    "  --pct N           N schedules by random priorities, for bugs that need --depth choices\n"
    "  --path PATH       one schedule again, as a report told it; says what happens in it\n"
    "\n"
    "  --seed S          of --random and --pct (1)\n"
    "  --depth D         of --pct (3)\n"
    "  --time SECONDS    stop then and say how far it came (60; 0: never)\n"
    "  --run-time SECONDS, --steps N\n"
    "                    a single schedule that takes longer does not end (10, 20000)\n"
    "  --patience SECONDS\n"
    "                    how long to wait for something outside of the program (2)\n"
    "  --unfair N        how often a loop may go round while it keeps another from running (6)\n"
    "  --timers MODEL    any: any pending timer may fire next (the default); limits: any sleep may,\n"
    "                    deadlines keep their place in time; ordered: by time\n"
    "  --eager-io        input and output that can be done at once never comes late\n"
    "  --fifo            tasks run in the order in which they became runnable, as they do without the "
    "explorer\n"
    "  --race            with the detector of bine-race(1) on in every schedule\n"
    "  --merge           of schedules that come to the same state one goes on: see the manual; without it\n"
    "                    that begins when --all has taken 2 seconds\n"
    "  --no-merge        never\n"
    "  --jobs N          processes at once (one for each processor)\n"
    "  --keep-going      do not stop at the first failure\n"
    "  --no-shrink       do not look for a simpler schedule that fails in the same way\n"
    "  --format FORMAT   text, json or sarif\n"
    "  --color WHEN      auto, always or never\n"
    "  --quiet           no progress\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 none failed; 66 some did; 3 none of those tried, but not all were; 4 the path does not "
    "fit;\n"
    "1 the program cannot be explored; 2 wrong usage.\n";

static _Noreturn void misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void misuse(const char *format, ...)
{
    va_list args;
    fputs("bine-explore: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\nTry bine-explore --help.\n", stderr);
    exit(EXIT_USAGE);
}

static int said(void)
{
    if (!stdout_written())
        fail(EXIT_CANNOT, "standard output cannot be written");
    return EXIT_CLEAN;
}

static uint64_t number(const char *name, const char *text, uint64_t least, uint64_t most)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value < least || value > most)
        misuse("--%s wants a number from %llu to %llu, not \"%s\"", name, (unsigned long long)least,
               (unsigned long long)most, text);
    return value;
}

static double seconds(const char *name, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0 && value < 1e9))
        misuse("--%s wants seconds, not \"%s\"", name, text);
    return value;
}

static unsigned one_of(const char *name, const char *text, const char *const words[])
{
    for (unsigned i = 0; words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    misuse("--%s does not know \"%s\"", name, text);
}

enum {
    ALL = 256,
    RANDOM,
    PCT,
    PATH,
    SEED,
    DEPTH,
    TIME,
    EACH_TIME,
    STEPS,
    UNFAIR,
    TIMERS,
    EAGER,
    FIFO,
    RACE,
    MERGE,
    NO_MERGE,
    JOBS,
    PATIENCE,
    KEEP_GOING,
    NO_SHRINK,
    FORMAT,
    COLOR,
    QUIET,
    HELP,
    VERSION
};

static const struct option long_options[] = {
    {"all", no_argument, NULL, ALL},
    {"random", required_argument, NULL, RANDOM},
    {"pct", required_argument, NULL, PCT},
    {"path", required_argument, NULL, PATH},
    {"seed", required_argument, NULL, SEED},
    {"depth", required_argument, NULL, DEPTH},
    {"time", required_argument, NULL, TIME},
    {"run-time", required_argument, NULL, EACH_TIME},
    {"steps", required_argument, NULL, STEPS},
    {"patience", required_argument, NULL, PATIENCE},
    {"unfair", required_argument, NULL, UNFAIR},
    {"timers", required_argument, NULL, TIMERS},
    {"eager-io", no_argument, NULL, EAGER},
    {"fifo", no_argument, NULL, FIFO},
    {"race", no_argument, NULL, RACE},
    {"merge", no_argument, NULL, MERGE},
    {"no-merge", no_argument, NULL, NO_MERGE},
    {"jobs", required_argument, NULL, JOBS},
    {"keep-going", no_argument, NULL, KEEP_GOING},
    {"no-shrink", no_argument, NULL, NO_SHRINK},
    {"format", required_argument, NULL, FORMAT},
    {"color", required_argument, NULL, COLOR},
    {"colour", required_argument, NULL, COLOR},
    {"quiet", no_argument, NULL, QUIET},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

static void choose(enum mode mode, bool *chosen)
{
    if (*chosen)
        misuse("of --all, --random, --pct and --path only one can be given");
    *chosen = true;
    options.mode = mode;
}

static void read_options(int argc, char *argv[])
{
    static const char *const models[] = {"any", "limits", "ordered", NULL};
    static const char *const formats[] = {"text", "json", "sarif", NULL};
    static const char *const when[] = {"auto", "always", "never", NULL};
    unsigned colour = 0;
    bool chosen = false;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int option;

    options.jobs = processors < 1 ? 1 : processors > 64 ? 64 : (unsigned)processors;
    while ((option = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
        switch (option) {
        case ALL: choose(MODE_ALL, &chosen); break;
        case RANDOM:
            choose(MODE_RANDOM, &chosen);
            options.runs = number("random", optarg, 1, UINT32_MAX);
            break;
        case PCT: choose(MODE_PCT, &chosen); options.runs = number("pct", optarg, 1, UINT32_MAX); break;
        case PATH: choose(MODE_PATH, &chosen); options.path = optarg; break;
        case SEED: options.seed = number("seed", optarg, 0, UINT64_MAX); break;
        case DEPTH: options.depth = (unsigned)number("depth", optarg, 1, 32); break;
        case TIME: options.time = seconds("time", optarg); break;
        case EACH_TIME: options.run_time = seconds("run-time", optarg); break;
        case STEPS: options.max_steps = (unsigned)number("steps", optarg, 1, 100000000); break;
        case PATIENCE: options.patience = seconds("patience", optarg); break;
        case UNFAIR: options.unfair = (unsigned)number("unfair", optarg, 1, 100); break;
        case TIMERS: options.timers = one_of("timers", optarg, models); break;
        case EAGER: options.eager_io = true; break;
        case FIFO: options.fifo = true; break;
        case RACE: options.race = true; break;
        case MERGE:
        case NO_MERGE:
            if (options.merge == (option == MERGE ? MERGE_NEVER : MERGE_ALWAYS))
                misuse("of --merge and --no-merge only one can be given");
            options.merge = option == MERGE ? MERGE_ALWAYS : MERGE_NEVER;
            break;
        case JOBS: options.jobs = (unsigned)number("jobs", optarg, 1, 64); break;
        case KEEP_GOING: options.keep_going = true; break;
        case NO_SHRINK: options.shrink = false; break;
        case FORMAT: options.format = (enum format)one_of("format", optarg, formats); break;
        case COLOR: colour = one_of("color", optarg, when); break;
        case QUIET: options.quiet = true; break;
        case HELP: fputs(usage, stdout); exit(said());
        case VERSION: puts("bine-explore " BINE_VERSION); exit(said());
        case ':': misuse("%s wants an argument", argv[optind - 1]);
        default: misuse("there is no option %s", argv[optind - 1]);
        }
    }
    options.unfair_given = options.unfair != 0;
    if (!options.unfair)
        options.unfair = BINE__EXPLORE_UNFAIR;
    if (options.merge == MERGE_ALWAYS && (options.race || options.fifo || options.mode != MODE_ALL))
        misuse("--merge is for --all, and goes with neither --race nor --fifo");
    if (optind == argc)
        misuse("which program?");
    options.program = argv + optind;
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    options.colour = colour == 1 || (colour == 0 && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 &&
                                     !(no_colour && *no_colour));
}

static void on_interrupt(int number)
{
    (void)number;
    interrupted++;
}

/* One schedule, again. */
static int replay(struct result *result)
{
    struct target target;
    struct path path;
    int status;

    if (!path_parse(&path, options.path))
        misuse("\"%s\" is not a path: \"first\", or point:choice/of, with commas between", options.path);
    target_start(&target);
    enum verdict verdict = target_replay(&target, &path, true, false, &status);
    if (interrupted && target.killed) {
        target_stop(&target);
        fail(EXIT_PARTIAL, "interrupted");
    }
    result->schedules = 1;
    result->most_points = target.share->points;
    result->most_steps = target.share->steps;
    result->no_loop = !target.share->ran;
    if (verdict == RUN_MISFIT) {
        uint32_t at = target.share->misfit - 1;
        char *whole = path_text(&path);
        bool reached = target.share->outcome == BINE__EXPLORE_MISFIT;
        target_stop(&target);
        fail(EXIT_MISFIT, "the path %s does not fit this program: at point %u there is %s", whole, at,
             reached ? "another choice than the path tells: the program, its input or an option has changed"
                     : "nothing: it ends before, so the program, its input or an option has changed");
    }
    struct finding *finding = finding_add(result, &target, status);
    result->failed = verdict != RUN_CLEAN;
    free(finding->path.pick);
    finding->path = path;
    finding_complete(&target, finding);
    target_stop(&target);
    output_result(result);
    (void)said();
    return verdict == RUN_CLEAN ? EXIT_CLEAN : EXIT_FINDINGS;
}

int main(int argc, char *argv[])
{
    struct result result = {.schedules = 0};
    struct sigaction action = {.sa_handler = on_interrupt};

    read_options(argc, argv);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (options.mode == MODE_PATH)
        return replay(&result);
    search(&result);
    if (result.no_loop && !result.n_findings)
        fail(EXIT_CANNOT, "%s ran no loop on its main thread: there is nothing to explore",
             options.program[0]);
    output_result(&result);
    (void)said();
    if (result.n_findings)
        return EXIT_FINDINGS;
    if (options.mode == MODE_ALL)
        return result.complete && !result.truncated ? EXIT_CLEAN : EXIT_PARTIAL;
    return result.left ? EXIT_PARTIAL : EXIT_CLEAN;
}
