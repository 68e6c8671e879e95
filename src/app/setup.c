/* SPDX-License-Identifier: MIT */
#include "gg/app/setup.h"

#include "gg/app/dburl.h"
#include "gg/base/log.h"
#include "gg/base/metric.h"
#include "gg/ext/crypto.h"
#include "gg/flow/keyset.h"
#include "gg/web/route.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_ROUNDS      100000
#define QUERY_TIMEOUT_S 10
/* Of several hosts: longer than a cluster takes to part with one that is lost (5 s and a little).
 */
#define QUERY_TIMEOUT_OF_SEVERAL_S 8
/* A first host of the database that was away is asked for again so often, then less and less. */
#define RETURN_S 30
/* Of the hash in the metrics file's name. */
#define SITE_BYTES 8

static bool has_fault(const struct gg_fault *fault, const char *name)
{
    while (fault != NULL && strcmp(fault->field, name) != 0)
        fault = fault->next;
    return fault != NULL;
}

/* The keys that are given, or the one that the service before derived in this very way. */
static bool open_keys(struct gg_arena *a, const struct gg_loaded *loaded, struct gg_fernet *fernet,
                      struct gg_err *err)
{
    const struct gg_conf *conf = &loaded->conf;

    /* Bad keys are dropped by the reader: what is left looks as if none had been given. */
    if (has_fault(loaded->faults, "TOKEN_ENCRYPTION_KEY"))
        return gg_fail(err, GG_ENOTCONFIGURED, "TOKEN_ENCRYPTION_KEY: is no usable key");
    if (gg_secret_is_set(conf->token_keys))
        return gg_fernet_parse_keys(a, conf->token_keys, fernet, err);
    if (!gg_secret_is_set(conf->jwt_secret_key))
        return gg_fail(err, GG_ENOTCONFIGURED, "TOKEN_ENCRYPTION_KEY: there is no key");
    if (!gg_crypto_derive(conf->jwt_secret_key, gg_str_of(conf->token_key_salt), KEY_ROUNDS,
                          fernet->keys[0], err))
        return false;
    fernet->count = 1;
    return true;
}

static bool open_audit_keys(struct gg_arena *a, const struct gg_loaded *loaded, struct gg_ctx *ctx,
                            struct gg_err *err)
{
    struct gg_fernet own = {.count = 0};
    bool is_own = gg_secret_is_set(loaded->conf.audit_key);

    if (has_fault(loaded->faults, "AUDIT_KEY"))
        return gg_fail(err, GG_ENOTCONFIGURED, "AUDIT_KEY: is no usable key");
    bool ok = (!is_own || gg_fernet_parse_keys(a, loaded->conf.audit_key, &own, err)) &&
              gg_audit_derive(is_own ? &own : &ctx->fernet, &ctx->audit_keys, err);
    gg_wipe(&own, sizeof own);
    return ok;
}

static struct gg_db *open_db(struct gg_arena *a, const struct gg_conf *conf)
{
    struct gg_db_address *address = gg_arena_alloc(a, sizeof *address);
    const char *fault;

    if (!gg_secret_is_set(conf->database_url) ||
        !gg_dburl_parse(a, conf->database_url, address, &fault))
        return NULL;
    address->connect_timeout_s = (int)conf->connect_timeout_s;
    address->query_timeout_s =
        address->host_count > 1 ? QUERY_TIMEOUT_OF_SEVERAL_S : QUERY_TIMEOUT_S;
    address->return_s = RETURN_S;
    address->is_shared = conf->shares_connection;
    return gg_db_open(address);
}

static struct gg_http *open_http(const struct gg_conf *conf)
{
    return gg_http_open((struct gg_http_options){conf->ca_file, (int)conf->connect_timeout_s});
}

void gg_setup_open(struct gg_arena *a, const struct gg_loaded *loaded, struct gg_ctx *ctx)
{
    const struct gg_conf *conf = &loaded->conf;
    struct gg_err err;

    *ctx = (struct gg_ctx){
        .conf = conf,
        .is_configured = loaded->faults == NULL && loaded->missing == NULL,
        .jwt_key = {(enum gg_hash)conf->jwt_hash, conf->jwt_secret_key},
        .db = open_db(a, conf),
        .http = open_http(conf),
        .keyset = gg_keyset_open(),
    };
    if (!open_keys(a, loaded, &ctx->fernet, &err) || !open_audit_keys(a, loaded, ctx, &err)) {
        /* A key that is missing or bad is among the faults already. */
        if (err.code != GG_ENOTCONFIGURED)
            gg_log(GG_ERROR, "setup.keys", "reason=\"%s\"", err.log);
        ctx->is_configured = false;
    }
}

