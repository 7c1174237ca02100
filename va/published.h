/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and CRLs of CAs that are not served by ca, such as an offline root: the files NAME.crt and NAME.crl (DER) of a folder. */
#pragma once
#include "va/document.h"

struct published;
struct published *published_new(const char *folder);
void published_free(struct published *published);
AUTO_DECLARE(published)
/* Reads the folder when something in it has changed since. What is no certificate and no CRL is logged and not served. */
void published_refresh(struct published *published);
/* From any thread; with a reference for the caller; NULL: there is no such file. name in lower case. */
struct document *published_find(struct published *published, const char *name);
size_t published_count(struct published *published);
/* Nobody renews them here: when each ends. visit is brief. */
struct published_file { const char *name; bool is_crl; int64_t ends; };    /* nextUpdate, or notAfter */
typedef void (*published_visit)(void *arg, const struct published_file *file);
void published_each(struct published *published, published_visit visit, void *arg);
