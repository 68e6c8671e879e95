# SPDX-License-Identifier: MIT
"""Who may sign in where: an app's audience against the tenant in the path and the user's own."""

from .aadsts import StsError
from .directory import MULTI_TENANT_PATHS, App, Directory, User
from .keys import CONSUMER_TENANT


def check_path(directory: Directory, tenant_path: str, app: App) -> None:
    """Whether the app may be used at this path at all."""
    name = tenant_path.lower()
    tenant = directory.tenant_of_path(name)
    if tenant is None and name not in MULTI_TENANT_PATHS:
        raise StsError(90002, f"Tenant '{tenant_path}' not found. Check to make sure you have the correct tenant ID and are "
                       "signing into the correct cloud.")
    if not app.enabled:
        raise StsError(7000112, f"Application '{app.client_id}' is disabled.")
    consumers = tenant is not None and tenant.id == CONSUMER_TENANT
    if app.audience == "consumers" and not consumers:
        raise StsError(9002346)
    if consumers and app.audience in ("single", "multi"):
        raise StsError(9002332)
    if app.audience == "single" and tenant is None:
        raise StsError(50194, f"Application '{app.client_id}' is not configured as a multi-tenant application. Usage of the "
                       "/common endpoint is not supported for such applications.")
    if app.audience == "single" and tenant.id != app.tenant:
        raise StsError(700016, f"Application with identifier '{app.client_id}' was not found in the directory '{tenant.name}'.")


def check_user(directory: Directory, tenant_path: str, app: App, user: User) -> None:
    """Whether this user may sign in to this app at this path."""
    name = tenant_path.lower()
    tenant = directory.tenant_of_path(name)
    refused = (tenant is not None and tenant.id != user.tid) or (name == "organizations" and user.personal) \
        or (user.personal and app.audience in ("single", "multi")) or (app.audience == "consumers" and not user.personal)
    if refused:
        raise StsError(50020, f"User account '{user.upn}' does not exist in tenant '{tenant.name if tenant else tenant_path}' and "
                       f"cannot access the application '{app.client_id}' in that tenant.")
