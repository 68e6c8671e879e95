/* SPDX-License-Identifier: MIT */
#include "gg/flow/cursor.h"

/* Twenty ids as long as ids may be, were each byte an escape. */
#define CURSOR_BYTES_MAX 49152
#define GIVEN_MAX        1000000000

void gg_cursor_begin(struct gg_call *c, struct gg_token_key key, struct gg_cursor *out)
{
    gg_buf_init(&out->text, c->arena, CURSOR_BYTES_MAX);
    gg_jsonw_init(&out->w, &out->text);
    gg_jsonw_open(&out->w, '{');
    gg_jsonw_put_text(&out->w, "cursor", key.realm->name);
    gg_jsonw_put(&out->w, "sub", key.subject);
}

bool gg_cursor_seal(struct gg_call *c, struct gg_cursor *made, struct gg_str *out,
                    struct gg_err *err)
{
    gg_jsonw_close(&made->w, '}');
    if (gg_buf_is_full(&made->text))
        return gg_fail(err, GG_EGRAPH, "a cursor would be too long");
    return gg_fernet_encrypt(&c->ctx->fernet, c->arena, gg_secret_of(gg_buf_str(&made->text)), out,
                             err);
}

bool gg_cursor_open(struct gg_call *c, struct gg_token_key key, struct gg_str cursor,
                    struct gg_json **out, struct gg_err *err)
{
    struct gg_secret text;

    if (cursor.n > (size_t)2 * CURSOR_BYTES_MAX ||
        !gg_fernet_decrypt(&c->ctx->fernet, c->arena, cursor, &text, err) ||
        !gg_json_parse(c->arena, gg_secret_reveal(text), out, err))
        return gg_fail(err, GG_ECURSOR, "it is not one of ours");
    if (!gg_str_is(gg_json_text(*out, "cursor"), key.realm->name) ||
        !gg_str_is_equal(gg_json_text(*out, "sub"), key.subject))
        return gg_fail(err, GG_ECURSOR, "it is another user's");
    return true;
}

bool gg_cursor_is_wide(const struct gg_json *opened)
{
    return gg_json_has(opened, "calendars");
}

/* Short, for it goes into a URL: [id, given, id, given, …]. */
bool gg_cursor_format_wide(struct gg_call *c, struct gg_token_key key,
                           const struct gg_cursor_wide *wide, struct gg_str *out,
                           struct gg_err *err)
{
    const struct gg_listing *list = &wide->list;
    struct gg_cursor made;

    gg_cursor_begin(c, key, &made);
    gg_jsonw_put(&made.w, "start", list->start_time);
    gg_jsonw_put(&made.w, "end", list->end_time);
    gg_jsonw_put(&made.w, "timezone", list->timezone);
    gg_jsonw_put_int(&made.w, "limit", list->limit);
    gg_jsonw_key(&made.w, "calendars");
    gg_jsonw_open(&made.w, '[');
    for (size_t i = 0; i < list->calendars; i++) {
        gg_jsonw_str(&made.w, list->calendar_ids[i]);
        gg_jsonw_int(&made.w, wide->given[i]);
    }
    gg_jsonw_close(&made.w, ']');
    return gg_cursor_seal(c, &made, out, err);
}

bool gg_cursor_parse_wide(const struct gg_json *opened, struct gg_cursor_wide *out,
                          struct gg_err *err)
{
    const struct gg_json *calendars = gg_json_get(opened, "calendars");
    struct gg_listing *list = &out->list;
    size_t n = gg_json_length(calendars) / 2;

    *out = (struct gg_cursor_wide){.list = {.start_time = gg_json_text(opened, "start"),
                                            .end_time = gg_json_text(opened, "end"),
                                            .timezone = gg_json_text(opened, "timezone"),
                                            .is_wide = true,
                                            .calendars = n}};
    if (n < 1 || n > GG_LISTING_CALENDARS_MAX ||
        !gg_json_int(gg_json_get(opened, "limit"), &list->limit) || list->limit < 1 ||
        list->limit > GG_LISTING_LIMIT_MAX)
        return gg_fail(err, GG_ECURSOR, "it is no list of calendars");
    for (size_t i = 0; i < n; i++)
        if (!gg_json_str(gg_json_at(calendars, 2 * i), &list->calendar_ids[i]) ||
            !gg_event_is_id(list->calendar_ids[i]) ||
            !gg_json_int(gg_json_at(calendars, 2 * i + 1), &out->given[i]) || out->given[i] < 0 ||
            out->given[i] > GIVEN_MAX)
            return gg_fail(err, GG_ECURSOR, "it leads elsewhere");
    return true;
}
