/* SPDX-License-Identifier: MIT */
#include "gg/ext/http.h"

#include "gg/base/buf.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES_MAX ((size_t)64 * 1024)
/* A write on a connection that breaks may be done or not: it takes none that has long been idle. */
#define KEPT_FOR_WRITES_S 15L

/* One call under way: where its answer goes. */
struct exchange {
    struct gg_arena *arena;
    struct gg_http_response *response;
    struct gg_buf body;
    size_t header_bytes;
    bool is_read; /* may be sent again */
    int sent;     /* how often; more than once on a kept connection that broke */
};

/* One of the calls that are made at once. */
struct place {
    CURL *easy;
    struct exchange *exchange; /* NULL: free */
    struct gg_http_flight *flight;
};

struct gg_http {
    struct gg_http_options options;
    CURL *easy;
    CURLM *multi; /* with connections of its own; NULL until several calls are made at once */
    struct place places[GG_HTTP_AT_ONCE];
};

struct gg_http *gg_http_open(struct gg_http_options options)
{
    struct gg_http *h = calloc(1, sizeof *h);

    if (h == NULL)
        abort();
    h->options = options;
    return h;
}

void gg_http_close(struct gg_http *h)
{
    if (h == NULL)
        return;
    gg_http_drop(h);
    for (size_t i = 0; i < GG_HTTP_AT_ONCE; i++)
        curl_easy_cleanup(h->places[i].easy);
    if (h->multi != NULL)
        (void)curl_multi_cleanup(h->multi);
    curl_easy_cleanup(h->easy);
    free(h);
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;

    gg_buf_add(&x->body, (struct gg_str){p, size * n});
    return gg_buf_is_full(&x->body) ? 0 : size * n;
}

/* Joins a repeated header into one, as RFC 9110 section 5.3 allows. */
static void add_value(struct gg_arena *a, struct gg_str *to, struct gg_str value)
{
    if (to->p == NULL)
        *to = gg_str_of(gg_arena_copy(a, value.p, value.n));
    else
        *to = gg_str_of(gg_arena_printf(a, "%.*s, %.*s", GG_STR_ARG(*to), GG_STR_ARG(value)));
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;
    struct gg_str value = {p, size * n};
    struct gg_str name;
    struct {
        const char *name;
        struct gg_str *to;
    } wanted[] = {
        {"content-type", &x->response->content_type},
        {"date", &x->response->date},
        {"location", &x->response->location},
        {"retry-after", &x->response->retry_after},
        {"www-authenticate", &x->response->www_authenticate},
    };

    x->header_bytes += value.n;
    if (x->header_bytes > HEADER_BYTES_MAX)
        return 0;
    while (value.n > 0 && (value.p[value.n - 1] == '\n' || value.p[value.n - 1] == '\r'))
        value.n--;
    /* A status line begins another answer (100 Continue before): what came so far is not of it. */
    if (gg_str_has_prefix(value, "HTTP/"))
        *x->response = (struct gg_http_response){0};
    if (!gg_str_take(&value, ':', &name) || value.p == NULL)
        return size * n;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (gg_str_is_equal_nocase(gg_str_trim(name), gg_str_of(wanted[i].name)))
            add_value(x->arena, wanted[i].to, gg_str_trim(value));
    return size * n;
}

/* On a kept connection that breaks, libcurl silently asks again: never what changes something. */
static int before_request(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct exchange *x = arg;
    bool is_again = x->sent++ > 0 && !x->is_read;

    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    return is_again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* What is the same for all calls. */
static void set_up(CURL *c, const struct gg_http_options *options)
{
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    /* Else a time-out waits for the resolver's thread, and that for name servers that are mute. */
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, options->connect_timeout_s * 1000L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(c, CURLOPT_USERAGENT, "graphgate");
    if (getenv("no_proxy") == NULL && getenv("NO_PROXY") == NULL)
        curl_easy_setopt(c, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    if (options->ca_file != NULL)
        curl_easy_setopt(c, CURLOPT_CAINFO, options->ca_file);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, before_request);
}

static struct curl_slist *list_headers(struct gg_arena *a, const struct gg_http_request *request)
{
    struct curl_slist *nodes = gg_arena_alloc(a, (GG_HTTP_HEADERS_MAX + 1) * sizeof *nodes);
    size_t n;

    for (n = 0; n < GG_HTTP_HEADERS_MAX && request->headers[n] != NULL; n++)
        nodes[n].data = (char *)request->headers[n];
    /* No "Expect: 100-continue": it costs a round trip, and Microsoft does not ask for it. */
    if (request->body.p != NULL)
        nodes[n++].data = (char *)"Expect:";
    for (size_t i = 1; i < n; i++)
        nodes[i - 1].next = &nodes[i];
    return n == 0 ? NULL : nodes;
}

static void set_request(CURL *c, const struct gg_http_request *request, struct exchange *x,
                        long timeout_ms)
{
    curl_easy_setopt(c, CURLOPT_URL, request->url);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list_headers(x->arena, request));
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, request->wants_own_connection ? 1L : 0L);
    /* Plain http is for this machine alone: no proxy of the environment may see it. */
    curl_easy_setopt(c, CURLOPT_PROXY, strncmp(request->url, "http:", 5) == 0 ? "" : NULL);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(c, CURLOPT_PREREQDATA, x);
    if (x->is_read)
        return;
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, KEPT_FOR_WRITES_S);
    if (request->body.p != NULL) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, request->body.p);
    }
}

