/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crp_log.h"

#include "base/log.h"
#include "ca/request.h"
#include <stdio.h>

static void line(struct crp_lines *lines, const char *text)
{
    char when[21];
    if (!lines->log)
        return;
    clock_rfc3339(clock_now(lines->clock), when);
    buf_printf(&lines->text, "%s %s %s\n", when, lines->context, text);
}

static const char *status_of(enum err err)
{
    return err == OK ? "True" : "False";
}

static void context_make(struct crp_lines *lines, const struct request *request)
{
    char id[100], from[80];
    log_word((const char *)request->transaction_id.data, request->transaction_id.len, id, sizeof(id));
    log_escape((const char *)request->peer.data, request->peer.len, from, sizeof(from));
    snprintf(lines->context, sizeof(lines->context), "tx=%s peer=%s%s%s", id, *from ? from : "-",
             lines->server ? " server=" : "", lines->server ? lines->server : "");
}

void crp_lines_begin(struct crp_lines *lines, const struct request *request)
{
    context_make(lines, request);
    line(lines, "VerifyRequest Started.");
}

void crp_lines_reason(struct crp_lines *lines, enum err err, const struct why *why)
{
    char reason[2 * sizeof(why->text)];
    log_escape(why->text, strlen(why->text), reason, sizeof(reason));
    AUTO_STR because = xasprintf("%s (%s)", reason, err_row(err)->name);
    line(lines, because);
}

void crp_lines_phase(struct crp_lines *lines, int phase, enum err err, const struct why *why)
{
    char text[80];
    if (err != OK)
        crp_lines_reason(lines, err, why);
    snprintf(text, sizeof(text), "Validation Phase %d finished with status %s.", phase, status_of(err));
    line(lines, text);
}

static void lines_write(struct crp_lines *lines)
{
    if (lines->log)
        log_file_write(lines->log, buf_bytes(&lines->text));
    buf_free(&lines->text);
}

void crp_lines_end(struct crp_lines *lines, enum err err)
{
    char text[64];
    snprintf(text, sizeof(text), "VerifyRequest Finished with status %s", status_of(err));
    line(lines, text);
    lines_write(lines);
}

void crp_lines_notify(struct crp_lines *lines, const struct request *request, enum err err,
                      const struct why *why)
{
    context_make(lines, request);
    line(lines, "Notify Started");
    if (err != OK)
        crp_lines_reason(lines, err, why);
    line(lines, "Notify Finished.");
    lines_write(lines);
}
