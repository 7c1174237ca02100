/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mdm/fake_ca.h"

#include "base/encode.h"
#include "ipc/record.h"
#include "mdm/ca_event.h"
#include "mdm/errand.h"
#include "mdm/signing.h"
#include "mdm/sweep.h"
#include <sys/stat.h>

struct fake_ca fake_ca;
static struct ca_client client;
static char folder[64];
static struct secret unlock;

/* --- what it answers --- */

static void crp_answer(struct buf *ret)
{
    AUTO(kept_generations) keys = kept_key_hold(fake_ca.crp);
    size_t list = records_begin(ret);
    for (size_t i = 0; i < keys->count; i++) {
        AUTO_BUF text = { 0 };
        base64_append(&text, buf_bytes(&keys->of[i].der));
        size_t mark = record_begin(ret);
        record_put_int(ret, "generation", keys->of[i].generation);
        record_put_int(ret, "expires", keys->of[i].cert.not_after);
        record_put(ret, "certificate", buf_bytes(&text));
        record_end(ret, mark);
    }
    records_end(ret, list);
}

static const char *field(const struct record *record, const char *name)
{
    static char texts[4][4096];
    static unsigned at;
    char *text = texts[at++ % 4];
    struct bytes value = BYTES_NONE;
    record_find(record, name, &value);
    snprintf(text, sizeof(texts[0]), "%.*s", (int)value.len, value.data ? (const char *)value.data : "");
    return text;
}

static void lease(struct buf *ret)
{
    size_t list = records_begin(ret);
    for (size_t i = 0; i < fake_ca.outbox_count; i++)
        buf_append(ret, buf_bytes(&fake_ca.outbox[i]));
    records_end(ret, list);
}

static void done(const struct record *record)
{
    AUTO_STR ids = xasprintf(",%s,", field(record, "ids"));
    for (size_t i = 0; i < fake_ca.outbox_count && !fake_ca.deaf; i++) {
        AUTO_STR id = xasprintf(",%zu,", i + 1);
        if (strstr(ids, id))
            buf_clear(&fake_ca.outbox[i]);
    }
}

static enum err answer_more(const char *verb, const struct record *record, struct buf *ret, struct why *why)
{
    if (strcmp(verb, "outbox_lease") == 0) {
        lease(ret);
    } else if (strcmp(verb, "outbox_done") == 0) {
        done(record);
        if (fake_ca.deaf)
            return fail(why, ERR_UNAVAILABLE, "the acknowledgement got lost");
    } else if (strcmp(verb, "authorisation_end") == 0) {
        AUTO_STR lines = xstrdup(field(record, "ends"));
        char *rest = lines;
        for (char *line; (line = strsep(&rest, "\n"));) {
            if (*line)
                buf_printf(&fake_ca.told, "end %s\n", line);
        }
    } else if (strcmp(verb, "authority_revoke") == 0) {
        if (fake_ca.revoking != OK)
            return fail(why, fake_ca.revoking, "as the test has it");
        buf_printf(&fake_ca.told, "revoke %s %s\n", field(record, "serial"), field(record, "reason"));
    } else {
        return fail(why, ERR_PROTOCOL, "no verb %s", verb);
    }
    return OK;
}

static enum err answer(const char *verb, const struct record *record, struct buf *ret, struct why *why)
{
    struct bytes text;
    if (strcmp(verb, "crp_get") == 0) {
        fake_ca.crp_calls++;
        crp_answer(ret);
        return OK;
    }
    if (strcmp(verb, "authority_successor") == 0) {
        fake_ca.successors++;
        assert_true(record_find(record, "certificate", &text));
        buf_free(&fake_ca.successor);
        assert_true(base64_decode(text, false, &fake_ca.successor));
        return OK;
    }
    return answer_more(verb, record, ret, why);
}

static enum err call(struct ca_client *self, const char *verb, struct bytes body, struct buf *ret,
                     struct why *why)
{
    struct record record;
    struct bytes ca;
    (void)self;
    fake_ca.calls++;
    if (fake_ca.err != OK)
        return fail(why, fake_ca.err, "%s: as the test has it", verb);
    TRY(record_get(body, &record, why));
    assert_true(record_find(&record, "ca", &ca) && bytes_equal(ca, BYTES_LIT("issuing")));
    return answer(verb, &record, ret, why);
}

static void release(struct ca_client *self)
{
    (void)self;
}

/* --- making it --- */

static void key_open(const struct kept_key_source *source)
{
    static const struct kept_key_kind kind = { .prefix = "crp",
                                               .subject = "CN=Certificate Registration Point",
                                               .name = "CRP key",
                                               .key_usage = KU_KEY_AGREEMENT,
                                               .validity_s = 365 * 86400,
                                               .renew_before_s = 60 * 86400 };
    struct why why = { 0 };
    ASSERT_OK(kept_key_open(&kind, source, NOW, &fake_ca.crp, &why), &why);
}

