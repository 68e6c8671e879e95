/* SPDX-License-Identifier: MIT */
/* graphgatectl: the operator's command. */
#include "config.h"
#include "ctl.h"
#include "gg/app/logging.h"
#include "gg/app/setup.h"
#include "gg/base/buf.h"
#include "gg/base/log.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct gg_ctl_command *const commands[] = {
    &gg_ctl_genkey, &gg_ctl_check,       &gg_ctl_migrate,  &gg_ctl_encrypt,  &gg_ctl_decrypt,
    &gg_ctl_jwt,    &gg_ctl_log_subject, &gg_ctl_maintain, &gg_ctl_keys,     &gg_ctl_rotate_keys,
    &gg_ctl_seal,   &gg_ctl_options,     &gg_ctl_explain,  &gg_ctl_commands, &gg_ctl_audit,
    &gg_ctl_tokens, &gg_ctl_stats,       &gg_ctl_users,
};

#define COMMANDS (sizeof commands / sizeof commands[0])

const struct gg_ctl_command *const *gg_ctl_table(size_t *count)
{
    *count = COMMANDS;
    return commands;
}

int gg_ctl_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)fputs("graphgatectl: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
    return GG_CTL_FAILED;
}

static void print_usage(FILE *to, const struct gg_ctl *c)
{
    const struct gg_ctl_command *command = c->command;
    const struct gg_ctl_verb alone = {.name = "", .usage = command->usage};
    const struct gg_ctl_verb *verb = c->verb != NULL          ? c->verb
                                     : command->verbs != NULL ? command->verbs
                                                              : &alone;
    const char *intro = "Usage:";

    do {
        (void)fprintf(to, "%s graphgatectl %s", intro, command->name);
        if (verb->name[0] != '\0')
            (void)fprintf(to, " %s", verb->name);
        (void)fprintf(to, "%s%s\n", verb->usage[0] == '\0' ? "" : " ", verb->usage);
        intro = "      ";
    } while (c->verb == NULL && command->verbs != NULL && (++verb)->name != NULL);
}

int gg_ctl_misuse(const struct gg_ctl *c, const char *what)
{
    (void)gg_ctl_fail("%s%s%s: %s", c->command->name, c->verb != NULL ? " " : "",
                      c->verb != NULL ? c->verb->name : "", c->fault != NULL ? c->fault : what);
    print_usage(stderr, c);
    return GG_CTL_USAGE;
}

struct gg_str gg_ctl_find_words(const char *usage, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = usage; (at = strstr(at, "--")) != NULL; at += 2) {
        if (strncmp(at + 2, name, n) != 0 || at[2 + n] != ' ')
            continue;
        struct gg_str words = {at + 3 + n, strspn(at + 3 + n, "abcdefghijklmnopqrstuvwxyz|-")};
        return *words.p != '|' && memchr(words.p, '|', words.n) != NULL ? words
                                                                        : (struct gg_str){NULL, 0};
    }
    return (struct gg_str){NULL, 0};
}

static bool is_of(struct gg_str words, const char *value)
{
    struct gg_str word;

    while (gg_str_take(&words, '|', &word))
        if (gg_str_is(word, value))
            return true;
    return false;
}

/* One option's value to where it belongs. */
static bool take_flag(struct gg_ctl *c, const struct gg_ctl_flag *flag, const char *value)
{
    const char *usage = c->verb != NULL ? c->verb->usage : c->command->usage;
    struct gg_str words = gg_ctl_find_words(usage, flag->name);

    if (flag->given != NULL)
        *flag->given = true;
    if (flag->text != NULL && words.p != NULL && !is_of(words, value)) {
        c->fault = gg_arena_printf(c->arena, "--%s is one of %.*s", flag->name, GG_STR_ARG(words));
        return false;
    }
    if (flag->text != NULL)
        *flag->text = gg_str_of(value);
    if (flag->number == NULL ||
        gg_str_parse_int(gg_str_of(value), flag->min, flag->max, flag->number))
        return true;
    c->fault =
        gg_arena_printf(c->arena, "--%s is a whole number%s%s from %lld to %lld", flag->name,
                        flag->unit == NULL ? "" : " of ", flag->unit == NULL ? "" : flag->unit,
                        (long long)flag->min, (long long)flag->max);
    return false;
}

