/* SPDX-License-Identifier: MIT */
/* DATABASE_URL: mariadb://USER:PASSWORD@HOST[,HOST2…]:PORT/DB?unix_socket=PATH&ssl_ca=PATH */
#ifndef GG_APP_DBURL_H
#define GG_APP_DBURL_H

#include "gg/base/secret.h"
#include "gg/ext/db.h"

/*
 * The parts, percent-decoded; all of it is the arena's. A host may have a port of its own; one
 * without has the next one's, the last one 3306. Leaves the time-outs as they are. On failure
 * *fault says what is wrong, without any of the URL.
 */
GG_MUST bool gg_dburl_parse(struct gg_arena *a, struct gg_secret url, struct gg_db_address *out,
                            const char **fault);

#endif
