/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include "gg/base/buf.h"
#include "gg/proto/aadsts.h"
#include "gg/proto/urlenc.h"

#include <stdio.h>
#include <string.h>

#define URL_BYTES_MAX 8192
#define LOOK_UP       "https://login.microsoftonline.com/error"

/* Personal accounts have no administrator, and "common" no page of its own for one. */
static const char *consent_tenant(const struct gg_conf *conf)
{
    if (conf->tenant == NULL)
        return "TENANT";
    return strcmp(conf->tenant, "common") == 0 || strcmp(conf->tenant, "consumers") == 0
               ? "organizations"
               : conf->tenant;
}

static void add_pair(struct gg_buf *url, const char *name, const char *value, const char *otherwise)
{
    if (value != NULL)
        gg_urlenc_add_pair(url, name, gg_str_of(value));
    else
        gg_buf_add_fmt(url, "%s%s=%s", strcmp(name, "client_id") == 0 ? "" : "&", name, otherwise);
}

const char *gg_ctl_consent_url(struct gg_ctl *c)
{
    const struct gg_conf *conf = &c->loaded.conf;
    struct gg_buf url;

    gg_buf_init(&url, c->arena, URL_BYTES_MAX);
    gg_buf_add_fmt(&url, "%s/%s/v2.0/adminconsent?",
                   conf->login_url == NULL ? "https://login.microsoftonline.com" : conf->login_url,
                   consent_tenant(conf));
    add_pair(&url, "client_id", conf->client_id, "MSCLIENTID");
    add_pair(&url, "scope", conf->scopes, "MICROSOFT_SCOPES");
    add_pair(&url, "redirect_uri", conf->redirect_uri, "REDIRECT_URI");
    return gg_buf_str(&url).p;
}

static int explain(struct gg_ctl *c, const struct gg_aadsts *row)
{
    if (row->number != 0)
        (void)printf("AADSTS%lld: %s\n", (long long)row->number, row->why);
    else
        (void)printf("%s: %s\n", row->word, row->why);
    (void)printf("%-10s %s\n%-10s %s\n%-10s %s\n", "cause", row->cause, "who acts",
                 gg_aadsts_who(row->who), "what to do", row->remedy);
    if (row->wants_consent)
        (void)printf("%-10s %s\n%-10s %s\n", "consent", gg_ctl_consent_url(c), "",
                     "The callback behind it answers state_invalid; the consent is given all the "
                     "same.");
    if (row->number != 0)
        (void)printf("%-10s %s?code=%lld\n", "Microsoft", LOOK_UP, (long long)row->number);
    return GG_CTL_DONE;
}

static int run(struct gg_ctl *c)
{
    if (c->argc != 2)
        return gg_ctl_misuse(c, "takes one code");
    const struct gg_aadsts *row = gg_aadsts_find(gg_str_of(c->argv[1]));
    if (row != NULL)
        return explain(c, row);
    return gg_ctl_fail("%s is not known here: the word beside it in the log (error=…) can be "
                       "explained too, and Microsoft's own text is at %s",
                       gg_str_is_word(gg_str_of(c->argv[1]), 64, "_") ? c->argv[1] : "that",
                       LOOK_UP);
}

const struct gg_ctl_command gg_ctl_explain = {
    .name = "explain",
    .usage = "AADSTSnnnnn | WORD",
    .help = "says what an error of Microsoft's means, who must act, and what they do; the consent "
            "link where that helps",
    .need = GG_CTL_REPORTS,
    .run = run,
};
