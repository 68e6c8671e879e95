/* SPDX-License-Identifier: MIT */
/*
 * The floor: what a program in graphgate's place cannot do without. One prepared select and one
 * kept-alive GET, whose answer is passed on as it came; no JWT, limit, seal, decryption, log, audit
 * or counter. With "first" and "last" it runs these statements instead, with values that stand
 * between tabs: the first before the GET, the last when so many requests have been answered as
 * "last_every" says. With an "answer" it only answers. Started as the web
 * server's sample starts graphgate; GRAPHGATE_CONFIG names its own few NAME=value lines.
 */
#include <curl/curl.h>
#include <fcgiapp.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LINE_BYTES  32768
#define TOKEN_BYTES 65536
#define SENT_BYTES  2048 /* of what was selected: about what the token itself has */
#define BODY_BYTES  (1024 * 1024)
#define QUERY       "SELECT access_token, is_active FROM microsoft_oauth_tokens WHERE user_id = ?"

#define VALUES      512
#define VALUE_BYTES 128

static const char *const names[] = {"socket", "user",        "password",  "database",
                                    "url",    "answer",      "first",     "first_values",
                                    "last",   "last_values", "last_every"};
enum {
    SOCKET,
    USER,
    PASSWORD,
    DATABASE,
    URL,
    ANSWER,
    FIRST,
    FIRST_VALUES,
    LAST,
    LAST_VALUES,
    LAST_EVERY,
    NAMES
};

/* A statement of the harness's. In its values %u stands for the user, %i for an id. */
struct asked {
    MYSQL_STMT *stmt;
    const char *forms[VALUES];
    char values[VALUES][VALUE_BYTES];
    unsigned long lengths[VALUES];
    size_t count;
};

struct floor {
    char *settings[NAMES];
    MYSQL *db;
    MYSQL_STMT *stmt;
    struct asked first;
    struct asked last;
    unsigned long long ids;
    long last_every;
    long answered; /* since the last statement of them */
    CURL *curl;
    long long user;
    char token[TOKEN_BYTES];
    unsigned long token_bytes;
    char body[BODY_BYTES];
    size_t body_bytes;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "floor: %s\n", what);
    exit(EXIT_FAILURE);
}

static void read_settings(struct floor *f)
{
    const char *path = getenv("GRAPHGATE_CONFIG");
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    char line[LINE_BYTES];

    if (file == NULL)
        die("GRAPHGATE_CONFIG names no file");
    while (fgets(line, sizeof line, file) != NULL) {
        char *value = strchr(line, '=');
        line[strcspn(line, "\n")] = '\0';
        for (int i = 0; value != NULL && i < NAMES; i++)
            if (strlen(names[i]) == (size_t)(value - line) &&
                strncmp(line, names[i], strlen(names[i])) == 0)
                f->settings[i] = strdup(value + 1);
    }
    (void)fclose(file);
}

static void prepare_asked(struct floor *f, struct asked *asked, const char *sql, char *values)
{
    static MYSQL_BIND binds[VALUES];
    char *rest = values;

    asked->stmt = mysql_stmt_init(f->db);
    for (char *form; asked->count < VALUES && (form = strsep(&rest, "\t")) != NULL;)
        asked->forms[asked->count++] = form;
    for (size_t i = 0; i < asked->count; i++)
        binds[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
                                .buffer = asked->values[i],
                                .length = &asked->lengths[i]};
    if (mysql_stmt_prepare(asked->stmt, sql, strlen(sql)) != 0)
        die(mysql_stmt_error(asked->stmt));
    if (mysql_stmt_param_count(asked->stmt) != asked->count)
        die("a statement has other parameters than it has values");
    if (mysql_stmt_bind_param(asked->stmt, binds))
        die(mysql_stmt_error(asked->stmt));
}

static void fill(struct floor *f, struct asked *asked)
{
    for (size_t i = 0; i < asked->count; i++) {
        const char *form = asked->forms[i];
        const char *mark = strchr(form, '%');
        int head = mark == NULL ? 0 : (int)(mark - form);
        int n = mark == NULL ? snprintf(asked->values[i], VALUE_BYTES, "%s", form)
                : mark[1] == 'u'
                    ? snprintf(asked->values[i], VALUE_BYTES, "%.*s%lld%s", head, form, f->user,
                               mark + 2)
                    : snprintf(asked->values[i], VALUE_BYTES, "%.*s%08x-0000-7000-8000-%012llx%s",
                               head, form, (unsigned)getpid(), f->ids++, mark + 2);
        if (n < 0 || n >= VALUE_BYTES)
            die("a value is too long");
        asked->lengths[i] = (unsigned long)n;
    }
}

/* False for what is tried again: two who write the same row at once. */
static bool try_asked(struct asked *asked)
{
    int next = mysql_stmt_execute(asked->stmt);

    for (; next == 0; next = mysql_stmt_next_result(asked->stmt))
        if (mysql_stmt_field_count(asked->stmt) > 0 &&
            (mysql_stmt_store_result(asked->stmt) != 0 || mysql_stmt_free_result(asked->stmt)))
            break;
    if (next < 0)
        return true;
    if (mysql_stmt_errno(asked->stmt) != ER_LOCK_DEADLOCK)
        die(mysql_stmt_error(asked->stmt));
    return false;
}

