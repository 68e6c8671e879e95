/* SPDX-License-Identifier: MIT */
#include "gg/proto/aadsts.h"

#define MARK "AADSTS"

#define USER     GG_AADSTS_USER
#define ADMIN    GG_AADSTS_ADMIN
#define OPERATOR GG_AADSTS_OPERATOR
#define NOBODY   GG_AADSTS_NOBODY

/* What more than one row asks for. */
#define RECONNECT \
    "Connect the Microsoft account again, at the answer's auth_url; the row is inactive until " \
    "then."
#define AGAIN \
    "Start the sign-in anew in one browser window, and end it within ten minutes; when it " \
    "happens to everybody, look whether something between browser and site repeats requests."
#define INTERACT \
    "Connect the Microsoft account again: Microsoft asks for what it needs on its own pages."
#define POLICY \
    "Read the sign-in log of Entra (Sign-in logs, this user, Conditional Access), and admit the " \
    "application or the device there; connecting again alone leads here again."
#define CONSENT \
    "Grant consent for the organisation: open the consent link as an administrator, or use the " \
    "app registration's \"Grant admin consent\" (API permissions). Then users connect again."
#define SECRET \
    "Make a new client secret in the app registration (Certificates & secrets), and put its " \
    "Value, not its Secret ID, into MSCLIENTSECRET; workers read it when they start anew. No " \
    "user has to do anything."
#define ASSERTION \
    "graphgate sends a client secret and no assertion: look what stands between it and " \
    "Microsoft, and whether MSCLIENTID is this application's."
#define REGISTER \
    "Compare MSCLIENTID with the Application (client) ID, and MSTENANTID with the Directory " \
    "(tenant) ID, of the app registration's overview; they come from one and the same " \
    "registration."
#define AUDIENCE \
    "Either set MSTENANTID to the tenant's own id, or let the app registration support the " \
    "accounts that are meant (Authentication, Supported account types)."
#define SCOPES \
    "Compare MICROSOFT_SCOPES with the app registration's API permissions: delegated permissions " \
    "of Microsoft Graph, by their exact names, with spaces between."
#define CLOUD \
    "Point MICROSOFT_LOGIN_URL and MICROSOFT_GRAPH_URL at the user's national cloud, with an app " \
    "registration of that cloud; their tokens are not interchangeable."
#define WAIT \
    "Nothing: graphgate asks again by itself and keeps every token. When it lasts for hours, see " \
    "https://azure.status.microsoft."

/* Whole rows that have several numbers. */
#define PASSWORD_CHANGED \
    NULL, "session ended by an expired or changed password", \
        "The password has expired or was changed, or an administrator ended the sessions.", USER, \
        RECONNECT, false
#define MUST_ENROL \
    NULL, "user must enrol in multi-factor authentication", \
        "The user has to register for multi-factor authentication first.", USER, INTERACT, false
#define UNKNOWN_APPLICATION \
    NULL, "application unknown or disabled in the tenant", \
        "The tenant does not know this application, or has it disabled.", OPERATOR, \
        REGISTER \
        " For another organisation's tenant, an administrator of it opens the consent link once.", \
        true
#define PASSING \
    NULL, "passing fault at Microsoft", "A passing fault at Microsoft.", NOBODY, WAIT, false
#define BAD_ASSERTION \
    NULL, "client assertion not valid", "The client assertion is not valid.", OPERATOR, ASSERTION, \
        false

