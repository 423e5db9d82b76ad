/* SPDX-License-Identifier: MIT
 *
 * What bine-explore says to people: progress on a terminal, the failures with their schedules, the sum. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool shown;

static bool shows_progress(void)
{
    return !options.quiet && isatty(STDERR_FILENO);
}

void progress(const struct result *result, unsigned long waiting)
{
    if (!shows_progress())
        return;
    shown = true;
    fprintf(stderr, "\r\033[K%lu schedules, %.0f a second, %lu failed", result->schedules,
            result->seconds > 0 ? (double)result->schedules / result->seconds : 0, result->failed);
    if (options.mode == MODE_ALL)
        fprintf(stderr, ", %lu known and not run yet", waiting);
    else
        fprintf(stderr, " of %lu", options.runs);
}

void progress_end(void)
{
    if (shown)
        fputs("\r\033[K", stderr);
    shown = false;
}

/* ---- A failure --------------------------------------------------------------------- */

static const char *paint(const char *code)
{
    return options.colour ? code : "";
}
#define RED paint("\033[1;31m")
#define GREEN paint("\033[1;32m")
#define BOLD paint("\033[1m")
#define PLAIN paint("\033[0m")

static void print_word(const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
    if (*word && word[strspn(word, safe)] == '\0') {
        printf(" %s", word);
        return;
    }
    fputs(" '", stdout);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    putchar('\'');
}

static void print_program(void)
{
    for (char **word = options.program; *word; word++)
        print_word(*word);
    putchar('\n');
}

/* Those options without which the path means something else. */
static void print_model(const struct finding *finding)
{
    static const char *const models[] = {"any", "limits", "ordered"};
    if (options.timers != BINE__TIMERS_ANY)
        printf(" --timers %s", models[options.timers]);
    if (options.eager_io)
        fputs(" --eager-io", stdout);
    if (options.fifo)
        fputs(" --fifo", stdout);
    if (finding->unfair != BINE__EXPLORE_UNFAIR)
        printf(" --unfair %u", finding->unfair);
    if (options.race)
        fputs(" --race", stdout);
}

static void print_lines(const char *lines, const char *before)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        printf("%s%.*s\n", before, (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
}

/* Without the tool the model is the usual one. */
static void print_debugger(const struct finding *finding, const char *path)
{
    if (options.timers != BINE__TIMERS_ANY || options.eager_io || options.fifo || options.race ||
        finding->unfair != BINE__EXPLORE_UNFAIR)
        return;
    printf("In a debugger:  gdb -ex 'set env " BINE__EXPLORE_PATH_ENV "=%s'", path);
    if (target_library())
        printf(" -ex 'set env LD_PRELOAD=%s'", target_library());
    fputs(" --args", stdout);
    print_program();
}

static void print_finding(const struct finding *finding)
{
    char *path = path_text(&finding->path);
    if (finding->verdict == RUN_CLEAN)
        printf("%sThis schedule does not fail.%s\n", GREEN, PLAIN);
    else
        printf("%sfailed:%s %s%s%s\n", RED, PLAIN, BOLD, finding->title, PLAIN);
    for (unsigned i = 0; i < finding->n_reports; i++)
        if (strcmp(finding->reports[i], finding->title) != 0)
            printf("  reported: %s\n", finding->reports[i]);
    if (*finding->trace) {
        printf("\nWhat happens, step by step (*: there was a choice):\n");
        print_lines(finding->trace, "  ");
    }
    if (*finding->output) {
        printf("\nWhat it writes:\n");
        print_lines(finding->output, "  | ");
    }
    if (!finding->again)
        printf("\nThis schedule went another way when it was run again: the program does not depend on its "
               "schedule alone\n(time, random numbers, other processes; several run at once: --jobs 1 if they share "
               "a port or a file).\n");
    if (options.mode != MODE_PATH) {
        printf("\nThe same again: bine-explore --path %s", path);
        print_model(finding);
        fputs(" --", stdout);
        print_program();
    }
    print_debugger(finding, path);
    putchar('\n');
    free(path);
}

/* ---- The sum ----------------------------------------------------------------------- */

static void print_how_far(const struct result *result)
{
    if (result->interrupted)
        printf("Interrupted");
    else if (result->timed_out)
        printf("Stopped after %g s", options.time);
    else if (result->full)
        printf("Stopped: there are more schedules than can be remembered");
    else
        return;
    if (options.mode == MODE_ALL)
        printf(": not all schedules were run, %lu more were known already.%s\n", result->left,
               result->interrupted ? "" : "  What --pct draws goes deeper.");
    else
        printf(": %lu of %lu schedules were not run.\n", result->left, options.runs);
}

static void print_states(const struct result *result)
{
    if (result->merging && options.merge == MERGE_LATE)
        printf("It took long: after the first %lu of them all began again, and states were compared "
               "(--merge).\n",
               result->before);
    /* Nobody has asked for it, but it would have helped. */
    const bool late = options.merge == MERGE_LATE && options.mode == MODE_ALL && result->timed_out;
    if (result->unseen && (late || options.merge == MERGE_ALWAYS))
        printf("States were not compared: the program reads files, maps memory, has threads or other processes, "
               "or descriptors of other kinds than are looked into.\n");
}

static void print_sum(const struct result *result)
{
    const char *colour = result->failed ? RED : GREEN;
    printf("%s%lu schedule%s", colour, result->schedules, result->schedules == 1 ? "" : "s");
    if (options.mode != MODE_ALL)
        printf(" (%s, seed %llu), %lu different", options.mode == MODE_PCT ? "pct" : "random",
               (unsigned long long)options.seed, result->different);
    else if (result->complete)
        printf(", all there are");
    if (result->merged)
        printf(" but for those that %lu of them would have gone on as", result->merged);
    printf(": %lu failed.%s  At most %u choice%s and %u step%s in one; %.1f s.\n", result->failed, PLAIN,
           result->most_points, result->most_points == 1 ? "" : "s", result->most_steps,
           result->most_steps == 1 ? "" : "s", result->seconds);
    print_how_far(result);
    if (!result->complete && result->n_findings && !options.keep_going)
        printf("Stopped at the first failure; --keep-going goes on.\n");
    print_states(result);
    if (result->no_loop)
        printf("%s ran no loop that can be explored on its main thread: it failed before, or is linked with "
               "libbine.a in place of libbine-check.a.\n",
               result->schedules == 1 ? "It" : "Some");
    if (result->trimmed)
        printf(
            "Loops that wait were let go round %u times at most while another task could run (--unfair).\n",
            options.unfair);
    if (result->outside)
        printf("Some waited for something outside of the program; they need not go the same way twice.\n");
    if (result->diverged)
        printf("%lu did not go as told: the program does not depend on its schedule alone, so some were "
               "missed.\n",
               result->diverged);
    if (result->truncated)
        printf("Some had more choices, or more of them at once, than are kept; so some were missed.\n");
}

void output_result(const struct result *result)
{
    if (options.format == FORMAT_JSON) {
        output_json(result);
        return;
    }
    if (options.format == FORMAT_SARIF) {
        output_sarif(result);
        return;
    }
    for (unsigned i = 0; i < result->n_findings; i++)
        print_finding(&result->findings[i]);
    if (options.mode != MODE_PATH)
        print_sum(result);
}
