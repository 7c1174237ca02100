/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the program chancery-signer answers: every verb there is, from every principal there could be. */
#include "tests/unit/ipc/matrix.h"
#include "tests/unit/signer/running.h"

#define SILENCE_MS 300 /* nothing comes: a signer that served would have answered within a few */

TEST(ca_reaches_seal_and_status_and_no_other_verb)
{
    struct running running = { 0 };
    running_start(&running);
    struct channel *channel = channel_over(running.fd);
    for (size_t v = 0; v < MATRIX_VERBS; v++) {
        struct why why = { 0 };
        const char *verb = matrix_verbs[v];
        bool seal = strcmp(verb, "seal") == 0, status = strcmp(verb, "status") == 0;
        /* the body has nothing in it to be sealed */
        ASSERT_ERR(seal     ? ERR_MALFORMED
                   : status ? OK
                            : ERR_NOT_AUTHORISED,
                   matrix_ask(channel, verb, &why), &why);
        if (!seal && !status && !strstr(why.text, "is not for \"ca\""))
            fail_msg("%s: %s", verb, why.text);
    }
    channel_free(channel);
    assert_int_equal(running_end(&running), 0);
}

static void ask_raw(int fd, const char *principal)
{
    AUTO_BUF out = { 0 };
    raw_hello(&out, principal);
    raw_frame(&out, 1, "status", BYTES_LIT("\x30\x00"));
    raw_frame(&out, 2, "seal", BYTES_LIT("\x30\x00"));
    raw_send(fd, buf_bytes(&out));
}

TEST(nobody_else_speaks_over_the_socket_of_ca)
{
    for (size_t p = 0; p < MATRIX_PEERS; p++) {
        struct running running = { 0 };
        AUTO_BUF der = { 0 };
        struct frame frame;
        if (strcmp(matrix_peers[p], "ca") == 0)
            continue;
        running_start(&running);
        ask_raw(running.fd, matrix_peers[p]);
        assert_true(raw_receive(running.fd, &der, &frame));
        assert_error(&frame, 0, ERR_NOT_AUTHORISED);
        assert_false(raw_receive(running.fd, &der, &frame)); /* and that was all */
        close(running.fd);
        assert_int_equal(running_end(&running), 0);
    }
}

/* Even a supervisor that gave it sockets of others would not have them answered. */
TEST(nobody_else_has_a_socket)
{
    int peer[2], listening, inherited, client;
    char path[64], peer_text[16], listen_text[16];
    struct why why;
    struct running running = { .more = { "--peer", peer_text, "--listen", listen_text } };
    snprintf(path, sizeof(path), "/tmp/chancery-signer-socket-%d", getpid());
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, peer));
    assert_int_equal(0, fcntl(peer[1], F_SETFD, FD_CLOEXEC));
    ASSERT_OK(listen_unix(path, &listening, &why), &why);
    inherited = dup(listening); /* listening itself is closed when the program starts */
    snprintf(peer_text, sizeof(peer_text), "cli=%d", peer[0]);
    snprintf(listen_text, sizeof(listen_text), "ca=%d", inherited);
    running_start(&running);
    ASSERT_OK(connect_unix(path, &client, &why), &why);
    ask_raw(peer[1], "cli");
    ask_raw(client, "ca");
    struct pollfd answers[] = { { .fd = peer[1], .events = POLLIN }, { .fd = client, .events = POLLIN } };
    assert_int_equal(0, poll(answers, 2, SILENCE_MS));
    struct channel *channel = channel_over(running.fd);
    ASSERT_OK(matrix_ask(channel, "status", &why), &why); /* it serves all the while */
    channel_free(channel);
    assert_int_equal(running_end(&running), 0);
    close(client);
    close(listening);
    close(inherited);
    close(peer[0]);
    close(peer[1]);
    unlink(path);
}

RUN(T(ca_reaches_seal_and_status_and_no_other_verb), T(nobody_else_speaks_over_the_socket_of_ca),
    T(nobody_else_has_a_socket))
