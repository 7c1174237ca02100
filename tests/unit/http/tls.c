/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS as clients in the field speak it: curl and openssl s_client. */
#include "tests/unit/http/fixture.h"

#include "base/file.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int shell(const char *command)
{
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void make_certificate(const struct site *site, const char *name)
{
    AUTO_STR command =
        xasprintf("cd %s && openssl req -x509 -newkey rsa:2048 -sha256 -days 2 -subj /CN=%s "
                  "-addext subjectAltName=IP:127.0.0.1 -passout file:pass -keyout key.pem -out %s.pem "
                  "2>/dev/null && cp %s.pem certificate.pem",
                  site->dir, name, name, name);
    assert_int_equal(0, shell(command));
}

/* Their CA, and what it and others issued. */
static const char make_devices[] = "cd %s && exec 2>/dev/null && "
                                   "ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
                                   "-nodes -days 2 -subj /CN=Devices -keyout $1.key -out $1.pem; } && "
                                   "device() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
                                   "-nodes -subj /CN=$2 -keyout $2.key -out $2.csr && "
                                   "printf 'extendedKeyUsage=%%s\\n' $3 >$2.ext && "
                                   "openssl x509 -req -in $2.csr -CA $1.pem -CAkey $1.key -CAcreateserial "
                                   "-days $4 -extfile $2.ext -out $2.pem && "
                                   "openssl x509 -in $2.pem -outform DER -out $2.der; } && "
                                   "ca ours && ca theirs && device ours good clientAuth 2 && device theirs "
                                   "alien clientAuth 2 && device ours server serverAuth 2 && "
                                   "device ours ended clientAuth 0 && device good leaf clientAuth 2 && "
                                   "openssl x509 -in ours.pem -outform DER -out ours.der && "
                                   "openssl x509 -in theirs.pem -outform DER -out theirs.der";

static void begin_with(struct site *site, bool asking)
{
    struct why why;
    AUTO_BUF anchor = { 0 };
    site_setup(site);
    if (asking) {
        AUTO_STR make = xasprintf(make_devices, site->dir);
        AUTO_STR path = xasprintf("%s/ours.der", site->dir);
        assert_int_equal(0, shell(make));
        ASSERT_OK(file_read(path, 8192, &anchor, &why), &why);
    }
    AUTO_STR pass = xasprintf("%s/pass", site->dir);
    AUTO_STR certificate = xasprintf("%s/certificate.pem", site->dir);
    AUTO_STR key = xasprintf("%s/key.pem", site->dir);
    ASSERT_OK(file_write(pass, BYTES_LIT("pass"), 0400, &why), &why);
    make_certificate(site, "first");
    struct secret unlock = secret_dup(BYTES_LIT("pass"));
    ASSERT_OK(tls_server_new(&(struct tls_server_config){ .certificate_path = certificate,
                                                          .key_path = key,
                                                          .unlock = &unlock,
                                                          .client_anchors = buf_bytes(&anchor) },
                             &site->tls, &why),
              &why);
    secret_free(&unlock);
    site->limits.handshake_ms = 2000;
    site_start(site);
}

static void begin(struct site *site)
{
    begin_with(site, false);
}

/* curl's exit status; what it printed is in DIR/out. */
static int curl(const struct site *site, const char *arguments, const char *path)
{
    AUTO_STR command = xasprintf("cd %s && curl -sS --noproxy '*' --max-time 60 --cacert first.pem %s "
                                 "https://127.0.0.1:%d%s >out 2>err",
                                 site->dir, arguments, site->port, path);
    return shell(command);
}

static char *output(const struct site *site, const char *name)
{
    AUTO_STR path = xasprintf("%s/%s", site->dir, name);
    AUTO_BUF text = { 0 };
    struct why why;
    ASSERT_OK(file_read(path, 8 << 20, &text, &why), &why);
    return xstrdup(buf_text(&text));
}

static void assert_output(const struct site *site, const char *expected)
{
    AUTO_STR got = output(site, "out");
    assert_string_equal(expected, got);
}

TEST(curl_speaks_tls_12_and_13)
{
    struct site site;
    begin(&site);
    assert_int_equal(0, curl(&site, "--tlsv1.2 --tls-max 1.2", "/a?b=c"));
    assert_output(&site, "GET /a b=c 0\n");
    assert_int_equal(0, curl(&site, "--tlsv1.3", "/worker"));
    assert_output(&site, "GET /worker  0\n");
    assert_int_equal(0, curl(&site, "--data-binary @key.pem -o /dev/null -w '%{http_code}'", "/x"));
    assert_output(&site, "200");
    assert_int_equal(0, curl(&site, "-I -o /dev/null -w '%{http_code}'", "/large"));
    assert_output(&site, "200");
    assert_int_equal(0, curl(&site, "-o /dev/null -w '%{size_download}'", "/large"));
    assert_output(&site, "4194304");
    site_stop(&site);
}

TEST(curl_sees_the_refusal_of_a_large_upload)
{
    struct site site;
    begin(&site);
    AUTO_STR make = xasprintf("head -c 900000 /dev/zero >%s/big", site.dir);
    assert_int_equal(0, shell(make));
    assert_int_equal(0, curl(&site, "-H Expect: --data-binary @big -o /dev/null -w '%{http_code}'", "/x"));
    assert_output(&site, "413");
    site_stop(&site);
}

TEST(tls_11_is_refused_and_the_log_names_the_client)
{
    struct site site;
    begin(&site);
    AUTO_STR log = xasprintf("%s/stderr", site.dir);
    int saved = dup(STDERR_FILENO), to = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(saved >= 0 && to >= 0 && dup2(to, STDERR_FILENO) >= 0);
    AUTO_STR command =
        xasprintf("cd %s && openssl s_client -connect 127.0.0.1:%d -tls1_1 -cipher DEFAULT@SECLEVEL=0 "
                  "</dev/null >out 2>&1",
                  site.dir, site.port);
    int status = shell(command);
    assert_int_equal(0, curl(&site, "", "/x")); /* the log line is out by now */
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    close(to);
    assert_int_not_equal(0, status);
    AUTO_STR text = output(&site, "stderr");
    assert_non_null(strstr(text, "peer=127.0.0.1 offers only TLS 1.0/1.1"));
    assert_int_equal(1, atomic_load(&site.handled));
    site_stop(&site);
}

TEST(s_client_is_not_asked_for_a_certificate)
{
    struct site site;
    begin(&site);
    for (int minor = 2; minor <= 3; minor++) {
        AUTO_STR command =
            xasprintf("cd %s && printf 'GET /x HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -msg "
                      "-connect 127.0.0.1:%d -tls1_%d -CAfile first.pem >out 2>&1",
                      site.dir, site.port, minor);
        shell(command);
        AUTO_STR text = output(&site, "out");
        assert_non_null(strstr(text, "GET /x  0\n"));
        assert_non_null(strstr(text, "ServerHello"));
        assert_null(strstr(text, "CertificateRequest"));
    }
    site_stop(&site);
}

static int as(const struct site *site, const char *name, const char *options, const char *path)
{
    AUTO_STR arguments = xasprintf("--cert %s.pem --key %s.key %s", name, name, options);
    return curl(site, arguments, path);
}

static int who(const struct site *site, const char *name, const char *options)
{
    return as(site, name, options, "/who");
}

TEST(a_client_s_certificate_is_known_when_it_is_good_and_else_there_is_none)
{
    static const char *const others[] = { "alien", "server", "ended", "leaf", "theirs" };
    struct site site;
    begin_with(&site, true);
    AUTO_STR same = xasprintf("cmp -s %s/out %s/good.der", site.dir, site.dir);
    for (int minor = 2; minor <= 3; minor++) {
        AUTO_STR version = xasprintf("--tlsv1.%d --tls-max 1.%d", minor, minor);
        assert_int_equal(0, who(&site, "good", version));
        assert_int_equal(0, shell(same));
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
            if (strcmp(others[i], "ended") == 0)
                sleep(2);
            assert_int_equal(0, who(&site, others[i], version));
            assert_output(&site, "");
            assert_int_equal(0, as(&site, others[i], version, "/why"));
            AUTO_STR reason = output(&site, "out");
            assert_true(*reason);
            assert_true(strcmp(others[i], "ended") != 0 || !strcmp(reason, "certificate has expired"));
        }
        assert_int_equal(0, curl(&site, version, "/who")); /* none is needed */
        assert_output(&site, "");
        assert_int_equal(0, curl(&site, version, "/why"));
        assert_output(&site, "");
        assert_int_equal(0, as(&site, "good", version, "/why"));
        assert_output(&site, "");
    }
    struct why why;
    ASSERT_OK(tls_server_reload(site.tls, &why), &why);
    assert_int_equal(0, who(&site, "good", ""));
    assert_int_equal(0, shell(same));
    site_stop(&site);
}