/* What getopt stopped at: an option of the table lacks its value, or has one and takes none. */
static void note_stop(struct gg_ctl *c, const struct option *options)
{
    const char *word = optind > 0 && optind <= c->argc ? c->argv[optind - 1] : "";
    size_t n = strcspn(word, "=");

    for (size_t i = 0; strncmp(word, "--", 2) == 0 && options[i].name != NULL; i++)
        if (strlen(options[i].name) == n - 2 && strncmp(options[i].name, word + 2, n - 2) == 0) {
            c->fault = gg_arena_printf(c->arena, "%.*s %s value", (int)n, word,
                                       options[i].has_arg == no_argument ? "takes no" : "needs a");
            return;
        }
    c->fault = optopt != 0
                   ? gg_arena_printf(c->arena, "there is no option -%c here", optopt)
                   : gg_arena_printf(c->arena, "there is no option %.*s here", (int)n, word);
}

bool gg_ctl_read_flags(struct gg_ctl *c, const struct gg_ctl_flag *flags, size_t count)
{
    struct option options[GG_CTL_FLAGS_MAX + 1] = {0};
    bool ok = count <= GG_CTL_FLAGS_MAX;
    int found;
    int index = 0;

    for (size_t i = 0; ok && i < count; i++)
        options[i] = (struct option){
            .name = flags[i].name,
            .has_arg =
                flags[i].text == NULL && flags[i].number == NULL ? no_argument : required_argument,
        };
    opterr = 0;
    optind = 1;
    while (ok && (found = getopt_long(c->argc, c->argv, "", options, &index)) != -1) {
        if (found != 0)
            note_stop(c, options);
        ok = found == 0 && take_flag(c, &flags[index], optarg);
    }
    if (!ok)
        return false;
    c->argv[optind - 1] = c->argv[0];
    c->argc -= optind - 1;
    c->argv += optind - 1;
    return true;
}

bool gg_ctl_read(struct gg_ctl *c, size_t cap, struct gg_str *text)
{
    struct gg_buf buf;
    char part[4096];
    ssize_t n;

    gg_buf_init(&buf, c->arena, cap);
    while ((n = read(STDIN_FILENO, part, sizeof part)) != 0) {
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            gg_buf_add(&buf, (struct gg_str){part, (size_t)n});
    }
    gg_wipe(part, sizeof part);
    *text = gg_buf_str(&buf);
    return !gg_buf_is_full(&buf);
}

int gg_ctl_write(struct gg_str text)
{
    if (fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0)
        return GG_CTL_DONE;
    return gg_ctl_fail("cannot write: %s", strerror(errno));
}

static void print_all(FILE *to)
{
    (void)fputs("Usage: graphgatectl COMMAND [ARGUMENT…]\n\n", to);
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(to, "  %-11s %s%s%s\n", commands[i]->name, commands[i]->help,
                      commands[i]->alias == NULL ? "" : "; also called ",
                      commands[i]->alias == NULL ? "" : commands[i]->alias);
    (void)fputs("\ngraphgatectl COMMAND --help says more; exit 0 done, 1 failed, 2 wrong usage.\n",
                to);
}

static int print_faults(const struct gg_fault *fault)
{
    for (; fault != NULL; fault = fault->next)
        (void)gg_ctl_fail("%s: %s", fault->field, fault->detail);
    return GG_CTL_FAILED;
}

/* True when there is what the command needs; else says what is missing. */
static bool has_need(const struct gg_ctl *c, unsigned need)
{
    if ((need & GG_CTL_NEEDS_ALL) != 0 && c->loaded.missing != NULL)
        (void)print_faults(c->loaded.missing);
    else if ((need & GG_CTL_NEEDS_KEYS) != 0 && c->ctx.fernet.count == 0)
        (void)gg_ctl_fail("TOKEN_ENCRYPTION_KEY, JWT_SECRET_KEY or SECRET_KEY is required");
    else if ((need & GG_CTL_NEEDS_JWT) != 0 && !gg_secret_is_set(c->ctx.jwt_key.secret))
        (void)gg_ctl_fail("JWT_SECRET_KEY or SECRET_KEY is required");
    else if ((need & GG_CTL_NEEDS_DB) != 0 && c->ctx.db == NULL)
        (void)gg_ctl_fail("DATABASE_URL is required");
    else if ((need & GG_CTL_NEEDS_AUDIT) != 0 && c->ctx.audit_keys.count == 0)
        (void)gg_ctl_fail("AUDIT_KEY is required, or a key to derive it from");
    else
        return true;
    return false;
}

