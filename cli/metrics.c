/* SPDX-License-Identifier: Apache-2.0 */
/* chancery metrics: what the roles' status says, in Prometheus' text format (version 0.0.4). */
#include "cli/status.h"

#include "base/clock.h"
#include "base/file.h"
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>

static enum err metrics_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_metrics;
const struct command command_metrics = {
    .noun = "metrics",
    .verb = "",
    .args = "[--out FILE]",
    .help = "print counts and times of expiry as Prometheus metrics, or put them into a file at once",
    .run = metrics_run,
};

/* One metric, of one field or of several that a label tells apart. label: "status=\"valid\""; by: the field that becomes the label
   of its own name, NULL: none. Rows of one metric follow each other. */
struct metric {
    const char *name, *type, *help;
    const char *role, *field, *label, *by;
};
#define CERTIFICATES "chancery_certificates", "gauge", "Issued certificates by status."
#define OPEN         "chancery_requests_open", "gauge", "Requests that wait for approval, or are being sealed."
#define ANSWERS                                                                                              \
    "chancery_scep_answers_total", "counter", "SCEP messages answered since the role started, by result."
static const struct metric metrics[] = {
    { CERTIFICATES, "ca", "valid", "status=\"valid\"", "ca" },
    { CERTIFICATES, "ca", "revoked", "status=\"revoked\"", "ca" },
    { OPEN, "ca", "pending", "state=\"pending\"", "ca" },
    { OPEN, "ca", "sealing", "state=\"sealing\"", "ca" },
    { "chancery_crl_number", "gauge", "Number of the current CRL; of several, the highest.", "ca",
      "crl_number", NULL, "ca" },
    { "chancery_crl_next_update_timestamp_seconds", "gauge",
      "When the current CRL ends; of several, the first to end.", "ca", "crl_next_update", NULL, "ca" },
    { ANSWERS, "scep", "issued", "result=\"issued\"", NULL },
    { ANSWERS, "scep", "pending", "result=\"pending\"", NULL },
    { ANSWERS, "scep", "answered", "result=\"answered\"", NULL },
    { ANSWERS, "scep", "refused", "result=\"refused\"", NULL },
    { ANSWERS, "scep", "unreadable", "result=\"unreadable\"", NULL },
    { ANSWERS, "scep", "unavailable", "result=\"unavailable\"", NULL },
    { "chancery_scep_failed_decryptions", "gauge", "Decryptions that failed within the hour.", "scep",
      "failed_decryptions_this_hour", NULL, NULL },
    { "chancery_directory_success_timestamp_seconds", "gauge",
      "When a directory that users and groups come from was last read.", "mdm", "directory_success", NULL,
      "directory" },
    { "chancery_directory_held", "gauge", "Deletions and memberships of a directory that are held: an alarm.",
      "mdm", "directory_held", NULL, "directory" },
};
/* ca counts it once for all its CAs, and says so in each record: taken from the first. */
static const struct metric refused = {
    "chancery_requests_refused_total",
    "counter",
    "Requests refused before they were accepted for judgement, since ca started.",
    "ca",
    "refused_since_start",
    NULL,
    NULL
};
#define END_NAME "chancery_certificate_expiry_timestamp_seconds"

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A backslash, a quote and a line end are escaped in label values. */
static void put_escaped(struct buf *out, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if (c == '\\' || c == '"')
            buf_append_byte(out, '\\');
        if (c == '\n')
            buf_append_str(out, "\\n");
        else
            buf_append_byte(out, c);
    }
}

/* A count as it is, a time as seconds; false for anything else, the time that is none yet among it. */
static bool number_of(struct bytes text, int64_t *ret)
{
    if (clock_from_rfc3339(text, ret))
        return true;
    AUTO_STR copy = xstrndup((const char *)text.data, text.len);
    char *end;
    if (!isdigit((unsigned char)*copy))
        return false;
    *ret = strtoll(copy, &end, 10);
    return *end == '\0';
}