static const struct gg_aadsts table[] = {
    /* The user connects again. */
    {70008, NULL, "code or refresh token too old or not used for too long",
     "The authorization code or the refresh token has expired: a code lives about ten minutes, a "
     "refresh token 90 days without use.",
     USER, RECONNECT, false},
    {700082, NULL, "refresh token not used for 90 days",
     "The refresh token was not used for 90 days, and has expired.", USER, RECONNECT, false},
    {50173, NULL, "refresh token revoked",
     "The grant was revoked: by the user, an administrator, or a changed password.", USER,
     RECONNECT, false},
    {70043, NULL, "refresh token ended by the organisation's sign-in frequency",
     "A policy of the organisation limits how long a sign-in lasts, and it is over.", USER,
     RECONNECT " An administrator can exempt the application from the sign-in frequency.", false},
    {700084, NULL, "refresh token of a single-page app, 24 hours at most",
     "The redirect URI is registered for a single-page app, whose refresh tokens end after 24 "
     "hours.",
     OPERATOR,
     "Register REDIRECT_URI under the platform Web, not Single-page application; then users "
     "connect again.",
     false},
    {70000, NULL, "code or refresh token not valid for this application",
     "The code or the refresh token is not valid: broken, revoked, or given to another "
     "application.",
     USER, RECONNECT " When it happens to everybody, MSCLIENTID has changed.", false},
    {50089, NULL, "sign-in took too long", "The sign-in at Microsoft was begun too long ago.", USER,
     RECONNECT, false},
    {50132, PASSWORD_CHANGED},
    {50133, PASSWORD_CHANGED},
    {50057, NULL, "user account disabled", "The user's account is disabled in the directory.",
     ADMIN, "Enable the account, when it should be; then the user connects again.", false},
    {54005, NULL, "authorization code used twice",
     "The authorization code was redeemed before: the callback's address was opened twice.", USER,
     AGAIN, false},
    {501481, NULL, "code_verifier does not match (PKCE)",
     "The code verifier does not match what the sign-in was started with: two sign-ins were mixed "
     "up.",
     USER, AGAIN, false},
    {700005, NULL, "code redeemed at another tenant",
     "The code was given for another tenant than the one that it was redeemed at.", OPERATOR,
     "Set MSTENANTID to what the sign-in starts with, the same on all hosts; then sign in anew.",
     false},
    {9002313, NULL, "code or refresh token malformed",
     "The request, or the code or refresh token in it, is malformed: often a token that was cut, "
     "or another service's.",
     USER, RECONNECT, false},
    {500112, NULL, "redirect URI differs from the start's",
     "The reply address differs from the one that the sign-in was started with.", OPERATOR,
     "Set the same REDIRECT_URI on all hosts; sign-ins that began before a change have to begin "
     "anew.",
     false},
    /* Microsoft wants to see the user. */
    {50076, NULL, "multi-factor authentication needed",
     "The organisation, or the place the user is at, asks for multi-factor authentication.", USER,
     INTERACT, false},
    {50079, MUST_ENROL},
    {50072, MUST_ENROL},
    {50074, NULL, "multi-factor authentication not passed",
     "Strong authentication is required, and the user did not pass it.", USER, INTERACT, false},
    {50078, NULL, "multi-factor authentication expired",
     "The multi-factor authentication is too long ago for the organisation's policy.", USER,
     INTERACT, false},
    {50097, NULL, "device authentication needed", "The organisation asks for a registered device.",
     USER, INTERACT " It has to be on a device that the organisation knows.", false},
    {50158, NULL, "external security challenge not passed",
     "The organisation asks for a check by another service, and it was not passed.", USER, INTERACT,
     false},
    {700020, NULL, "Microsoft must see the user", "The grant needs the user's presence.", USER,
     INTERACT, false},
    {50058, NULL, "user not signed in at Microsoft",
     "A sign-in without a page was asked for, and nobody is signed in.", USER, INTERACT, false},
    /* Consent. */
    {65001, NULL, "nobody has consented to the permissions yet",
     "Neither the user nor an administrator has consented to what MICROSOFT_SCOPES asks for, or "
     "the consent was withdrawn.",
     USER,
     "Connect again and accept; where the organisation lets only administrators consent, one of "
     "them opens the consent link.",
     true},
    {65004, NULL, "user declined the permissions",
     "The user pressed Cancel on the page that asks for the permissions.", USER,
     "Connect again and accept.", false},
    {90094, NULL, "an administrator's consent is needed",
     "The permissions need an administrator's consent in this organisation.", ADMIN, CONSENT, true},
    {90095, NULL, "an administrator's consent is needed, and can be requested",
     "The permissions need an administrator's consent in this organisation; users may send a "
     "request for it.",
     ADMIN, CONSENT, true},
    /* Policy. */
    {53003, NULL, "blocked by Conditional Access",
     "A Conditional Access policy of the organisation refuses this access.", ADMIN, POLICY, false},
    {53000, NULL, "device not compliant (Conditional Access)",
     "A Conditional Access policy wants a compliant device, and this one is not.", ADMIN, POLICY,
     false},
    {53001, NULL, "device not domain-joined (Conditional Access)",
     "A Conditional Access policy wants a device that belongs to the domain, and this one does "
     "not.",
     ADMIN, POLICY, false},
    {530032, NULL, "blocked by the organisation's security policy",
     "A security policy of the organisation refuses this access.", ADMIN, POLICY, false},
    {50105, NULL, "user not assigned to the application",
     "The application is for assigned users only, and this user is not one of them.", ADMIN,
     "Assign the user (Enterprise applications, this application, Users and groups), or turn off "
     "\"Assignment required\".",
     false},
    {500212, NULL, "user's tenant blocks access to this tenant",
     "The user's own organisation does not let its people use the application's tenant.", ADMIN,
     "Allow it in the cross-tenant access settings of the user's organisation (outbound).", false},
    {500213, NULL, "application's tenant blocks users of the user's tenant",
     "The application's tenant does not let people of the user's organisation in.", ADMIN,
     "Allow it in the cross-tenant access settings of the application's tenant (inbound).", false},
    {50020, NULL, "user account is not in this tenant",
     "The account belongs to another organisation, and is no guest of this one.", ADMIN,
     "Invite the user as a guest, or let the user sign in with an account of this tenant.", false},
    /* The operator: the client's credentials. */
    {7000215, NULL, "client secret wrong",
     "The client secret is wrong; often the Secret ID was taken for its Value.", OPERATOR, SECRET,
     false},
    {7000222, NULL, "client secret expired", "The client secret has expired.", OPERATOR, SECRET,
     false},
    {7000218, NULL, "no client secret sent",
     "No client secret reached Microsoft: it is not set, or the application is treated as a public "
     "client.",
     OPERATOR, SECRET, false},
    {700025, NULL, "public client must not send a secret",
     "The app registration is a public client, which has no secret.", OPERATOR,
     "Register REDIRECT_URI under the platform Web, and turn off \"Allow public client flows\".",
     false},
    {700027, BAD_ASSERTION},
    {50012, BAD_ASSERTION},
    /* The operator: the registration. */
    {700016, UNKNOWN_APPLICATION},
    {700011, UNKNOWN_APPLICATION},
    {70001, UNKNOWN_APPLICATION},
    {7000112, NULL, "application disabled", "The application is disabled in the tenant.", ADMIN,
     "Enable it: Enterprise applications, this application, Properties, \"Enabled for users to "
     "sign-in\".",
     false},
    {50194, NULL, "application is for one tenant only",
     "The application is registered for one tenant, and MSTENANTID is common or organizations.",
     OPERATOR, AUDIENCE, false},
    {90130, NULL, "application not supported at common or consumers",
     "The application does not support the accounts that common or consumers stands for.", OPERATOR,
     AUDIENCE, false},
    {9002332, NULL, "application is for work accounts only",
     "The application is registered for work and school accounts, and MSTENANTID is consumers.",
     OPERATOR, AUDIENCE, false},
    {9002346, NULL, "application is for personal accounts only",
     "The application is registered for personal accounts alone.", OPERATOR,
     "Set MSTENANTID to consumers, or let the app registration support work accounts too.", false},
    {9002326, NULL, "redirect URI registered for a single-page app",
     "The redirect URI is registered for a single-page app, but redeemed by a server.", OPERATOR,
     "Register REDIRECT_URI under the platform Web, not Single-page application.", false},
    /* The operator: what is asked for. */
    {900144, NULL, "request lacks a parameter",
     "The request lacks a parameter that Microsoft needs.", OPERATOR,
     "Look for an empty setting (graphgatectl check); else something between graphgate and "
     "Microsoft changes requests.",
     false},
    {50011, NULL, "redirect URI not registered",
     "REDIRECT_URI is not among the app registration's redirect URIs.", OPERATOR,
     "Add REDIRECT_URI to the app registration (Authentication, platform Web), letter by letter: "
     "scheme, host, port, path and last slash count.",
     false},
    {90002, NULL, "tenant unknown", "There is no tenant by that name, or it is in another cloud.",
     OPERATOR,
     "Set MSTENANTID to the Directory (tenant) ID of the app registration's overview; for a "
     "national cloud, set MICROSOFT_LOGIN_URL too.",
     false},
    {70011, NULL, "scope not valid", "A scope that is asked for is not valid.", OPERATOR, SCOPES,
     false},
    {28002, NULL, "scope not valid for the resource",
     "A scope that is asked for is not one of the resource's.", OPERATOR, SCOPES, false},
    {700022, NULL, "scopes of several resources at once",
     "Scopes of more than one resource are asked for at once.", OPERATOR,
     "Keep to Microsoft Graph in MICROSOFT_SCOPES: names without prefix, or all with Graph's.",
     false},
    {50001, NULL, "resource unknown in the tenant",
     "The tenant does not know the resource that the scopes belong to.", OPERATOR, SCOPES, false},
    {500011, NULL, "resource's principal unknown in the tenant",
     "The tenant has no principal for the resource that the scopes belong to.", OPERATOR,
     SCOPES " An administrator who opens the consent link makes the principal.", true},
    {650052, NULL, "organisation has no service principal or licence for the resource",
     "The organisation has no subscription to, or no consent for, the service behind the scopes.",
     ADMIN, "Subscribe to the service (Exchange Online for calendars), or consent by the link.",
     true},
    {650057, NULL, "resource not among the application's permissions",
     "The app registration does not list the resource that is asked for.", OPERATOR,
     SCOPES " Then an administrator opens the consent link.", true},
    {700054, NULL, "id_token from authorize not enabled",
     "An ID token straight from the authorization endpoint is not enabled; graphgate never asks "
     "for one.",
     OPERATOR, "Look which program starts this sign-in: it is not graphgate.", false},
    {90038, NULL, "tenant is in a national cloud", "The tenant belongs to a national cloud.",
     OPERATOR, CLOUD, false},
    {900439, NULL, "user is in a national cloud", "The user belongs to a national cloud.", OPERATOR,
     CLOUD, false},
    /* It passes. */
    {50033, PASSING},
    {50087, PASSING},
    {70012, NULL, "passing fault at Microsoft (personal accounts)",
     "Microsoft failed to authenticate a personal account.", NOBODY, WAIT, false},
    {90006, PASSING},
    {90012, NULL, "timed out at Microsoft", "The request timed out at Microsoft.", NOBODY, WAIT,
     false},
    {90024, NULL, "passing fault at Microsoft (budget)",
     "A budget of Microsoft's for requests was exceeded.", NOBODY, WAIT, false},
    {90033, NULL, "passing fault at Microsoft", "A passing fault at Microsoft.", NOBODY, WAIT,
     false},
    {90055, NULL, "tenant throttled", "The tenant sends more requests than Microsoft takes.",
     NOBODY,
     "Nothing: graphgate waits as long as it is told to. When it lasts, look what else in the "
     "tenant asks so much.",
     false},
    {90090, PASSING},
    {50196, NULL, "the same request too often (loop)",
     "The same request came 15 times or more within five minutes, and Microsoft breaks the loop.",
     NOBODY,
     "Nothing for some minutes. When it comes back, look whether another program uses this app "
     "registration, or a page that starts sign-ins in a circle.",
     false},
    /* Words, for answers whose number says nothing. */
    {0, "invalid_grant", "code or refresh token refused",
     "The code or the refresh token is expired, revoked, used before, or another application's.",
     USER, RECONNECT, false},
    {0, "interaction_required", "Microsoft must see the user",
     "Microsoft needs the user for something, such as multi-factor authentication.", USER, INTERACT,
     false},
    {0, "login_required", "user must sign in at Microsoft",
     "The user is not signed in at Microsoft any more.", USER, INTERACT, false},
    {0, "consent_required", "consent needed",
     "Nobody has consented to what MICROSOFT_SCOPES asks for.", USER,
     "Connect again and accept; where only administrators may consent, one of them opens the "
     "consent link.",
     true},
    {0, "access_denied", "user pressed Cancel, or the organisation does not let them consent",
     "The user pressed Cancel, or the organisation asks for an administrator's approval.", USER,
     "Connect again and accept; where that is not possible, an administrator opens the consent "
     "link.",
     true},
    {0, "invalid_client", "client id or secret refused",
     "Microsoft does not accept the client id with this client secret.", OPERATOR, SECRET, false},
    {0, "unauthorized_client", "application unknown, disabled, or not for these accounts",
     "The application is unknown in the tenant, disabled, or not registered for these accounts.",
     OPERATOR, REGISTER, false},
    {0, "invalid_request", "request refused as wrong",
     "Microsoft refuses the request as wrong: mostly a redirect URI or a tenant that it does not "
     "know.",
     OPERATOR, "Run graphgatectl check; the number (AADSTS…) in the log says more.", false},
    {0, "invalid_tenant", "tenant unknown",
     "There is no tenant by that name, or it is in another cloud.", OPERATOR,
     "Set MSTENANTID to the Directory (tenant) ID of the app registration's overview.", false},
    {0, "invalid_scope", "scope not valid", "A scope that is asked for is not valid.", OPERATOR,
     SCOPES, false},
    {0, "invalid_resource", "resource unknown",
     "The tenant does not know the resource that the scopes belong to.", OPERATOR, SCOPES, false},
    {0, "unsupported_response_type", "response type not enabled",
     "The application may not use this response type; graphgate uses `code` alone.", OPERATOR,
     "Look which program starts this sign-in: it is not graphgate.", false},
    {0, "temporarily_unavailable", "Microsoft overloaded", "Microsoft is busy.", NOBODY, WAIT,
     false},
    {0, "server_error", "fault at Microsoft", "A fault at Microsoft.", NOBODY, WAIT, false},
};

