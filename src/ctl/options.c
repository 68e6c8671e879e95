/* SPDX-License-Identifier: MIT */
#include "gg/app/options.h"

#include "ctl.h"

#include <stdio.h>
#include <string.h>

static const char *shown_default(struct gg_ctl *c, const struct gg_option *o)
{
    if (o->is_required)
        return "required";
    if (o->shown != NULL)
        return o->shown;
    return o->fallback == NULL ? "none" : gg_arena_printf(c->arena, "`%s`", o->fallback);
}

static void print_markdown(struct gg_ctl *c, const struct gg_option *table, size_t count)
{
    (void)puts("| name | default | meaning |\n|---|---|---|");
    for (size_t i = 0; i < count; i++)
        (void)printf("| `%s`%s | %s | %s |\n", table[i].name, table[i].is_secret ? " (secret)" : "",
                     shown_default(c, &table[i]), table[i].meaning);
}

/* A line of the meaning, without the marks that are for Markdown. */
static void print_plain(const char *text)
{
    (void)fputs("# ", stdout);
    for (; *text != '\0'; text++)
        if (*text != '`')
            (void)fputc(*text, stdout);
    (void)fputc('\n', stdout);
}

static void print_sample(const struct gg_option *table, size_t count)
{
    (void)puts(
        "# graphgate.conf: NAME=value lines. The environment wins over this file. Every secret\n"
        "# may be read from a file of its own instead: NAME_FILE=/path.");
    for (size_t i = 0; i < count; i++) {
        (void)puts("");
        print_plain(table[i].meaning);
        (void)printf("%s%s=%s\n", table[i].is_required ? "" : "#", table[i].name,
                     table[i].fallback == NULL ? "" : table[i].fallback);
    }
}

/* A part of graphgate.conf(5). */
static void print_man(struct gg_ctl *c, const struct gg_option *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)printf(".TP\n.B %s\n", table[i].name);
        gg_ctl_print_troff(table[i].meaning);
        (void)puts(".br");
        gg_ctl_print_troff(gg_arena_printf(
            c->arena, "%s%s%s.", table[i].is_secret ? "A secret. " : "",
            table[i].is_required ? "It is " : "Default: ", shown_default(c, &table[i])));
    }
}

static int run(struct gg_ctl *c)
{
    size_t count;
    const struct gg_option *table = gg_options_table(&count);

    if (c->argc == 2 && strcmp(c->argv[1], "--markdown") == 0)
        print_markdown(c, table, count);
    else if (c->argc == 2 && strcmp(c->argv[1], "--sample") == 0)
        print_sample(table, count);
    else if (c->argc == 2 && strcmp(c->argv[1], "--man") == 0)
        print_man(c, table, count);
    else
        return gg_ctl_misuse(c, "--sample, --markdown or --man?");
    return GG_CTL_DONE;
}

const struct gg_ctl_command gg_ctl_options = {
    .name = "options",
    .usage = "--sample | --markdown | --man",
    .help = "prints every setting: as a configuration file to fill in, as a table, or as a part of "
            "the manual page",
    .need = GG_CTL_NEEDS_NOTHING,
    .run = run,
};
