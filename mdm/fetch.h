/* SPDX-License-Identifier: Apache-2.0 */
/* What this role asks of an OpenID provider, over verified HTTPS: no redirects, no proxies of the environment, bounded in time and size. */
#pragma once
#include "base/bytes.h"

#define FETCH_TIMEOUT_MS 10000
#define FETCH_AT_ONCE    4                                   /* more are told to come again: a provider that hangs holds no more workers */

NODISCARD enum err fetch_open(struct why *why);              /* once, before the role has threads that fetch */
struct fetch { const char *url;                              /* https alone */
               const char *ca_file;                          /* NULL: the system's authorities */
               const char *form;                             /* application/x-www-form-urlencoded: a POST; NULL: a GET */
               const char *user, *password;                  /* Basic, percent-encoded already; NULL: none */
               size_t most; };                               /* octets of the answer */
/* The body of an answer with status 200. ERR_NOT_AUTHORISED: 4xx. ERR_UNAVAILABLE names the host alone: bodies and URLs may have secrets in them. */
NODISCARD enum err fetch(const struct fetch *asked, struct buf *ret, struct why *why);