/*
 * The handle outlives the arena: nothing of this request may stay in it. Connections, TLS sessions
 * and DNS answers survive. A reset costs more than all that a read has set, but where it did not go
 * well must be: libcurl counts in the handle how often it asked again, and leaves off at five.
 */
static void take_back(const struct gg_http *h, CURL *c, const struct exchange *x, CURLcode code)
{
    if (!x->is_read || code != CURLE_OK || x->sent != 1) {
        curl_easy_reset(c);
        set_up(c, &h->options);
        return;
    }
    curl_easy_setopt(c, CURLOPT_URL, NULL);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, NULL);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, NULL);
    curl_easy_setopt(c, CURLOPT_PREREQDATA, NULL);
}

static enum gg_http_end end_of(CURLcode code)
{
    static const struct {
        CURLcode code;
        enum gg_http_end end;
    } known[] = {
        {CURLE_OPERATION_TIMEDOUT, GG_HTTP_LATE},
        {CURLE_COULDNT_RESOLVE_HOST, GG_HTTP_UNSENT},
        {CURLE_COULDNT_CONNECT, GG_HTTP_UNSENT},
        {CURLE_SSL_CONNECT_ERROR, GG_HTTP_UNSENT},
        {CURLE_PEER_FAILED_VERIFICATION, GG_HTTP_UNTRUSTED},
        {CURLE_COULDNT_RESOLVE_PROXY, GG_HTTP_UNSENT},
        {CURLE_ABORTED_BY_CALLBACK, GG_HTTP_LOST},
        {CURLE_GOT_NOTHING, GG_HTTP_LOST},
        {CURLE_SEND_ERROR, GG_HTTP_LOST},
        {CURLE_RECV_ERROR, GG_HTTP_LOST},
        {CURLE_PARTIAL_FILE, GG_HTTP_LOST},
        {CURLE_HTTP2, GG_HTTP_LOST},
        {CURLE_HTTP2_STREAM, GG_HTTP_LOST},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].code == code)
            return known[i].end;
    return GG_HTTP_BAD;
}

/* The answer as if none of it had come. Always false. */
static bool fail_of(CURLcode code, struct exchange *x, struct gg_err *err)
{
    *x->response = (struct gg_http_response){.end = end_of(code)};
    if (code == CURLE_OPERATION_TIMEDOUT)
        return gg_fail(err, GG_ETIMEOUT, "no answer in time");
    if (gg_buf_is_full(&x->body))
        return gg_fail(err, GG_EGRAPH, "the answer is larger than %zu bytes", x->body.cap);
    return gg_fail(err, GG_EGRAPH, "%s", curl_easy_strerror(code));
}

/* All of it set on *easy; x and what it points to must outlive the call. */
static bool prepare(const struct gg_http *h, CURL **easy, const struct gg_http_request *request,
                    struct exchange *x, struct gg_err *err)
{
    int64_t left_ms = gg_deadline_left_ms(request->deadline);
    int64_t timeout_ms = (int64_t)request->timeout_s * 1000;

    *x->response = (struct gg_http_response){.end = GG_HTTP_LATE};
    if (left_ms == 0)
        return gg_fail(err, GG_ETIMEOUT, "the request's deadline has passed");
    x->response->end = GG_HTTP_BAD;
    if (*easy == NULL) {
        *easy = curl_easy_init();
        if (*easy == NULL)
            return gg_fail(err, GG_EINTERNAL, "libcurl does not start");
        set_up(*easy, &h->options);
    }
    x->is_read = strcmp(request->method, "GET") == 0;
    gg_buf_init(&x->body, x->arena, request->cap_bytes);
    set_request(*easy, request, x, (long)(left_ms < timeout_ms ? left_ms : timeout_ms));
    return true;
}

/* What a call that has ended came to. */
static bool conclude(const struct gg_http *h, CURL *easy, CURLcode code, struct exchange *x,
                     struct gg_err *err)
{
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    take_back(h, easy, x, code);
    if (code != CURLE_OK)
        return fail_of(code, x, err);
    x->response->end = GG_HTTP_WHOLE;
    x->response->status = (int)status;
    x->response->body = gg_buf_str(&x->body);
    return true;
}

