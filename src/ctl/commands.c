/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* How a word of a usage line looks in a manual page: \fR, \fB or \fI. */
enum font { PLAIN = 'R', BOLD = 'B', SLANTED = 'I' };

static void put_troff(char c)
{
    if (c == '-')
        (void)fputs("\\-", stdout);
    else if (c == '\\')
        (void)fputs("\\e", stdout);
    else
        (void)putchar(c);
    /* A URL or a path may be broken here. */
    if (c == '/' || c == '?' || c == '&')
        (void)fputs("\\:", stdout);
}

void gg_ctl_print_troff(const char *text)
{
    bool is_bold = false;

    /* At the start of a line these two would begin a request. */
    if (*text == '.' || *text == '\'')
        (void)fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text != '`')
            put_troff(*text);
        else
            (void)fputs((is_bold = !is_bold) ? "\\fB" : "\\fR", stdout);
    }
    (void)putchar('\n');
}

static enum font font_of(const char *at, enum font before)
{
    bool goes_on = isdigit((unsigned char)*at) != 0 || *at == '_';

    if (strncmp(at, "--", 2) == 0 ||
        (before == BOLD && (*at == '-' || islower((unsigned char)*at) || goes_on)))
        return BOLD;
    return isupper((unsigned char)*at) || (before == SLANTED && goes_on) ? SLANTED : PLAIN;
}

/* Options bold, what stands for a value slanted. */
static void print_usage(const char *usage)
{
    enum font font = PLAIN;

    for (; *usage != '\0'; usage++) {
        enum font next = font_of(usage, font);
        if (next != font)
            (void)printf("\\f%c", next);
        font = next;
        put_troff(*usage);
    }
    (void)puts(font == PLAIN ? "" : "\\fR");
}

static void print_item(const char *command, const struct gg_ctl_verb *verb)
{
    (void)printf(".TP\n\\fBgraphgatectl ");
    for (; *command != '\0'; command++)
        put_troff(*command);
    (void)printf("%s%s\\fR%s", verb->name[0] == '\0' ? "" : " ", verb->name,
                 verb->usage[0] == '\0' ? "" : " ");
    print_usage(verb->usage);
    gg_ctl_print_troff(verb->help);
}

/* A part of graphgatectl(1). */
static void print_man(const struct gg_ctl_command *command)
{
    const struct gg_ctl_verb alone = {.name = "", .usage = command->usage, .help = command->help};

    if (command->verbs == NULL)
        print_item(command->name, &alone);
    if (command->alias != NULL)
        (void)printf("Also called \\fBgraphgatectl %s\\fR.\n", command->alias);
    for (const struct gg_ctl_verb *verb = command->verbs; verb != NULL && verb->name != NULL;
         verb++)
        print_item(command->name, verb);
}

/* The options that a usage line names. */
static void print_options(const char *usage)
{
    while ((usage = strstr(usage, "--")) != NULL) {
        size_t n = 2 + strspn(usage + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
        (void)printf("%.*s ", (int)n, usage);
        usage += n;
    }
    (void)puts("--help' ;;");
}

/* A branch for each of the options that take one of several words. */
static void print_values(const char *known, const char *usage)
{
    char name[32];

    for (const char *at = usage; (at = strstr(at, "--")) != NULL; at += 2) {
        size_t n = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
        (void)snprintf(name, sizeof name, "%.*s", (int)n, at + 2);
        struct gg_str words = gg_ctl_find_words(usage, name);
        struct gg_str word;
        if (words.p == NULL)
            continue;
        (void)printf("    '%s --%s') echo '", known, name);
        while (gg_str_take(&words, '|', &word))
            (void)printf("%.*s%s", GG_STR_ARG(word), words.p == NULL ? "' ;;\n" : " ");
    }
}

/* Branches of a shell's "case": what may follow a command, and what a verb of it. */
static void print_bash(const char *name, const struct gg_ctl_command *command)
{
    const struct gg_ctl_verb *verb = command->verbs;
    char known[64];

    (void)printf("    '%s') echo '", name);
    if (verb == NULL) {
        print_options(command->usage);
        print_values(name, command->usage);
        return;
    }
    for (; verb->name != NULL; verb++)
        (void)printf("%s ", verb->name);
    print_options("");
    for (verb = command->verbs; verb->name != NULL; verb++) {
        (void)snprintf(known, sizeof known, "%s %s", name, verb->name);
        (void)printf("    '%s') echo '", known);
        print_options(verb->usage);
        print_values(known, verb->usage);
    }
}

static int run(struct gg_ctl *c)
{
    size_t count;
    const struct gg_ctl_command *const *table = gg_ctl_table(&count);
    bool is_bash = c->argc == 2 && strcmp(c->argv[1], "--bash") == 0;

    if (!is_bash && (c->argc != 2 || strcmp(c->argv[1], "--man") != 0))
        return gg_ctl_misuse(c, "--man or --bash?");
    if (is_bash) {
        (void)fputs("    '') echo '", stdout);
        for (size_t i = 0; i < count; i++)
            (void)printf("%s %s%s", table[i]->name, table[i]->alias == NULL ? "" : table[i]->alias,
                         table[i]->alias == NULL ? "" : " ");
        print_options("--version");
    }
    for (size_t i = 0; i < count; i++) {
        is_bash ? print_bash(table[i]->name, table[i]) : print_man(table[i]);
        if (is_bash && table[i]->alias != NULL)
            print_bash(table[i]->alias, table[i]);
    }
    return GG_CTL_DONE;
}

const struct gg_ctl_command gg_ctl_commands = {
    .name = "commands",
    .usage = "--man | --bash",
    .help = "prints every command: as a part of the manual page, or of bash's completion",
    .need = GG_CTL_NEEDS_NOTHING,
    .run = run,
};
