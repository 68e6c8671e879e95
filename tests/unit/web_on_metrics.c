/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/metric.h"
#include "gg/web/on_metrics.h"
#include "gg/web/route.h"

#include <stdio.h>
#include <string.h>

static struct gg_conf conf;
static struct gg_ctx ctx = {.conf = &conf};

static struct gg_exchange *exchange(struct gg_arena *a)
{
    struct gg_exchange *x = gg_arena_alloc(a, sizeof *x);

    x->call = (struct gg_call){.ctx = &ctx, .arena = a};
    gg_response_init(&x->response, a);
    return x;
}

START_TEST(there_is_no_page)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_err err;

    conf.metrics_file = NULL;
    ck_assert(!gg_on_metrics(exchange(a), &err));
    ck_assert_int_eq(err.code, GG_ENOTCONFIGURED);
    conf.metrics_file = "off";
    ck_assert(!gg_on_metrics(exchange(a), &err));
    ck_assert_int_eq(err.code, GG_ENOTFOUND);
    gg_arena_close(a);
}
END_TEST

START_TEST(there_is_one)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_exchange *x = exchange(a);
    char folder[] = "/tmp/gg-on-metrics-XXXXXX";
    struct gg_metric_site site = {0};
    struct gg_err err;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    site.path = gg_arena_printf(a, "%s/p", folder);
    site.routes = gg_route_names(a, &site.route_count);
    ck_assert(gg_metric_open(&site, &err));
    ck_assert(gg_on_metrics(x, &err));
    ck_assert_int_eq(x->response.status, 200);
    ck_assert_str_eq(x->response.content_type, "text/plain; version=0.0.4; charset=utf-8");
    ck_assert(gg_str_has_prefix(gg_buf_str(&x->response.body), "# HELP graphgate_"));
    gg_metric_close();
    ck_assert_int_eq(system(gg_arena_printf(a, "rm -r %s", folder)), 0);
    gg_arena_close(a);
}
END_TEST

/* The number of a path is its name's place. */
START_TEST(the_names_of_the_paths)
{
    struct gg_arena *a = gg_arena_open();
    unsigned count;
    size_t rows;
    const char *const *names = gg_route_names(a, &count);
    const struct gg_route *table = gg_route_table(&rows);

    ck_assert_uint_le(count, GG_METRIC_ROUTES_MAX);
    ck_assert_uint_lt(count, rows);
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < i; k++)
            ck_assert_msg(strcmp(names[i], names[k]) != 0, "%s does not stand together", names[i]);
    ck_assert_str_eq(names[0], table[0].path);
    gg_arena_close(a);
}
END_TEST

GG_UNIT_MAIN("web/on_metrics", there_is_no_page, there_is_one, the_names_of_the_paths)