static void ask_database(struct floor *f, struct asked *asked)
{
    fill(f, asked);
    while (!try_asked(asked))
        continue;
}

static void connect_database(struct floor *f)
{
    f->db = mysql_init(NULL);
    if (f->settings[FIRST] != NULL)
        mysql_options(f->db, MYSQL_INIT_COMMAND,
                      "SET time_zone='+00:00', tx_isolation='READ-COMMITTED'");
    if (mysql_real_connect(f->db, NULL, f->settings[USER], f->settings[PASSWORD],
                           f->settings[DATABASE], 0, f->settings[SOCKET],
                           CLIENT_MULTI_RESULTS) == NULL)
        die(mysql_error(f->db));
}

static void prepare_select(struct floor *f)
{
    static MYSQL_BIND in;
    static MYSQL_BIND out[2];
    static int is_active;

    f->stmt = mysql_stmt_init(f->db);
    in = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &f->user};
    out[0] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
                          .buffer = f->token,
                          .buffer_length = sizeof f->token,
                          .length = &f->token_bytes};
    out[1] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONG, .buffer = &is_active};
    if (mysql_stmt_prepare(f->stmt, QUERY, sizeof QUERY - 1) != 0 ||
        mysql_stmt_bind_param(f->stmt, &in) || mysql_stmt_bind_result(f->stmt, out))
        die(mysql_stmt_error(f->stmt));
}

static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct floor *f = arg;
    size_t n = size * count;

    if (n > sizeof f->body - f->body_bytes)
        return 0;
    memcpy(f->body + f->body_bytes, data, n);
    f->body_bytes += n;
    return n;
}

static void open_database(struct floor *f)
{
    connect_database(f);
    if (f->settings[FIRST] == NULL) {
        prepare_select(f);
        return;
    }
    prepare_asked(f, &f->first, f->settings[FIRST], f->settings[FIRST_VALUES]);
    prepare_asked(f, &f->last, f->settings[LAST], f->settings[LAST_VALUES]);
    f->last_every = strtol(f->settings[LAST_EVERY], NULL, 10);
    f->token_bytes = SENT_BYTES;
    memset(f->token, 't', SENT_BYTES);
}

static void open_graph(struct floor *f)
{
    f->curl = curl_easy_init();
    if (f->curl == NULL || curl_easy_setopt(f->curl, CURLOPT_URL, f->settings[URL]) != CURLE_OK ||
        curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, take) != CURLE_OK ||
        curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f) != CURLE_OK)
        die("no curl");
}

static bool find_token(struct floor *f)
{
    if (f->settings[FIRST] != NULL) {
        ask_database(f, &f->first);
        return true;
    }
    if (mysql_stmt_execute(f->stmt) != 0)
        die(mysql_stmt_error(f->stmt));
    bool found = mysql_stmt_fetch(f->stmt) == 0;
    return !mysql_stmt_free_result(f->stmt) && found;
}

static bool ask_graph(struct floor *f)
{
    static char header[SENT_BYTES + 64];
    long status = 0;
    unsigned long n = f->token_bytes < SENT_BYTES ? f->token_bytes : SENT_BYTES;

    (void)snprintf(header, sizeof header, "Authorization: Bearer %.*s", (int)n, f->token);
    struct curl_slist *headers = curl_slist_append(NULL, header);
    f->body_bytes = 0;
    bool ok = curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
              curl_easy_perform(f->curl) == CURLE_OK &&
              curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK;
    curl_slist_free_all(headers);
    return ok && status == 200;
}

static void serve(struct floor *f, FCGX_Request *r)
{
    const char *query = FCGX_GetParam("QUERY_STRING", r->envp);
    const char *user = query == NULL ? NULL : strstr(query, "user=");

    if (f->settings[ANSWER] != NULL) {
        (void)FCGX_FPrintF(r->out, "Content-Type: application/json\r\n\r\n%s", f->settings[ANSWER]);
        return;
    }
    f->user = user == NULL ? 0 : strtoll(user + 5, NULL, 10);
    if (!find_token(f) || !ask_graph(f)) {
        (void)FCGX_FPrintF(r->out, "Status: 502\r\nContent-Type: text/plain\r\n\r\nno\n");
        return;
    }
    (void)FCGX_FPrintF(r->out, "Content-Type: application/json\r\n\r\n");
    (void)FCGX_PutStr(f->body, (int)f->body_bytes, r->out);
}

static void work(struct floor *f)
{
    FCGX_Request request;

    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (f->settings[ANSWER] == NULL) {
        open_database(f);
        open_graph(f);
    }
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, STDIN_FILENO, 0) != 0)
        die("no FastCGI");
    while (FCGX_Accept_r(&request) == 0) {
        serve(f, &request);
        FCGX_Finish_r(&request);
        if (f->settings[LAST] != NULL && ++f->answered == f->last_every) {
            ask_database(f, &f->last);
            f->answered = 0;
        }
    }
}

int main(int argc, char **argv)
{
    static struct floor f;
    int workers =
        argc == 3 && strcmp(argv[1], "--workers") == 0 ? (int)strtol(argv[2], NULL, 10) : 1;

    read_settings(&f);
    for (int i = 0; i < workers; i++) {
        if (fork() == 0) {
            work(&f);
            return EXIT_FAILURE;
        }
    }
    (void)pause();
    return EXIT_SUCCESS;
}