TEST(a_certificate_of_one_connection_is_not_that_of_another)
{
    struct site site;
    begin_with(&site, true);
    /* One that has none, on the server that has just seen one; and one whose session is resumed keeps its own. */
    AUTO_STR both =
        xasprintf("cd %s && for minor in 2 3; do "
                  "printf 'GET /who HTTP/1.0\\r\\n\\r\\n' | openssl s_client -ign_eof -quiet -connect "
                  "127.0.0.1:%d -tls1_$minor "
                  "-cert good.pem -key good.key -sess_out session >resumed 2>&1; "
                  "printf 'GET /who HTTP/1.0\\r\\n\\r\\n' | openssl s_client -ign_eof -quiet -connect "
                  "127.0.0.1:%d -tls1_$minor "
                  "-sess_in session >resumed 2>&1; grep -a -q 'HTTP/1.1 200' resumed || exit 1; done",
                  site.dir, site.port, site.port);
    assert_int_equal(0, shell(both));
    assert_int_equal(0, curl(&site, "", "/who"));
    assert_output(&site, "");
    site_stop(&site);
}

static void file_append(const struct site *site, const char *name, struct buf *out)
{
    AUTO_STR path = xasprintf("%s/%s", site->dir, name);
    AUTO_BUF more = { 0 };
    struct why why;
    ASSERT_OK(file_read(path, 8192, &more, &why), &why);
    buf_append(out, buf_bytes(&more));
}

