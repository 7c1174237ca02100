/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers share: a page of objects, and a change of one. */
#pragma once
#include "mdm/api/route.h"

/* The page that the query asks for, of that class and below that condition (mdm/object.h; NULL: none) as the call's result. Names its
   own transaction. */
struct page { const struct object_class *class; const char *condition, *argument; };
NODISCARD enum err page_answer(struct api_call *call, struct store_tx *tx, const struct page *page, struct why *why);

/* The attributes that are users are given by id or UPN, and kept by id. */
NODISCARD enum err users_resolve(struct store_tx *tx, struct object *object, struct why *why);
/* The object that the path names by its index-th name. ERR_STALE: it is not the one that If-Match means. */
NODISCARD enum err object_named(struct store_tx *tx, const struct api_call *call, const struct object_class *class, size_t index,
                                struct object *ret, struct why *why);
/* A text of the body, of one line's length; empty when it is not there. needed: what it would be; NULL: it need not be there. */
NODISCARD enum err body_text(const json_t *json, const char *name, const char *needed, struct bytes *ret, struct why *why);
/* A row of the audit trail about an object of the call. detail: NULL for none. */
NODISCARD enum err call_audit(struct store_tx *tx, const struct api_call *call, const char *action, const char *object,
                              const json_t *detail, struct why *why);
/* Adds a token, whose secret `keep` keeps the digest of; the answer is the only place where it is shown. */
struct shown_once {
    struct object *token; const char *secret, *action;
    enum err (*keep)(struct store_tx *tx, const char *id, const char *secret, struct why *why);
    int64_t change;
};
NODISCARD enum err shown_once_add(struct store_tx *tx, struct api_call *call, const struct shown_once *shown, struct why *why);
/* A whole number from 1 to most, which is then not in the body any more; *value stays as it is when it is not there. */
NODISCARD enum err body_number(json_t *json, const char *name, int64_t most, int64_t *value, struct why *why);
/* A password of the body: a view, until body_wipe, which overwrites all texts of it. */
NODISCARD enum err body_secret(const json_t *json, const char *name, struct bytes *ret, struct why *why);
void body_wipe(json_t *json);
