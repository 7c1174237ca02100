/* SPDX-License-Identifier: Apache-2.0 */
/* chancery remind: what expires soon, on the terminal, to a webhook and by mail. Without anything that expires it is silent. */
#include "cli/remind_text.h"
#include "cli/send.h"

#include "base/clock.h"
#include "base/limits.h"
#include "ca/verbs.h"
#include <getopt.h>
#include <jansson.h>
#include <unistd.h>

#define SENDMAIL       "/usr/sbin/sendmail"
#define DEFAULT_WITHIN "30d"
#define URL_BYTES_MAX  2048

static enum err remind_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_remind;
const struct command command_remind = {
    .noun = "remind",
    .verb = "",
    .args = "[--within 30d] [--webhook URL | --webhook-file FILE] [--mail ADDRESS] [--mail-from ADDRESS]\n"
            "       [--smtp URL | --smtp-file FILE] [--sendmail PROGRAM] [--cacert FILE]",
    .help = "list the certificates, and CRLs of offline CAs, that expire within a span, and tell a webhook "
            "or a mailbox of them",
    .run = remind_run,
};

struct remind_options {
    const char *within, *webhook, *webhook_file, *mail, *mail_from, *smtp, *smtp_file, *sendmail, *ca_file;
};

static enum err options_read(int argc, char **argv, struct remind_options *ret, struct why *why)
{
    enum { WITHIN, WEBHOOK, WEBHOOK_FILE, MAIL, MAIL_FROM, SMTP, SMTP_FILE, MAILER, CA_FILE };
    static const struct option options[] = { { "within", 1, NULL, WITHIN },
                                             { "webhook", 1, NULL, WEBHOOK },
                                             { "webhook-file", 1, NULL, WEBHOOK_FILE },
                                             { "mail", 1, NULL, MAIL },
                                             { "mail-from", 1, NULL, MAIL_FROM },
                                             { "smtp", 1, NULL, SMTP },
                                             { "smtp-file", 1, NULL, SMTP_FILE },
                                             { "sendmail", 1, NULL, MAILER },
                                             { "cacert", 1, NULL, CA_FILE },
                                             { 0 } };
    const char **into[] = {
        [WITHIN] = &ret->within,       [WEBHOOK] = &ret->webhook,     [WEBHOOK_FILE] = &ret->webhook_file,
        [MAIL] = &ret->mail,           [MAIL_FROM] = &ret->mail_from, [SMTP] = &ret->smtp,
        [SMTP_FILE] = &ret->smtp_file, [MAILER] = &ret->sendmail,     [CA_FILE] = &ret->ca_file
    };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?') /* the argument itself may be a secret */
            return fail(why, ERR_USAGE, "unknown or incomplete option");
        *into[option] = optarg;
    }
    return cli_operands(argc - optind + 1, 0, why);
}

static enum err options_judge(const struct remind_options *o, struct why *why)
{
    if (o->webhook && o->webhook_file)
        return fail(why, ERR_USAGE, "--webhook and --webhook-file are one or the other");
    if (o->smtp && o->smtp_file)
        return fail(why, ERR_USAGE, "--smtp and --smtp-file are one or the other");
    if ((o->smtp || o->smtp_file || o->mail_from) && !o->mail)
        return fail(why, ERR_USAGE, "--smtp and --mail-from need --mail, which names who is told");
    if (o->mail)
        TRY(mail_address_check(o->mail, why));
    return o->mail_from ? mail_address_check(o->mail_from, why) : OK;
}

/* "30d", judged as ca judges it. */
static enum err span_read(const char *text, struct expiry_span *ret, struct why *why)
{
    AUTO_BUF body = { 0 };
    struct record record;
    size_t mark = record_begin(&body);
    record_put_str(&body, "within", text);
    record_end(&body, mark);
    TRY(record_get(buf_bytes(&body), &record, why));
    *ret = (struct expiry_span){ .text = text, .now = clock_now(&clock_system) };
    return verb_span(&record, "within", &ret->within_s, why);
}