static void assert_known(const struct site *site, const char *name, bool known)
{
    AUTO_STR same = xasprintf("cmp -s %s/out %s/%s.der", site->dir, site->dir, name);
    assert_int_equal(0, who(site, name, ""));
    if (known)
        assert_int_equal(0, shell(same));
    else
        assert_output(site, "");
}

/* What s_client, with those options, is known as: the size of the answer's body. */
static int known_size(const struct site *site, const char *options)
{
    AUTO_STR ask =
        xasprintf("cd %s && printf 'GET /who HTTP/1.0\\r\\n\\r\\n' | openssl s_client -ign_eof -connect "
                  "127.0.0.1:%d %s >out 2>&1; "
                  "exit $(sed -n 's/^Content-Length: //p' out | tr -d '\\r' | head -c 2)",
                  site->dir, site->port, options);
    return shell(ask);
}

TEST(a_session_carries_nobody_over_a_change_of_trust)
{
    struct site site;
    struct why why;
    AUTO_BUF theirs = { 0 }, both = { 0 };
    begin_with(&site, true);
    file_append(&site, "theirs.der", &theirs);
    file_append(&site, "ours.der", &both);
    file_append(&site, "theirs.der", &both);
    for (int minor = 2; minor <= 3; minor++) {
        AUTO_STR first = xasprintf("-tls1_%d -cert good.pem -key good.key -sess_out session%d", minor, minor);
        AUTO_STR again = xasprintf("-tls1_%d -sess_in session%d", minor, minor);
        assert_int_not_equal(0, known_size(&site, first));
        assert_int_not_equal(0, known_size(&site, again)); /* resumed */
    }
    ASSERT_OK(tls_server_trust(site.tls, buf_bytes(&theirs), &why), &why);
    for (int minor = 2; minor <= 3; minor++) {
        AUTO_STR again = xasprintf("-tls1_%d -sess_in session%d", minor, minor);
        assert_int_equal(0, known_size(&site, again));
    }
    assert_known(&site, "good", false);
    assert_known(&site, "alien", true);
    ASSERT_ERR(ERR_KEY, tls_server_trust(site.tls, BYTES_LIT("no certificate"), &why), &why);
    ASSERT_OK(tls_server_reload(site.tls, &why), &why);
    assert_known(&site, "good", false);
    assert_known(&site, "alien", true);
    ASSERT_OK(tls_server_trust(site.tls, buf_bytes(&both), &why), &why);
    assert_known(&site, "good", true);
    assert_known(&site, "alien", true);
    site_stop(&site);
}