void gg_setup_reopen(struct gg_ctx *ctx)
{
    ctx->db = gg_db_open(gg_db_address(ctx->db));
    ctx->http = open_http(ctx->conf);
    ctx->keyset = gg_keyset_open();
}

void gg_setup_close(struct gg_ctx *ctx)
{
    gg_db_close(ctx->db);
    gg_http_close(ctx->http);
    gg_keyset_close(ctx->keyset);
    gg_wipe(&ctx->fernet, sizeof ctx->fernet);
    gg_wipe(&ctx->audit_keys, sizeof ctx->audit_keys);
}

/* A hash of what names the site and is no secret; NULL: there is none. */
static const char *name_site(struct gg_arena *a, const struct gg_ctx *ctx)
{
    const struct gg_conf *conf = ctx->conf;
    const struct gg_db_address *db = ctx->db == NULL ? NULL : gg_db_address(ctx->db);
    unsigned char hash[GG_SHA256_BYTES];
    char site[2 * SITE_BYTES + 1];
    struct gg_err err;

    const char *name =
        gg_arena_printf(a, "%s\n%s\n%s\n%u\n%s", conf->client_id == NULL ? "" : conf->client_id,
                        conf->redirect_uri == NULL ? "" : conf->redirect_uri,
                        db == NULL                ? ""
                        : db->unix_socket != NULL ? db->unix_socket
                                                  : db->hosts[0].name,
                        db == NULL ? 0 : db->hosts[0].port, db == NULL ? "" : db->name);
    if (!gg_crypto_sha256(gg_str_of(name), hash, &err))
        return NULL;
    for (size_t i = 0; i < SITE_BYTES; i++)
        (void)snprintf(site + 2 * i, 3, "%02x", hash[i]);
    return gg_arena_strdup(a, site);
}

const char *gg_setup_metrics_file(struct gg_arena *a, const struct gg_ctx *ctx)
{
    const struct gg_conf *conf = ctx->conf;

    if (conf->metrics_file != NULL)
        return strcmp(conf->metrics_file, "off") == 0 ? NULL : conf->metrics_file;
    const char *site = name_site(a, ctx);
    return site == NULL
               ? NULL
               : gg_arena_printf(a, "/dev/shm/graphgate-%lu-%s", (unsigned long)geteuid(), site);
}

static struct gg_metric_site metric_site(struct gg_arena *a, const struct gg_ctx *ctx)
{
    struct gg_metric_site site = {.path = gg_setup_metrics_file(a, ctx)};

    site.routes = gg_route_names(a, &site.route_count);
    return site;
}

void gg_setup_find_metrics(struct gg_arena *a, const struct gg_ctx *ctx)
{
    struct gg_metric_site site = metric_site(a, ctx);
    struct gg_err ignored;

    site.is_found = true;
    if (site.path != NULL && !gg_metric_open(&site, &ignored))
        gg_log(GG_DEBUG, "metrics", "result=off reason=\"%s\"", ignored.log);
}

void gg_setup_open_metrics(struct gg_arena *a, const struct gg_ctx *ctx)
{
    struct gg_metric_site site = metric_site(a, ctx);
    struct gg_err err;

    if (site.path == NULL)
        gg_log(GG_INFO, "metrics", "result=off");
    else if (!gg_metric_open(&site, &err))
        gg_log(GG_WARNING, "metrics", "result=off name=METRICS_FILE reason=\"%s\"", err.log);
}

void gg_setup_open_journal(struct gg_arena *a, enum gg_hostfile_how how, struct gg_ctx *ctx)
{
    const char *metrics = gg_setup_metrics_file(a, ctx);
    const char *site = name_site(a, ctx);
    struct gg_err err;

    if (metrics == NULL || site == NULL)
        return;
    const char *path = gg_arena_printf(a, "%s.%s.audit", metrics, site);
    if (!gg_journal_open(path, how, &ctx->journal, &err) && how == GG_HOSTFILE_MAKE)
        gg_log(GG_WARNING, "audit.journal", "result=off name=METRICS_FILE reason=\"%s\"", err.log);
}
