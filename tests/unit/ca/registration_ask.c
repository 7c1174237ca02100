/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/registration_ask.h"

#include "tests/unit/ca/verb_ask.h"

static struct registration_of of(const struct server *server)
{
    return (struct registration_of){ .ca = BYTES_LIT("issuing"),
                                     .server = bytes_str(server->name),
                                     .transaction_id = bytes_str(server->transaction),
                                     .peer = BYTES_LIT("192.0.2.7") };
}

enum err server_verify(const struct server *server, const struct device *device,
                       struct registration_answer *ret, struct why *why)
{
    AUTO_BUF body = { 0 }, answer = { 0 };
    const struct ipc_caller caller = { "scep" };
    AUTO_VAL(registration_claim)
    claim = { of(server), BYTES_LIT("NDESGebruiker"), buf_dup(buf_bytes(&device->csr)) };
    registration_claim_put(&body, &claim);
    TRY(verb_call(verb_named("challenge_claim"), server->world->ca, &caller, buf_bytes(&body), &answer, why));
    return registration_answer_get(buf_bytes(&answer), ret, why);
}

enum err server_notify(const struct server *server, const struct told *told, struct why *why)
{
    AUTO_BUF body = { 0 }, answer = { 0 };
    const struct ipc_caller caller = { "scep" };
    AUTO_VAL(registration_notice)
    notice = { of(server), bytes_str(told->challenge), told->disposition, told->hresult,
               told->certificate ? buf_dup(buf_bytes(told->certificate)) : (struct buf){ 0 } };
    registration_notice_put(&body, &notice);
    return verb_call(verb_named("challenge_close"), server->world->ca, &caller, buf_bytes(&body), &answer,
                     why);
}

struct buf certificate_elsewhere(const struct key *key)
{
    struct why why = { 0 };
    struct buf der = { 0 };
    uint8_t serial[SERIAL_BYTES];
    struct key *ca = NULL;
    const struct key_spec spec = { KEY_EC_P256, 0 };
    AUTO_BUF issuer = name_of("CN=Another CA"), subject = name_of("CN=device-1"), tbs = { 0 },
             signature = { 0 };
    ASSERT_OK(key_generate(&spec, NULL, &ca, &why), &why);
    ASSERT_OK(serial_make(NOW, serial, &why), &why);
    const struct signature_algorithm algorithm = key_signature_algorithm(ca);
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = algorithm,
                                       .issuer = buf_bytes(&issuer),
                                       .subject = buf_bytes(&subject),
                                       .spki = public_key_spki(key->public_half),
                                       .not_before = NOW - 600,
                                       .not_after = NOW + 86400,
                                       .key_usage = KU_DIGITAL_SIGNATURE,
                                       .path_len = -1 };
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    ASSERT_OK(key_sign(ca, algorithm.digest, buf_bytes(&tbs), &signature, &why), &why);
    signed_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), &der);
    key_free(ca);
    return der;
}