static int run_it(struct gg_ctl *c)
{
    return c->verb != NULL ? c->verb->run(c) : c->command->run(c);
}

/* For the audit: the account, and the host in the place of an address. */
static struct gg_who find_who(struct gg_ctl *c)
{
    const struct passwd *account = getpwuid(getuid());
    char host[256] = "";

    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    return (struct gg_who){
        .actor = gg_str_of(account != NULL ? gg_arena_printf(c->arena, "ctl:%s", account->pw_name)
                                           : gg_arena_printf(c->arena, "ctl:%ld", (long)getuid())),
        .address = gg_str_of(host[0] == '\0' ? NULL : gg_arena_strdup(c->arena, host)),
    };
}

static int run_configured(struct gg_ctl *c, unsigned need)
{
    int status = GG_CTL_FAILED;
    struct gg_err err;

    gg_load(c->arena, &c->loaded);
    /* What a command has to say it prints; the log is for what nobody asked for. */
    if (!gg_log_open("stderr", GG_ERROR, &err))
        return gg_ctl_fail("%s", err.log);
    if (c->loaded.faults != NULL && need != GG_CTL_REPORTS)
        return print_faults(c->loaded.faults);
    if (need == GG_CTL_NEEDS_CONFIG)
        return run_it(c);
    gg_setup_open(c->arena, &c->loaded, &c->ctx);
    gg_logging_set_subjects(&c->ctx);
    c->call = (struct gg_call){
        .ctx = &c->ctx,
        .arena = c->arena,
        .deadline = gg_deadline_in(3600LL * 1000),
        .who = find_who(c),
    };
    if (has_need(c, need))
        status = run_it(c);
    gg_setup_close(&c->ctx);
    return status;
}

static int print_help(const struct gg_ctl *c)
{
    const struct gg_ctl_verb *verb = c->verb == NULL ? c->command->verbs : NULL;

    print_usage(stdout, c);
    (void)printf("\n%s\n", c->verb != NULL ? c->verb->help : c->command->help);
    for (; verb != NULL && verb->name != NULL; verb++)
        (void)printf("  %-8s %s\n", verb->name, verb->help);
    return GG_CTL_DONE;
}

/* The verb that the first argument names becomes c->verb, its arguments the command's. */
static bool find_verb(struct gg_ctl *c)
{
    const struct gg_ctl_verb *verb = c->command->verbs;

    if (verb == NULL)
        return true;
    while (verb->name != NULL && (c->argc < 2 || strcmp(verb->name, c->argv[1]) != 0))
        verb++;
    if (verb->name == NULL)
        return false;
    c->verb = verb;
    c->argc--;
    c->argv++;
    return true;
}

static int run(struct gg_ctl *c)
{
    bool ok = find_verb(c);

    for (int i = 1; i < c->argc; i++)
        if (strcmp(c->argv[i], "--help") == 0)
            return print_help(c);
    if (!ok)
        return gg_ctl_misuse(c, "which of these?");
    unsigned need = c->verb != NULL ? c->verb->need : c->command->need;
    return need == GG_CTL_NEEDS_NOTHING ? run_it(c) : run_configured(c, need);
}

static bool is_called(const struct gg_ctl_command *command, const char *name)
{
    return strcmp(command->name, name) == 0 ||
           (command->alias != NULL && strcmp(command->alias, name) == 0);
}

int main(int argc, char **argv)
{
    struct gg_ctl c = {.argc = argc - 1, .argv = argv + 1};

    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        print_all(stdout);
        return GG_CTL_DONE;
    }
    if (argc >= 2 && strcmp(argv[1], "--version") == 0)
        return puts(PACKAGE_STRING) < 0 ? GG_CTL_FAILED : GG_CTL_DONE;
    for (size_t i = 0; argc >= 2 && i < COMMANDS; i++) {
        if (!is_called(commands[i], argv[1]))
            continue;
        c.arena = gg_arena_open();
        c.command = commands[i];
        int status = run(&c);
        gg_arena_close(c.arena);
        return status;
    }
    if (argc >= 2)
        (void)gg_ctl_fail("there is no command %s", argv[1]);
    print_all(stderr);
    return GG_CTL_USAGE;
}
