/* SPDX-License-Identifier: Apache-2.0 */
/* The program chancery-signer as the supervisor starts it, with a ca that may be captured. */
#include "tests/unit/signer/running.h"

#include "ipc/record.h"
#include <poll.h>
#include <signal.h>

static enum err seal_over(struct channel *channel, struct bytes tbs, struct buf *ret_der, struct why *why)
{
    AUTO_BUF body = { 0 };
    AUTO_BUF answer = { 0 };
    struct bytes der;
    const struct seal_request request = { BYTES_LIT("issuing"), SEAL_CERTIFICATE, tbs };
    seal_request_put(&body, &request);
    TRY(channel_call(channel, "seal", buf_bytes(&body), 30000, &answer, why));
    TRY(seal_answer_get(buf_bytes(&answer), &der, why));
    *ret_der = buf_dup(der);
    return OK;
}

/* The CA certificate of a site is dated by the site's fixed NOW; the program lives today. */
static bool today_is_within_the_ca(void)
{
    return time(NULL) > NOW - 10 * DAY && time(NULL) + 91 * DAY < NOW + 150 * DAY;
}

TEST(it_seals_over_its_socket_and_ends_when_ca_leaves)
{
    struct running running = { 0 };
    struct why why;
    AUTO_BUF tbs = { 0 };
    AUTO_BUF der = { 0 };
    AUTO_BUF none = { 0 };
    running_start(&running);
    struct channel *channel = channel_over(running.fd);
    good_tbs(&running.site, &tbs);
    enum err err = seal_over(channel, buf_bytes(&tbs), &der, &why);
    ASSERT_ERR(today_is_within_the_ca() ? OK : ERR_SIGNER_LIMIT, err, &why);
    ASSERT_ERR(ERR_MALFORMED, seal_over(channel, BYTES_LIT("0123456789abcdef"), &none, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, channel_call(channel, "sign", BYTES_NONE, 30000, &none, &why), &why);
    channel_free(channel);
    assert_int_equal(running_end(&running), 0);
}

/* Of the first record that has such a field. */
static char *said(struct bytes answer, const char *field)
{
    struct why why;
    struct der_reader list;
    struct record record;
    char *text = NULL;
    ASSERT_OK(records_get(answer, &list, &why), &why);
    while (!text && records_next(&list, &record))
        text = record_str(&record, field);
    return text;
}

static void assert_said(struct bytes answer, const char *field, const char *wanted)
{
    AUTO_STR text = said(answer, field);
    if (!text || strcmp(text, wanted) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", field, text ? text : "absent", wanted);
}

TEST(it_says_what_is_in_its_journal_and_which_keys_it_has)
{
    struct running running = { 0 };
    struct why why;
    AUTO_BUF answer = { 0 };
    running_start(&running);
    struct channel *channel = channel_over(running.fd);
    ASSERT_OK(channel_call(channel, "status", BYTES_NONE, 30000, &answer, &why), &why);
    assert_said(buf_bytes(&answer), "journal_entries", "0");
    assert_said(buf_bytes(&answer), "journal_last", "");
    assert_said(buf_bytes(&answer), "clock", "good");
    assert_said(buf_bytes(&answer), "ca", "issuing");
    assert_said(buf_bytes(&answer), "key", "P-256");
    assert_said(buf_bytes(&answer), "crl_sealed", "0");
    channel_free(channel);
    assert_int_equal(running_end(&running), 0);
}

/* Starts it with its messages in a file, which the caller frees. */
static char *running_start_told(struct running *running)
{
    struct why why;
    AUTO_BUF text = { 0 };
    char path[] = "/tmp/chancery-signer-log-XXXXXX";
    int log = mkstemp(path), before = dup(STDERR_FILENO);
    assert_int_equal(STDERR_FILENO, dup2(log, STDERR_FILENO));
    running_start(running);
    assert_int_equal(STDERR_FILENO, dup2(before, STDERR_FILENO));
    close(log);
    close(before);
    ASSERT_OK(file_read(path, 65536, &text, &why), &why);
    unlink(path);
    return xstrdup(buf_text(&text));
}

TEST(a_clock_behind_the_journal_is_an_alarm_when_it_starts_and_said_when_asked)
{
    struct running running = { .sealed_at = time(NULL) + DAY };
    struct why why;
    char last[21];
    AUTO_BUF answer = { 0 };
    AUTO_STR log = running_start_told(&running);
    clock_rfc3339(running.sealed_at, last);
    AUTO_STR entry = xasprintf("the journal's last entry is of %s: nothing is sealed before", last);
    assert_non_null(strstr(log, "alarm: the clock says "));
    assert_non_null(strstr(log, entry));
    struct channel *channel = channel_over(running.fd);
    ASSERT_OK(channel_call(channel, "status", BYTES_NONE, 30000, &answer, &why), &why);
    assert_said(buf_bytes(&answer), "journal_entries", "1");
    assert_said(buf_bytes(&answer), "journal_last", last);
    assert_said(buf_bytes(&answer), "clock", "behind-the-journal");
    channel_free(channel);
    assert_int_equal(running_end(&running), 0);
}

TEST(forged_frames_seal_nothing)
{
    struct running running = { 0 };
    running_start(&running);
    struct why why;
    uint64_t torn;
    AUTO_BUF good = { 0 };
    AUTO_STR path = site_file(&running.site, "journal");
    struct channel *channel = channel_over(running.fd);
    good_tbs(&running.site, &good);
    srandom(17);
    for (int round = 0; round < 1000; round++) {
        AUTO_BUF body = { 0 };
        AUTO_BUF answer = { 0 };
        AUTO_BUF tbs = buf_dup(buf_bytes(&good));
        /* never a good one: the issuer's first letter is another */
        uint8_t *issuer = memmem(tbs.data, tbs.len, "Issuing", 7);
        assert_non_null(issuer);
        *issuer = (uint8_t)('J' + random() % 15);
        const struct seal_request request = { BYTES_LIT("issuing"), round % 5 ? SEAL_CERTIFICATE : SEAL_CRL,
                                              buf_bytes(&tbs) };
        seal_request_put(&body, &request);
        for (long n = random() % 3; n; n--)
            body.data[4 + random() % (long)(body.len - 4)] = (uint8_t)random();
        enum err err = channel_call(channel, "seal", buf_bytes(&body), 30000, &answer, &why);
        assert_int_not_equal(err, OK);
        assert_int_not_equal(err, ERR_UNAVAILABLE);
    }
    ASSERT_OK(journal_each(path, NULL, NULL, &torn, &why), &why);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 26); /* the first line alone */
    channel_free(channel);
    assert_int_equal(running_end(&running), 0);
}

TEST(a_signal_ends_it_in_good_order)
{
    struct running running = { 0 };
    running_start(&running);
    int fd = running.fd; /* stays open: it is the signal that ends it */
    assert_int_equal(kill(running.pid, SIGHUP), 0);
    assert_int_equal(kill(running.pid, SIGTERM), 0);
    assert_int_equal(running_end(&running), 0);
    close(fd);
}

static int run_wrong(char *const *arguments)
{
    int status = 0;
    pid_t pid = start(arguments);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

TEST(wrong_arguments_are_usage_errors)
{
    struct site site;
    site_make(&site);
    put_unlock(&site);
    AUTO_STR config = xasprintf("%s/chancery.conf", site.dir);
    char trailing_fd[16], foreign_peer[16];
    int open_fd = dup(STDOUT_FILENO);
    snprintf(foreign_peer, sizeof(foreign_peer), "cli=%d", open_fd);
    char *none[] = { "chancery-signer", NULL };
    char *no_value[] = { "chancery-signer", "--config", NULL };
    char *unknown[] = { "chancery-signer", "--verbose", "1", NULL };
    char *twice[] = { "chancery-signer", "--config", config, "--config", config, NULL };
    char *no_peer[] = { "chancery-signer", "--config", config, NULL };
    char *foreign[] = { "chancery-signer", "--config", config, "--peer", foreign_peer, NULL };
    char *closed[] = { "chancery-signer", "--config", config, "--peer", "ca=999", NULL };
    char *standard[] = { "chancery-signer", "--config", config, "--peer", "ca=1", NULL };
    char *nameless[] = { "chancery-signer", "--config", config, "--peer", "=3", NULL };
    snprintf(trailing_fd, sizeof(trailing_fd), "%dx", open_fd);
    char *trailing[] = { "chancery-signer", "--config", config, "--ready", trailing_fd, NULL };
    char *const *all[] = { none,    no_value, unknown,  twice,    no_peer,
                           foreign, closed,   standard, nameless, trailing };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        assert_int_equal(run_wrong(all[i]), 2);
    close(open_fd);
    /* the file is there, but not what it should be */
    char *absent[] = { "chancery-signer", "--config", "/nonexistent.conf", NULL };
    assert_int_equal(run_wrong(absent), 3);
    AUTO_STR unlock = xasprintf("%s/etc/secrets/signer/unlock", site.dir);
    struct why why;
    ASSERT_OK(file_write(unlock, BYTES_LIT("too short"), 0400, &why), &why);
    assert_int_equal(run_wrong(no_peer), 1);
    ASSERT_OK(file_write(unlock, BYTES_LIT(UNLOCK), 0444, &why), &why);
    assert_int_equal(run_wrong(no_peer), 1);
    site_close(&site);
}

RUN(T(it_seals_over_its_socket_and_ends_when_ca_leaves),
    T(it_says_what_is_in_its_journal_and_which_keys_it_has),
    T(a_clock_behind_the_journal_is_an_alarm_when_it_starts_and_said_when_asked),
    T(forged_frames_seal_nothing), T(a_signal_ends_it_in_good_order), T(wrong_arguments_are_usage_errors))
