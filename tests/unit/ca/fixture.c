/* SPDX-License-Identifier: Apache-2.0 */
/* A whole certificate authority for tests. */
#include "tests/unit/ca/fixture.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log_file.h"
#include "ca/authority_signer.h"
#include "ca/challenge.h"
#include "ca/partition.h"
#include "ca/schema.h"
#include "ipc/record.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum err seal_fake(void *arg, const struct seal_request *request,
                          const struct sealer_meanwhile *meanwhile, struct buf *ret_der, struct why *why)
{
    struct world *world = arg;
    AUTO_BUF signature = { 0 }, tbs = buf_dup(request->tbs);
    if (meanwhile)
        meanwhile->work(meanwhile->arg);
    if (world->on_seal) {
        void (*then)(struct world *) = world->on_seal;
        world->on_seal = NULL;
        then(world);
    }
    if (world->seal_error != OK)
        return fail(why, world->seal_error, "the sealer was told to fail");
    if (world->seal_other)
        tbs.data[tbs.len - 1] ^= 1;
    struct signature_algorithm algorithm = key_signature_algorithm(world->ca_key);
    TRY(key_sign(world->ca_key, algorithm.digest, buf_bytes(&tbs), &signature, why));
    if (world->seal_badly)
        signature.data[signature.len - 1] ^= 1;
    signed_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), ret_der);
    atomic_fetch_add(&world->seals, 1);
    return OK;
}

/* As signer does it: by another thread. */
struct fake_sealing {
    struct world *world;
    struct buf ca, tbs;
    enum seal_kind kind;
    sealer_done done;
    void *arg;
};

static void *seal_thread(void *arg)
{
    struct fake_sealing sealing = *(struct fake_sealing *)arg;
    const struct seal_request request = { buf_bytes(&sealing.ca), sealing.kind, buf_bytes(&sealing.tbs) };
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    free(arg);
    enum err err = seal_fake(sealing.world, &request, NULL, &der, &why);
    buf_free(&sealing.ca);
    buf_free(&sealing.tbs);
    sealing.done(sealing.arg, err, buf_bytes(&der), &why);
    return NULL;
}

static void seal_start_fake(void *arg, const struct seal_request *request, sealer_done done, void *done_arg)
{
    struct fake_sealing *sealing = xcalloc(1, sizeof(*sealing));
    pthread_t thread;
    *sealing = (struct fake_sealing){
        arg, buf_dup(request->ca), buf_dup(request->tbs), request->kind, done, done_arg
    };
    assert_int_equal(0, pthread_create(&thread, NULL, seal_thread, sealing));
    pthread_detach(thread);
}

struct buf name_of(const char *text)
{
    struct buf name = { 0 };
    struct why why = { 0 };
    ASSERT_OK(name_from_text(text, &name, &why), &why);
    return name;
}

static struct buf certificate_make(const struct key *key, const char *subject, bool is_ca)
{
    static const uint8_t serial[SERIAL_BYTES] = { 1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
                                                  11, 12, 13, 14, 15, 16, 17, 18, 19 };
    struct why why = { 0 };
    AUTO_BUF name = name_of(subject), tbs = { 0 }, signature = { 0 };
    struct signature_algorithm algorithm = key_signature_algorithm(key);
    struct tbs_params params = { .serial = BYTES_ARR(serial),
                                 .algorithm = algorithm,
                                 .issuer = buf_bytes(&name),
                                 .subject = buf_bytes(&name),
                                 .spki = public_key_spki(key->public_half),
                                 .not_before = NOW - 86400,
                                 .not_after = NOW + 5 * 365 * 86400LL,
                                 .key_usage = is_ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : KU_DIGITAL_SIGNATURE,
                                 .is_ca = is_ca,
                                 .path_len = is_ca ? 0 : -1 };
    struct buf der = { 0 };
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    ASSERT_OK(key_sign(key, algorithm.digest, buf_bytes(&tbs), &signature, &why), &why);
    signed_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), &der);
    return der;
}

