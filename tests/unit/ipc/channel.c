/* SPDX-License-Identifier: Apache-2.0 */
/* The calling side: many threads, losses, late answers. */
#include "tests/unit/ipc/helper.h"

#include "base/clock.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

TEST(errors_come_back_with_their_text)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    AUTO(channel) channel = channel_to(&fixture, "scep");
    AUTO_BUF body = { 0 };
    struct why why;
    ASSERT_ERR(ERR_CHALLENGE_USED, channel_call(channel, "refuse", BYTES_NONE, 20000, &body, &why), &why);
    assert_string_equal(why.text, "refuse: challenge of d\xC3\xA9vice 7 was used before");
    assert_null(body.data);
    ASSERT_ERR(ERR_NOT_AUTHORISED, channel_call(channel, "unknown", BYTES_NONE, 20000, &body, &why), &why);
    ASSERT_OK(channel_call(channel, "nothing", BYTES_NONE, 20000, &body, &why), &why);
    ASSERT_BYTES(buf_bytes(&body), BYTES_LIT("\x05\x00"));
    fixture_close(&fixture);
}

struct crowd {
    struct channel *channel;
    atomic_int right, wrong;
};

static void *crowd_member(void *arg)
{
    struct crowd *crowd = arg;
    for (int64_t i = 0; i < 200; i++) {
        AUTO_BUF sent = { 0 };
        AUTO_BUF got = { 0 };
        struct why why;
        der_put_int64(&sent, i * 1000 + (int64_t)(uintptr_t)&sent % 1000);
        if (channel_call(crowd->channel, "echo", buf_bytes(&sent), 60000, &got, &why) == OK &&
            bytes_equal(buf_bytes(&got), buf_bytes(&sent)))
            crowd->right++;
        else
            crowd->wrong++;
    }
    return NULL;
}

TEST(sixty_four_threads_share_one_connection)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    struct crowd crowd = { .channel = channel_to(&fixture, "scep") };
    pthread_t threads[64];
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_member, &crowd), 0);
    for (size_t i = 0; i < 64; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.wrong, 0);
    assert_int_equal(crowd.right, 64 * 200);
    assert_int_equal(fixture.calls, 64 * 200);
    channel_free(crowd.channel);
    fixture_close(&fixture);
}

TEST(an_answer_that_comes_too_late_is_dropped)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    AUTO(channel) channel = channel_to(&fixture, "scep");
    AUTO_BUF body = { 0 };
    struct why why;
    ASSERT_ERR(ERR_TIMEOUT, channel_call(channel, "wait", BYTES_LIT("\x02\x01\x01"), 50, &body, &why), &why);
    assert_string_equal(why.text, "wait: no answer in time");
    fixture.released = 1;
    for (int i = 0; i < 20; i++) {
        AUTO_BUF got = { 0 };
        ASSERT_OK(channel_call(channel, "echo", BYTES_LIT("\x02\x01\x02"), 20000, &got, &why), &why);
        ASSERT_BYTES(buf_bytes(&got), BYTES_LIT("\x02\x01\x02"));
    }
    fixture_close(&fixture);
}

TEST(the_next_call_after_a_loss_connects_again)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    char path[64];
    snprintf(path, sizeof(path), "%.63s", fixture.path);
    AUTO(channel) channel = channel_to(&fixture, "scep");
    AUTO_BUF body = { 0 };
    struct why why;
    ASSERT_OK(channel_call(channel, "nothing", BYTES_NONE, 20000, &body, &why), &why);
    fixture_close(&fixture);
    AUTO_BUF none = { 0 };
    ASSERT_ERR(ERR_UNAVAILABLE, channel_call(channel, "nothing", BYTES_NONE, 2000, &none, &why), &why);
    assert_non_null(strstr(why.text, path));
    /* the same path, a new server */
    fixture_open(&fixture, 0, 4, 0);
    rmdir(fixture.folder);
    snprintf(fixture.path, sizeof(fixture.path), "%s", path);
    *strrchr(path, '/') = '\0';
    memcpy(fixture.folder, path, sizeof(path));
    assert_int_equal(mkdir(path, 0700), 0);
    fixture_listen(&fixture, "scep", -1);
    fixture_start(&fixture);
    ASSERT_OK(channel_call(channel, "nothing", BYTES_NONE, 20000, &none, &why), &why);
    fixture_close(&fixture);
}

