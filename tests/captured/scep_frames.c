/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured scep sends that is no frame, or one at the wrong time: each over a connection of its own. */
#include "tests/captured/captured.h"

#include "base/auto.h"
#include "base/file.h"
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS 150 /* what ca leaves open and unanswered waits for more, which is no wrong */
#define GARBAGE   40

static int connected(const struct captured *it)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", it->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("cannot connect to %s", it->path);
    return fd;
}

/* Sends, and reads until ca is silent or gone: "ok" must not be among it. */
static void raw_try(struct captured *it, struct bytes sent, const char *what)
{
    uint8_t answer[4096];
    size_t len = 0;
    int fd = connected(it);
    it->tries++;
    bool whole = write_all(fd, sent); /* not so when ca has closed meanwhile */
    (void)whole;
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    while (len < sizeof(answer) && poll(&wait, 1, ANSWER_MS) > 0) {
        ssize_t got = recv(fd, answer + len, sizeof(answer) - len, 0);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(fd);
    if (memmem(answer, len, "\x0c\x02ok", 4))
        captured_wrong(it, "ca said ok to %s", what);
}

static void put_frame(struct buf *out, int version, int64_t id, const char *verb, struct bytes body)
{
    const struct frame frame = { version, id, bytes_str(verb), body };
    frame_put(out, &frame);
}

static void put_hello(struct buf *out, int min, int max, const char *principal)
{
    AUTO_BUF body = { 0 };
    const struct hello hello = { min, max, bytes_str(principal) };
    hello_put(&body, &hello);
    put_frame(out, FRAME_VERSION_LEAST, 1, "hello", buf_bytes(&body));
}

static void try_hellos(struct captured *it)
{
    static const char *const principals[] = { "cli",   "ca",   "signer",   "mdm", "",
                                              "scep ", "SCEP", "scep cli", "*" };
    for (size_t i = 0; i < sizeof(principals) / sizeof(*principals); i++) {
        AUTO_BUF sent = { 0 };
        put_hello(&sent, 1, 1, principals[i]);
        put_frame(&sent, 1, 2, "status", BYTES_NONE);
        put_frame(&sent, 1, 3, "password_new", BYTES_NONE);
        raw_try(it, buf_bytes(&sent), principals[i]);
    }
    static const int versions[][2] = { { 0, 0 }, { 2, 9 }, { 9, 1 }, { -1, -1 } };
    for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
        AUTO_BUF sent = { 0 };
        put_hello(&sent, versions[i][0], versions[i][1], "scep");
        put_frame(&sent, versions[i][1], 2, "get_crl", BYTES_NONE);
        raw_try(it, buf_bytes(&sent), "a version that does not exist");
    }
}

static void try_order(struct captured *it)
{
    AUTO_BUF before = { 0 }, twice = { 0 }, other = { 0 };
    put_frame(&before, 1, 1, "get_crl", BYTES_NONE);
    raw_try(it, buf_bytes(&before), "a call before hello");
    put_hello(&twice, 1, 1, "scep");
    put_hello(&twice, 1, 1, "cli");
    put_frame(&twice, 1, 3, "status", BYTES_NONE);
    raw_try(it, buf_bytes(&twice), "a second hello");
    put_hello(&other, 1, 1, "scep");
    put_frame(&other, 2, 3, "get_crl", BYTES_NONE);
    raw_try(it, buf_bytes(&other), "a call of another version");
}

static void try_lengths(struct captured *it)
{
    static const uint8_t lengths[][4] = {
        { 0, 0, 0, 0 },    { 0, 0, 0, 1 },   { 0xFF, 0xFF, 0xFF, 0xFF }, { 0x7F, 0xFF, 0xFF, 0xFF },
        { 0, 0x10, 0, 1 }, { 0x80, 0, 0, 0 }
    };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        AUTO_BUF sent = { 0 };
        put_hello(&sent, 1, 1, "scep");
        buf_append(&sent, bytes_of(lengths[i], 4));
        buf_append(&sent, BYTES_LIT("0123456789"));
        raw_try(it, buf_bytes(&sent), "a wrong length");
    }
}

static void try_garbage(struct captured *it)
{
    for (int i = 0; i < GARBAGE; i++) {
        AUTO_BUF sent = { 0 };
        size_t len = 1 + prng_below(&it->prng, 200);
        put_hello(&sent, 1, 1, "scep");
        put_frame(&sent, 1, 7, "status", BYTES_NONE);
        size_t keep = 4 + prng_below(&it->prng, (uint32_t)sent.len - 4);
        sent.len = keep;
        buf_reserve(&sent, len);
        prng_fill(&it->prng, sent.data + sent.len, len);
        sent.len += len;
        raw_try(it, buf_bytes(&sent), "garbage");
    }
}

void try_frames(struct captured *it)
{
    try_hellos(it);
    try_order(it);
    try_lengths(it);
    try_garbage(it);
}
