/* SPDX-License-Identifier: MIT */
/*
 * Counters that all workers of a site on one host share: a page of 64-bit numbers in a file that
 * each maps, whoever started it. What a worker has counted stays when it ends, however it ends.
 *
 * The tables below are all there is: the page's layout, the text of /metrics (base/exposition), the
 * documentation and the checks of alerts and dashboard follow from them. Every label has a fixed
 * list of words, so the number of series is bounded. Counting is a few atomic additions and never
 * fails; without a page (graphgatectl, unit tests) it does nothing.
 */
#ifndef GG_BASE_METRIC_H
#define GG_BASE_METRIC_H

#include "gg/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define GG_METRIC_PREFIX     "graphgate_"
#define GG_METRIC_ROUTES_MAX 63
#define GG_METRIC_LABELS_MAX 3

/* X(name, word): the words of a label, in the order of the enum that is made of them. */
#define GG_METRIC_METHODS(X) \
    X(GET, "GET") \
    X(HEAD, "HEAD") \
    X(POST, "POST") \
    X(PUT, "PUT") \
    X(PATCH, "PATCH") \
    X(DELETE, "DELETE") \
    X(METHOD_OTHER, "other")

/* X(number): what we answer, and what Graph answers. Others are "other". */
#define GG_METRIC_STATUS_NUMBERS(X) \
    X(200) \
    X(201) \
    X(202) \
    X(204) \
    X(302) \
    X(303) \
    X(400) \
    X(401) \
    X(403) \
    X(404) \
    X(405) \
    X(409) \
    X(412) \
    X(413) \
    X(415) \
    X(422) \
    X(429) \
    X(500) \
    X(502) \
    X(503) \
    X(504)
#define GG_METRIC_STATUS_WORDS(X) \
    X(STATUS_OTHER, "other") \
    X(STATUS_TIMEOUT, "timeout") \
    X(STATUS_UNREACHABLE, "unreachable") \
    X(STATUS_BROKEN, "broken")

/* What somebody wanted who came to prove who he is. */
#define GG_METRIC_FLOWS(X) \
    X(FLOW_UNKNOWN, "unknown") /* the callback's state is not ours, so nobody knows */ \
    X(FLOW_SIGN_IN, "sign_in") \
    X(FLOW_CONNECT, "connect") \
    X(FLOW_EXCHANGE, "exchange") \
    X(FLOW_REFRESH, "refresh")

/* X(name, word, code): how that ended; the words are the errors' public codes. */
#define GG_METRIC_RESULTS(X) \
    X(RESULT_OK, "ok", GG_OK) \
    X(RESULT_STATE, "state_invalid", GG_ESTATE) \
    X(RESULT_DECLINED, "consent_declined", GG_EDECLINED) \
    X(RESULT_ADMIN_CONSENT, "admin_consent_required", GG_EADMINCONSENT) \
    X(RESULT_AUTH_FAILED, "microsoft_auth_failed", GG_EAUTHFAILED) \
    X(RESULT_ID_TOKEN, "id_token_invalid", GG_EIDTOKEN) \
    X(RESULT_CLIENT, "microsoft_client_rejected", GG_ECLIENT) \
    X(RESULT_LOGIN, "microsoft_unavailable", GG_ELOGIN) \
    X(RESULT_ACCOUNT, "account_unknown", GG_EACCOUNT) \
    X(RESULT_SESSION_CODE, "session_code_invalid", GG_ESESSIONCODE) \
    X(RESULT_TOKEN, "invalid_token", GG_EINVALIDTOKEN) \
    X(RESULT_LIMITED, "rate_limited", GG_ERATELIMITED) \
    X(RESULT_DATABASE, "database_unavailable", GG_EDATABASE) \
    X(RESULT_OTHER, "other", GG_EINTERNAL)

/* Two labels in one, so that there is no series that cannot be. */
#define GG_METRIC_REFRESHES(X) \
    X(REFRESH_OK, "result=\"ok\",class=\"none\"") \
    X(REFRESH_PERMANENT, "result=\"failed\",class=\"permanent\"") \
    X(REFRESH_OPERATOR, "result=\"failed\",class=\"operator\"") \
    X(REFRESH_PASSING, "result=\"failed\",class=\"passing\"") \
    X(REFRESH_STORAGE, "result=\"failed\",class=\"storage\"")

#define GG_METRIC_OPERATIONS(X) \
    X(OPERATION_OTHER, "other") \
    X(LIST_CALENDARS, "list_calendars") \
    X(LIST_EVENTS, "list_events") \
    X(GET_EVENT, "get_event") \
    X(CREATE_EVENT, "create_event") \
    X(UPDATE_EVENT, "update_event") \
    X(DELETE_EVENT, "delete_event")

#define GG_METRIC_DB_RESULTS(X) \
    X(DB_OK, "ok") \
    X(DB_FAILED, "failed")
