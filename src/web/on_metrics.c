/* SPDX-License-Identifier: MIT */
#include "gg/web/on_metrics.h"

#include "config.h"
#include "gg/base/exposition.h"
#include "gg/base/metric.h"
#include "gg/flow/audit.h"

#include <string.h>

bool gg_on_metrics(struct gg_exchange *x, struct gg_err *err)
{
    const struct gg_conf *conf = x->call.ctx->conf;
    const char *file = conf->metrics_file;
    const struct gg_exposition more = {PACKAGE_VERSION, conf->client_secret_expires_s};

    if (!gg_metric_is_open() && file != NULL && strcmp(file, "off") == 0)
        return gg_fail(err, GG_ENOTFOUND, "METRICS_FILE is off");
    if (!gg_metric_is_open())
        return gg_fail(err, GG_ENOTCONFIGURED, "METRICS_FILE: the log of the start says why not");
    /* METRICS_TOKEN is a scraper's, which has no row. */
    if (x->has_caller)
        gg_audit_note(&x->call,
                      (struct gg_audit_event){.event = "admin.read", .detail = "metrics"});
    gg_response_begin_text(&x->response, 200, GG_EXPOSITION_TYPE);
    gg_exposition_format(&x->response.body, &more);
    return true;
}
