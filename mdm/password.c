/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/password.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/secret.h"
#include "mdm/fold.h"
#include "x509/text.h"
#include <argon2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#define LANES      1
#define SALT_BYTES 16
#define HASH_BYTES 32
/* Of hashes that a later release made; the store is ours, yet a row of it does not decide how much memory there has to be. */
#define KIB_MOST    262144
#define PASSES_MOST 16

struct passwords {
    pthread_mutex_t lock; /* whoever computes a hash */
    atomic_int inside;    /* who does, and who waits for it */
    char *nobody;         /* a hash that no password of anybody's has */
};

/* --- one at a time --- */

static enum err enter(struct passwords *passwords, struct why *why)
{
    if (atomic_fetch_add(&passwords->inside, 1) > PASSWORD_WAITING && !FAULT(password_waiting)) {
        atomic_fetch_sub(&passwords->inside, 1);
        return fail(why, ERR_BUSY, "%d sign-ins are waiting already", PASSWORD_WAITING);
    }
    if (!FAULT(password_one))
        pthread_mutex_lock(&passwords->lock);
    return OK;
}

static void leave(struct passwords *passwords)
{
    if (!FAULT(password_one))
        pthread_mutex_unlock(&passwords->lock);
    atomic_fetch_sub(&passwords->inside, 1);
}

/* --- hashes --- */

/* malloc would keep that much for each thread that ever computed one. */
static int block_take(uint8_t **ret, size_t size)
{
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return ARGON2_MEMORY_ALLOCATION_ERROR;
    *ret = block;
    return ARGON2_OK;
}

static void block_give(uint8_t *block, size_t size)
{
    secret_wipe(block, size);
    munmap(block, size);
}

/* What a hash was made with. */
struct recipe {
    unsigned kib, passes;
    uint8_t salt[SALT_BYTES], hash[HASH_BYTES];
};

static enum err compute(struct passwords *passwords, const struct recipe *recipe, struct bytes password,
                        uint8_t ret[static HASH_BYTES], struct why *why)
{
    argon2_context context = {
        .out = ret,
        .outlen = HASH_BYTES,
        .pwd = (uint8_t *)password.data, /* without ARGON2_FLAG_CLEAR_PASSWORD it is only read */
        .pwdlen = (uint32_t)password.len,
        .salt = (uint8_t *)recipe->salt,
        .saltlen = SALT_BYTES,
        .t_cost = recipe->passes,
        .m_cost = recipe->kib,
        .lanes = LANES,
        .threads = LANES,
        .version = ARGON2_VERSION_13,
        .allocate_cbk = block_take,
        .free_cbk = block_give,
    };
    TRY(enter(passwords, why));
    int code = argon2id_ctx(&context);
    leave(passwords);
    if (code == ARGON2_OK)
        return OK;
    return fail(why, code == ARGON2_MEMORY_ALLOCATION_ERROR ? ERR_NO_MEMORY : ERR_INTERNAL, "argon2: %s",
                argon2_error_message(code));
}

/* --- as text, in the PHC string format --- */

static void base64_put(struct buf *out, struct bytes in)
{
    AUTO_BUF padded = { 0 };
    base64_append(&padded, in);
    buf_printf(out, "%.*s", (int)strcspn(buf_text(&padded), "="), buf_text(&padded));
}

static char *recipe_text(const struct recipe *recipe)
{
    AUTO_BUF text = { 0 };
    buf_printf(&text, "$argon2id$v=%d$m=%u,t=%u,p=%d$", ARGON2_VERSION_13, recipe->kib, recipe->passes,
               LANES);
    base64_put(&text, BYTES_ARR(recipe->salt));
    buf_append_byte(&text, '$');
    base64_put(&text, BYTES_ARR(recipe->hash));
    return xstrdup(buf_text(&text));
}

static bool base64_take(const char *text, uint8_t *ret, size_t len)
{
    AUTO_BUF raw = { 0 };
    if (!base64_decode(bytes_str(text), false, &raw) || raw.len != len)
        return false;
    memcpy(ret, raw.data, len);
    return true;
}

static enum err recipe_read(const char *text, struct recipe *ret, struct why *why)
{
    char salt[64], hash[64];
    if (sscanf(text, "$argon2id$v=19$m=%9u,t=%9u,p=1$%63[^$]$%63[^$]", &ret->kib, &ret->passes, salt, hash) !=
            4 ||
        ret->kib > KIB_MOST || ret->passes > PASSES_MOST || !base64_take(salt, ret->salt, SALT_BYTES) ||
        !base64_take(hash, ret->hash, HASH_BYTES))
        return fail(why, ERR_STORE, "a password's hash in the store is none");
    return OK;
}

enum err passwords_hash(struct passwords *passwords, struct bytes password, char **ret, struct why *why)
{
    struct recipe recipe = { .kib = PASSWORD_KIB, .passes = PASSWORD_PASSES };
    TRY(random_fill(recipe.salt, sizeof(recipe.salt), why));
    TRY(compute(passwords, &recipe, password, recipe.hash, why));
    *ret = recipe_text(&recipe);
    return OK;
}

enum err passwords_check(struct passwords *passwords, const char *hash, struct bytes password,
                         bool *ret_right, struct why *why)
{
    struct recipe recipe;
    uint8_t computed[HASH_BYTES];
    *ret_right = false;
    if (!hash && FAULT(password_nobody))
        return OK;
    TRY(recipe_read(hash ? hash : passwords->nobody, &recipe, why));
    TRY(compute(passwords, &recipe, password, computed, why));
    *ret_right = hash && (secret_equal(BYTES_ARR(computed), BYTES_ARR(recipe.hash)) || FAULT(password_check));
    return OK;
}

enum err passwords_new(struct passwords **ret, struct why *why)
{
    uint8_t random[HASH_BYTES];
    TRY(random_fill(random, sizeof(random), why));
    AUTO(passwords) passwords = xcalloc(1, sizeof(*passwords));
    pthread_mutex_init(&passwords->lock, NULL);
    TRY(passwords_hash(passwords, BYTES_ARR(random), &passwords->nobody, why));
    *ret = TAKE(passwords);
    return OK;
}

void passwords_free(struct passwords *passwords)
{
    if (!passwords)
        return;
    pthread_mutex_destroy(&passwords->lock);
    free(passwords->nobody);
    free(passwords);
}

/* --- what they have to be --- */

static bool equal_but_for_case(struct bytes a, struct bytes b)
{
    AUTO_STR first = fold_dup(a);
    AUTO_STR second = fold_dup(b);
    bool equal = strcmp(first, second) == 0;
    secret_wipe(first, strlen(first));
    return equal;
}

enum err password_judge(struct bytes password, struct bytes name, struct why *why)
{
    if (!text_is_clean(password))
        return fail(why, ERR_VALUE, "the password is not UTF-8 without control characters");
    size_t length = text_length(password);
    if ((length < LIMIT_PASSWORD_MIN && !FAULT(password_short)) || length > LIMIT_PASSWORD_MAX)
        return fail(why, ERR_VALUE, "the password has %zu characters; allowed are %d to %d", length,
                    LIMIT_PASSWORD_MIN, LIMIT_PASSWORD_MAX);
    if (equal_but_for_case(password, name) && !FAULT(password_name))
        return fail(why, ERR_VALUE, "the password is the name");
    return OK;
}
