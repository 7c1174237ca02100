/* SPDX-License-Identifier: Apache-2.0 */
/* chancery request submit: a PKCS#10 file to the CA, and the certificate back (Windows' certreq -submit). */
#include "cli/command.h"

#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

static enum err submit_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_request_submit;
const struct command command_request_submit = {
    .noun = "request",
    .verb = "submit",
    .args = "FILE.csr --template NAME [--ca CA] [--out FILE]",
    .help = "have a certificate request (PKCS#10, PEM or DER) judged by a published template, and print the "
            "certificate; exit status 5 while it waits for approval (certreq -submit)",
    .run = submit_run,
};

struct submit_options {
    const char *csr, *template_name, *ca, *out;
};

static enum err options_read(int argc, char **argv, struct submit_options *ret, struct why *why)
{
    static const struct option options[] = { { "template", required_argument, NULL, 't' },
                                             { "ca", required_argument, NULL, 'c' },
                                             { "out", required_argument, NULL, 'o' },
                                             { 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return fail(why, ERR_USAGE, "unknown or incomplete option %s: chancery request submit %s",
                        argv[optind - 1], command_request_submit.args);
        *(option == 't' ? &ret->template_name : option == 'c' ? &ret->ca : &ret->out) = optarg;
    }
    TRY(cli_operands(argc - optind + 1, 1, why));
    if (!ret->template_name)
        return fail(why, ERR_USAGE,
                    "--template is missing; \"chancery template list\" shows those that are published");
    ret->csr = argv[optind];
    return OK;
}

/* What it says is for `ca` to judge: here it only has to be one. */
static enum err csr_load(const char *path, struct buf *ret, struct why *why)
{
    static const char begin[] = "-----BEGIN ";
    AUTO_BUF file = { 0 };
    TRY(file_read(path, LIMIT_TEXT_FILE_BYTES, &file, why));
    struct bytes text = buf_bytes(&file);
    bool pem = text.len && memmem(text.data, text.len, begin, sizeof(begin) - 1);
    if (pem && !pem_decode(text, "CERTIFICATE REQUEST", ret, NULL) &&
        !pem_decode(text, "NEW CERTIFICATE REQUEST", ret, NULL))
        return fail(why, ERR_MALFORMED,
                    "%s: no PEM block of type CERTIFICATE REQUEST or NEW CERTIFICATE REQUEST", path);
    if (!pem)
        buf_append(ret, text);
    if (!ret->len || ret->len > LIMIT_CSR_BYTES)
        return fail(why, ERR_LIMIT, "%s: the request has %zu octets, allowed 1 to %d", path, ret->len,
                    LIMIT_CSR_BYTES);
    return OK;
}

static enum err ask(struct cli *cli, const struct submit_options *options, struct bytes csr,
                    struct buf *ret_answer, struct why *why)
{
    AUTO_BUF body = { 0 }, text = { 0 };
    base64_append(&text, csr);
    size_t mark = record_begin(&body);
    record_put_str(&body, "template", options->template_name);
    record_put(&body, "csr", buf_bytes(&text));
    if (options->ca)
        record_put_str(&body, "ca", options->ca);
    record_end(&body, mark);
    return cli_call(cli, "ca", "request_submit", buf_bytes(&body), ret_answer, why);
}

/* All but the certificate, which stands in a file, or is not there yet. */
static enum err print_without_pem(const struct cli *cli, struct record record, const char *out,
                                  struct why *why)
{
    AUTO_BUF shown = { 0 };
    struct record_field field;
    size_t list = records_begin(&shown), mark = record_begin(&shown);
    while (record_next_field(&record, &field)) {
        AUTO_STR name = xstrndup((const char *)field.name.data, field.name.len);
        if (strcmp(name, "pem") != 0)
            record_put(&shown, name, field.value);
    }
    if (out)
        record_put_str(&shown, "certificate", out);
    record_end(&shown, mark);
    records_end(&shown, list);
    return cli_print_record(cli, buf_bytes(&shown), why);
}

static enum err answer_show(const struct cli *cli, const struct submit_options *options, struct bytes answer,
                            struct why *why)
{
    struct record record;
    struct bytes pem;
    TRY(cli_record(answer, &record, why));
    if (!record_find(&record, "pem", &pem))
        return fail(why, ERR_PROTOCOL, "the answer has no field pem");
    if (!pem.len) {
        TRY(print_without_pem(cli, record, NULL, why));
        return fail(why, ERR_PARTIAL,
                    "request %lld waits for approval by somebody else; once it is approved, the same command "
                    "gets its certificate",
                    (long long)record_int(&record, "id", 0));
    }
    if (!options->out)
        return cli_print_field(cli, answer, "pem", why);
    TRY(file_write_new(options->out, pem, 0644, why));
    return print_without_pem(cli, record, options->out, why);
}

static enum err submit_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    struct submit_options options = { 0 };
    AUTO_BUF csr = { 0 }, answer = { 0 };
    TRY(options_read(argc, argv, &options, why));
    TRY(csr_load(options.csr, &csr, why));
    if (options.out && access(options.out, F_OK) == 0) /* before anything is issued */
        return fail(why, ERR_CONFLICT, "%s exists and is not overwritten", options.out);
    TRY(ask(cli, &options, buf_bytes(&csr), &answer, why));
    return answer_show(cli, &options, buf_bytes(&answer), why);
}