#define ROWS (sizeof table / sizeof table[0])

const struct gg_aadsts *gg_aadsts_table(size_t *count)
{
    *count = ROWS;
    return table;
}

static const struct gg_aadsts *find_number(int64_t number)
{
    for (size_t i = 0; number != 0 && i < ROWS; i++)
        if (table[i].number == number)
            return &table[i];
    return NULL;
}

static const struct gg_aadsts *find_word(struct gg_str word)
{
    for (size_t i = 0; i < ROWS; i++)
        if (table[i].word != NULL && gg_str_is(word, table[i].word))
            return &table[i];
    return NULL;
}

const struct gg_aadsts *gg_aadsts_find(struct gg_str name)
{
    struct gg_str digits = name;
    int64_t number = 0;

    if (name.n > sizeof MARK - 1 &&
        gg_str_is_equal_nocase((struct gg_str){name.p, sizeof MARK - 1}, GG_STR(MARK)))
        digits = gg_str_skip(name, sizeof MARK - 1);
    return gg_str_parse_int(digits, 1, INT32_MAX, &number) ? find_number(number) : find_word(name);
}

const struct gg_aadsts *gg_aadsts_of(const char *codes, const char *error)
{
    struct gg_str rest = gg_str_of(codes);
    struct gg_str part;
    const struct gg_aadsts *row = NULL;
    int64_t number;

    while (row == NULL && gg_str_take(&rest, ',', &part))
        if (gg_str_parse_int(part, 1, INT32_MAX, &number))
            row = find_number(number);
    return row != NULL ? row : find_word(gg_str_of(error));
}

const char *gg_aadsts_why(const char *codes, const char *error)
{
    const struct gg_aadsts *row = gg_aadsts_of(codes, error);

    return row == NULL ? NULL : row->why;
}

const char *gg_aadsts_who(enum gg_aadsts_who who)
{
    static const char *const words[] = {
        [GG_AADSTS_USER] = "the user",
        [GG_AADSTS_ADMIN] = "an administrator of the organisation",
        [GG_AADSTS_OPERATOR] = "the operator of graphgate, or who registered the application",
        [GG_AADSTS_NOBODY] = "nobody: it passes by itself",
    };

    return words[who];
}