#define GG_METRIC_DB_ERRORS(X) \
    X(DB_CONNECT, "connect") \
    X(DB_LOST, "lost") \
    X(DB_DEADLOCK, "deadlock") \
    X(DB_LOCK_TIMEOUT, "lock_timeout") \
    X(DB_REFUSED, "refused") \
    X(DB_OTHER, "other")

#define GG_METRIC_STORAGE_KINDS(X) \
    X(STORAGE_READ, "read") \
    X(STORAGE_WRITE, "write") \
    X(STORAGE_ENCRYPT, "encrypt") \
    X(STORAGE_DECRYPT, "decrypt") \
    X(STORAGE_SEAL, "seal")

/* In the order of enum gg_limit_id. */
#define GG_METRIC_LIMITS(X) \
    X(LIMIT_OAUTH_START, "oauth_start") \
    X(LIMIT_OAUTH_CALLBACK, "oauth_callback") \
    X(LIMIT_CALENDAR, "calendar")

/* Time is the harmless one: tokens end. */
#define GG_METRIC_JWT_REASONS(X) \
    X(JWT_MALFORMED, "malformed") \
    X(JWT_SIGNATURE, "signature") \
    X(JWT_TIME, "time") \
    X(JWT_CLAIMS, "claims")

/* X(enum's name, label's name, words). The label "route" has those that gg_metric_open is given. */
#define GG_METRIC_LABELS(X) \
    X(METHOD, "method", GG_METRIC_METHODS) \
    X(FLOW, "flow", GG_METRIC_FLOWS) \
    X(REFRESH, NULL, GG_METRIC_REFRESHES) \
    X(OPERATION, "operation", GG_METRIC_OPERATIONS) \
    X(DB_RESULT, "result", GG_METRIC_DB_RESULTS) \
    X(DB_ERROR, "kind", GG_METRIC_DB_ERRORS) \
    X(STORAGE, "kind", GG_METRIC_STORAGE_KINDS) \
    X(LIMIT, "limit", GG_METRIC_LIMITS) \
    X(JWT, "reason", GG_METRIC_JWT_REASONS)

#define GG_METRIC_WORD(name, ...)   GG_M_##name,
#define GG_METRIC_NUMBER(n)         GG_M_STATUS_##n,
#define GG_METRIC_LIST(id, ln, all) enum gg_metric_word_##id{all(GG_METRIC_WORD) GG_M_##id##_N};
GG_METRIC_LABELS(GG_METRIC_LIST)
enum gg_metric_status {
    GG_METRIC_STATUS_NUMBERS(GG_METRIC_NUMBER) GG_METRIC_STATUS_WORDS(GG_METRIC_WORD) GG_M_STATUS_N
};
enum gg_metric_result { GG_METRIC_RESULTS(GG_METRIC_WORD) GG_M_RESULT_N };
#define GG_METRIC_ROUTE_OTHER 0 /* no path of the table */
enum { GG_M_NONE_N = 1, GG_M_ROUTE_N = GG_METRIC_ROUTES_MAX + 1 };

enum gg_metric_label {
    GG_LABEL_NONE,
    GG_LABEL_ROUTE,
    GG_LABEL_STATUS,
    GG_LABEL_RESULT,
#define GG_METRIC_LABEL(id, ...) GG_LABEL_##id,
    GG_METRIC_LABELS(GG_METRIC_LABEL) GG_LABELS
};

/* A COUNTER shows all its series from the start, so that the first event is an increase; SPARSE and
 * HISTOGRAM show those that there has been something of. */
enum gg_metric_kind { GG_METRIC_COUNTER, GG_METRIC_SPARSE, GG_METRIC_HISTOGRAM };

