/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in libcrypto's locked heap. */
#include "base/secret.h"

#include "base/fault.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

struct secret secret_new(size_t len)
{
    struct secret secret = { .data = OPENSSL_secure_zalloc(len ? len : 1), .len = len };
    if (!secret.data)
        die("out of memory: the locked key heap is full, %zu bytes wanted", len);
    return secret;
}

struct secret secret_dup(struct bytes from)
{
    struct secret secret = secret_new(from.len);
    if (from.len)
        memcpy(secret.data, from.data, from.len);
    return secret;
}

enum err secret_random(size_t len, struct secret *ret, struct why *why)
{
    struct secret secret = secret_new(len);
    enum err err = random_fill(secret.data, len, why);
    if (err != OK) {
        secret_free(&secret);
        return err;
    }
    *ret = secret;
    return OK;
}

void secret_free(struct secret *secret)
{
    if (!secret)
        return;
    OPENSSL_secure_clear_free(secret->data, secret->len);
    *secret = (struct secret){ 0 };
}

bool secret_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

void secret_wipe(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}

enum err random_fill(void *out, size_t len, struct why *why)
{
    if (RAND_bytes(out, (int)len) != 1 && !FAULT(random_failure))
        return fail(why, ERR_INTERNAL, "the random generator failed");
    return OK;
}

static enum err read_open_secret(int fd, const char *path, size_t max, struct secret *ret, struct why *why)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail(why, ERR_IO, "cannot examine %s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return fail(why, ERR_IO, "%s is not a regular file", path);
    /* Root, at the command line, handles the roles' files; everybody else only what nobody else could have put there. */
    if (!FAULT(secret_owner) && info.st_uid != geteuid() && info.st_uid != 0 && geteuid() != 0)
        return fail(why, ERR_KEY,
                    "%s belongs to uid %u; a secret belongs to uid %u, who reads it, or to root", path,
                    (unsigned)info.st_uid, (unsigned)geteuid());
    if (!FAULT(secret_mode) && info.st_mode & 077)
        return fail(why, ERR_KEY,
                    "%s has mode %03o; a secret must give group and others nothing (chmod 0400)", path,
                    (unsigned)info.st_mode & 0777);
    if (info.st_size < 0 || (uintmax_t)info.st_size > max)
        return fail(why, ERR_LIMIT, "%s has %jd bytes, limit %zu", path, (intmax_t)info.st_size, max);
    struct secret secret = secret_new((size_t)info.st_size);
    size_t have = 0;
    while (have < secret.len) {
        ssize_t got = read(fd, secret.data + have, secret.len - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            secret_free(&secret);
            return fail(why, ERR_IO, "cannot read %s: %s", path, got ? strerror(errno) : "it shrank");
        }
        have += (size_t)got;
    }
    if (secret.len && secret.data[secret.len - 1] == '\n')
        secret.len--;
    *ret = secret;
    return OK;
}

enum err secret_read_file(const char *path, size_t max, struct secret *ret, struct why *why)
{
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* a FIFO is refused, not waited for */
    if (fd < 0)
        return fail_open(path, why);
    enum err err = read_open_secret(fd, path, max, ret, why);
    close(fd);
    return err;
}
