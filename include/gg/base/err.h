/* SPDX-License-Identifier: MIT */
/* Errors: one list, from which the numbers, the HTTP answers and the log levels come. */
#ifndef GG_BASE_ERR_H
#define GG_BASE_ERR_H

#include <stdbool.h>

#define GG_MUST         __attribute__((warn_unused_result))
#define GG_PRINTF(f, a) __attribute__((format(printf, f, a)))

/*
 * X(name, HTTP status, public code, log level, title, detail)
 *
 * The public code is RFC 9457's problem type (`urn:graphgate:problem:CODE`), the detail a sentence
 * that any caller may read. Where two rows have the same code, Microsoft's fault has one name and
 * two statuses: 503 from the identity platform, 502 from Graph.
 */
#define GG_ERRORS(X) \
    X(EINTERNAL, 500, "internal_error", GG_ERROR, "Internal error", \
      "Something went wrong here; the log knows more under this request id.") \
    X(ENOTCONFIGURED, 503, "not_configured", GG_ERROR, "Not configured", \
      "The service is not configured; its operator's log names the setting.") \
    X(EDATABASE, 503, "database_unavailable", GG_ERROR, "Database unavailable", \
      "The database cannot be reached at the moment; try again shortly.") \
    X(EINVALIDTOKEN, 401, "invalid_token", GG_WARNING, "Not authenticated", \
      "A valid bearer token is needed.") \
    X(EWRONGREALM, 403, "wrong_realm", GG_WARNING, "Wrong realm", \
      "This token belongs to the other realm.") \
    X(EADMIN, 403, "admin_required", GG_WARNING, "Administrator required", \
      "This needs a token with the admin scope.") \
    X(ENOTFOUND, 404, "not_found", GG_INFO, "Not found", "There is nothing here.") \
    X(EMETHOD, 405, "method_not_allowed", GG_INFO, "Method not allowed", \
      "This path does not take that method.") \
    X(ETOOLARGE, 413, "payload_too_large", GG_INFO, "Payload too large", \
      "The request body is too large.") \
    X(EMEDIATYPE, 415, "unsupported_media_type", GG_INFO, "Unsupported media type", \
      "The request body must be application/json.") \
    X(EINVALIDJSON, 400, "invalid_json", GG_INFO, "Invalid JSON", \
      "The request body is not well-formed JSON.") \
    X(EINVALID, 422, "validation_failed", GG_INFO, "Validation failed", \
      "Some fields are not valid; each is named in errors.") \
    X(ERATELIMITED, 429, "rate_limited", GG_WARNING, "Too many requests", \
      "The limit for this is reached; try again later.") \
    X(ESTATE, 400, "state_invalid", GG_WARNING, "Sign-in not recognised", \
      "This sign-in was not started in this browser, was used already or is too old.") \
    X(EDECLINED, 403, "consent_declined", GG_WARNING, "Consent declined", \
      "The permission that Microsoft asked for was not given.") \
    X(EADMINCONSENT, 403, "admin_consent_required", GG_WARNING, "Administrator's consent needed", \
      "An administrator of the organisation must approve this application first.") \
    X(EAUTHFAILED, 401, "microsoft_auth_failed", GG_ERROR, "Microsoft sign-in failed", \
      "Microsoft did not complete the sign-in.") \
    X(EIDTOKEN, 401, "id_token_invalid", GG_ERROR, "Identity not verified", \
      "The identity that Microsoft sent could not be verified.") \
    X(ECLIENT, 503, "microsoft_client_rejected", GG_ERROR, "Application rejected by Microsoft", \
      "Microsoft does not accept this application's registration; its operator must act.") \
    X(EACCOUNT, 403, "account_unknown", GG_WARNING, "Account unknown", \
      "No account here belongs to this Microsoft identity.") \
    X(ESESSIONCODE, 400, "session_code_invalid", GG_WARNING, "Session code not valid", \
      "The session code is unknown, was used already or is too old.") \
    X(EAUTHREQUIRED, 401, "microsoft_auth_required", GG_WARNING, "Microsoft sign-in needed", \
      "Connect the Microsoft account again, at auth_url.") \
    X(ECURSOR, 400, "cursor_invalid", GG_INFO, "Cursor not valid", \
      "The cursor is not one that this service gave to this user.") \
    X(EREJECTED, 400, "microsoft_rejected", GG_WARNING, "Rejected by Microsoft", \
      "Microsoft did not accept the request.") \
    X(EFORBIDDEN, 403, "microsoft_forbidden", GG_WARNING, "Forbidden by Microsoft", \
      "The Microsoft account has no permission for this.") \
    X(ECONFLICT, 409, "conflict", GG_WARNING, "Conflict", \
      "The item was changed at the same time; read it again.") \
    X(EPRECONDITION, 412, "precondition_failed", GG_INFO, "Precondition failed", \
      "The item has changed since it was read.") \
    X(ETHROTTLED, 429, "microsoft_throttled", GG_WARNING, "Throttled by Microsoft", \
      "Microsoft asks to wait before the next request.") \
    X(EGRAPH, 502, "microsoft_unavailable", GG_ERROR, "Microsoft unavailable", \
      "Microsoft did not give a usable answer; try again shortly.") \
    X(ELOGIN, 503, "microsoft_unavailable", GG_ERROR, "Microsoft unavailable", \
      "Microsoft's sign-in service did not give a usable answer; try again shortly.") \
    X(ETIMEOUT, 504, "microsoft_timeout", GG_ERROR, "Microsoft too slow", \
      "Microsoft did not answer in time.")

enum gg_code {
    GG_OK,
#define GG_ENUM(name, ...) GG_##name,
    GG_ERRORS(GG_ENUM)
#undef GG_ENUM
        GG_CODES
};

/* One fault of a 422 answer: the field as the caller named it, and a sentence. */
struct gg_fault {
    const char *field;
    const char *detail;
    struct gg_fault *next;
};

/*
 * What went wrong. Filled by gg_fail() and passed on untouched. `log` is for the log alone: it
 * never reaches a client, and never holds a secret.
 */
struct gg_err {
    enum gg_code code;
    char log[256];
    char microsoft_code[64];       /* Microsoft's own error code, or "" */
    const char *why;               /* what that means in short, a constant, or NULL */
    int retry_after_s;             /* 0: none */
    const char *claims;            /* a claims challenge as JSON text, decoded, or NULL; arena's */
    const struct gg_fault *faults; /* for GG_EINVALID; arena's */
};

/* What the list says of a code. */
struct gg_err_row {
    int status;
    const char *code;
    int level;
    const char *title;
    const char *detail;
};

const struct gg_err_row *gg_err_row(enum gg_code code);

/* Sets code and log text, clears the rest, returns false: `return gg_fail(err, …)`. */
bool gg_fail(struct gg_err *err, enum gg_code code, const char *fmt, ...) GG_PRINTF(3, 4);

#endif
