/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment in three steps: what would happen is found out, the certificate is made outside of the store, and then it happens, if it is
   still the same. */
#include "mdm/enrol.h"

#include "base/fault.h"
#include "base/log.h"
#include "http/json_text.h"
#include "mdm/audit.h"
#include "mdm/change.h"
#include "mdm/device_store.h"
#include "mdm/enrolment_token.h"
#include "mdm/identity.h"
#include "mdm/user_store.h"
#include <stdio.h>

struct plan {
    struct object token;
    struct object device; /* that is there; without a class: it is a new one */
};

static void plan_free(struct plan *plan)
{
    object_free(&plan->token);
    object_free(&plan->device);
}

void enrolled_free(struct enrolled *enrolled)
{
    device_certificate_free(&enrolled->certificate);
}

/* --- may it? --- */

static enum err owner_check(struct store_tx *tx, const struct object *token, struct why *why)
{
    const char *owner = object_text(token, "owner");
    AUTO_VAL(user) user = { 0 };
    if (!owner)
        return OK;
    TRY(user_load(tx, owner, &user, why));
    if ((user.deleted || !user.enabled) && !FAULT(enrol_owner))
        return fail(why, ERR_NOT_AUTHORISED, "token %s is of user %s, who is %s", object_id(token), user.upn,
                    user.deleted ? "deleted" : "disabled");
    return OK;
}

static bool text_equal(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* Whoever has a token can say any serial number, so a device that has been here is had back only by a token of its own user. One that was
   only written down beforehand waits for its user's token, or for any when it has no user. */
static enum err again_check(struct store_tx *tx, const struct plan *plan, struct why *why)
{
    const char *id = object_id(&plan->device);
    const char *owner = object_text(&plan->device, "owner");
    bool had;
    TRY(identity_had(tx, id, &had, why));
    if (text_equal(owner, object_text(&plan->token, "owner")) || (!had && !owner) || FAULT(enrol_again))
        return OK;
    return fail(why, ERR_CONFLICT,
                "a device with this platform and serial number is there, and is not this token's to take: an "
                "administrator makes one of its user, or for it (chancery token add --device)");
}

/* The device that a token is for: the same one in what cannot change. */
static enum err named_check(const struct plan *plan, const struct object *given, struct why *why)
{
    const struct object *device = &plan->device;
    const char *serial = object_text(device, "serial"), *said = object_text(given, "serial");
    if (strcmp(object_text(device, "state"), word_name(&device_state_words, DEVICE_ENROLLED)) != 0)
        return fail(why, ERR_CONFLICT, "the token's device is %s", object_text(device, "state"));
    if (!text_equal(object_text(device, "platform"), object_text(given, "platform")) ||
        (serial && !text_equal(serial, said)))
        return fail(why, ERR_CONFLICT,
                    "the token is for a %s device with serial number %s, and this is a %s device with %s",
                    object_text(device, "platform"), serial ? serial : "of any kind",
                    object_text(given, "platform"), said ? said : "none");
    return OK;
}

static enum err device_find_same(struct store_tx *tx, const struct object *given, struct object *ret,
                                 struct why *why)
{
    AUTO(store_rows) rows = NULL;
    const char *serial = object_text(given, "serial");
    if (!serial)
        return OK;
    TRY(store_query(tx,
                    "SELECT id FROM device WHERE serial = $1 AND platform = $2 AND state = 'enrolled' "
                    "AND deleted_at IS NULL LIMIT 2",
                    S_ARGS(S_TEXT(serial), S_TEXT(object_text(given, "platform"))), &rows, why));
    if (store_rows_count(rows) > 1)
        return fail(why, ERR_CONFLICT,
                    "several devices have this platform and serial number: an administrator says which");
    return store_rows_count(rows) ? object_load(tx, &device_class, store_str(rows, 0, 0), ret, why) : OK;
}

static enum err plan_make(struct store_tx *tx, const struct enrolling *asked, struct plan *plan,
                          struct why *why)
{
    plan_free(plan);
    TRY(enrolment_token_find(tx, asked->token, asked->now, &plan->token, why));
    TRY(owner_check(tx, &plan->token, why));
    const char *named = object_text(&plan->token, "device");
    if (named) {
        TRY(object_load(tx, &device_class, named, &plan->device, why));
        return named_check(plan, asked->given, why);
    }
    TRY(device_find_same(tx, asked->given, &plan->device, why));
    return plan->device.class ? again_check(tx, plan, why) : OK;
}

/* --- it does --- */

struct entering {
    const struct enrolling *asked;
    struct enrolled *enrolled;
};

static enum err device_make(struct store_tx *tx, const struct entering *entering, const struct plan *plan,
                            int64_t change, struct why *why)
{
    int64_t now = entering->asked->now;
    AUTO_VAL(object) device = { .class = &device_class };
    object_copy(&device, entering->asked->given);
    object_set(&device, "id", bytes_str(entering->enrolled->device));
    object_set(&device, "source", BYTES_LIT("enrolment"));
    object_set(&device, "owner", bytes_str(object_text(&plan->token, "owner")));
    object_set_number(&device, "created_at", now);
    TRY(object_complete(&device, why));
    change_stamp(&device, change, now);
    return object_add(tx, &device, why);
}

static enum err device_take_again(struct store_tx *tx, const struct entering *entering, struct plan *plan,
                                  int64_t change, struct why *why)
{
    struct object *device = &plan->device;
    const char *owner = object_text(&plan->token, "owner");
    TRY(object_merge(device, entering->asked->given, why));
    if (owner)
        object_set(device, "owner", bytes_str(owner));
    change_stamp(device, change, entering->asked->now);
    TRY(object_save(tx, device, why));
    return FAULT(enrol_replaces) ? OK : identity_end(tx, object_id(device), NULL, entering->asked->now, why);
}

static enum err audit_put(struct store_tx *tx, const struct entering *entering, const struct plan *plan,
                          struct why *why)
{
    const struct enrolled *enrolled = entering->enrolled;
    AUTO_STR actor = xasprintf("token/%s", object_id(&plan->token));
    AUTO_BUF text = { 0 };
    const char *serial = object_text(entering->asked->given, "serial");
    AUTO_JSON detail =
        json_pack("{s:s?, s:s?, s:s, s:b}", "platform", object_text(entering->asked->given, "platform"),
                  "serial", serial, "certificate", enrolled->certificate.serial, "again", enrolled->again);
    json_text_append(&text, detail);
    const struct audit_entry entry = { actor, "device_enrol", enrolled->device, buf_text(&text),
                                       entering->asked->now };
    return audit_write(tx, &entry, why);
}

static enum err report_begin(struct store_tx *tx, const struct entering *entering, struct why *why)
{
    static const uint8_t nothing[32];
    return store_exec(
        tx,
        "INSERT INTO device_report (device_id, enrolled_at, seen_at, digest) VALUES ($1, $2, $2, $3) "
        "ON CONFLICT (device_id) DO UPDATE SET enrolled_at = $2, seen_at = $2, digest = $3",
        S_ARGS(S_TEXT(entering->enrolled->device), S_INT(entering->asked->now), S_BYTES(BYTES_ARR(nothing))),
        NULL, why);
}

static enum err enter_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct entering *entering = arg;
    struct enrolled *enrolled = entering->enrolled;
    AUTO_VAL(plan) plan = { 0 };
    int64_t change;
    TRY(change_next(tx, &change, why));
    TRY(plan_make(tx, entering->asked, &plan, why));
    bool again = plan.device.class != NULL;
    if (again != enrolled->again || (again && strcmp(object_id(&plan.device), enrolled->device) != 0))
        return fail(why, ERR_CONFLICT, "the device was enrolled by somebody else at the same time");
    TRY(enrolment_token_claim(tx, object_id(&plan.token), entering->asked->now, why));
    TRY(again ? device_take_again(tx, entering, &plan, change, why)
              : device_make(tx, entering, &plan, change, why));
    TRY(identity_add(tx, enrolled->device, &enrolled->certificate, entering->asked->now, why));
    TRY(report_begin(tx, entering, why));
    return audit_put(tx, entering, &plan, why);
}

