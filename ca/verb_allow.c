/* SPDX-License-Identifier: Apache-2.0 */
/* Which object a call is about, and whether the caller has the verb's right on it. */
#include "ca/verb_allow.h"

#include "base/fault.h"
#include "ca/certificate.h"
#include "ca/right_store.h"
#include "ca/verbs.h"
#include "ipc/enroll.h"
#include <stdlib.h>

struct object {
    const struct issuer *issuer; /* NULL: every CA */
    char *template_name;         /* NULL: the CA itself */
};

static void object_free(struct object *object)
{
    free(object->template_name);
}

static const struct issuer *issuer_of_endpoint(const struct ca *ca, struct bytes name)
{
    const struct endpoint *endpoint = ca_find_endpoint(ca, name);
    return endpoint ? endpoint->issuer : NULL;
}

struct template_arg {
    const char *sql;
    struct store_args args;
    char *found;
};

static enum err template_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct template_arg *of = arg;
    AUTO(store_rows) rows = NULL;
    free(of->found);
    of->found = NULL;
    TRY(store_query(tx, of->sql, of->args, &rows, why));
    if (store_rows_count(rows) && *store_str(rows, 0, 0))
        of->found = xstrdup(store_str(rows, 0, 0));
    return OK;
}

/* *ret NULL: no such row, or it never came to a template. */
static enum err template_of(struct ca *ca, const char *sql, struct store_args args, char **ret,
                            struct why *why)
{
    struct template_arg of = { .sql = sql, .args = args };
    enum err err = store_read(ca->store, template_work, &of, why);
    if (err != OK)
        free(of.found);
    else
        *ret = of.found;
    return err;
}

static enum err template_of_request(struct ca *ca, const struct record *record, struct object *ret,
                                    struct why *why)
{
    return template_of(ca, "SELECT template FROM request WHERE issuer_id = $1 AND request_id = $2",
                       S_ARGS(S_TEXT(ret->issuer->name), S_INT(record_int(record, "id", 0))),
                       &ret->template_name, why);
}

static enum err template_of_certificate(struct ca *ca, const struct record *record, struct object *ret,
                                        struct why *why)
{
    AUTO_STR text = record_str(record, "serial");
    AUTO_STR serial = NULL;
    if (!text || serial_from_text(text, &serial, NULL) != OK)
        return OK;
    return template_of(ca, "SELECT template FROM certificate WHERE issuer_id = $1 AND serial = $2",
                       S_ARGS(S_TEXT(ret->issuer->name), S_TEXT(serial)), &ret->template_name, why);
}

static enum err object_of_record(struct ca *ca, enum verb_object on, struct bytes body, struct object *ret,
                                 struct why *why)
{
    struct record record;
    struct issuer *issuer;
    struct bytes name;
    if (record_get(body, &record, NULL) != OK)
        return OK;
    if (on == ON_TEMPLATE) {
        ret->template_name = record_str(&record, "name");
        return OK;
    }
    if (on == ON_ENDPOINT) {
        ret->issuer = record_find(&record, "endpoint", &name) ? issuer_of_endpoint(ca, name) : NULL;
        return OK;
    }
    if (verb_issuer(ca, &record, &issuer, NULL) != OK)
        return OK;
    ret->issuer = issuer;
    if (on == ON_REQUEST)
        return template_of_request(ca, &record, ret, why);
    return on == ON_CERTIFICATE ? template_of_certificate(ca, &record, ret, why) : OK;
}

static enum err object_of(struct ca *ca, enum verb_object on, struct bytes body, struct object *ret,
                          struct why *why)
{
    struct enroll_request request;
    struct enroll_poll poll;
    switch (on) {
    case ON_EVERY_CA:
    case ON_SELF:
        return OK;
    case ON_ENROLMENT:
        if (enroll_request_get(body, &request, NULL) == OK)
            ret->issuer = issuer_of_endpoint(ca, request.endpoint);
        return OK;
    case ON_POLL:
        if (enroll_poll_get(body, &poll, NULL) == OK)
            ret->issuer = issuer_of_endpoint(ca, poll.endpoint);
        return OK;
    default:
        return object_of_record(ca, on, body, ret, why);
    }
}

static enum err object_allow(struct ca *ca, const struct object *object, const char *principal,
                             enum right right, struct why *why)
{
    for (size_t i = 0; i < ca->issuer_count; i++) {
        const struct right_question question = { principal, ca->issuers[i]->name, object->template_name,
                                                 right };
        if (!object->issuer || object->issuer == ca->issuers[i])
            TRY(right_check(ca, &question, why));
    }
    return OK;
}

enum err template_allow(struct ca *ca, const struct ipc_caller *caller, const char *template_name,
                        enum right right, struct why *why)
{
    AUTO_VAL(object) object = { .template_name = xstrdup(template_name) };
    AUTO_STR principal = principal_of(caller->principal);
    return object_allow(ca, &object, principal, right, why);
}

enum err verb_allow(void *role, const struct ipc_verb *verb, const struct ipc_caller *caller,
                    struct bytes body, struct why *why)
{
    struct ca *ca = role;
    const struct verb_rule *rule = &ca_verb_rules[verb - ca_verbs];
    AUTO_VAL(object) object = { 0 };
    TRY(object_of(ca, rule->on, body, &object, why));
    AUTO_STR principal =
        rule->on == ON_SELF ? role_principal_of(caller->principal) : principal_of(caller->principal);
    return FAULT(verb_right) ? OK : object_allow(ca, &object, principal, rule->right, why);
}
