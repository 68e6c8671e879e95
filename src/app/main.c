/* SPDX-License-Identifier: MIT */
/* graphgate.fcgi: the worker program. */
#include "config.h"
#include "gg/app/drop.h"
#include "gg/app/logging.h"
#include "gg/app/prefork.h"
#include "gg/app/setup.h"
#include "gg/base/metric.h"
#include "gg/flow/settler.h"
#include "gg/web/route.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define MAX_REQUESTS_DEFAULT 10000
/* Under load the next request comes sooner, and needs no new connection to the database. */
#define IDLE_MS 100
/* So many requests that have come already are served before a lone process leaves. */
#define LEFT_MAX 64
/* Between a master that was killed and its heir. */
#define SPAWNER "GRAPHGATE_SPAWNER"

static const char usage[] =
    "Usage: graphgate.fcgi [--listen unix:PATH|HOST:PORT] [--workers N] [--max-requests N]\n"
    "                      [--user NAME[:GROUP]]\n"
    "\n"
    "Serves FastCGI on the listening socket that is descriptor 0, or on its own.\n"
    "\n"
    "  --listen WHERE      open this socket: unix:PATH or HOST:PORT\n"
    "  --workers N         fork N workers and replace those that end (default 0: none)\n"
    "  --max-requests N    a worker leaves after so many (default 10000)\n"
    "  --user NAME[:GROUP] started as root: open the socket, then become this account for good;\n"
    "                      the configuration is read, and the log opened, by the account\n"
    "  --version, --help   print and exit\n"
    "\n"
    "The configuration is in the environment and in the file that GRAPHGATE_CONFIG names. With\n"
    "--workers, SIGHUP reads it again: new workers take over, each when an old one has finished.\n";

struct arguments {
    const char *listen;
    const char *user;
    int64_t workers;
    int64_t max_requests;
};

/* What a worker is made from; all of it is ready before the first fork. */
struct program {
    struct arguments arguments;
    struct gg_prefork_signals signals;
    struct gg_arena *arena; /* of what the configuration is made of */
    struct gg_ctx ctx;
    int listen_fd;
    char **argv;
    struct {
        pid_t pid;     /* who started the first of these masters */
        pid_t watched; /* the same, where this master was not started by it */
    } spawner;
};

/* The tokens in memory are nobody else's: no core dump, no debugger of the same user. */
static void hide_memory(void)
{
#ifndef GG_SANITIZE
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* And no program that it might be made to start has more rights than it. */
static void close_doors(void)
{
    const struct rlimit none = {0, 0};

    (void)umask(077);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    hide_memory();
}

/* The number of an option; where it is none, that is said. */
static bool read_number(const char *name, int64_t min, int64_t max, int64_t *out)
{
    if (gg_str_parse_int(gg_str_of(optarg), min, max, out))
        return true;
    (void)fprintf(stderr, "graphgate.fcgi: --%s is a whole number from %lld to %lld\n", name,
                  (long long)min, (long long)max);
    return false;
}

/* Returns an exit status, or -1 to go on. */
static int read_arguments(int argc, char **argv, struct arguments *out)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"workers", required_argument, NULL, 'w'},
        {"max-requests", required_argument, NULL, 'm'},
        {"user", required_argument, NULL, 'u'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    bool ok = true;

    *out = (struct arguments){.max_requests = MAX_REQUESTS_DEFAULT};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'l')
            out->listen = optarg;
        else if (c == 'u')
            out->user = optarg;
        else if (c == 'w')
            ok = read_number("workers", 0, 4096, &out->workers) && ok;
        else if (c == 'm')
            ok = read_number("max-requests", 1, INT64_MAX, &out->max_requests) && ok;
        else if (c == 'v')
            return puts(PACKAGE_STRING) < 0 ? EX_IOERR : EX_OK;
        else if (c == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else
            ok = false;
    }
    if (ok && optind == argc)
        return -1;
    /* Of an option that is unknown or lacks its value getopt has told. */
    if (ok)
        (void)fprintf(stderr, "graphgate.fcgi: takes options alone, not \"%s\"\n", argv[optind]);
    (void)fputs(usage, stderr);
    return EX_USAGE;
}

/* What waits is written, and of the database it takes part only while there is work: gg_db_rest. */
static bool rest(void *arg)
{
    struct gg_ctx *ctx = arg;
    struct gg_arena *a = gg_arena_open();
    bool ok = gg_settler_run(ctx, a);

    gg_arena_close(a);
    gg_db_rest(ctx->db);
    return ok;
}