static bool put_sample(struct buf *out, const struct metric *metric, const struct record *record)
{
    struct bytes text, by = BYTES_NONE;
    int64_t value;
    if (!record_find(record, metric->field, &text) || !number_of(text, &value))
        return false;
    if (metric->by && !record_find(record, metric->by, &by))
        return false;
    buf_append_str(out, metric->name);
    if (metric->by) {
        buf_printf(out, "{%s=\"", metric->by);
        put_escaped(out, by);
        buf_append_byte(out, '"');
    }
    if (metric->label)
        buf_printf(out, "%s%s", metric->by ? "," : "{", metric->label);
    buf_printf(out, "%s %lld\n", metric->by || metric->label ? "}" : "", (long long)value);
    return true;
}

typedef void (*record_visit)(void *arg, const char *role, const struct record *record);

static void each_record(const struct statuses *statuses, record_visit visit, void *arg)
{
    for (size_t i = 0; i < statuses->count; i++) {
        struct der_reader list;
        struct record record;
        if (statuses->of[i].err != OK || records_get(buf_bytes(&statuses->of[i].answer), &list, NULL) != OK)
            continue;
        while (records_next(&list, &record))
            visit(arg, statuses->of[i].role, &record);
    }
}

struct samples {
    struct buf *out;
    const struct metric *metric;
    bool once, done; /* only the first record that has the field */
};

static void visit_metric(void *arg, const char *role, const struct record *record)
{
    struct samples *samples = arg;
    if (strcmp(role, samples->metric->role) != 0 || (samples->once && samples->done))
        return;
    samples->done |= put_sample(samples->out, samples->metric, record);
}

static void visit_ends(void *arg, const char *role, const struct record *record)
{
    struct buf *out = arg;
    for (const struct status_end *end = status_ends; end->field; end++) {
        struct bytes text, name = bytes_str(role);
        int64_t utc;
        if (!record_find(record, end->field, &text) || !clock_from_rfc3339(text, &utc))
            continue;
        if (end->name && !record_find(record, end->name, &name))
            continue;
        buf_printf(out, END_NAME "{kind=\"%s\",of=\"", end->kind);
        put_escaped(out, name);
        buf_printf(out, "\"} %lld\n", (long long)utc);
    }
}

static void put_all(const struct statuses *statuses, struct buf *out)
{
    put_head(out, "chancery_up", "gauge", "Whether the role answers.");
    for (size_t i = 0; i < statuses->count; i++)
        buf_printf(out, "chancery_up{role=\"%s\"} %d\n", statuses->of[i].role, statuses->of[i].err == OK);
    const char *last = "";
    for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++) {
        if (strcmp(metrics[i].name, last) != 0)
            put_head(out, metrics[i].name, metrics[i].type, metrics[i].help);
        last = metrics[i].name;
        each_record(statuses, visit_metric, &(struct samples){ .out = out, .metric = &metrics[i] });
    }
    put_head(out, refused.name, refused.type, refused.help);
    each_record(statuses, visit_metric, &(struct samples){ .out = out, .metric = &refused, .once = true });
    put_head(out, END_NAME, "gauge",
             "When a certificate in use ends: ca, root, ra, tls or ocsp; or a file of another CA that va "
             "serves: crl or certificate.");
    each_record(statuses, visit_ends, out);
}

static enum err options_read(int argc, char **argv, const char **ret_out, struct why *why)
{
    static const struct option options[] = { { "out", required_argument, NULL, 'o' }, { 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return fail(why, ERR_USAGE, "unknown or incomplete option %s", argv[optind - 1]);
        *ret_out = optarg;
    }
    return cli_operands(argc - optind + 1, 0, why);
}

static enum err metrics_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    const char *path = NULL;
    AUTO_VAL(statuses) statuses = { 0 };
    AUTO_BUF out = { 0 };
    TRY(options_read(argc, argv, &path, why));
    TRY(statuses_ask(cli, &statuses, why));
    put_all(&statuses, &out);
    if (path)
        TRY(file_write(path, buf_bytes(&out), 0644, why));
    else
        fwrite(out.data, 1, out.len, stdout);
    if (!statuses.down)
        return OK;
    return statuses_fail(&statuses, statuses.down == statuses.count ? ERR_UNAVAILABLE : ERR_PARTIAL, why);
}