TEST(reloaded_certificate_is_served_to_new_connections)
{
    struct site site;
    struct why why;
    begin(&site);
    assert_int_equal(0, curl(&site, "", "/x"));
    make_certificate(&site, "second");
    assert_int_equal(0, curl(&site, "", "/x"));
    ASSERT_OK(tls_server_reload(site.tls, &why), &why);
    assert_int_equal(60, curl(&site, "", "/x")); /* not the certificate that first.pem vouches for */
    assert_int_equal(0, curl(&site, "--cacert second.pem", "/x"));
    site_stop(&site);
}

TEST(silent_and_plain_clients_do_not_hold_a_place)
{
    struct site site;
    begin(&site);
    int silent = client_connect(&site), plain = client_connect(&site);
    client_send_text(plain, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    uint8_t bytes[256];
    ssize_t got;
    while ((got = recv(plain, bytes, sizeof(bytes), 0)) > 0)
        assert_null(memmem(bytes, (size_t)got, "HTTP/", 5));
    assert_true(client_at_end(silent)); /* after handshake_ms */
    close(silent);
    close(plain);
    assert_int_equal(0, atomic_load(&site.handled));
    site_stop(&site);
}

TEST(requests_pipelined_in_one_record_are_all_answered)
{
    struct site site;
    begin(&site);
    AUTO_STR command = xasprintf(
        "cd %s && (for i in $(seq 200); do printf 'GET /n HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'; done; "
        "printf 'GET /end HTTP/1.0\\r\\n\\r\\n') | openssl s_client -quiet -connect 127.0.0.1:%d >out "
        "2>/dev/null",
        site.dir, site.port);
    shell(command);
    AUTO_STR text = output(&site, "out");
    size_t count = 0;
    for (const char *at = strstr(text, "GET /n  0\n"); at; at = strstr(at + 1, "GET /n  0\n"))
        count++;
    assert_int_equal(200, count);
    assert_non_null(strstr(text, "GET /end  0\n"));
    site_stop(&site);
}

RUN(T(curl_speaks_tls_12_and_13), T(curl_sees_the_refusal_of_a_large_upload),
    T(tls_11_is_refused_and_the_log_names_the_client),
    T(a_client_s_certificate_is_known_when_it_is_good_and_else_there_is_none),
    T(a_certificate_of_one_connection_is_not_that_of_another),
    T(a_session_carries_nobody_over_a_change_of_trust), T(s_client_is_not_asked_for_a_certificate),
    T(reloaded_certificate_is_served_to_new_connections), T(silent_and_plain_clients_do_not_hold_a_place),
    T(requests_pipelined_in_one_record_are_all_answered))