struct buf self_signed_of(const struct key *key, const char *subject)
{
    return certificate_make(key, subject, false);
}

static enum err status_fake(void *arg, struct buf *ret_records, struct why *why)
{
    (void)arg, (void)why;
    size_t list = records_begin(ret_records), mark = record_begin(ret_records);
    record_put_str(ret_records, "journal_entries", "7");
    record_end(ret_records, mark);
    records_end(ret_records, list);
    return OK;
}

static void endpoint_add(struct world *world, const char *name, const char *validator, bool bare)
{
    struct why why = { 0 };
    char path[128];
    snprintf(path, sizeof(path), "%s/static-%s", world->folder, name);
    struct endpoint_params params = { .name = name,
                                      .issuer = "issuing",
                                      .validator = validator,
                                      .slots = { "SCEPDeviceSignature", bare ? NULL : "SCEPDeviceEncryption",
                                                 bare ? NULL : "SCEPDevice" },
                                      .challenge_lifetime_s = 3600,
                                      .challenges_outstanding = 5,
                                      .pending_max = 2,
                                      .static_path = path };
    ASSERT_OK(ca_add_endpoint(world->ca, &params, &why), &why);
}

const struct store_config *world_store;
unsigned world_partitions;
bool world_managed;

static void crp_begin(struct world *world)
{
    struct why why = { 0 };
    AUTO_STR keys = xasprintf("%s/keys", world->folder);
    AUTO_STR certs = xasprintf("%s/certs", world->folder);
    AUTO_STR log = xasprintf("%s/CertificateRegistrationPoint.log", world->folder);
    const struct kept_key_source source = { keys, certs, &world->challenge_key, NULL };
    ASSERT_OK(dir_make(keys, 0700, &why), &why);
    ASSERT_OK(dir_make(certs, 0700, &why), &why);
    ASSERT_OK(crp_open(&source, clock_now(&world->clock), &world->crp, &why), &why);
    ASSERT_OK(log_file_open(log, "CRP log", &world->crp_log, &why), &why);
}

static void managed_add(struct world *world)
{
    struct why why = { 0 };
    const struct endpoint_params params = { .name = "managed",
                                            .issuer = "issuing",
                                            .validator = "managed",
                                            .slots = { "SCEPDeviceSignature", "SCEPDeviceEncryption",
                                                       "SCEPUser" },
                                            .pending_max = 5 };
    ASSERT_OK(ca_add_endpoint(world->ca, &params, &why), &why);
}

static void world_open(struct world *world)
{
    struct why why = { 0 };
    char path[128];
    snprintf(path, sizeof(path), "%s/store.db", world->folder);
    struct store_config config = {
        .kind = STORE_SQLITE, .path = path, .migrations = ca_migrations, .migration_count = ca_migration_count
    };
    ASSERT_OK(store_open(world_store ? world_store : &config, &world->store, &why), &why);
    ASSERT_OK(template_seed(world->store, NOW, &why), &why);
    snprintf(path, sizeof(path), "%s/crl", world->folder);
    if (world->managed)
        crp_begin(world);
    struct ca_params params = { .clock = &world->clock,
                                .store = world->store,
                                .sealer = { seal_fake, world, seal_start_fake, status_fake },
                                .challenge_key = &world->challenge_key,
                                .crl_dir = path,
                                .crp = world->crp,
                                .crp_log = world->crp_log };
    static const char *const whole[] = { "http://ca.example/issuing.crl" };
    static const char *const parts[] = { "http://ca.example/issuing-%p.crl" };
    static const char *const eku[] = { "clientAuth", "serverAuth", "emailProtection",
                                       "certificateRequestAgent", "OCSPSigning" };
    world->ca = ca_new(&params);
    struct issuer_params issuer = { .name = "issuing",
                                    .certificate = buf_bytes(&world->ca_cert),
                                    .backdate_s = 600,
                                    .validity_max_s = 1095 * 86400LL,
                                    .allowed_eku = eku,
                                    .allowed_eku_count = sizeof(eku) / sizeof(*eku),
                                    .crl_validity_s = 7 * 86400,
                                    .crl_overlap_s = 86400,
                                    .cdp = world_partitions > 1 ? parts : whole,
                                    .cdp_count = 1,
                                    .crl_partitions = world_partitions };
    ASSERT_OK(ca_add_issuer(world->ca, &issuer, &why), &why);
    ASSERT_OK(partitions_fix(world->ca, &why), &why);
    endpoint_add(world, "static", "static", false);
    endpoint_add(world, "once", "one-time", false);
    endpoint_add(world, "manual", "manual", false);
    endpoint_add(world, "bare", "static", true);
    if (world->managed)
        managed_add(world);
    ASSERT_OK(ca_check_slots(world->ca, &why), &why);
    ASSERT_OK(rights_open(world->ca, &why), &why);
    ASSERT_OK(authority_signers_reload(world->ca, &why), &why);
}

