/* SPDX-License-Identifier: Apache-2.0 */
/* The seam of private keys, and the gate in front of what they cost. */
#include "x509/key_internal.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>

struct key_gate {
    sem_t free;
};

struct key_gate *key_gate_new(unsigned at_once)
{
    assert(at_once > 0);
    struct key_gate *gate = xcalloc(1, sizeof(*gate));
    if (sem_init(&gate->free, 0, at_once) != 0)
        die("cannot make a semaphore for %u key operations: %s", at_once, strerror(errno));
    return gate;
}

void key_gate_free(struct key_gate *gate)
{
    if (!gate)
        return;
    sem_destroy(&gate->free);
    free(gate);
}

void key_gate_enter(struct key_gate *gate)
{
    if (!gate)
        return;
    while (sem_wait(&gate->free) != 0) {
        if (errno != EINTR)
            die("cannot wait for the key gate: %s", strerror(errno));
    }
}

void key_gate_leave(struct key_gate *gate)
{
    if (gate && sem_post(&gate->free) != 0)
        die("cannot leave the key gate: %s", strerror(errno));
}

enum err key_sign(const struct key *key, enum digest digest, struct bytes data, struct buf *ret_signature,
                  struct why *why)
{
    return key->ops->sign(key, digest, data, ret_signature, why);
}

enum err key_decrypt_raw(const struct key *key, struct bytes in, struct buf *ret_raw, struct why *why)
{
    const struct public_key *half = key->public_half;
    if (half->kind != KEY_RSA)
        return fail(why, ERR_BAD_ALG, "decryption with a key of type %s, only RSA can",
                    key_kind_name(half->kind));
    if (in.len != half->modulus.len)
        return fail(why, ERR_MALFORMED, "RSA ciphertext of %zu octets, the key has %zu", in.len,
                    half->modulus.len);
    if (bytes_compare(in, half->modulus) >= 0) /* equal lengths: the order of the numbers; both are public */
        return fail(why, ERR_BAD_MESSAGE_CHECK,
                    "RSA ciphertext is not less than the modulus (RFC 8017 5.1.2)");
    return key->ops->decrypt(key, in, ret_raw, why);
}

enum err key_agree(const struct key *key, const struct public_key *peer, struct secret *ret_shared,
                   struct why *why)
{
    enum key_kind ours = key->public_half->kind;
    if (ours == KEY_RSA || ours != peer->kind)
        return fail(why, ERR_BAD_ALG, "key agreement of a %s key with a %s key, wanted two of one curve",
                    key_kind_name(ours), key_kind_name(peer->kind));
    if (!key->ops->agree)
        return fail(why, ERR_KEY, "a key held by %s cannot agree on a secret", key->ops->name);
    return key->ops->agree(key, peer, ret_shared, why);
}

void key_free(struct key *key)
{
    if (!key)
        return;
    public_key_free(key->public_half);
    key->ops->free(key);
}

struct signature_algorithm public_key_signature_algorithm(const struct public_key *key)
{
    enum key_kind kind = key->kind;
    enum digest digest = kind == KEY_EC_P384   ? DIGEST_SHA384
                         : kind == KEY_EC_P521 ? DIGEST_SHA512
                                               : DIGEST_SHA256;
    return (struct signature_algorithm){ .rsa = kind == KEY_RSA, .digest = digest };
}

struct signature_algorithm key_signature_algorithm(const struct key *key)
{
    return public_key_signature_algorithm(key->public_half);
}
