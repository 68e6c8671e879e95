/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include "gg/app/logging.h"
#include "gg/base/buf.h"

/* One line a key: older lines of a log may be of an older key. */
static int run(struct gg_ctl *c)
{
    struct gg_str type = GG_STR("user");
    const struct gg_ctl_flag flags[] = {{"type", .text = &type}};
    struct gg_str subject;
    struct gg_buf text;
    struct gg_log_subject name;
    struct gg_err err;

    if (!gg_ctl_read_flags(c, flags, 1) || c->argc != 2)
        return gg_ctl_misuse(c, "needs a subject");
    const struct gg_realm *realm = gg_realm_find_type(type);
    if (realm == NULL)
        return gg_ctl_misuse(c, "--type is user or teacher");
    if (!realm->parse_subject(c->arena, gg_str_of(c->argv[1]), &subject))
        return gg_ctl_misuse(c, "a subject is a number for a user, a UUID for a teacher");
    gg_buf_init(&text, c->arena, 4096);
    for (size_t i = 0; i < c->ctx.fernet.count; i++) {
        if (!gg_logging_hash(&c->ctx.fernet, i, subject, &name, &err))
            return gg_ctl_fail("%s", err.log);
        gg_buf_add_fmt(&text, "%s\n", name.text);
    }
    return gg_ctl_write(gg_buf_str(&text));
}

const struct gg_ctl_command gg_ctl_log_subject = {
    .name = "log-subject",
    .usage = "[--type user|teacher] SUBJECT",
    .help = "prints what stands for a user in the log, a line for each configured key",
    .need = GG_CTL_NEEDS_KEYS,
    .run = run,
};