static void password_write(struct world *world, const char *endpoint, const char *password)
{
    struct why why = { 0 };
    uint8_t mac[32];
    char path[128];
    AUTO_BUF text = { 0 };
    snprintf(path, sizeof(path), "%s/static-%s", world->folder, endpoint);
    ASSERT_OK(challenge_mac(&world->challenge_key, bytes_str(password), mac, &why), &why);
    hex_append(&text, BYTES_ARR(mac));
    ASSERT_OK(file_write(path, buf_bytes(&text), 0400, &why), &why);
}

struct world *world_new(enum key_kind ca_kind)
{
    secret_heap_open(LIMIT_SECRET_HEAP_BYTES);
    return world_new_unlocked(ca_kind);
}

struct world *world_new_unlocked(enum key_kind ca_kind)
{
    struct world *world = xcalloc(1, sizeof(*world));
    struct why why = { 0 };
    struct key_spec spec = { ca_kind, 2048 };
    const char *parent = getenv("TMPDIR");
    snprintf(world->folder, sizeof(world->folder), "%s/chancery-ca-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(world->folder));
    world->clock = clock_held_at(NOW);
    world->managed = world_managed;
    ASSERT_OK(secret_random(CHALLENGE_KEY_BYTES, &world->challenge_key, &why), &why);
    ASSERT_OK(key_generate(&spec, NULL, &world->ca_key, &why), &why);
    world->ca_cert = certificate_make(world->ca_key, "CN=Issuing CA,O=Test", true);
    password_write(world, "static", "secret");
    password_write(world, "bare", "secret");
    world_open(world);
    return world;
}

void world_reopen(struct world *world)
{
    ca_free(TAKE(world->ca));
    kept_key_free(TAKE(world->crp));
    log_file_free(TAKE(world->crp_log));
    store_free(TAKE(world->store));
    world_open(world);
}

void world_free(struct world *world)
{
    char command[128];
    ca_free(world->ca);
    kept_key_free(world->crp);
    log_file_free(world->crp_log);
    store_free(world->store);
    key_free(world->ca_key);
    buf_free(&world->ca_cert);
    secret_free(&world->challenge_key);
    snprintf(command, sizeof(command), "rm -rf %s", world->folder);
    assert_int_equal(0, system(command));
    free(world);
}

struct issuer *world_issuer(struct world *world)
{
    return ca_find_issuer(world->ca, BYTES_LIT("issuing"));
}

struct count_arg {
    const char *sql;
    int64_t count;
};

static enum err count_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct count_arg *count = arg;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, count->sql, S_NO_ARGS, &rows, why));
    count->count = store_int(rows, 0, 0);
    return OK;
}

int64_t world_count(struct world *world, const char *sql)
{
    struct why why = { 0 };
    struct count_arg count = { .sql = sql };
    ASSERT_OK(store_read(world->store, count_work, &count, &why), &why);
    return count.count;
}