static void serve(struct program *p, struct gg_arena *a, struct gg_fcgi *f)
{
    gg_metric_set_state(GG_METRIC_BUSY);
    gg_route_serve(&p->ctx, a, f);
    gg_settler_run_due(&p->ctx, a);
    gg_arena_reset(a);
    gg_metric_set_state(GG_METRIC_IDLE);
}

/*
 * A lone process may be the only one on its socket (mod_fcgid gives each its own): who has come is
 * served yet, and who comes later finds nobody there at once, so that the web server looks for
 * another.
 */
static void leave_socket(struct program *p, struct gg_arena *a, struct gg_fcgi *f)
{
    if (p->arguments.workers > 0)
        return;
    for (int i = 0; i < LEFT_MAX && gg_fcgi_accept_waiting(f); i++)
        serve(p, a, f);
    (void)close(p->listen_fd);
}

static int work(void *arg)
{
    struct program *p = arg;
    struct gg_arena *a = gg_arena_open();
    struct gg_fcgi *f = gg_fcgi_open(p->listen_fd);
    struct gg_err err = {.code = GG_OK};
    int64_t served = 0;

    gg_metric_join();
    if (p->ctx.journal != NULL)
        gg_journal_join(p->ctx.journal);
    (void)gg_settler_run_left(&p->ctx, a);
    gg_fcgi_set_idle(f, (struct gg_fcgi_idle){IDLE_MS, rest, &p->ctx});
    while (served < p->arguments.max_requests &&
           gg_fcgi_accept(f, &p->signals.wait_mask, p->signals.stop, &err)) {
        serve(p, a, f);
        served++;
    }
    leave_socket(p, a, f);
    gg_metric_set_state(GG_METRIC_AWAY);
    (void)gg_settler_run(&p->ctx, a);
    if (err.code != GG_OK)
        gg_log(GG_ERROR, "worker.accept", "reason=\"%s\"", err.log);
    gg_fcgi_close(f);
    gg_arena_close(a);
    gg_setup_close(&p->ctx);
    return err.code == GG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void log_faults(const struct gg_fault *fault)
{
    for (; fault != NULL; fault = fault->next)
        gg_log(GG_ERROR, "configuration", "name=%s reason=\"%s\"", fault->field, fault->detail);
}

static void open_log(const struct gg_conf *conf)
{
    struct gg_err err;

    if (!gg_logging_open(conf, &err))
        gg_log(GG_ERROR, "configuration", "name=LOG_TARGET reason=\"%s\"", err.log);
}

static const struct gg_loaded *configure(struct program *p)
{
    p->arena = gg_arena_open();
    struct gg_loaded *loaded = gg_arena_alloc(p->arena, sizeof *loaded);

    gg_load(p->arena, loaded);
    return loaded;
}

static void set_up(struct program *p, const struct gg_loaded *loaded)
{
    log_faults(loaded->faults);
    log_faults(loaded->missing);
    gg_setup_open(p->arena, loaded, &p->ctx);
}

static void drop(struct program *p)
{
    gg_setup_close(&p->ctx);
    gg_arena_close(p->arena);
}

/* The file is read again. One that could not serve is not taken: what there is serves on. */
static bool reload(void *arg)
{
    struct program *p = arg;
    struct program next = *p;

    /* Whoever rotates the log asks for this, however the configuration is. */
    gg_log_reopen();
    const struct gg_loaded *loaded = configure(&next);
    set_up(&next, loaded);
    next.ctx.journal = p->ctx.journal;
    bool ok = next.ctx.is_configured;
    gg_log(ok ? GG_INFO : GG_ERROR, "reload", "result=%s", ok ? "ok" : "refused");
    if (ok) {
        open_log(&loaded->conf);
        gg_logging_set_subjects(&next.ctx);
    }
    drop(ok ? p : &next);
    if (ok)
        *p = next;
    return ok;
}

static void find_spawner(struct program *p)
{
    const char *text = getenv(SPAWNER);
    int64_t pid = 0;

    if (text != NULL && gg_str_parse_int(gg_str_of(text), 0, INT_MAX, &pid))
        p->spawner.watched = (pid_t)pid;
    /* It would be "exe" otherwise. */
    if (text != NULL)
        (void)prctl(PR_SET_NAME, "graphgate.fcgi", 0, 0, 0);
    p->spawner.pid = text != NULL ? (pid_t)pid : getppid();
}

/* The program anew, on the same socket. A spawner that is gone by now was never one to wait for. */
static void inherit(void *arg)
{
    const struct program *p = arg;
    bool is_there = p->spawner.pid > 1 && (kill(p->spawner.pid, 0) == 0 || errno == EPERM);
    char pid[24];

    (void)snprintf(pid, sizeof pid, "%ld", is_there ? (long)p->spawner.pid : 0L);
    gg_log(GG_WARNING, "start.heir", "reason=\"the master was killed\"");
    if (setenv(SPAWNER, pid, 1) == 0)
        (void)execv("/proc/self/exe", p->argv);
    gg_log(GG_ERROR, "start.heir", "reason=\"%s\"", strerror(errno));
}

/* The socket to serve, or -1 when there is none. */
static int find_socket(const struct arguments *arguments)
{
    struct gg_err err;
    int fd = STDIN_FILENO;

    if (arguments->listen != NULL && !gg_prefork_listen(arguments->listen, &fd, &err)) {
        (void)fprintf(stderr, "graphgate.fcgi: --listen %s: %s\n", arguments->listen, err.log);
        return -1;
    }
    if (gg_prefork_is_listening(fd))
        return fd;
    (void)fputs("graphgate.fcgi: descriptor 0 is no listening socket: a web server starts this.\n"
                "To start it by hand: graphgate.fcgi --listen 127.0.0.1:9000\n",
                stderr);
    return -1;
}

/* A socket file that it opened as root becomes the account's, as if that had opened it. */
static bool give_up_root(const struct arguments *arguments)
{
    static const char prefix[] = "unix:";
    const char *listen = arguments->listen == NULL ? "" : arguments->listen;
    struct gg_drop account;
    struct gg_err err;

    if (arguments->user == NULL)
        return true;
    if (!gg_drop_find(arguments->user, &account, &err)) {
        gg_log(GG_ERROR, "start.user", "name=%s reason=\"%s\"", arguments->user, err.log);
        return false;
    }
    if (geteuid() == 0 && strncmp(listen, prefix, strlen(prefix)) == 0 &&
        lchown(listen + strlen(prefix), account.uid, account.gid) != 0)
        gg_log(GG_ERROR, "start.user", "socket=%s reason=\"%s\"", listen, strerror(errno));
    bool ok = gg_drop_to(&account, &err);
    if (!ok)
        gg_log(GG_ERROR, "start.user", "name=%s reason=\"%s\"", arguments->user, err.log);
    /* Another user's process can be looked into until it says no again. */
    hide_memory();
    return ok;
}

int main(int argc, char **argv)
{
    struct program p = {.listen_fd = -1, .argv = argv};
    int status = read_arguments(argc, argv, &p.arguments);

    if (status >= 0)
        return status;
    close_doors();
    find_spawner(&p);
    p.listen_fd = find_socket(&p.arguments);
    if (p.listen_fd < 0)
        return EX_USAGE;
    if (!give_up_root(&p.arguments))
        return EX_NOUSER;
    gg_prefork_catch(&p.signals);
    const struct gg_loaded *loaded = configure(&p);
    open_log(&loaded->conf);
    if (geteuid() == 0)
        gg_log(GG_WARNING, "start.root", "reason=\"root is more than it needs: see --user\"");
    set_up(&p, loaded);
    /* Once: a reload counts on in the same page, and writes into the same journal. */
    gg_setup_open_metrics(p.arena, &p.ctx);
    gg_setup_open_journal(p.arena, GG_HOSTFILE_MAKE, &p.ctx);
    gg_logging_set_subjects(&p.ctx);
    gg_log(GG_INFO, "start", "version=%s workers=%lld configured=%s", PACKAGE_VERSION,
           (long long)p.arguments.workers, p.ctx.is_configured ? "yes" : "no");
    if (p.arguments.workers == 0) {
        status = work(&p);
        gg_arena_close(p.arena);
    } else {
        struct gg_prefork prefork = {
            .workers = (int)p.arguments.workers,
            .patience_s = (int)p.ctx.conf->request_deadline_s + 5,
            .watched = p.spawner.watched,
            .work = work,
            .reload = reload,
            /* Its own socket ends with it; a service manager ends an heir too, and starts anew. */
            .inherit = p.arguments.listen == NULL ? inherit : NULL,
            .arg = &p,
        };
        status = gg_prefork_run(&prefork);
        drop(&p);
    }
    gg_journal_close(p.ctx.journal);
    return status;
}
