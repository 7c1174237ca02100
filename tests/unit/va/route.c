/* SPDX-License-Identifier: Apache-2.0 */
/* From HTTP to an answer, over a real connection: what is given at once, what a worker gives, and what is refused. */
#include "va/route.h"
#include "tests/unit/http/fixture.h"
#include "tests/unit/told.h"
#include "tests/unit/va/fixture.h"

#include <semaphore.h>
#include <unistd.h>

struct served {
    struct scene scene;
    struct site http; /* for its client alone: the port */
    struct loop *loop;
    struct pool *pool;
    struct http_server *server;
    pthread_t thread;
};

static void *loop_thread(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void begin_with(struct served *served, unsigned partitions, const struct pool_config *pool)
{
    int fd;
    scene_begin(&served->scene);
    served->scene.partitions = partitions;
    scene_restart(&served->scene);
    site_setup(&served->http);
    assert_true(status_watch_round(served->scene.watch));
    MUST(loop_new(&served->loop, &must_));
    MUST(pool_new(pool, &served->pool, &must_));
    served->scene.va->pool = served->pool;
    const struct http_server_config config = { .loop = served->loop,
                                               .limits = served->http.limits,
                                               .handler = route_handle,
                                               .handler_arg = served->scene.va };
    MUST(http_server_new(&config, &served->server, &must_));
    MUST(listen_tcp("127.0.0.1:0", &fd, &must_));
    MUST(socket_port(fd, &served->http.port, &must_));
    MUST(http_server_listen(served->server, fd, NULL, &must_));
    pthread_create(&served->thread, NULL, loop_thread, served->loop);
}

static void begin(struct served *served)
{
    begin_with(served, 0, &(struct pool_config){ .threads = 4 });
}

static void end(struct served *served)
{
    AUTO_STR command = xasprintf("rm -rf '%s'", served->http.dir);
    loop_stop(served->loop);
    pthread_join(served->thread, NULL);
    pool_free(served->pool);
    http_server_free(served->server);
    loop_free(served->loop);
    scene_end(&served->scene);
    free(served->http.log_path);
    assert_int_equal(system(command), 0);
}

/* One request on a connection of its own. */
static void ask_raw(const struct served *served, struct bytes request, bool head_only, struct answer *ret)
{
    int fd = client_connect(&served->http);
    assert_true(client_send(fd, request));
    assert_true(client_read(fd, head_only, ret));
    close(fd);
}

static void get(const struct served *served, const char *path, struct answer *ret)
{
    AUTO_STR text = xasprintf("GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    ask_raw(served, bytes_str(text), false, ret);
}

static void post_der(const struct served *served, struct bytes der, struct answer *ret)
{
    AUTO_BUF text = { 0 };
    buf_printf(&text, "POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", der.len);
    buf_append(&text, der);
    ask_raw(served, buf_bytes(&text), false, ret);
}

static struct said said_by(const struct served *served, struct answer *answer)
{
    struct said said;
    assert_int_equal(answer->status, 200);
    assert_true(answer_has(answer, "Content-Type: application/ocsp-response\r\n"));
    said_read(&served->scene, buf_bytes(&answer->body), &said);
    answer_clear(answer);
    return said;
}

static struct said post(const struct served *served, const struct asked *asked)
{
    AUTO_BUF der = { 0 };
    struct answer answer = { 0 };
    request_make(&served->scene, asked, &der);
    post_der(served, buf_bytes(&der), &answer);
    return said_by(served, &answer);
}

static unsigned long long from_cache(struct served *served)
{
    return atomic_load(&served->scene.va->counters.from_cache);
}

TEST(the_second_answer_comes_from_the_cache_with_the_same_bytes)
{
    struct served served = { 0 };
    struct answer first = { 0 }, second = { 0 };
    AUTO_BUF der = { 0 };
    begin(&served);
    request_make(&served.scene, &(struct asked){ .serials = { GOOD } }, &der);
    post_der(&served, buf_bytes(&der), &first);
    assert_int_equal(from_cache(&served), 0);
    post_der(&served, buf_bytes(&der), &second);
    assert_int_equal(from_cache(&served), 1);
    ASSERT_BYTES(buf_bytes(&first.body), buf_bytes(&second.body));
    assert_true(answer_has(&second, "Cache-Control: public, no-transform, must-revalidate, max-age=100\r\n"));
    assert_int_equal(said_by(&served, &second).certs[0], OCSP_GOOD);
    answer_clear(&first);
    end(&served);
}

TEST(a_nonce_and_unknown_never_come_from_the_cache)
{
    struct served served = { 0 };
    begin(&served);
    for (int i = 0; i < 3; i++) {
        assert_true(post(&served, &(struct asked){ .serials = { GOOD }, .nonce = BYTES_LIT("n") }).has_nonce);
        assert_int_equal(post(&served, &(struct asked){ .serials = { "77" } }).certs[0], OCSP_UNKNOWN);
    }
    assert_int_equal(from_cache(&served), 0);
    end(&served);
}

TEST(errors_are_answers_that_nobody_keeps)
{
    struct served served = { 0 };
    struct answer answer = { 0 };
    begin(&served);
    post_der(&served, BYTES_LIT("garbage"), &answer);
    assert_true(answer_has(&answer, "Cache-Control: no-store\r\n"));
    assert_int_equal(said_by(&served, &answer).status, OCSP_MALFORMED_REQUEST);
    get(&served, "/ocsp", &answer);
    assert_int_equal(said_by(&served, &answer).status, OCSP_MALFORMED_REQUEST);
    get(&served, "/ocsp/%zz", &answer);
    assert_int_equal(said_by(&served, &answer).status, OCSP_MALFORMED_REQUEST);
    assert_int_equal(
        post(&served, &(struct asked){ .serials = { GOOD }, .issuer = &served.scene.fake.other_ca }).status,
        OCSP_UNAUTHORIZED);
    served.scene.fake.err = ERR_UNAVAILABLE;
    assert_int_equal(post(&served, &(struct asked){ .serials = { GOOD } }).status, OCSP_TRY_LATER);
    end(&served);
}

TEST(a_failure_of_ours_is_internal_error)
{
    struct served served = { 0 };
    begin(&served);
    served.scene.fake.garbage = "status_get";
    assert_int_equal(post(&served, &(struct asked){ .serials = { GOOD } }).status, OCSP_INTERNAL_ERROR);
    end(&served);
}

TEST(as_many_certificates_as_the_limit_are_answered_and_not_one_more)
{
    struct served served = { 0 };
    struct asked asked = { 0 };
    begin(&served);
    for (size_t i = 0; i < LIMIT_OCSP_REQUESTS; i++)
        asked.serials[i] = GOOD;
    assert_int_equal(post(&served, &asked).count, LIMIT_OCSP_REQUESTS);
    asked.serials[LIMIT_OCSP_REQUESTS] = GOOD;
    assert_int_equal(post(&served, &asked).status, OCSP_MALFORMED_REQUEST);
    end(&served);
}

TEST(whoever_is_busy_behind_va_is_try_later)
{
    static const enum err later[] = { ERR_BUSY, ERR_TIMEOUT, ERR_STORE, ERR_UNAVAILABLE };
    for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++) {
        struct served served = { 0 };
        struct answer answer = { 0 };
        AUTO_BUF der = { 0 };
        begin(&served);
        served.scene.fake.err = later[i];
        request_make(&served.scene, &(struct asked){ .serials = { GOOD } }, &der);
        post_der(&served, buf_bytes(&der), &answer);
        assert_true(answer_has(&answer, "Cache-Control: no-store\r\n"));
        assert_int_equal(said_by(&served, &answer).status, OCSP_TRY_LATER);
        assert_int_equal(1, atomic_load(&served.scene.va->counters.later));
        served.scene.fake.err =
            OK; /* a busy ca is asked again at once; one that did not answer, with the next round */
        if (later[i] == ERR_BUSY || later[i] == ERR_STORE)
            assert_int_equal(post(&served, &(struct asked){ .serials = { GOOD } }).certs[0], OCSP_GOOD);
        end(&served);
    }
}

TEST(before_ca_has_said_who_it_is_a_stranger_is_told_to_try_later)
{
    struct served served = { 0 };
    begin(&served);
    MUST(va_add_authority(served.scene.va, &(struct authority_params){ .name = "third", .has_ocsp = true },
                          &must_));
    assert_int_equal(
        post(&served, &(struct asked){ .serials = { GOOD }, .issuer = &served.scene.fake.other_ca }).status,
        OCSP_TRY_LATER);
    assert_int_equal(post(&served, &(struct asked){ .serials = { GOOD } }).certs[0], OCSP_GOOD);
    end(&served);
}

TEST(a_request_in_a_path_is_answered_like_one_in_a_body)
{
    struct served served = { 0 };
    struct answer answer = { 0 };
    AUTO_BUF der = { 0 }, text = { 0 };
    begin(&served);
    request_make(&served.scene, &(struct asked){ .serials = { GOOD } }, &der);
    buf_append_str(&text, "/OCSP//");
    base64_append(&text, buf_bytes(&der));
    get(&served, buf_text(&text), &answer);
    assert_int_equal(said_by(&served, &answer).certs[0], OCSP_GOOD);
    end(&served);
}

static int status_of(const struct served *served, const char *path)
{
    struct answer answer = { 0 };
    get(served, path, &answer);
    int status = answer.status;
    answer_clear(&answer);
    return status;
}

TEST(downloads_are_found_in_any_case_and_nothing_else_is)
{
    struct served served = { 0 };
    begin(&served);
    assert_int_equal(status_of(&served, "/CertEnroll/issuing.crl"), 503); /* ca has not published one yet */
    scene_crl(&served.scene, DOWNLOAD_CRL, 7, &served.scene.fake.ca);
    assert_true(status_watch_round(served.scene.watch));
    static const char *const there[] = { "/CertEnroll/issuing.crl", "/certenroll/ISSUING.CRL",
                                         "/CertEnroll/issuing.crt", "/CertEnroll/node.crt",
                                         "/CertEnroll/%69ssuing.crl" };
    static const char *const absent[] = { "/",
                                          "/CertEnroll",
                                          "/CertEnroll/",
                                          "/CertEnroll/issuing",
                                          "/CertEnroll/issuing+.crl",
                                          "/CertEnroll/issuing.crl.crl",
                                          "/CertEnroll/other.crl",
                                          "/CertEnroll/../CertEnroll/issuing.crl",
                                          "/CertEnroll//issuing.crl",
                                          "/ocspx",
                                          "/issuing.crl" };
    for (size_t i = 0; i < sizeof(there) / sizeof(*there); i++)
        assert_int_equal(status_of(&served, there[i]), 200);
    for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
        assert_int_equal(status_of(&served, absent[i]), 404);
    scene_crl(&served.scene, DOWNLOAD_DELTA, 8, &served.scene.fake.ca);
    assert_true(status_watch_round(served.scene.watch));
    assert_int_equal(status_of(&served, "/CertEnroll/issuing+.crl"), 200);
    assert_int_equal(status_of(&served, "/CertEnroll/issuing%2B.crl"), 200);
    end(&served);
}

TEST(each_partition_has_its_path)
{
    struct served served = { 0 };
    begin_with(&served, 12, &(struct pool_config){ .threads = 4 });
    assert_int_equal(status_of(&served, "/CertEnroll/issuing-2.crl"), 503); /* ca has not published it yet */
    served.scene.partition = 12;
    scene_crl(&served.scene, DOWNLOAD_CRL, 7, &served.scene.fake.ca);
    assert_true(status_watch_round(served.scene.watch));
    static const char *const absent[] = { "issuing.crl",     "issuing-0.crl",   "issuing-13.crl",
                                          "issuing-012.crl", "issuing-+1.crl",  "issuing-.crl",
                                          "issuing-1",       "issuing-1.crl.x", "issuing-4294967297.crl",
                                          "node-1.crl",      "issuing-1+.crl",  "issuing-2x.crl" };
    for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
        AUTO_STR path = xasprintf("/CertEnroll/%s", absent[i]);
        assert_int_equal(status_of(&served, path), 404);
    }
    assert_int_equal(status_of(&served, "/CertEnroll/issuing-12.crl"), 200);
    assert_int_equal(status_of(&served, "/CertEnroll/Issuing-12.CRL"), 200);
    assert_int_equal(status_of(&served, "/CertEnroll/issuing-1.crl"), 503);
    end(&served);
}