/* On a connection of its own: the store takes no statements that change its tables. */
void world_exec(struct world *world, const char *sql)
{
    sqlite3 *database;
    char path[128];
    snprintf(path, sizeof(path), "%s/store.db", world->folder);
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &database));
    sqlite3_busy_timeout(database, 5000);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    sqlite3_close(database);
}

void device_ask(struct device *device, const struct ask *ask)
{
    struct why why = { 0 };
    AUTO_BUF name = name_of(ask->subject);
    struct csr_params params = { .subject = buf_bytes(&name),
                                 .challenge = ask->challenge,
                                 .extensions = ask->extensions };
    buf_free(&device->csr);
    ASSERT_OK(csr_make(&params, device->key, &device->csr, &why), &why);
}

struct device device_new(const struct ask *ask)
{
    struct device device = { 0 };
    struct why why = { 0 };
    struct key_spec spec = { ask->kind ? ask->kind : KEY_EC_P256, 2048 };
    ASSERT_OK(key_generate(&spec, NULL, &device.key, &why), &why);
    device.self_signed = self_signed_of(device.key, "CN=whoever");
    device_ask(&device, ask);
    return device;
}

void device_free(struct device *device)
{
    key_free(device->key);
    buf_free(&device->self_signed);
    buf_free(&device->csr);
}

enum err device_enroll_as(struct world *world, const struct device *device, const char *endpoint,
                          const char *transaction, struct enrolled *ret, struct why *why)
{
    struct enroll_request ask = { bytes_str(endpoint), buf_bytes(&device->csr), bytes_str(transaction),
                                  buf_bytes(&device->self_signed), BYTES_LIT("192.0.2.7") };
    return ca_enroll(world->ca, &ask, ret, why);
}

enum err device_enroll(struct world *world, const struct device *device, const char *endpoint,
                       struct enrolled *ret, struct why *why)
{
    return device_enroll_as(world, device, endpoint, "5f3c", ret, why);
}

enum err device_poll(struct world *world, const struct device *device, const char *endpoint,
                     struct enrolled *ret, struct why *why)
{
    struct enroll_poll ask = { .endpoint = bytes_str(endpoint),
                               .transaction_id = BYTES_LIT("5f3c"),
                               .signer_cert = buf_bytes(&device->self_signed) };
    return ca_poll(world->ca, &ask, ret, why);
}

struct buf key_usage_of(uint16_t bits)
{
    struct buf out = { 0 };
    extension_put_key_usage(&out, bits);
    return out;
}

const char *once_new(struct world *world)
{
    static char password[2 * CHALLENGE_PASSWORD_BYTES + 1];
    struct why why = { 0 };
    int64_t expires;
    const struct endpoint *endpoint = ca_find_endpoint(world->ca, BYTES_LIT("once"));
    ASSERT_OK(challenge_new(world->ca, endpoint, "cli", password, &expires, &why), &why);
    return password;
}

void device_assert_refused(struct world *world, enum err expected, const struct device *device,
                           const char *endpoint)
{
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    int64_t before = world_count(world, "SELECT COUNT(*) FROM certificate WHERE der IS NOT NULL");
    ASSERT_ERR(expected, device_enroll(world, device, endpoint, &got, &why), &why);
    assert_int_equal(expected, why.err);
    assert_true(why.text[0]);
    assert_int_equal(before, world_count(world, "SELECT COUNT(*) FROM certificate WHERE der IS NOT NULL"));
}

void device_assert_issued(struct world *world, const struct device *device, const char *endpoint,
                          struct enrolled *ret)
{
    struct why why = { 0 };
    struct cert cert;
    ASSERT_OK(device_enroll(world, device, endpoint, ret, &why), &why);
    assert_int_equal(ENROLL_ISSUED, ret->disposition);
    ASSERT_OK(cert_parse(buf_bytes(&ret->certificate), &cert, &why), &why);
    ASSERT_OK(cert_verify(&cert, world->ca_key->public_half, &why), &why);
    ASSERT_BYTES(cert.spki, public_key_spki(device->key->public_half));
}
