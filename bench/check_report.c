/* SPDX-License-Identifier: Apache-2.0 */
/* What holds over all answers together: one certificate a message, one message a serial. */
#include "base/auto.h"
#include "base/encode.h"
#include "bench/check.h"
#include "bench/records.h"

#include <stdio.h>
#include <stdlib.h>

#define PROBLEMS_SHOWN 10

struct tally {
    size_t answers, success, failure, pending, unanswered, certificates, repeated, wrong;
    size_t fail_infos[5];
    char shown[PROBLEMS_SHOWN][256];
};

static void wrong(struct tally *tally, const char *problem)
{
    if (tally->wrong < PROBLEMS_SHOWN)
        snprintf(tally->shown[tally->wrong], sizeof(tally->shown[0]), "%s", problem);
    tally->wrong++;
}

static void wrong_message(struct tally *tally, size_t message, const char *what)
{
    AUTO_STR text = xasprintf("message %zu: %s", message, what);
    wrong(tally, text);
}

/* Fills in the one certificate of each message. */
static void count_answers(const struct checked *checked, struct tally *tally, struct bytes *issued,
                          bool *answered)
{
    for (size_t i = 0; i < checked->count; i++) {
        const struct verdict *verdict = &checked->verdicts[i];
        size_t message = (size_t)checked->attempts[i].item;
        if (checked->attempts[i].status != 200)
            continue;
        tally->answers++;
        answered[message] = true;
        if (verdict->problem[0]) {
            wrong(tally, verdict->problem);
        } else if (verdict->status == '2') {
            tally->failure++;
            if (verdict->fail_info >= '0' && verdict->fail_info <= '4')
                tally->fail_infos[verdict->fail_info - '0']++;
        } else if (verdict->status == '3') {
            tally->pending++;
        } else {
            struct bytes der = buf_bytes(&verdict->certificate);
            tally->success++;
            if (!der.len)
                wrong_message(tally, message, "SUCCESS without a certificate");
            else if (!issued[message].len)
                issued[message] = der;
            else if (bytes_equal(issued[message], der))
                tally->repeated++;
            else
                wrong_message(tally, message, "two different certificates");
        }
    }
}

struct owned_serial {
    struct bytes serial;
    size_t message;
};

static int by_serial(const void *a, const void *b)
{
    return bytes_compare(((const struct owned_serial *)a)->serial, ((const struct owned_serial *)b)->serial);
}

static void find_duplicates(struct owned_serial *serials, size_t count, struct tally *tally)
{
    if (count)
        qsort(serials, count, sizeof(*serials), by_serial);
    for (size_t i = 1; i < count; i++) {
        if (bytes_equal(serials[i - 1].serial, serials[i].serial)) {
            AUTO_STR what = xasprintf("has the serial of message %zu", serials[i - 1].message);
            wrong_message(tally, serials[i].message, what);
        }
    }
}

static void write_certificate(FILE *out, size_t message, const struct cert *cert)
{
    AUTO_BUF line = { 0 };
    buf_printf(&line, "%zu ", message);
    serial_append_text(&line, cert->serial);
    buf_append_byte(&line, ' ');
    base64_append(&line, cert->der);
    buf_append_byte(&line, '\n');
    fwrite(line.data, 1, line.len, out);
}

static void take_certificates(const struct checked *checked, struct tally *tally, const struct bytes *issued,
                              FILE *out)
{
    struct owned_serial *serials = xcalloc(checked->work->count, sizeof(*serials));
    for (size_t i = 0; i < checked->work->count; i++) {
        struct cert cert;
        struct why why;
        if (!issued[i].len || cert_parse(issued[i], &cert, &why) != OK)
            continue;
        serials[tally->certificates++] = (struct owned_serial){ cert.serial, i };
        if (out)
            write_certificate(out, i, &cert);
    }
    find_duplicates(serials, tally->certificates, tally);
    free(serials);
}

/* Problems are our own words and error sentences; quotes in them would break the line. */
static void print_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar((unsigned char)*text < 0x20 ? ' ' : *text);
    }
    putchar('"');
}

static void print_tally(const struct tally *tally)
{
    static const char *const names[] = { "badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId" };
    const char *comma = "";
    printf("{\"answers\": %zu, \"success\": %zu, \"failure\": %zu, \"pending\": %zu, \"unanswered\": %zu, "
           "\"certificates\": %zu, \"repeated\": %zu, \"wrong\": %zu, \"fail_info\": {",
           tally->answers, tally->success, tally->failure, tally->pending, tally->unanswered,
           tally->certificates, tally->repeated, tally->wrong);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (tally->fail_infos[i]) {
            printf("%s\"%s\": %zu", comma, names[i], tally->fail_infos[i]);
            comma = ", ";
        }
    }
    printf("}, \"problems\": [");
    for (size_t i = 0; i < tally->wrong && i < PROBLEMS_SHOWN; i++) {
        printf("%s", i ? ", " : "");
        print_text(tally->shown[i]);
    }
    printf("]}\n");
}

int check_report(struct checked *checked, const char *certs_out)
{
    struct tally tally = { 0 };
    size_t count = checked->work->count;
    struct bytes *issued = xcalloc(count + 1, sizeof(*issued));
    bool *answered = xcalloc(count + 1, sizeof(*answered));
    FILE *out = certs_out ? records_create(certs_out) : NULL;
    count_answers(checked, &tally, issued, answered);
    for (size_t i = 0; i < count; i++)
        tally.unanswered += !answered[i];
    take_certificates(checked, &tally, issued, out);
    if (out)
        records_close(out, certs_out);
    print_tally(&tally);
    free(issued);
    free(answered);
    return tally.wrong ? 1 : 0;
}
