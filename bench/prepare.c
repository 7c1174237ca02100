/* SPDX-License-Identifier: Apache-2.0 */
/* scep-load prepare: the messages, made by the tests' own device (tests/support/pki_shape.h). */
#include "base/auto.h"
#include "base/file.h"
#include "bench/parallel.h"
#include "bench/scep_load.h"
#include "bench/work.h"
#include "tests/support/evp_key.h"
#include "tests/support/pki_shape.h"
#include "x509/cms_content.h"

#include <getopt.h>
#include <stdio.h>

#define CA_CERTS_MAX     8
#define CHALLENGES_BYTES ((size_t)64 << 20)
#define CHALLENGE_NEEDED "--challenges has fewer lines than there are messages"
#define MESSAGES_MAX     10000000

struct prepare {
    const char *ca_dir, *out, *challenge, *challenges_file, *prefix;
    size_t count, pool_size;
    struct buf challenges_text;
    char **challenges; /* one a message, into challenges_text; NULL: the same for all */
    struct bytes recipient;
    struct work work;
    struct buf *messages;
};

static void read_options(struct prepare *options, int argc, char **argv)
{
    static const struct option names[] = { { "ca-dir", 1, NULL, 'd' },    { "out", 1, NULL, 'o' },
                                           { "challenge", 1, NULL, 't' }, { "challenges", 1, NULL, 'f' },
                                           { "key-pool", 1, NULL, 'k' },  { "subject-prefix", 1, NULL, 's' },
                                           { NULL, 0, NULL, 0 } };
    const char **texts[] = { ['d'] = &options->ca_dir,
                             ['o'] = &options->out,
                             ['t'] = &options->challenge,
                             ['f'] = &options->challenges_file,
                             ['s'] = &options->prefix };
    int option;
    while ((option = getopt_long(argc, argv, "n:", names, NULL)) != -1) {
        if (option == '?')
            usage("unknown option");
        if (option == 'n')
            options->count = (size_t)option_number("n", optarg, 1);
        else if (option == 'k')
            options->pool_size = (size_t)option_number("key-pool", optarg, 2);
        else
            *texts[option] = optarg;
    }
    if (!options->ca_dir || !options->out || !options->count || options->count > MESSAGES_MAX)
        usage("prepare needs --ca-dir, --out and -n");
    if (!options->pool_size)
        options->pool_size = prime_pool_size_for(options->count);
    if (options->pool_size * (options->pool_size - 1) / 2 < options->count)
        usage("--key-pool: too few primes for that many keys");
}

static void read_challenges(struct prepare *prepare)
{
    struct why why;
    if (!prepare->challenges_file)
        return;
    if (file_read(prepare->challenges_file, CHALLENGES_BYTES, &prepare->challenges_text, &why) != OK)
        die("%s", why.text);
    (void)buf_text(&prepare->challenges_text); /* ends it with a NUL */
    prepare->challenges = xcalloc(prepare->count, sizeof(char *));
    char *rest = (char *)prepare->challenges_text.data;
    for (size_t i = 0; i < prepare->count; i++) {
        prepare->challenges[i] = strsep(&rest, "\n");
        if (!prepare->challenges[i] || !*prepare->challenges[i])
            usage(CHALLENGE_NEEDED);
    }
}

/* GetCACert gives certs-only SignedData, or the bare certificate of a CA that is its own RA (RFC 8894 4.2.1). */
static void read_ca_certs(struct work *work, const char *path)
{
    struct why why;
    struct der_reader in, certs;
    int64_t version;
    struct bytes skipped;
    if (file_read(path, LIMIT_TEXT_FILE_BYTES, &work->storage, &why) != OK)
        die("%s", why.text);
    struct bytes der = buf_bytes(&work->storage);
    if (!cms_content_get(der, OID_SIGNED_DATA, &in)) {
        work->certs[work->cert_count++] = der;
        return;
    }
    if (!der_get_int64(&in, &version) || !der_get(&in, DER_SET, &skipped) ||
        !der_get(&in, DER_SEQUENCE, &skipped) ||
        !der_get_constructed(&in, DER_CONTEXT_CONSTRUCTED(0), &certs))
        die("%s: no certs-only SignedData", path);
    while (work->cert_count < CA_CERTS_MAX &&
           der_get_whole(&certs, DER_SEQUENCE, &work->certs[work->cert_count]))
        work->cert_count++;
}

/* The RA's encryption certificate; when there is no RA, the CA's own. */
static struct bytes choose_recipient(const struct work *work)
{
    struct why why;
    struct cert cert;
    struct bytes of_ca = BYTES_NONE;
    for (size_t i = 0; i < work->cert_count; i++) {
        if (cert_parse(work->certs[i], &cert, &why) != OK)
            die("GetCACert: certificate %zu: %s", i, why.text);
        if (!cert.is_ca && (!cert.has_key_usage || (cert.key_usage & KU_KEY_ENCIPHERMENT)))
            return work->certs[i];
        if (cert.is_ca)
            of_ca = work->certs[i];
    }
    if (!of_ca.len)
        die("GetCACert: no certificate to encrypt to");
    return of_ca;
}

static void make_message(void *arg, size_t index)
{
    struct prepare *prepare = arg;
    struct why why;
    AUTO(key) key = prime_pool_key(&prepare->work.pool, prepare->work.items[index].pair);
    AUTO_STR subject = xasprintf("CN=%s-%07zu", prepare->prefix, index);
    struct shape shape = { .kind = SHAPE_PLAIN,
                           .recipients = &prepare->recipient,
                           .recipient_count = 1,
                           .subject = subject,
                           .challenge = prepare->challenges ? prepare->challenges[index] : prepare->challenge,
                           .message_type = 19,
                           .signer = key };
    if (shape_message(&shape, &prepare->messages[index], &why) != OK)
        die("message %zu: %s", index, why.text);
    prepare->work.items[index].message = buf_bytes(&prepare->messages[index]);
}

int prepare_main(int argc, char **argv)
{
    struct prepare prepare = { .prefix = "load" };
    struct work *work = &prepare.work;
    read_options(&prepare, argc, argv);
    read_challenges(&prepare);
    AUTO_STR path = xasprintf("%s/getcacert.der", prepare.ca_dir);
    read_ca_certs(work, path);
    prepare.recipient = choose_recipient(work);
    work->pool = prime_pool_make(prepare.pool_size);
    work->count = prepare.count;
    work->items = xcalloc(work->count, sizeof(*work->items));
    for (size_t i = 0; i < work->count; i++)
        work->items[i].pair = prime_pair_at(i);
    prepare.messages = xcalloc(work->count, sizeof(struct buf));
    parallel(work->count, make_message, &prepare);
    work_write(prepare.out, work);
    size_t bytes = work->items[0].message.len;
    printf("{\"messages\": %zu, \"primes\": %zu, \"message_bytes\": %zu}\n", work->count, work->pool.count,
           bytes);
    for (size_t i = 0; i < work->count; i++)
        buf_free(&prepare.messages[i]);
    free(prepare.messages);
    free(prepare.challenges);
    buf_free(&prepare.challenges_text);
    work_free(work);
    return 0;
}
