/* SPDX-License-Identifier: MIT */
/* The configuration as the program uses it, and the reader of `NAME=value` files. */
#ifndef GG_BASE_CONF_H
#define GG_BASE_CONF_H

#include "gg/base/arena.h"
#include "gg/base/secret.h"
#include "gg/base/str.h"

#include <stdint.h>

#define GG_CONF_BYTES_MAX ((size_t)256 * 1024)

enum gg_sign_in { GG_SIGN_IN_UNSET, GG_SIGN_IN_OFF, GG_SIGN_IN_EXISTING, GG_SIGN_IN_PROVISION };

enum gg_limit_id {
    GG_LIMIT_OAUTH_START,
    GG_LIMIT_OAUTH_CALLBACK,
    GG_LIMIT_CALENDAR,
    GG_LIMITS,
};

/* At most `requests` in `per_s` seconds; 0 requests: no limit. */
struct gg_limit {
    int64_t requests;
    int64_t per_s;
};

/* Every value as checked and typed by app/options; its table says what each means. */
struct gg_conf {
    const char *client_id;
    struct gg_secret client_secret;
    struct gg_secret client_secret_next; /* tried when the first is refused; may not be set */
    int64_t client_secret_expires_s;     /* since 1970, UTC, the end of that day; 0: unknown */
    const char *tenant;
    const char *redirect_uri;
    struct gg_secret token_keys;
    struct gg_secret jwt_secret_key;
    struct gg_secret secret_key;
    const char *token_key_salt;
    int64_t token_max_age_days; /* 0: for ever */
    int64_t refresh_idle_days;  /* 0: never */
    bool refuses_unsealed;      /* UNSEALED_ROWS=refuse */
    int jwt_hash;               /* enum gg_hash */
    const char *jwt_issuer;
    const char *jwt_audience;
    struct gg_secret database_url;
    bool shares_connection; /* DATABASE_CONNECTION=shared */
    const char *login_url;  /* without its last '/' */
    const char *graph_url;  /* likewise */
    const char *ca_file;
    const char *scopes;
    enum gg_sign_in sign_in;
    const char *allowed_return_urls;
    const char *trusted_proxies;
    struct gg_limit limits[GG_LIMITS];
    int64_t connect_timeout_s;
    int64_t login_timeout_s;
    int64_t graph_timeout_s;
    int64_t request_deadline_s;
    struct gg_secret audit_key;
    bool audit_fails_closed;
    int64_t audit_keep_days;
    int64_t log_level;
    const char *log_target;
    int log_form; /* enum gg_logline_form */
    bool log_subjects_plain;
    struct gg_secret metrics_token;
    const char *metrics_file; /* NULL: the usual one; "off": none */
};

/* One line of a file. */
struct gg_conf_line {
    struct gg_str name;
    struct gg_str value;
    int number;     /* from 1 */
    bool is_broken; /* no NAME= */
};

/* The whole of a file, at most GG_CONF_BYTES_MAX. False with errno's text in err->log. */
GG_MUST bool gg_conf_read(struct gg_arena *a, const char *path, struct gg_str *text, bool *absent,
                          struct gg_err *err);

/*
 * The next line that is neither empty nor a comment (#); false at the end. *rest and *number start
 * as the text and 0. Blanks around name and value go, and one pair of quotes around the value.
 */
bool gg_conf_take_line(struct gg_str *rest, int *number, struct gg_conf_line *line);

#endif