/* A server restarted between two calls: the first call after it must not fail, as the peer never had it. */
TEST(a_connection_that_died_unnoticed_costs_no_call)
{
    for (int round = 0; round < 20; round++) {
        char folder[] = "/tmp/chancery-ipc-XXXXXX", path[64];
        struct why why;
        int listening;
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/socket", folder);
        ASSERT_OK(listen_unix(path, &listening, &why), &why);
        struct fixture fixture = { 0 };
        AUTO(channel) channel = NULL;
        const struct channel_config config = { .path = path, .principal = "scep" };
        ASSERT_OK(channel_new(&config, &channel, &why), &why);
        for (int restart = 0; restart < 2; restart++) {
            AUTO_BUF body = { 0 };
            fixture_open(&fixture, 0, 2, 0);
            /* the socket outlives the server, as under the supervisor */
            ASSERT_OK(ipc_server_listen(fixture.server, dup(listening), "scep", -1, &why), &why);
            fixture_start(&fixture);
            ASSERT_OK(channel_call(channel, "nothing", BYTES_NONE, 20000, &body, &why), &why);
            fixture_close(&fixture);
        }
        close(listening);
        unlink(path);
        rmdir(folder);
    }
}

TEST(a_peer_that_dies_while_we_wait_leaves_the_outcome_unknown)
{
    struct fixture fixture = { 0 };
    fixture_open(&fixture, 0, 2, 0);
    int pair[2];
    struct why why;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid_t child = fork();
    if (child == 0) { /* takes hello and one frame, then is killed */
        AUTO_BUF der = { 0 };
        AUTO_BUF answer = { 0 };
        struct frame frame;
        close(pair[1]);
        if (raw_receive(pair[0], &der, &frame)) {
            AUTO_BUF body = { 0 };
            const struct hello hello = { 1, 1, BYTES_LIT("scep") };
            hello_put(&body, &hello);
            raw_frame(&answer, frame.id, "hello", buf_bytes(&body));
            raw_send(pair[0], buf_bytes(&answer));
        }
        (void)raw_receive(pair[0], &der, &frame);
        kill(getpid(), SIGKILL);
    }
    close(pair[0]);
    AUTO(channel) channel = NULL;
    const struct channel_config config = { .fd = pair[1], .principal = "scep" };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    AUTO_BUF body = { 0 };
    ASSERT_ERR(ERR_UNAVAILABLE, channel_call(channel, "echo", BYTES_NONE, 20000, &body, &why), &why);
    assert_non_null(strstr(why.text, "connection lost"));
    /* an inherited socket is not connected again */
    ASSERT_ERR(ERR_UNAVAILABLE, channel_call(channel, "echo", BYTES_NONE, 20000, &body, &why), &why);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fixture_start(&fixture);
    fixture_close(&fixture);
}

static void count_loss(void *arg)
{
    atomic_int *lost = arg;
    (*lost)++;
}

TEST(an_inherited_socket_tells_when_the_peer_is_gone)
{
    int pair[2];
    struct why why;
    atomic_int lost = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct channel *channel;
    const struct channel_config config = {
        .fd = pair[1], .principal = "ca", .on_lost = count_loss, .on_lost_arg = &lost
    };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    close(pair[0]);
    wait_for(&lost, 1);
    channel_free(channel);
    assert_int_equal(lost, 1);
    /* and not when we leave ourselves */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const struct channel_config again = {
        .fd = pair[1], .principal = "ca", .on_lost = count_loss, .on_lost_arg = &lost
    };
    ASSERT_OK(channel_new(&again, &channel, &why), &why);
    channel_free(channel);
    assert_int_equal(lost, 1);
    close(pair[0]);
}

/* A peer that says what the script has after our hello. */
static enum err call_against(struct bytes script, const char *text_part)
{
    int pair[2];
    struct why why;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    raw_send(pair[0], script);
    AUTO(channel) channel = NULL;
    const struct channel_config config = { .fd = pair[1], .principal = "scep", .max_frame = 4096 };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    AUTO_BUF body = { 0 };
    enum err err = channel_call(channel, "echo", BYTES_NONE, 20000, &body, &why);
    if (!strstr(why.text, text_part))
        fail_msg("\"%s\" lacks \"%s\"", why.text, text_part);
    close(pair[0]);
    return err;
}

static void put_hello(struct buf *out, int min, int max, const char *principal)
{
    AUTO_BUF body = { 0 };
    const struct hello hello = { min, max, bytes_str(principal) };
    hello_put(&body, &hello);
    raw_frame(out, 1, "hello", buf_bytes(&body));
}

