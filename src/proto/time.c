/* SPDX-License-Identifier: MIT */
#include "gg/proto/time.h"

#define DAY_S    86400
#define YEAR_MAX 9999
/* 0001-01-01T00:00:00 and 9999-12-31T23:59:59 */
#define SECONDS_MIN (-62135596800)
#define SECONDS_MAX 253402300799

/* The fields as they are written; month and day from 1. */
struct fields {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int64_t ticks;
};

/* Takes exactly n digits. */
static bool take_number(struct gg_str *s, size_t n, int *out)
{
    int v = 0;

    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = gg_str_skip(*s, n);
    *out = v;
    return true;
}

/* Takes one byte, either of two. */
static bool take_byte(struct gg_str *s, char one, char other)
{
    if (s->n == 0 || (s->p[0] != one && s->p[0] != other))
        return false;
    *s = gg_str_skip(*s, 1);
    return true;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool take_date(struct gg_str *s, struct fields *f)
{
    return take_number(s, 4, &f->year) && take_byte(s, '-', '-') && take_number(s, 2, &f->month) &&
           take_byte(s, '-', '-') && take_number(s, 2, &f->day) && f->year >= 1 && f->month >= 1 &&
           f->month <= 12 && f->day >= 1 && f->day <= days_in(f->year, f->month);
}

/* ".f…", 1…most digits; no dot is no fraction. */
static bool take_fraction(struct gg_str *s, int most, int64_t *ticks)
{
    int64_t unit = GG_TIME_TICKS_PER_S;
    int digit;

    *ticks = 0;
    if (!take_byte(s, '.', '.'))
        return true;
    int n = 0;
    while (n <= most && take_number(s, 1, &digit)) {
        unit /= 10;
        *ticks += digit * unit;
        n++;
    }
    return n >= 1 && n <= most;
}

/* Second 60 is let through; whoever calls judges it. */
static bool take_clock(struct gg_str *s, int most_digits, struct fields *f)
{
    return take_number(s, 2, &f->hour) && take_byte(s, ':', ':') && take_number(s, 2, &f->minute) &&
           take_byte(s, ':', ':') && take_number(s, 2, &f->second) &&
           take_fraction(s, most_digits, &f->ticks) && f->hour <= 23 && f->minute <= 59 &&
           f->second <= 60;
}

static bool take_offset(struct gg_str *s, int64_t *offset_s)
{
    int hours;
    int minutes;

    *offset_s = 0;
    if (take_byte(s, 'Z', 'z'))
        return true;
    bool west = s->n > 0 && s->p[0] == '-';
    if (!take_byte(s, '+', '-') || !take_number(s, 2, &hours) || !take_byte(s, ':', ':') ||
        !take_number(s, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_s = (west ? -60 : 60) * (hours * 60 + minutes);
    return true;
}

/* Days from 1970-01-01; years begin in March here, so that the leap day is the last one. */
static int64_t count_days(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = y / 400;
    int64_t in_era = y - era * 400;
    int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static int64_t count_seconds(const struct fields *f)
{
    return count_days(f->year, f->month, f->day) * DAY_S + f->hour * 3600 + f->minute * 60 +
           f->second;
}

bool gg_time_parse(struct gg_str in, struct gg_time *out)
{
    struct fields f = {0};
    struct gg_time t = {.kind = GG_TIME_DATE};
    int64_t offset_s = 0;

    if (!take_date(&in, &f))
        return false;
    if (in.n > 0) {
        if (!take_byte(&in, 'T', 't') || !take_clock(&in, 9, &f))
            return false;
        t.kind = in.n == 0 ? GG_TIME_LOCAL : GG_TIME_INSTANT;
        if (t.kind == GG_TIME_INSTANT && (!take_offset(&in, &offset_s) || in.n > 0))
            return false;
    }
    t.seconds = count_seconds(&f) - offset_s;
    t.ticks = f.ticks;
    if (t.seconds < SECONDS_MIN || t.seconds > SECONDS_MAX)
        return false;
    /* A leap second ends a day of UTC; counted as above it is already the next day's first. */
    if (f.second == 60 && (t.kind != GG_TIME_INSTANT || t.seconds % DAY_S != 0))
        return false;
    *out = t;
    return true;
}

/* The inverse of count_days. */
static void split_days(int64_t days, struct fields *f)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t in_era = shifted - era * 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153;

    f->day = (int)(in_year - (153 * month + 2) / 5 + 1);
    f->month = (int)(month < 10 ? month + 3 : month - 9);
    f->year = (int)(year + era * 400 + (f->month <= 2));
}

/* Times that have no four-digit year are held at the edge, so that every answer is RFC 3339. */
static struct fields split(int64_t seconds)
{
    struct fields f = {0};

    seconds = seconds < SECONDS_MIN ? SECONDS_MIN : seconds;
    seconds = seconds > SECONDS_MAX ? SECONDS_MAX : seconds;
    int64_t clock = seconds % DAY_S;
    clock = clock < 0 ? clock + DAY_S : clock;
    split_days((seconds - clock) / DAY_S, &f);
    f.hour = (int)(clock / 3600);
    f.minute = (int)(clock / 60 % 60);
    f.second = (int)(clock % 60);
    return f;
}

struct gg_str gg_time_format_graph(struct gg_arena *a, const struct gg_time *t)
{
    struct fields f = split(t->seconds);
    const char *s = gg_arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d", f.year, f.month, f.day,
                                    f.hour, f.minute, f.second);

    return gg_str_of(t->ticks == 0 ? s : gg_arena_printf(a, "%s.%07lld", s, (long long)t->ticks));
}

static char *put_digits(char *to, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + digits;
}

struct gg_str gg_time_format_utc(struct gg_arena *a, int64_t seconds)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    struct fields f = split(seconds);
    char *text = gg_arena_copy(a, form, sizeof form - 1);

    char *to = put_digits(text, f.year, 4);
    to = put_digits(to + 1, f.month, 2);
    to = put_digits(to + 1, f.day, 2);
    to = put_digits(to + 1, f.hour, 2);
    to = put_digits(to + 1, f.minute, 2);
    (void)put_digits(to + 1, f.second, 2);
    return (struct gg_str){text, sizeof form - 1};
}

int gg_time_compare(const struct gg_time *a, const struct gg_time *b)
{
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    return a->ticks < b->ticks ? -1 : a->ticks > b->ticks;
}

bool gg_time_parse_http(struct gg_str in, int64_t *seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct fields f = {0};
    struct gg_str name;

    /* The name of the day says nothing that the date does not. */
    in = gg_str_skip(in, 3);
    if (!take_byte(&in, ',', ',') || !take_byte(&in, ' ', ' ') || !take_number(&in, 2, &f.day) ||
        !take_byte(&in, ' ', ' ') || in.n < 3)
        return false;
    name = (struct gg_str){in.p, 3};
    for (int i = 0; i < 12; i++)
        if (gg_str_is_equal(name, (struct gg_str){months + 3 * i, 3}))
            f.month = i + 1;
    in = gg_str_skip(in, 3);
    if (f.month == 0 || !take_byte(&in, ' ', ' ') || !take_number(&in, 4, &f.year) || f.year < 1 ||
        f.day < 1 || f.day > days_in(f.year, f.month) || !take_byte(&in, ' ', ' ') ||
        !take_clock(&in, 0, &f) || !gg_str_is(in, " GMT"))
        return false;
    *seconds = count_seconds(&f);
    return true;
}