int fake_ca_begin(void **state)
{
    static const struct ca_client_ops ops = { .name = "fake", .call = call, .free = release };
    static const char *const cas[] = { "issuing" };
    struct why why = { 0 };
    agents_begin(state);
    snprintf(folder, sizeof(folder), "/tmp/chancery-fake-ca-XXXXXX");
    assert_non_null(mkdtemp(folder));
    ASSERT_OK(secret_random(32, &unlock, &why), &why);
    const struct kept_key_source source = { folder, folder, &unlock, NULL };
    fake_ca = (struct fake_ca){ 0 };
    client.ops = &ops;
    key_open(&source);
    struct ca_link_config config = { .client = &client, .cas = cas, .ca_count = 1 };
    ASSERT_OK(signing_open(&source, NOW, &config.signing, &why), &why);
    directory.mdm.link = ca_link_new(&config);
    directory.mdm.challenge_lifetime_s = 3600;
    ca_link_keep(&directory.mdm);
    return 0;
}

int fake_ca_end(void **state)
{
    AUTO_STR command = xasprintf("rm -rf %s", folder);
    ca_link_free(directory.mdm.link);
    kept_key_free(fake_ca.crp);
    buf_free(&fake_ca.successor);
    buf_free(&fake_ca.told);
    for (size_t i = 0; i < fake_ca.outbox_count; i++)
        buf_free(&fake_ca.outbox[i]);
    secret_free(&unlock);
    assert_int_equal(0, system(command));
    return agents_end(state);
}

void fake_ca_keep(void)
{
    struct why why = { 0 };
    ASSERT_OK(kept_key_keep(fake_ca.crp, directory.clock.held, &why), &why);
    ca_link_keep(&directory.mdm);
}

/* --- what it tells --- */

void fake_ca_tells(const struct fake_event *event)
{
    struct buf *out = &fake_ca.outbox[fake_ca.outbox_count++];
    AUTO_BUF text = { 0 };
    assert_true(fake_ca.outbox_count <= sizeof(fake_ca.outbox) / sizeof(*fake_ca.outbox));
    size_t mark = record_begin(out);
    record_put_int(out, "id", (int64_t)fake_ca.outbox_count);
    record_put_str(out, "kind", event->kind);
    record_put_int(out, "request", 7);
    record_put_str(out, "device", event->device);
    record_put_str(out, "profile", event->profile);
    record_put_str(out, "challenge", event->challenge);
    record_put_int(out, "version", event->version);
    record_put_str(out, "serial", event->serial);
    record_put_str(out, "error", event->error);
    record_put_str(out, "diagnosis", event->error ? "K411" : "");
    record_put_str(out, "reason", event->reason);
    if (event->certificate.len) {
        base64_append(&text, event->certificate);
        record_put(out, "certificate", buf_bytes(&text));
    }
    record_end(out, mark);
}

void fake_ca_exchange(void)
{
    struct why why = { 0 };
    struct sweep sweep = { 0 };
    enum err wanted = fake_ca.err != OK ? fake_ca.err : fake_ca.deaf ? ERR_UNAVAILABLE : OK;
    ASSERT_OK(sweep_open(&directory.mdm, &sweep, &why), &why);
    enum err err = errands_run(&directory.mdm, &why);
    if (err == OK)
        err = ca_events_run(&directory.mdm, &why);
    assert_int_equal(wanted, err);
}

/* --- what it would do with a challenge --- */

struct opening {
    struct challenge_peer signers[GENERATIONS_MAX];
    struct public_key *keys[GENERATIONS_MAX];
    struct challenge_own own[GENERATIONS_MAX];
};

enum err fake_ca_open(const char *text, struct challenge_opened *ret, struct why *why)
{
    AUTO(kept_generations) signing = kept_key_hold(ca_link_signing(directory.mdm.link));
    AUTO(kept_generations) crp = kept_key_hold(fake_ca.crp);
    struct opening it = { 0 };
    for (size_t i = 0; i < signing->count; i++) {
        ASSERT_OK(public_key_parse(signing->of[i].cert.spki, &it.keys[i], why), why);
        it.signers[i] = (struct challenge_peer){ &signing->of[i].cert, it.keys[i] };
    }
    for (size_t i = 0; i < crp->count; i++)
        it.own[i] = (struct challenge_own){ &crp->of[i].cert, crp->of[i].key };
    const struct challenge_keys keys = { it.signers, signing->count, it.own, crp->count };
    enum err err = challenge_open(bytes_str(text), &keys, directory.clock.held, ret, why);
    for (size_t i = 0; i < signing->count; i++)
        public_key_free(it.keys[i]);
    return err;
}
