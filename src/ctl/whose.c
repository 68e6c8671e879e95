/* SPDX-License-Identifier: MIT */
#include "whose.h"

#include "gg/flow/audit.h"
#include "gg/proto/time.h"

#include <string.h>

bool gg_ctl_is_realm(struct gg_str name, const struct gg_realm *realm)
{
    return name.p == NULL || gg_str_is(name, realm->name);
}

bool gg_ctl_find_key(struct gg_ctl *c, struct gg_str realm, struct gg_str subject,
                     struct gg_token_key *key)
{
    for (int i = 0; i < GG_REALMS; i++) {
        key->realm = gg_realm((enum gg_realm_id)i);
        if (gg_ctl_is_realm(realm, key->realm) &&
            key->realm->parse_subject(c->arena, subject, &key->subject))
            return true;
    }
    return false;
}

bool gg_ctl_note_read(struct gg_ctl *c, struct gg_token_key whose, const char *detail)
{
    struct gg_err err;

    if (c->ctx.audit_keys.count == 0 && !c->ctx.conf->audit_fails_closed)
        return true;
    gg_audit_note(&c->call, (struct gg_audit_event){.event = "admin.read",
                                                    .realm = whose.realm,
                                                    .subject = whose.subject,
                                                    .detail = detail});
    return gg_audit_flush(&c->call, &err) || gg_ctl_fail("%s", err.log) == GG_CTL_DONE;
}

const char *gg_ctl_clean(struct gg_arena *a, struct gg_str s)
{
    char *text = s.n == 0 ? gg_arena_strdup(a, "-") : gg_arena_copy(a, s.p, s.n);
    bool is_utf8 = gg_str_count_utf8(s) >= 0;

    for (char *p = text; *p != '\0'; p++) {
        unsigned char byte = (unsigned char)*p;
        /* C1 controls are two bytes of UTF-8, of which the first is 0xC2. */
        bool is_c1 = byte == 0xc2 && (unsigned char)p[1] < 0xa0;
        if (byte < ' ' || byte == 0x7f || is_c1 || (byte >= 0x80 && !is_utf8))
            *p = '?';
        if (is_c1)
            p[1] = '?';
    }
    return text;
}

const char *gg_ctl_time(struct gg_arena *a, int64_t seconds)
{
    return seconds < 0 ? "-" : gg_time_format_utc(a, seconds).p;
}

void gg_ctl_put_time(struct gg_jsonw *w, struct gg_arena *a, const char *key, int64_t seconds)
{
    gg_jsonw_put(w, key, seconds < 0 ? (struct gg_str){NULL, 0} : gg_time_format_utc(a, seconds));
}

int gg_ctl_print_json(struct gg_buf *text)
{
    gg_buf_add_char(text, '\n');
    if (gg_buf_is_full(text))
        return gg_ctl_fail("the answer is too long");
    return gg_ctl_write(gg_buf_str(text));
}

int gg_ctl_fail_db(const struct gg_err *err)
{
    /* ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR. */
    if (strstr(err->log, ": 1142 ") != NULL || strstr(err->log, ": 1143 ") != NULL)
        return gg_ctl_fail("the database user of DATABASE_URL has no right to this: run it with "
                           "an administrator's (%s)",
                           err->log);
    return gg_ctl_fail("%s", err->log);
}
