/* SPDX-License-Identifier: Apache-2.0 */
/* The corpus of raw requests: the reader alone, cut at every offset, and the whole server over a socket must
 * agree. */
#include "tests/unit/http/fixture.h"

#include "base/file.h"
#include "http/reader.h"
#include <sys/socket.h>
#include <unistd.h>

struct sample {
    char name[64];
    int status;
    bool keep;
    struct buf data;
};

struct corpus {
    struct sample *samples;
    size_t count;
};

static void unescape(const char *text, struct buf *out)
{
    for (const char *at = text; *at; at++) {
        if (*at != '\\') {
            buf_append_byte(out, (uint8_t)*at);
            continue;
        }
        at++;
        if (*at == 'x') {
            unsigned byte;
            assert_int_equal(1, sscanf(at + 1, "%2x", &byte));
            buf_append_byte(out, (uint8_t)byte);
            at += 2;
            continue;
        }
        const char *known = "r\rn\nt\t", *found = strchr("rnt", *at);
        assert_non_null(found);
        buf_append_byte(out, (uint8_t)strchr(known, *at)[1]);
    }
}

static void corpus_load(struct corpus *corpus, const char *file)
{
    AUTO_STR path = xasprintf("%s/%s", HTTP_DATA_DIR, file);
    AUTO_BUF text = { 0 };
    struct why why;
    ASSERT_OK(file_read(path, 1 << 20, &text, &why), &why);
    char *rest = (char *)(uintptr_t)buf_text(&text), *line;
    while ((line = strsep(&rest, "\n"))) {
        if (*line == '#' || !*line)
            continue;
        struct sample sample = { 0 };
        char end[8];
        int at = 0;
        assert_int_equal(3, sscanf(line, "%63s %d %7s %n", sample.name, &sample.status, end, &at));
        assert_true(strcmp(end, "keep") == 0 || strcmp(end, "close") == 0);
        sample.keep = strcmp(end, "keep") == 0;
        unescape(line + at, &sample.data);
        corpus->samples = realloc(corpus->samples, (corpus->count + 1) * sizeof(sample));
        assert_non_null(corpus->samples);
        corpus->samples[corpus->count++] = sample;
    }
}

static struct corpus corpus_all(void)
{
    struct corpus corpus = { 0 };
    corpus_load(&corpus, "smuggling.txt");
    corpus_load(&corpus, "malformed.txt");
    corpus_load(&corpus, "accepted.txt");
    assert_true(corpus.count >= 60);
    return corpus;
}

static void corpus_free(struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++)
        buf_free(&corpus->samples[i].data);
    free(corpus->samples);
}

struct verdict {
    int status; /* of the last request; 0: it never ended */
    bool keep;
    size_t requests;
    size_t used;
};

/* Feeds one piece; true: the connection would be closed now. */
static bool feed(struct http_reader *reader, struct bytes piece, struct verdict *verdict)
{
    while (piece.len) {
        size_t used;
        enum http_progress progress = http_reader_feed(reader, piece, &used);
        verdict->used += used;
        assert_true(used > 0);
        assert_true(used <= piece.len);
        piece = bytes_of(piece.data + used, piece.len - used);
        if (progress == HTTP_REFUSED) {
            struct why why;
            verdict->status = http_reader_status(reader, &why);
            assert_int_equal(err_row(why.err)->http_status, verdict->status);
            verdict->keep = false;
            return true;
        }
        if (progress == HTTP_DONE) {
            verdict->requests++;
            verdict->status = 200;
            verdict->keep = http_reader_keep_alive(reader);
            if (!verdict->keep)
                return true;
            http_reader_reset(reader);
        }
    }
    return false;
}

static struct verdict judge(const struct http_limits *limits, const struct sample *sample, size_t cut)
{
    AUTO(http_reader) reader = http_reader_new(limits);
    struct verdict verdict = { 0 };
    struct bytes data = buf_bytes(&sample->data);
    if (!feed(reader, bytes_of(data.data, cut), &verdict))
        feed(reader, bytes_of(data.data + cut, data.len - cut), &verdict);
    return verdict;
}

static struct verdict judge_bytewise(const struct http_limits *limits, const struct sample *sample)
{
    AUTO(http_reader) reader = http_reader_new(limits);
    struct verdict verdict = { 0 };
    for (size_t i = 0; i < sample->data.len; i++) {
        if (feed(reader, bytes_of(sample->data.data + i, 1), &verdict))
            break;
    }
    return verdict;
}

