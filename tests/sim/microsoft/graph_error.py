# SPDX-License-Identifier: MIT
"""Graph's errors: raised by handlers, rendered once."""

import time
from typing import Optional

from .wire import Reply, json_reply

# code -> (HTTP status, message)
CODES = {
    "InvalidAuthenticationToken": (401, "Access token has expired or is not yet valid."),
    "ErrorAccessDenied": (403, "Access is denied. Check credentials and try again."),
    "Authorization_RequestDenied": (403, "Insufficient privileges to complete the operation."),
    "ErrorItemNotFound": (404, "The specified object was not found in the store."),
    "MailboxNotEnabledForRESTAPI": (404, "The mailbox is either inactive, soft-deleted, or is hosted on-premise."),
    "ErrorInvalidUser": (404, "The requested user is invalid."),
    "Request_ResourceNotFound": (404, "Resource does not exist or one of its queried reference-property objects are not present."),
    "BadRequest": (400, "The request is not valid."),
    "RequestBodyRead": (400, "The request body could not be read."),
    "ErrorInvalidRequest": (400, "Your request is invalid."),
    "ErrorInvalidParameter": (400, "A parameter is invalid."),
    "ErrorInvalidIdMalformed": (400, "Id is malformed."),
    "ErrorInvalidUrlQuery": (400, "The query is not valid."),
    "ErrorInvalidUrlQueryFilter": (400, "The query filter contains one or more invalid nodes."),
    "ErrorPropertyValidationFailure": (400, "At least one property failed validation."),
    "ErrorOccurrenceCrossingBoundary": (400, "Cannot move the occurrence past its neighbours."),
    "ErrorDeleteDistinguishedFolder": (400, "Distinguished folders cannot be deleted."),
    "TimeZoneNotSupportedException": (400, "A valid TimeZone value must be specified."),
    "Request_MethodNotAllowed": (405, "Specified HTTP method is not allowed for the request target."),
    "ErrorFolderExists": (409, "A folder with the specified name already exists."),
    "ErrorIrresolvableConflict": (412, "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item."),
    "RequestEntityTooLarge": (413, "The request body is too large."),
    "ErrorInvalidMediaType": (415, "A missing or unsupported Content-Type."),
    "syncStateNotFound": (410, "The sync state is gone."),
    "ApplicationThrottled": (429, "Application is over its MailboxConcurrency limit."),
    "TooManyRequests": (429, "Too many requests."),
    "ErrorInternalServerError": (500, "An internal server error occurred."),
    "ErrorInternalServerTransientError": (500, "An internal server error occurred. Try again later."),
    "ErrorMailboxStoreUnavailable": (503, "The mailbox database is temporarily unavailable."),
    "ErrorServerBusy": (503, "The server cannot service this request right now. Try again later."),
    "serviceNotAvailable": (503, "The service is temporarily unavailable."),
    "generalException": (502, "An unexpected error occurred."),
    "GatewayTimeout": (504, "The gateway timed out."),
}


class GraphError(Exception):
    def __init__(self, code: str, message: Optional[str] = None, status: Optional[int] = None,
                 headers: Optional[list] = None):
        default_status, default_message = CODES.get(code, (400, "The request failed."))
        self.code = code
        self.status = status or default_status
        self.message = message or default_message
        self.headers = headers or []
        super().__init__(f"{self.status} {code}: {self.message}")


def error_reply(error: GraphError, request_id: str, client_request_id: str) -> Reply:
    inner = {"date": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()), "request-id": request_id,
             "client-request-id": client_request_id}
    body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
    return json_reply(body, error.status, error.headers)
