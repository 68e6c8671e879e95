/* SPDX-License-Identifier: MIT */
#include "rekey.h"

static int run(struct gg_ctl *c)
{
    struct gg_ctl_rekey k = {
        .job = GG_REKEY_SEAL, .is_all = true, .done = "sealed", .event = "row.seal"};
    const struct gg_ctl_flag flags[] = {
        {"dry-run", .given = &k.is_dry},
        {"progress", .given = &k.is_progress},
    };

    if (!gg_ctl_read_flags(c, flags, sizeof flags / sizeof flags[0]) || c->argc > 1)
        return gg_ctl_misuse(c, "takes --dry-run and --progress alone");
    return gg_ctl_rekey(c, &k);
}

const struct gg_ctl_command gg_ctl_seal = {
    .name = "seal",
    .usage = "[--dry-run] [--progress]",
    .help = "seals the rows that have none, imported ones, to their owners as they are now; names "
            "those whose seal is wrong",
    .need = GG_CTL_NEEDS_KEYS | GG_CTL_NEEDS_DB,
    .run = run,
};
