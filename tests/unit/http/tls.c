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

static void begin(struct site *site)
{
    struct why why;
    site_setup(site);
    AUTO_STR pass = xasprintf("%s/pass", site->dir);
    AUTO_STR certificate = xasprintf("%s/certificate.pem", site->dir);
    AUTO_STR key = xasprintf("%s/key.pem", site->dir);
    ASSERT_OK(file_write(pass, BYTES_LIT("pass"), 0400, &why), &why);
    make_certificate(site, "first");
    struct secret unlock = secret_dup(BYTES_LIT("pass"));
    ASSERT_OK(tls_server_new(&(struct tls_server_config){ certificate, key, &unlock }, &site->tls, &why),
              &why);
    secret_free(&unlock);
    site->limits.handshake_ms = 2000;
    site_start(site);
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
    T(tls_11_is_refused_and_the_log_names_the_client), T(s_client_is_not_asked_for_a_certificate),
    T(reloaded_certificate_is_served_to_new_connections), T(silent_and_plain_clients_do_not_hold_a_place),
    T(requests_pipelined_in_one_record_are_all_answered))