/* X(enum's name, kind, name, label, label, label, help) */
#define GG_METRICS(X) \
    X(HTTP_REQUESTS, SPARSE, "http_requests_total", ROUTE, METHOD, STATUS, \
      "Requests answered, by the path's pattern, method and status.") \
    X(HTTP_DURATION, HISTOGRAM, "http_request_duration_seconds", ROUTE, METHOD, NONE, \
      "From the request's arrival until its answer is ready.") \
    X(AUTHENTICATIONS, COUNTER, "authentications_total", FLOW, RESULT, NONE, \
      "Sign-ins, connects, exchanges of session codes and refreshes of our own tokens, by " \
      "result.") \
    X(TOKEN_REFRESHES, COUNTER, "token_refreshes_total", REFRESH, NONE, NONE, \
      "Refreshes of Microsoft's tokens, by result and by who must act on a failure.") \
    X(GRAPH_REQUESTS, SPARSE, "graph_requests_total", OPERATION, STATUS, NONE, \
      "Calls to Microsoft Graph, each try counted, by operation and status.") \
    X(GRAPH_DURATION, HISTOGRAM, "graph_request_duration_seconds", OPERATION, NONE, NONE, \
      "How long calls to Microsoft Graph took, each try by itself.") \
    X(DB_CALLS, COUNTER, "db_calls_total", DB_RESULT, NONE, NONE, \
      "Statements given to the database, by how they ended after all tries.") \
    X(DB_ERRORS, COUNTER, "db_errors_total", DB_ERROR, NONE, NONE, \
      "Errors of the database, also those that a further try made good.") \
    X(DB_DURATION, HISTOGRAM, "db_call_duration_seconds", NONE, NONE, NONE, \
      "How long statements took, with all tries and connecting.") \
    X(TOKEN_STORAGE_ERRORS, COUNTER, "token_storage_errors_total", STORAGE, NONE, NONE, \
      "Stored tokens that could not be read, written, encrypted or decrypted, or whose seal is " \
      "broken.") \
    X(RATE_LIMITED, COUNTER, "rate_limited_total", LIMIT, NONE, NONE, \
      "Requests refused by a limit.") \
    X(AUDIT_FAILURES, COUNTER, "audit_failures_total", NONE, NONE, NONE, \
      "Writes of the audit that failed: of a request, or of what waits in the journal.") \
    X(BAD_JWTS, COUNTER, "bad_jwts_total", JWT, NONE, NONE, \
      "Callers' tokens that were refused, by reason.") \
    X(STATE_MISMATCHES, COUNTER, "state_mismatches_total", NONE, NONE, NONE, \
      "Callbacks whose state or cookie is not that of a start.") \
    X(SPENT_REFRESH_TOKENS, COUNTER, "spent_refresh_tokens_total", NONE, NONE, NONE, \
      "Refresh tokens of ours that were used again; each ends its family.")

enum gg_metric {
#define GG_METRIC_ENUM(id, ...) GG_METRIC_##id,
    GG_METRICS(GG_METRIC_ENUM) GG_METRIC_FAMILIES
};

/* What the table says of one. */
struct gg_metric_family {
    const char *name;
    enum gg_metric_kind kind;
    enum gg_metric_label labels[GG_METRIC_LABELS_MAX];
    const char *help;
};
const struct gg_metric_family *gg_metric_family(enum gg_metric m);

/* A label's words. name is NULL where the words are whole labels. */
struct gg_metric_words {
    const char *name;
    const char *const *words;
    unsigned count;
};
struct gg_metric_words gg_metric_words(enum gg_metric_label label);

/* The upper ends of a histogram's buckets in microseconds; the last bucket has none. */
#define GG_METRIC_BUCKETS 16
extern const int64_t gg_metric_bounds_us[GG_METRIC_BUCKETS - 1];

/*
 * Opens or creates the page. The file's name is path with the layout's mark behind it, so that
 * another version of the program has another page. It must be a regular file of our own, with one
 * name and no rights for others, and no symbolic link; its room is reserved at once, so that a full
 * file system fails here and not later. routes, borrowed for good, are the words of "route": the
 * i-th of them has the number i + 1.
 */
struct gg_metric_site {
    const char *path;
    const char *const *routes;
    unsigned route_count; /* at most GG_METRIC_ROUTES_MAX */
    bool is_found;        /* one that is there is opened, and none is made */
};
GG_MUST bool gg_metric_open(const struct gg_metric_site *site, struct gg_err *err);
void gg_metric_close(void);
bool gg_metric_is_open(void);

/* Adds one. The words' numbers stand in the order of the labels, 0 for what there is none of; one
 * that is out of its list counts as the list's first. */
void gg_metric_count(enum gg_metric m, unsigned a, unsigned b, unsigned c);

/* Adds one duration to a histogram. */
void gg_metric_observe(enum gg_metric m, unsigned a, unsigned b, int64_t us);

enum gg_metric_status gg_metric_status(int status);
enum gg_metric_result gg_metric_result(enum gg_code code);

/* A counter's number. */
uint64_t gg_metric_get(enum gg_metric m, unsigned a, unsigned b, unsigned c);

/* A histogram's buckets, each by itself, and the sum. */
struct gg_metric_durations {
    uint64_t buckets[GG_METRIC_BUCKETS];
    uint64_t sum_us;
};
struct gg_metric_durations gg_metric_get_durations(enum gg_metric m, unsigned a, unsigned b);

/*
 * Workers take a place in the page for as long as they live, which the kernel watches over: the
 * place of a killed one counts no more. One that finds all places taken works on, uncounted.
 */
#define GG_METRIC_WORKERS_MAX 4096
enum gg_metric_state { GG_METRIC_AWAY, GG_METRIC_IDLE, GG_METRIC_BUSY, GG_METRIC_STATES };
void gg_metric_join(void);
void gg_metric_set_state(enum gg_metric_state state);
void gg_metric_count_workers(unsigned counts[GG_METRIC_STATES]);

#endif