struct finding {
    const struct enrolling *asked;
    char device[UUID_TEXT];
    bool again;
};

static enum err find_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct finding *finding = arg;
    AUTO_VAL(plan) plan = { 0 };
    TRY(plan_make(tx, finding->asked, &plan, why));
    finding->again = plan.device.class != NULL;
    if (finding->again)
        snprintf(finding->device, UUID_TEXT, "%s", object_id(&plan.device));
    return OK;
}

enum err enrol(const struct enrolling *asked, struct enrolled *ret, struct why *why)
{
    AUTO_VAL(enrolled) enrolled = { 0 };
    struct finding finding = { .asked = asked };
    struct entering entering = { asked, &enrolled };
    TRY(store_read(asked->mdm->store, find_work, &finding, why));
    enrolled.again = finding.again;
    if (!finding.again)
        TRY(uuid_make(finding.device, why));
    memcpy(enrolled.device, finding.device, UUID_TEXT);
    TRY(device_ca_issue(asked->mdm->device_ca, asked->csr, enrolled.device, asked->now, &enrolled.certificate,
                        why));
    TRY(store_write(asked->mdm->store, enter_work, &entering, why));
    log_info(NULL, "device enrolled device=%s again=%s certificate=%s", enrolled.device,
             enrolled.again ? "yes" : "no", enrolled.certificate.serial);
    *ret = enrolled;
    enrolled = (struct enrolled){ 0 };
    return OK;
}