TEST(a_peer_that_answers_what_it_should_not_is_left)
{
    AUTO_BUF version = { 0 };
    AUTO_BUF undecided = { 0 };
    AUTO_BUF principal = { 0 };
    AUTO_BUF verb = { 0 };
    AUTO_BUF refused = { 0 };
    AUTO_BUF error = { 0 };
    put_hello(&version, FRAME_VERSION + 1, FRAME_VERSION + 1, "scep");
    assert_int_equal(call_against(buf_bytes(&version), "picked version"), ERR_UNAVAILABLE);
    put_hello(&undecided, 1, 2, "scep");
    assert_int_equal(call_against(buf_bytes(&undecided), "picked version 1 to 2"), ERR_UNAVAILABLE);
    put_hello(&principal, 1, 1, "cli");
    assert_int_equal(call_against(buf_bytes(&principal), "takes us for \"cli\""), ERR_UNAVAILABLE);
    raw_frame(&verb, 1, "ok", BYTES_NONE);
    assert_int_equal(call_against(buf_bytes(&verb), "answered hello with \"ok\""), ERR_UNAVAILABLE);
    frame_error_put(&error, ERR_NOT_AUTHORISED, "go away");
    raw_frame(&refused, 1, "error", buf_bytes(&error));
    assert_int_equal(call_against(buf_bytes(&refused), "go away"), ERR_NOT_AUTHORISED);
    assert_int_equal(call_against(BYTES_LIT("\x00\x00\x0F\xFD"), "answer of 4093 bytes, limit 4092"),
                     ERR_UNAVAILABLE);
    assert_int_equal(call_against(BYTES_LIT("\x00\x00\x00\x00"), "answer of 0 bytes"), ERR_UNAVAILABLE);
    assert_int_equal(call_against(BYTES_LIT("\x00\x00\x00\x02\x30\x80"), "not one SEQUENCE"),
                     ERR_UNAVAILABLE);
}

TEST(a_peer_that_never_answers_hello_costs_the_timeout)
{
    int pair[2];
    struct why why;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    AUTO(channel) channel = NULL;
    const struct channel_config config = { .fd = pair[1], .principal = "scep" };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    AUTO_BUF body = { 0 };
    ASSERT_ERR(ERR_TIMEOUT, channel_call(channel, "echo", BYTES_NONE, 30, &body, &why), &why);
    assert_string_equal(why.text, "echo: peer does not answer hello");
    close(pair[0]);
}

TEST(a_peer_that_never_answers_hello_is_given_up_before_the_time_of_the_call)
{
    int pair[2];
    struct why why;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    AUTO(channel) channel = NULL;
    const struct channel_config config = { .fd = pair[1], .principal = "cli", .hello_ms = 40 };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    AUTO_BUF body = { 0 };
    int64_t began = clock_mono_ms();
    ASSERT_ERR(ERR_TIMEOUT, channel_call(channel, "echo", BYTES_NONE, 3000, &body, &why), &why);
    assert_true(clock_mono_ms() - began < 2500);
    assert_string_equal(why.text, "echo: peer does not answer hello");
    close(pair[0]);
}

/* Once it is there, a call has the time that it was given. */
TEST(a_peer_that_answers_hello_may_take_its_time)
{
    struct fixture fixture = { 0 };
    struct why why;
    AUTO_BUF body = { 0 };
    fixture_serve(&fixture);
    AUTO(channel) channel = NULL;
    const struct channel_config config = {
        .path = fixture.path, .fd = -1, .principal = "scep", .hello_ms = 20000
    };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    ASSERT_OK(channel_call(channel, "echo", BYTES_LIT("\x02\x01\x02"), 30000, &body, &why), &why);
    buf_free(&body);
    ASSERT_ERR(ERR_TIMEOUT, channel_call(channel, "wait", BYTES_NONE, 50, &body, &why), &why);
    assert_string_equal(why.text, "wait: no answer in time");
    fixture.released = 1;
    fixture_close(&fixture);
}

/* A peer that reads nothing: its socket fills up, and callers get their threads back. */
TEST(a_peer_that_does_not_read_costs_the_timeout)
{
    int pair[2];
    struct why why;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    AUTO_BUF hello = { 0 };
    put_hello(&hello, 1, 1, "scep");
    raw_send(pair[0], buf_bytes(&hello));
    AUTO(channel) channel = NULL;
    const struct channel_config config = { .fd = pair[1], .principal = "scep" };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    AUTO_BUF large = { 0 };
    static const uint8_t filling[900000];
    der_put_octets(&large, BYTES_ARR(filling));
    AUTO_BUF body = { 0 };
    ASSERT_ERR(ERR_TIMEOUT, channel_call(channel, "echo", buf_bytes(&large), 50, &body, &why), &why);
    /* half a frame is on its way: this connection is of no use any more */
    ASSERT_ERR(ERR_UNAVAILABLE, channel_call(channel, "echo", BYTES_NONE, 20000, &body, &why), &why);
    close(pair[0]);
}