bool gg_http_fetch(struct gg_http *h, struct gg_arena *a, const struct gg_http_request *request,
                   struct gg_http_response *response, struct gg_err *err)
{
    struct exchange x = {.arena = a, .response = response};

    return prepare(h, &h->easy, request, &x, err) &&
           conclude(h, h->easy, curl_easy_perform(h->easy), &x, err);
}

static bool set_up_multi(struct gg_http *h, struct gg_err *err)
{
    if (h->multi != NULL)
        return true;
    h->multi = curl_multi_init();
    if (h->multi == NULL)
        return gg_fail(err, GG_EINTERNAL, "libcurl does not start");
    (void)curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)GG_HTTP_AT_ONCE);
    return true;
}

static void drop_all(void *h)
{
    gg_http_drop(h);
}

bool gg_http_begin(struct gg_http *h, struct gg_arena *a, const struct gg_http_request *request,
                   struct gg_http_flight *flight, struct gg_err *err)
{
    struct exchange *x = gg_arena_alloc(a, sizeof *x);
    struct place *place = h->places;

    *flight = (struct gg_http_flight){.response.end = GG_HTTP_BAD};
    while (place < h->places + GG_HTTP_AT_ONCE && place->exchange != NULL)
        place++;
    if (place == h->places + GG_HTTP_AT_ONCE)
        return gg_fail(err, GG_EINTERNAL, "more than %d calls at once", GG_HTTP_AT_ONCE);
    *x = (struct exchange){.arena = a, .response = &flight->response};
    if (!set_up_multi(h, err) || !prepare(h, &place->easy, request, x, err))
        return false;
    if (curl_multi_add_handle(h->multi, place->easy) != CURLM_OK) {
        take_back(h, place->easy, x, CURLE_FAILED_INIT);
        return gg_fail(err, GG_EINTERNAL, "libcurl does not take a call");
    }
    place->exchange = x;
    place->flight = flight;
    /* Before its headers go. */
    gg_arena_defer(a, drop_all, h);
    return true;
}

static struct gg_http_flight *land(struct gg_http *h, struct place *place, CURLcode code)
{
    struct gg_http_flight *flight = place->flight;

    (void)curl_multi_remove_handle(h->multi, place->easy);
    (void)conclude(h, place->easy, code, place->exchange, &flight->err);
    place->exchange = NULL;
    place->flight = NULL;
    return flight;
}

/* A flight that libcurl says has ended; where it does nothing any more, any that is under way. */
static struct gg_http_flight *land_next(struct gg_http *h, CURLMcode health)
{
    int left;
    const CURLMsg *m = curl_multi_info_read(h->multi, &left);

    for (struct place *p = h->places; p < h->places + GG_HTTP_AT_ONCE; p++) {
        if (p->exchange == NULL)
            continue;
        if (m != NULL && m->msg == CURLMSG_DONE && m->easy_handle == p->easy)
            return land(h, p, m->data.result);
        if (m == NULL && health != CURLM_OK)
            return land(h, p, CURLE_FAILED_INIT);
    }
    return NULL;
}

struct gg_http_flight *gg_http_next(struct gg_http *h, int64_t wait_ms)
{
    struct gg_deadline until = gg_deadline_in(wait_ms);
    int running = 0;

    while (h->multi != NULL) {
        CURLMcode health = curl_multi_perform(h->multi, &running);
        struct gg_http_flight *flight = land_next(h, health);
        int64_t left_ms = gg_deadline_left_ms(until);
        if (flight != NULL || running == 0 || left_ms == 0)
            return flight;
        (void)curl_multi_poll(h->multi, NULL, 0, (int)(left_ms < 1000 ? left_ms : 1000), NULL);
    }
    return NULL;
}

void gg_http_drop(struct gg_http *h)
{
    for (struct place *p = h->places; p < h->places + GG_HTTP_AT_ONCE; p++) {
        if (p->exchange == NULL)
            continue;
        (void)curl_multi_remove_handle(h->multi, p->easy);
        take_back(h, p->easy, p->exchange, CURLE_ABORTED_BY_CALLBACK);
        p->exchange = NULL;
        p->flight = NULL;
    }
}

const char *gg_http_resolve(struct gg_arena *a, const char *base, struct gg_str link)
{
    const char *out = NULL;
    char *text = NULL;
    CURLU *url = curl_url();

    if (curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, gg_arena_copy(a, link.p, link.n), 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK)
        out = gg_arena_strdup(a, text);
    curl_free(text);
    curl_url_cleanup(url);
    return out;
}
