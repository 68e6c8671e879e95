/* SPDX-License-Identifier: MIT */
#include "gg/proto/returnto.h"

#include "gg/proto/urlenc.h"

#include <string.h>

#define URL_BYTES_MAX 2048

/* Only bytes that RFC 3986 has in a URL. A backslash is a slash to browsers, a tab is nothing. */
static bool is_plain(struct gg_str url)
{
    return gg_str_is_word(url, URL_BYTES_MAX, "-._~:/?#[]@!$&'()*+,;=%");
}

/* "/./" or "/../" in the path, also percent-encoded: a browser takes them out, this must not. */
static bool has_dots(struct gg_str rest)
{
    struct gg_str segment;

    for (size_t i = 0; i < rest.n; i++)
        if (rest.p[i] == '?' || rest.p[i] == '#')
            rest.n = i;
    while (gg_str_take(&rest, '/', &segment)) {
        size_t dots = 0;
        while (segment.n > 0) {
            bool is_encoded = segment.n >= 3 && segment.p[0] == '%' && segment.p[1] == '2' &&
                              (segment.p[2] == 'e' || segment.p[2] == 'E');
            if (segment.p[0] != '.' && !is_encoded)
                break;
            segment = gg_str_skip(segment, is_encoded ? 3 : 1);
            dots++;
        }
        if (segment.n == 0 && (dots == 1 || dots == 2))
            return true;
    }
    return false;
}

/* "/app" allows "/app", "/app/…", "/app?…", not "/application"; "/app/" allows what is below it. */
static bool is_below(struct gg_str prefix, struct gg_str rest)
{
    /* An empty path and "/" are one (RFC 3986 section 6.2.3). */
    if (prefix.n == 0 || gg_str_is(prefix, "/"))
        return true;
    if (rest.n < prefix.n || memcmp(rest.p, prefix.p, prefix.n) != 0)
        return false;
    return rest.n == prefix.n || prefix.p[prefix.n - 1] == '/' ||
           strchr("/?#", rest.p[prefix.n]) != NULL;
}

bool gg_returnto_is_allowed(const char *allowed, struct gg_str url)
{
    struct gg_str list = gg_str_of(allowed);
    struct gg_str entry;
    struct gg_url want;
    struct gg_url have;

    if (!is_plain(url) || !gg_urlenc_parse_url(url, &have) || has_dots(have.rest))
        return false;
    while (gg_str_take(&list, ',', &entry))
        if (gg_urlenc_parse_url(gg_str_trim(entry), &want) && gg_url_is_same_origin(&want, &have) &&
            is_below(want.rest, have.rest))
            return true;
    return false;
}

bool gg_returnto_is_list(const char *allowed)
{
    struct gg_str list = gg_str_of(allowed);
    struct gg_str entry;
    struct gg_url url;

    while (gg_str_take(&list, ',', &entry)) {
        entry = gg_str_trim(entry);
        if (!is_plain(entry) || !gg_urlenc_parse_url(entry, &url) || has_dots(url.rest))
            return false;
    }
    return true;
}

struct gg_str gg_returnto_add(struct gg_arena *a, struct gg_str url, const char *name,
                              struct gg_str value)
{
    struct gg_buf out;
    const char *hash = memchr(url.p, '#', url.n);
    struct gg_str head = {url.p, hash == NULL ? url.n : (size_t)(hash - url.p)};
    struct gg_str fragment = gg_str_skip(url, head.n);
    bool has_query = memchr(head.p, '?', head.n) != NULL;

    gg_buf_init(&out, a, 3 * URL_BYTES_MAX);
    gg_buf_add(&out, head);
    if (!has_query)
        gg_buf_add_char(&out, '?');
    gg_urlenc_add_pair(&out, name, value);
    gg_buf_add(&out, fragment);
    return gg_buf_str(&out);
}
