/* SPDX-License-Identifier: MIT */
#include "gg/base/exposition.h"

#include "gg/base/metric.h"

#include <stdio.h>

/* One series: its family, and the number of each label's word. */
struct series {
    enum gg_metric metric;
    unsigned at[GG_METRIC_LABELS_MAX];
};

static void add_head(struct gg_buf *out, const char *name, const char *type, const char *help)
{
    gg_buf_add_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value; backslash, quote and line feed are all that must be escaped. */
static void add_value(struct gg_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"')
            gg_buf_add_char(out, '\\');
        if (*text == '\n')
            gg_buf_add_text(out, "\\n");
        else
            gg_buf_add_char(out, *text);
    }
}

/* {a="b",c="d"}; le is a further one, or NULL. */
static void add_labels(struct gg_buf *out, const struct series *s, const char *le)
{
    const struct gg_metric_family *f = gg_metric_family(s->metric);
    const char *before = "{";

    for (int i = 0; i < GG_METRIC_LABELS_MAX; i++) {
        if (f->labels[i] == GG_LABEL_NONE)
            continue;
        struct gg_metric_words list = gg_metric_words(f->labels[i]);
        gg_buf_add_text(out, before);
        before = ",";
        if (list.name == NULL) {
            gg_buf_add_text(out, list.words[s->at[i]]);
            continue;
        }
        gg_buf_add_fmt(out, "%s=\"", list.name);
        add_value(out, list.words[s->at[i]]);
        gg_buf_add_char(out, '"');
    }
    if (le != NULL) {
        gg_buf_add_fmt(out, "%sle=\"%s\"", before, le);
        before = ",";
    }
    if (*before == ',')
        gg_buf_add_char(out, '}');
}

static void add_counter(struct gg_buf *out, const struct series *s)
{
    const struct gg_metric_family *f = gg_metric_family(s->metric);
    uint64_t n = gg_metric_get(s->metric, s->at[0], s->at[1], s->at[2]);

    if (n == 0 && f->kind == GG_METRIC_SPARSE)
        return;
    gg_buf_add_text(out, f->name);
    add_labels(out, s, NULL);
    gg_buf_add_fmt(out, " %llu\n", (unsigned long long)n);
}

/* Without zeros at the end: 0.0005, 2.5, 10. */
static const char *format_bound(char *to, size_t size, int64_t us)
{
    (void)snprintf(to, size, "%g", (double)us / 1e6);
    return to;
}

static void add_line(struct gg_buf *out, const struct series *s, const char *suffix, const char *le)
{
    gg_buf_add_fmt(out, "%s%s", gg_metric_family(s->metric)->name, suffix);
    add_labels(out, s, le);
}

/* The count is the buckets' sum, not a number of its own: the two never differ. */
static void add_histogram(struct gg_buf *out, const struct series *s)
{
    struct gg_metric_durations d = gg_metric_get_durations(s->metric, s->at[0], s->at[1]);
    uint64_t count = 0;
    char bound[32];

    for (unsigned i = 0; i < GG_METRIC_BUCKETS; i++)
        count += d.buckets[i];
    if (count == 0)
        return;
    count = 0;
    for (unsigned i = 0; i < GG_METRIC_BUCKETS; i++) {
        bool is_last = i == GG_METRIC_BUCKETS - 1;
        count += d.buckets[i];
        add_line(out, s, "_bucket",
                 is_last ? "+Inf" : format_bound(bound, sizeof bound, gg_metric_bounds_us[i]));
        gg_buf_add_fmt(out, " %llu\n", (unsigned long long)count);
    }
    add_line(out, s, "_sum", NULL);
    gg_buf_add_fmt(out, " %llu.%06u\n", (unsigned long long)(d.sum_us / 1000000),
                   (unsigned)(d.sum_us % 1000000));
    add_line(out, s, "_count", NULL);
    gg_buf_add_fmt(out, " %llu\n", (unsigned long long)count);
}

static void add_family(struct gg_buf *out, enum gg_metric m)
{
    const struct gg_metric_family *f = gg_metric_family(m);
    bool is_histogram = f->kind == GG_METRIC_HISTOGRAM;
    unsigned n[GG_METRIC_LABELS_MAX];
    struct series s = {.metric = m};

    for (int i = 0; i < GG_METRIC_LABELS_MAX; i++)
        n[i] = gg_metric_words(f->labels[i]).count;
    add_head(out, f->name, is_histogram ? "histogram" : "counter", f->help);
    for (s.at[0] = 0; s.at[0] < n[0]; s.at[0]++)
        for (s.at[1] = 0; s.at[1] < n[1]; s.at[1]++)
            for (s.at[2] = 0; s.at[2] < n[2]; s.at[2]++)
                (is_histogram ? add_histogram : add_counter)(out, &s);
}

static void add_workers(struct gg_buf *out)
{
    static const char name[] = GG_METRIC_PREFIX "workers";
    unsigned counts[GG_METRIC_STATES];

    gg_metric_count_workers(counts);
    add_head(out, name, "gauge", "Workers that serve a request, and that wait for one.");
    gg_buf_add_fmt(out, "%s{state=\"busy\"} %u\n%s{state=\"idle\"} %u\n", name,
                   counts[GG_METRIC_BUSY], name, counts[GG_METRIC_IDLE]);
}

void gg_exposition_format(struct gg_buf *out, const struct gg_exposition *more)
{
    static const char info[] = GG_METRIC_PREFIX "build_info";
    static const char expires[] = GG_METRIC_PREFIX "client_secret_expires_timestamp_seconds";

    for (int m = 0; m < GG_METRIC_FAMILIES; m++)
        add_family(out, (enum gg_metric)m);
    add_workers(out);
    add_head(out, info, "gauge", "Always 1; the label says which version answers.");
    gg_buf_add_fmt(out, "%s{version=\"", info);
    add_value(out, more->version);
    gg_buf_add_text(out, "\"} 1\n");
    if (more->client_secret_expires_s <= 0)
        return;
    add_head(out, expires, "gauge", "When the client secret ends, as MSCLIENTSECRET_EXPIRES says.");
    gg_buf_add_fmt(out, "%s %lld\n", expires, (long long)more->client_secret_expires_s);
}