/* --- sending --- */

/* A URL on the command line is for one that holds no secret: everybody on this host can read it there. */
static enum err url_read(const char *given, const char *file, struct secret *ret, struct why *why)
{
    if (file)
        return secret_read_file(file, URL_BYTES_MAX, ret, why);
    *ret = secret_dup(bytes_str(given));
    return OK;
}

static enum err tell_webhook(const struct remind_options *o, const struct reminder *reminder, struct why *why)
{
    AUTO_VAL(secret) url = { 0 };
    TRY(url_read(o->webhook, o->webhook_file, &url, why));
    json_t *document = reminder_json(reminder);
    char *text = json_dumps(document, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(document);
    if (!text)
        return fail(why, ERR_NO_MEMORY, "the document for the webhook");
    enum err err =
        send_webhook(&(struct send_target){ .url = &url, .ca_file = o->ca_file }, bytes_str(text), why);
    free(text);
    return err;
}

static enum err tell_mailbox(const struct remind_options *o, const struct reminder *reminder, struct why *why)
{
    char host[256] = "localhost";
    AUTO_VAL(secret) url = { 0 };
    AUTO_BUF text = { 0 };
    gethostname(host, sizeof(host) - 1);
    AUTO_STR from = o->mail_from ? xstrdup(o->mail_from) : xasprintf("chancery@%s", host);
    TRY(mail_address_check(from, why));
    reminder_mail(reminder, from, o->mail, &text);
    const struct mail mail = { from, o->mail, buf_bytes(&text) };
    if (!o->smtp && !o->smtp_file)
        return send_sendmail(&(struct mailer){ .program = o->sendmail }, &mail, why);
    TRY(url_read(o->smtp, o->smtp_file, &url, why));
    return send_smtp(&(struct send_target){ .url = &url, .ca_file = o->ca_file }, &mail, why);
}

static void note_failure(struct buf *failures, enum err err, const struct why *why)
{
    if (err != OK)
        buf_printf(failures, "%s%s", failures->len ? "; " : "", why->text);
}

/* Each way is tried, whatever became of the other. */
static void tell(const struct remind_options *o, const struct reminder *reminder, struct buf *failures)
{
    struct why why = { 0 };
    if (o->webhook || o->webhook_file)
        note_failure(failures, tell_webhook(o, reminder, &why), &why);
    if (o->mail)
        note_failure(failures, tell_mailbox(o, reminder, &why), &why);
}

static enum err print(const struct cli *cli, const struct reminder *reminder, struct why *why)
{
    if (!cli->json)
        return cli_print_list(cli, buf_bytes(&reminder->expiries->list), why);
    cli_print_json(reminder_json(reminder));
    return OK;
}

static enum err remind_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    struct remind_options options = { .within = DEFAULT_WITHIN, .sendmail = SENDMAIL };
    struct expiry_span span;
    AUTO_VAL(expiries) expiries = { 0 };
    AUTO_BUF failures = { 0 };
    const struct config *config;
    TRY(options_read(argc, argv, &options, why));
    TRY(options_judge(&options, why));
    TRY(span_read(options.within, &span, why));
    TRY(cli_config(cli, &config, why));
    TRY(expiries_collect(cli, &span, &expiries, why));
    const struct reminder reminder = { &expiries, &span, config_str(config_top(config), "site") };
    TRY(print(cli, &reminder, why));
    if (expiries.count)
        tell(&options, &reminder, &failures);
    if (expiries.failed && expiries.failed == expiries.asked)
        return fail(why, ERR_UNAVAILABLE, "%s", buf_text(&expiries.missing));
    if (!failures.len && !expiries.failed)
        return OK;
    return fail(why, ERR_PARTIAL, "%s%s%s", buf_text(&expiries.missing),
                expiries.failed && failures.len ? "; " : "", buf_text(&failures));
}