TEST(a_full_backlog_is_waited_for_no_longer_than_the_caller_wants)
{
    char folder[] = "/tmp/chancery-ipc-XXXXXX", path[64];
    struct why why;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    int listening;
    ASSERT_OK(listen_unix(path, &listening, &why), &why);
    assert_int_equal(listen(listening, 0), 0);
    int filler[4];
    size_t filled = 0;
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &len), 0);
    for (size_t i = 0; i < 4; i++) {
        filler[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        filled += connect(filler[i], (struct sockaddr *)&address, len) == 0;
    }
    assert_true(filled < 4);
    AUTO(channel) channel = NULL;
    const struct channel_config config = { .path = path, .principal = "scep" };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    AUTO_BUF body = { 0 };
    ASSERT_ERR(ERR_UNAVAILABLE, channel_call(channel, "echo", BYTES_NONE, 40, &body, &why), &why);
    for (size_t i = 0; i < 4; i++)
        close(filler[i]);
    close(listening);
    unlink(path);
    rmdir(folder);
}

TEST(wrong_principals_and_paths_are_said)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    struct why why;
    AUTO_BUF body = { 0 };
    AUTO(channel) wrong = channel_to(&fixture, "cli");
    ASSERT_ERR(ERR_NOT_AUTHORISED, channel_call(wrong, "echo", BYTES_NONE, 20000, &body, &why), &why);
    assert_non_null(strstr(why.text, "hello from \"cli\" on the socket of \"scep\""));
    struct channel *none = NULL;
    const struct channel_config nameless = { .path = fixture.path, .principal = "" };
    ASSERT_ERR(ERR_USAGE, channel_new(&nameless, &none, &why), &why);
    assert_null(none);
    char longest[200];
    memset(longest, 'p', sizeof(longest) - 1);
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    AUTO(channel) lost = NULL;
    const struct channel_config far = { .path = longest, .principal = "scep" };
    ASSERT_OK(channel_new(&far, &lost, &why), &why);
    ASSERT_ERR(ERR_CONFIG, channel_call(lost, "echo", BYTES_NONE, 1000, &body, &why), &why);
    fixture_close(&fixture);
}

struct kill_crowd {
    struct channel *channel;
    atomic_int ok, unavailable, other;
};

static void *kill_member(void *arg)
{
    struct kill_crowd *crowd = arg;
    for (int i = 0; i < 50; i++) {
        AUTO_BUF got = { 0 };
        struct why why;
        enum err err = channel_call(crowd->channel, "echo", BYTES_LIT("\x02\x01\x09"), 20000, &got, &why);
        if (err == OK && bytes_equal(buf_bytes(&got), BYTES_LIT("\x02\x01\x09")))
            crowd->ok++;
        else if (err == ERR_UNAVAILABLE)
            crowd->unavailable++;
        else
            crowd->other++;
    }
    return NULL;
}

/* Server after server dies under a crowd: calls end right or unavailable, nothing hangs, nothing is mixed up.
 */
TEST(servers_that_die_under_load_leave_no_call_hanging)
{
    char folder[] = "/tmp/chancery-ipc-XXXXXX", path[64];
    struct why why;
    int listening;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    ASSERT_OK(listen_unix(path, &listening, &why), &why);
    struct kill_crowd crowd = { 0 };
    const struct channel_config config = { .path = path, .principal = "scep" };
    ASSERT_OK(channel_new(&config, &crowd.channel, &why), &why);
    pthread_t threads[16];
    struct fixture fixture = { 0 };
    for (int round = 0; round < 6; round++) {
        fixture_open(&fixture, 0, 4, 0);
        ASSERT_OK(ipc_server_listen(fixture.server, dup(listening), "scep", -1, &why), &why);
        fixture_start(&fixture);
        if (round == 0) {
            for (size_t i = 0; i < 16; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, kill_member, &crowd), 0);
        }
        wait_for(&fixture.calls, round < 5 ? 1 : 0);
        if (round < 5)
            fixture_close(&fixture);
    }
    for (size_t i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.other, 0);
    assert_int_equal(crowd.ok + crowd.unavailable, 16 * 50);
    assert_true(crowd.ok > 0);
    channel_free(crowd.channel);
    fixture_close(&fixture);
    close(listening);
    unlink(path);
    rmdir(folder);
}

RUN(T(errors_come_back_with_their_text), T(sixty_four_threads_share_one_connection),
    T(an_answer_that_comes_too_late_is_dropped), T(the_next_call_after_a_loss_connects_again),
    T(a_connection_that_died_unnoticed_costs_no_call),
    T(a_peer_that_dies_while_we_wait_leaves_the_outcome_unknown),
    T(an_inherited_socket_tells_when_the_peer_is_gone), T(a_peer_that_answers_what_it_should_not_is_left),
    T(a_peer_that_never_answers_hello_costs_the_timeout),
    T(a_peer_that_never_answers_hello_is_given_up_before_the_time_of_the_call),
    T(a_peer_that_answers_hello_may_take_its_time), T(a_peer_that_does_not_read_costs_the_timeout),
    T(a_full_backlog_is_waited_for_no_longer_than_the_caller_wants), T(wrong_principals_and_paths_are_said),
    T(servers_that_die_under_load_leave_no_call_hanging))
