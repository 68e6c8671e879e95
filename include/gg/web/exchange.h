/* SPDX-License-Identifier: MIT */
/* One request with its answer: what the guard and the handlers share. Shapes only. */
#ifndef GG_WEB_EXCHANGE_H
#define GG_WEB_EXCHANGE_H

#include "gg/flow/ctx.h"
#include "gg/flow/pair.h"
#include "gg/web/request.h"
#include "gg/web/response.h"

struct gg_exchange {
    struct gg_call call;
    struct gg_request request;
    struct gg_response response;
    const struct gg_realm *realm; /* of the path */
    struct gg_str id;             /* {id} of the path, decoded */
    unsigned path_number;         /* of the path's pattern among gg_route_names; 0: unknown */
    bool has_caller;
    struct gg_caller caller;
    bool wants_row;                /* the route needs the caller's token row, see flow/admit */
    size_t header_mark;            /* where the headers of the handler begin */
    struct gg_str error_return_to; /* where a failure goes instead; absent: it is the answer */
    const char *fault; /* for the log: what is wrong, where the answer is not an error's; or NULL */
};

#endif
