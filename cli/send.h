/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that leave this host: to a webhook, an SMTP server, or this host's mailer. Addresses of webhooks and servers may hold
   secrets: no sentence that comes back names them. */
#pragma once
#include "base/secret.h"

#define SEND_TIMEOUT_MS   30000
#define MAILER_TIMEOUT_MS 120000                              /* some mailers deliver before they end */
/* A URL, https: or smtps:, or http: and smtp: to this host itself (smtp: elsewhere with STARTTLS, or not at all). */
struct send_target {
    const struct secret *url;
    const char *ca_file;                                     /* PEM; NULL: the system's */
    int timeout_ms;                                          /* for the whole of it; 0: SEND_TIMEOUT_MS */
};
/* POSTs it; only an answer of 2xx is success, redirections are none. */
NODISCARD enum err send_webhook(const struct send_target *target, struct bytes json, struct why *why);

struct mail { const char *from, *to; struct bytes text; };   /* text: headers, an empty line, the body; lines end in LF */
NODISCARD enum err send_smtp(const struct send_target *target, const struct mail *mail, struct why *why);
/* program: a sendmail (-i -f FROM -- TO, the text on standard input). One that does not end in time is killed. */
struct mailer { const char *program; int timeout_ms; };      /* 0: MAILER_TIMEOUT_MS */
NODISCARD enum err send_sendmail(const struct mailer *mailer, const struct mail *mail, struct why *why);
/* One address, good for a header and an argument: printable ASCII without blanks, quotes, commas or brackets. */
NODISCARD enum err mail_address_check(const char *address, struct why *why);
