/* SPDX-License-Identifier: MIT */
/* P/auth/…: sign-in, connect, the JWTs, who is connected. Each writes the answer of a success. */
#ifndef GG_WEB_ON_AUTH_H
#define GG_WEB_ON_AUTH_H

#include "gg/web/exchange.h"

GG_MUST bool gg_on_auth_start(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_auth_callback(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_auth_exchange(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_auth_refresh(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_auth_user(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_auth_disconnect(struct gg_exchange *x, struct gg_err *err);

#endif