TEST(head_and_conditions_are_honoured_and_post_is_refused)
{
    struct served served = { 0 };
    struct answer answer = { 0 };
    begin(&served);
    ask_raw(&served, BYTES_LIT("HEAD /CertEnroll/issuing.crt HTTP/1.1\r\nHost: a\r\n\r\n"), true, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(answer_has(&answer, "Content-Type: application/pkix-cert\r\n"));
    assert_false(answer_has(&answer, "Content-Length: 0\r\n"));
    ask_raw(&served, BYTES_LIT("GET /CertEnroll/issuing.crt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n"),
            true, &answer);
    assert_int_equal(answer.status, 304);
    assert_true(answer_has(&answer, "ETag: \""));
    ask_raw(&served,
            BYTES_LIT("POST /CertEnroll/issuing.crt HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), false,
            &answer);
    assert_int_equal(answer.status, 405);
    assert_true(answer_has(&answer, "Allow: GET, HEAD\r\n"));
    answer_clear(&answer);
    end(&served);
}

TEST(half_way_to_its_end_an_answer_is_renewed_behind_who_asks)
{
    struct served served = { 0 };
    begin(&served);
    assert_int_equal(post(&served, &(struct asked){ .serials = { GOOD } }).this_update, NOW);
    served.scene.clock.held = NOW + VALIDITY / 2;
    assert_true(status_watch_round(served.scene.watch));
    assert_int_equal(post(&served, &(struct asked){ .serials = { GOOD } }).this_update, NOW);
    int64_t until = clock_mono_ms() + test_patience_s() * 1000;
    int64_t said = 0;
    while (said != NOW + VALIDITY / 2 && clock_mono_ms() < until)
        said = post(&served, &(struct asked){ .serials = { GOOD } }).this_update;
    assert_int_equal(said, NOW + VALIDITY / 2);
    end(&served);
}

/* --- a full queue --- */

static struct told entered;
static sem_t gate;

static void wait_at_gate(struct fake_ca *fake)
{
    (void)fake;
    told_one(&entered, NULL);
    while (sem_wait(&gate) != 0)
        continue;
}

static int sent(const struct served *served, const char *serial)
{
    AUTO_BUF der = { 0 }, text = { 0 };
    int fd = client_connect(&served->http);
    request_make(&served->scene, &(struct asked){ .serials = { serial } }, &der);
    buf_printf(&text, "POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", der.len);
    buf_append(&text, buf_bytes(&der));
    assert_true(client_send(fd, buf_bytes(&text)));
    return fd;
}

/* Everything that is kept is answered meanwhile; who asks something else is told when to come again. */
static void others_meanwhile(const struct served *served)
{
    assert_int_equal(post(served, &(struct asked){ .serials = { GOOD } }).certs[0], OCSP_GOOD);
    assert_int_equal(status_of(served, "/CertEnroll/issuing.crt"), 200);
}

/* Told to come again, or answered as unknown. */
static bool turned_away(const struct served *served, int fd)
{
    struct answer answer = { 0 };
    assert_true(client_read(fd, false, &answer));
    close(fd);
    if (answer.status != 503) {
        assert_int_equal(said_by(served, &answer).certs[0], OCSP_UNKNOWN);
        return false;
    }
    assert_true(answer_has(&answer, "Retry-After: 5\r\n"));
    assert_false(answer_has(&answer, "application/ocsp-response"));
    answer_clear(&answer);
    return true;
}

/* One worker, which ca keeps waiting, and the cache has GOOD. */
static int busy_begin(struct served *served, const struct pool_config *pool)
{
    entered = (struct told)TOLD_NONE;
    sem_init(&gate, 0, 0);
    begin_with(served, 0, pool);
    assert_int_equal(post(served, &(struct asked){ .serials = { GOOD } }).certs[0], OCSP_GOOD);
    served->scene.fake.before_answer = wait_at_gate;
    int fd = sent(served, "71");
    told_wait(&entered, 1);
    return fd;
}

static void busy_end(struct served *served)
{
    end(served);
    sem_destroy(&gate);
}

static void gate_open(int count)
{
    for (int i = 0; i < count; i++)
        sem_post(&gate);
}

static void later_reaches(struct served *served, unsigned long long count)
{
    int64_t until = clock_mono_ms() + test_patience_s() * 1000;
    while (atomic_load(&served->scene.va->counters.later) < count && clock_mono_ms() < until)
        usleep(1000);
    assert_int_equal(count, atomic_load(&served->scene.va->counters.later));
}

TEST(a_full_queue_is_503_with_retry_after_and_those_inside_are_served)
{
    struct served served = { 0 };
    int first = busy_begin(&served, &(struct pool_config){ .threads = 1, .queue = 1 }), others[3];
    for (int i = 0; i < 3; i++)
        others[i] = sent(&served, "72");
    later_reaches(&served, 2); /* one waits in the queue, two are turned away */
    others_meanwhile(&served);
    gate_open(4);
    assert_false(turned_away(&served, first));
    int away = 0;
    for (int i = 0; i < 3; i++)
        away += turned_away(&served, others[i]);
    assert_int_equal(2, away);
    busy_end(&served);
}

TEST(who_has_waited_too_long_in_the_queue_is_503_with_retry_after)
{
    struct served served = { 0 };
    const struct pool_config pool = { .threads = 1, .queue = 8, .wait_ms = 20 };
    int first = busy_begin(&served, &pool), second = sent(&served, "72");
    others_meanwhile(&served); /* on the loop thread, behind the second */
    usleep(100 * 1000);
    gate_open(2);
    assert_false(turned_away(&served, first));
    assert_true(turned_away(&served, second));
    later_reaches(&served, 1);
    busy_end(&served);
}

RUN(T(the_second_answer_comes_from_the_cache_with_the_same_bytes),
    T(a_nonce_and_unknown_never_come_from_the_cache), T(errors_are_answers_that_nobody_keeps),
    T(a_failure_of_ours_is_internal_error), T(whoever_is_busy_behind_va_is_try_later),
    T(a_full_queue_is_503_with_retry_after_and_those_inside_are_served),
    T(who_has_waited_too_long_in_the_queue_is_503_with_retry_after),
    T(as_many_certificates_as_the_limit_are_answered_and_not_one_more),
    T(before_ca_has_said_who_it_is_a_stranger_is_told_to_try_later),
    T(a_request_in_a_path_is_answered_like_one_in_a_body),
    T(downloads_are_found_in_any_case_and_nothing_else_is), T(each_partition_has_its_path),
    T(head_and_conditions_are_honoured_and_post_is_refused),
    T(half_way_to_its_end_an_answer_is_renewed_behind_who_asks))
