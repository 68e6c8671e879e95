# SPDX-License-Identifier: MIT
"""The identity platform's errors: one table, one body."""

import time
import uuid
from typing import Optional

INVALID_GRANT = ("invalid_grant", 400)
INTERACTION = ("interaction_required", 400)
CLIENT = ("invalid_client", 401)
UNAUTHORIZED = ("unauthorized_client", 400)
REQUEST = ("invalid_request", 400)
UNAVAILABLE = ("temporarily_unavailable", 503)
SERVER = ("server_error", 500)

# AADSTS number -> ((error, HTTP status), suberror or None, text). Which `error` goes with which number is
# only partly documented; where it is not, the class named in Microsoft's tables was taken.
TABLE = {
    16000: (INTERACTION, None, "Select account: several sessions match the request."),
    50001: (("invalid_resource", 400), None, "The resource is not found in the tenant."),
    50011: (REQUEST, None, "The redirect URI specified in the request does not match the redirect URIs configured for the application."),
    50012: (CLIENT, None, "Authentication failed: the client assertion is not valid."),
    50020: (INVALID_GRANT, None, "User account does not exist in the tenant and cannot access the application."),
    50033: (UNAVAILABLE, None, "A transient error has occurred. Please try again."),
    50053: (INVALID_GRANT, None, "The account is locked."),
    50057: (INVALID_GRANT, None, "The user account is disabled."),
    50058: (("login_required", 400), None, "A silent sign-in request was sent but no user is signed in."),
    50059: (REQUEST, None, "No tenant-identifying information found in either the request or implied by any provided credentials."),
    50072: (INTERACTION, "basic_action", "Due to a configuration change made by your administrator, you must enroll in multi-factor authentication."),
    50074: (INTERACTION, "basic_action", "Strong authentication is required."),
    50076: (INTERACTION, "basic_action", "Due to a configuration change made by your administrator, you must use multi-factor authentication."),
    50078: (INTERACTION, "basic_action", "Presented multi-factor authentication has expired."),
    50079: (INTERACTION, "basic_action", "You must enroll in multi-factor authentication."),
    50087: (UNAVAILABLE, None, "A transient error has occurred during sign-out."),
    50089: (INVALID_GRANT, "token_expired", "Authentication failed due to flow token expired."),
    50097: (INTERACTION, "device_authentication_failed", "Device authentication is required."),
    50105: (INVALID_GRANT, None, "The signed in user is not assigned to a role for the application."),
    50132: (INVALID_GRANT, "bad_token", "The session is not valid due to a password expiration or recent password change."),
    50133: (INVALID_GRANT, "bad_token", "The session is not valid due to a password expiration or recent password change."),
    50158: (INTERACTION, None, "External security challenge was not satisfied."),
    50173: (INVALID_GRANT, "bad_token", "The provided grant has expired due to it being revoked, a fresh auth token is needed."),
    50194: (UNAUTHORIZED, None, "The application is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such applications."),
    50196: (INVALID_GRANT, None, "The server terminated an operation because it encountered a client request loop."),
    53000: (INVALID_GRANT, "device_authentication_failed", "Device is not in required device state: compliant."),
    53001: (INVALID_GRANT, "device_authentication_failed", "Device is not in required device state: domain joined."),
    53003: (INVALID_GRANT, "message_only", "Access has been blocked by Conditional Access policies."),
    54005: (INVALID_GRANT, None, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."),
    65001: (INVALID_GRANT, "consent_required", "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource."),
    65004: (("access_denied", 400), None, "User declined to consent to access the app."),
    70000: (INVALID_GRANT, "bad_token", "The provided value for the grant is not valid."),
    70001: (UNAUTHORIZED, None, "The application is disabled."),
    70003: (("unsupported_grant_type", 400), None, "The app requested an unsupported grant type."),
    70008: (INVALID_GRANT, "token_expired", "The provided authorization code or refresh token has expired due to inactivity."),
    70011: (("invalid_scope", 400), None, "The provided value for the input parameter 'scope' is not valid."),
    70012: (SERVER, None, "A server error occurred while authenticating an MSA (consumer) user."),
    70043: (INVALID_GRANT, "token_expired", "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access."),
    90002: (REQUEST, None, "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."),
    90006: (SERVER, None, "An external server error occurred."),
    90012: (UNAVAILABLE, None, "The request has timed out."),
    90014: (REQUEST, None, "The required field is missing or malformed."),
    90023: (REQUEST, None, "The request is not valid."),
    90024: (UNAVAILABLE, None, "The request budget was exceeded, a transient error has occurred."),
    90033: (UNAVAILABLE, None, "A transient error has occurred. Please try again."),
    90055: (("temporarily_unavailable", 429), None, "Tenant throttling: there are too many incoming requests."),
    90090: (SERVER, None, "A server error occurred."),
    90094: (("access_denied", 400), None, "Admin consent is required for the permissions requested by this application."),
    90095: (("access_denied", 400), None, "Admin consent is required; a request may be sent."),
    90130: (UNAUTHORIZED, None, "The application is not supported over the /common or /consumers endpoints."),
    500011: (("invalid_resource", 400), None, "The resource principal was not found in the tenant."),
    500112: (CLIENT, None, "The reply address does not match the reply address provided when requesting Authorization code."),
    500212: (INVALID_GRANT, None, "The user's tenant has blocked access by its policy."),
    501481: (INVALID_GRANT, None, "The code_verifier does not match the code_challenge supplied in the authorization request."),
    501491: (REQUEST, None, "Invalid size or characters of Code_Challenge parameter."),
    530032: (INVALID_GRANT, "message_only", "Blocked by security policy."),
    700005: (INVALID_GRANT, None, "The provided authorization code is intended to be used against another tenant, thus rejected."),
    700016: (UNAUTHORIZED, None, "The application with this identifier was not found in the directory."),
    700020: (INTERACTION, None, "The provided grant requires interaction."),
    700025: (CLIENT, None, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."),
    700027: (CLIENT, None, "The certificate with identifier used to sign the client assertion is not registered on application."),
    700051: (("unsupported_response_type", 400), None, "response_type 'token' is not enabled for the application."),
    700054: (("unsupported_response_type", 400), None, "response_type 'id_token' is not enabled for the application."),
    700082: (INVALID_GRANT, "token_expired", "The refresh token has expired due to inactivity."),
    700084: (INVALID_GRANT, "token_expired", "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00."),
    900144: (REQUEST, None, "The request body must contain the following parameter."),
    900561: (REQUEST, None, "The endpoint only accepts POST requests."),
    900971: (REQUEST, None, "No reply address provided."),
    1002012: (("invalid_scope", 400), None, "The provided value for scope is not valid. Client credential flows must have a scope value "
              "with /.default suffixed to the resource identifier (application ID URI)."),
    7000112: (UNAUTHORIZED, None, "The application is disabled."),
    7000215: (CLIENT, None, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."),
    7000218: (CLIENT, None, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
    7000222: (CLIENT, None, "The provided client secret keys are expired."),
    9000411: (REQUEST, None, "The request is not properly formatted."),
    9002313: (INVALID_GRANT, None, "Invalid request. Request is malformed or invalid."),
    9002326: (REQUEST, None, "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type."),
    9002327: (REQUEST, None, "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests."),
    9002332: (UNAUTHORIZED, None, "The application is configured for use by Microsoft Entra users only. Please do not use the /consumers endpoint."),
    9002346: (UNAUTHORIZED, None, "The application is configured for use by Microsoft Account users only. Please use the /consumers endpoint."),
}


class StsError(Exception):
    """One AADSTS error. `detail` replaces the table's text; `error`, `status`, `suberror` override its class."""

    def __init__(self, number: int, detail: Optional[str] = None, **override):
        (error, status), suberror, text = TABLE.get(number, (INVALID_GRANT, None, "An error has occurred."))
        self.number = number
        self.error = override.get("error") or error
        self.status = override.get("status") or status
        self.suberror = override.get("suberror") or suberror
        self.claims = override.get("claims")
        self.text = detail or text
        self.trace_id = str(uuid.uuid4())
        self.correlation_id = override.get("correlation_id") or str(uuid.uuid4())
        super().__init__(f"AADSTS{number}: {self.text}")

    @property
    def timestamp(self) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())

    def description(self) -> str:
        return (f"AADSTS{self.number}: {self.text}\r\nTrace ID: {self.trace_id}\r\n"
                f"Correlation ID: {self.correlation_id}\r\nTimestamp: {self.timestamp}")

    def body(self, base: str) -> dict:
        body = {"error": self.error, "error_description": self.description(), "error_codes": [self.number],
                "timestamp": self.timestamp, "trace_id": self.trace_id, "correlation_id": self.correlation_id,
                "error_uri": f"{base}/error?code={self.number}"}
        if self.suberror:
            body["suberror"] = self.suberror
        if self.claims:
            body["claims"] = self.claims
        return body
