/* SPDX-License-Identifier: Apache-2.0 */
/* The log that the guides tell administrators to read: CertificateRegistrationPoint.log, in the guides' words (spec challenge.md).
   Lines of one request stand together, each with the time and the request's transaction. */
#pragma once
#include "base/err.h"
#include "base/log_file.h"
#include "base/clock.h"

struct request;
/* The lines of one request while it is judged; nothing is kept where log is NULL. */
struct crp_lines { struct log_file *log; const struct clock *clock;
                   const char *server;                       /* another SCEP server that asks; NULL: our own does */
                   char context[480]; struct buf text; };
void crp_lines_begin(struct crp_lines *lines, const struct request *request);
/* `Validation Phase 1 finished with status True.`; before it the reason, where it is False. */
void crp_lines_phase(struct crp_lines *lines, int phase, enum err err, const struct why *why);
/* Why not, where it is no phase that refuses. */
void crp_lines_reason(struct crp_lines *lines, enum err err, const struct why *why);
/* `VerifyRequest Finished with status True`; written. */
void crp_lines_end(struct crp_lines *lines, enum err err);
/* Notify, from `Notify Started` to `Notify Finished.`; written. */
void crp_lines_notify(struct crp_lines *lines, const struct request *request, enum err err, const struct why *why);