static void assert_verdict(const struct sample *sample, struct verdict got, const char *how, size_t cut)
{
    if (got.status != sample->status || got.keep != sample->keep)
        fail_msg("%s (%s, cut at %zu): %d %s, wanted %d %s", sample->name, how, cut, got.status,
                 got.keep ? "keep" : "close", sample->status, sample->keep ? "keep" : "close");
}

TEST(reader_judges_every_sample_the_same_however_it_is_cut)
{
    struct site site;
    site_setup(&site);
    struct corpus corpus = corpus_all();
    for (size_t i = 0; i < corpus.count; i++) {
        const struct sample *sample = &corpus.samples[i];
        struct verdict bytewise = judge_bytewise(&site.limits, sample);
        assert_verdict(sample, bytewise, "byte by byte", 0);
        for (size_t cut = 0; cut <= sample->data.len; cut++) {
            struct verdict got = judge(&site.limits, sample, cut);
            assert_verdict(sample, got, "two pieces", cut);
            assert_int_equal(bytewise.used, got.used);
            assert_int_equal(bytewise.requests, got.requests);
        }
    }
    corpus_free(&corpus);
    rmdir(site.dir);
    free(site.log_path);
}

/* Accepted samples: every proper prefix of them is unfinished, never refused. */
TEST(prefixes_of_accepted_samples_are_not_refused)
{
    struct site site;
    site_setup(&site);
    struct corpus corpus = { 0 };
    corpus_load(&corpus, "accepted.txt");
    for (size_t i = 0; i < corpus.count; i++) {
        for (size_t len = 0; len < corpus.samples[i].data.len; len++) {
            AUTO(http_reader) reader = http_reader_new(&site.limits);
            struct verdict verdict = { 0 };
            assert_false(feed(reader, bytes_of(corpus.samples[i].data.data, len), &verdict));
            assert_int_equal(0, verdict.status);
        }
    }
    corpus_free(&corpus);
    rmdir(site.dir);
    free(site.log_path);
}

static void run_over_socket(struct site *site, const struct sample *sample)
{
    struct answer answer = { 0 };
    int fd = client_connect(site);
    bool is_head = sample->data.len > 5 && memcmp(sample->data.data, "HEAD ", 5) == 0;
    assert_true(client_send(fd, buf_bytes(&sample->data)));
    int status = 0;
    if (sample->keep) {
        assert_true(client_read(fd, is_head, &answer));
        status = answer.status;
        assert_false(answer.closed);
        client_send_text(fd, "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_true(client_read(fd, false, &answer));
        assert_string_equal("GET /next  0\n", buf_text(&answer.body));
    } else {
        while (client_read(fd, is_head, &answer)) {
            status = answer.status;
            if (answer.closed)
                break;
        }
        assert_true(answer.closed);
        if (!client_at_end(fd))
            fail_msg("%s: connection not closed in good order", sample->name);
    }
    if (status != sample->status)
        fail_msg("%s over a socket: %d, wanted %d", sample->name, status, sample->status);
    answer_clear(&answer);
    close(fd);
}

TEST(server_answers_every_sample_and_closes_where_it_must)
{
    struct site site;
    site_setup(&site);
    site_start(&site);
    struct corpus corpus = corpus_all();
    for (size_t i = 0; i < corpus.count; i++)
        run_over_socket(&site, &corpus.samples[i]);
    corpus_free(&corpus);
    site_stop(&site);
}

/* A refused sample with a good request behind it: the good one must not be served on that connection. */
TEST(nothing_is_served_behind_a_refused_sample)
{
    struct site site;
    site_setup(&site);
    site_start(&site);
    struct corpus corpus = { 0 };
    corpus_load(&corpus, "smuggling.txt");
    corpus_load(&corpus, "malformed.txt");
    for (size_t i = 0; i < corpus.count; i++) {
        struct verdict alone = judge(&site.limits, &corpus.samples[i], 0);
        int before = atomic_load(&site.handled);
        buf_append(&corpus.samples[i].data, BYTES_LIT("GET /behind HTTP/1.1\r\nHost: a\r\n\r\n"));
        run_over_socket(&site, &corpus.samples[i]);
        assert_int_equal(before + (int)alone.requests, atomic_load(&site.handled));
    }
    corpus_free(&corpus);
    site_stop(&site);
}

RUN(T(reader_judges_every_sample_the_same_however_it_is_cut), T(prefixes_of_accepted_samples_are_not_refused),
    T(server_answers_every_sample_and_closes_where_it_must), T(nothing_is_served_behind_a_refused_sample))
