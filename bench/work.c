/* SPDX-License-Identifier: Apache-2.0 */
/* scep-load's two files, each written and read here. */
#include "bench/work.h"

#include "base/auto.h"
#include "bench/records.h"

#define WORK_VERSION 1

static void put_head(FILE *file, const struct work *work)
{
    AUTO_BUF der = { 0 };
    size_t head = der_begin(&der, DER_SEQUENCE);
    der_put_int64(&der, WORK_VERSION);
    size_t certs = der_begin(&der, DER_SEQUENCE);
    for (size_t i = 0; i < work->cert_count; i++)
        der_put_raw(&der, work->certs[i]);
    der_end(&der, certs);
    size_t primes = der_begin(&der, DER_SEQUENCE);
    for (size_t i = 0; i < work->pool.count; i++) {
        uint8_t octets[PRIME_BITS / 8];
        BN_bn2binpad(work->pool.primes[i], octets, sizeof(octets));
        der_put_unsigned_bytes(&der, BYTES_ARR(octets));
    }
    der_end(&der, primes);
    der_end(&der, head);
    record_put(file, buf_bytes(&der));
}

void work_write(const char *path, const struct work *work)
{
    FILE *file = records_create(path);
    AUTO_BUF der = { 0 };
    put_head(file, work);
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        buf_clear(&der);
        size_t mark = der_begin(&der, DER_SEQUENCE);
        der_put_int64(&der, (int64_t)item->pair.p);
        der_put_int64(&der, (int64_t)item->pair.q);
        der_put_octets(&der, item->message);
        der_end(&der, mark);
        record_put(file, buf_bytes(&der));
    }
    records_close(file, path);
}

static bool read_head(struct bytes *rest, struct work *work)
{
    struct bytes record, prime;
    struct der_reader in, head, certs, primes;
    int64_t version;
    if (!record_next(rest, &record))
        return false;
    in = der_reader_over(record);
    if (!der_get_sequence(&in, &head) || !der_get_int64(&head, &version) || version != WORK_VERSION ||
        !der_get_sequence(&head, &certs) || !der_get_sequence(&head, &primes))
        return false;
    while (work->cert_count < sizeof(work->certs) / sizeof(*work->certs) &&
           der_get_whole(&certs, DER_SEQUENCE, &work->certs[work->cert_count]))
        work->cert_count++;
    work->pool.primes = xcalloc(primes.rest.len / (PRIME_BITS / 8) + 1, sizeof(BIGNUM *));
    while (der_get_unsigned_bytes(&primes, &prime))
        work->pool.primes[work->pool.count++] = BN_bin2bn(prime.data, (int)prime.len, NULL);
    return work->pool.count > 1;
}

static bool read_item(struct bytes record, const struct prime_pool *pool, struct work_item *ret)
{
    struct der_reader in = der_reader_over(record), inside;
    int64_t p, q;
    if (!der_get_sequence(&in, &inside) || !der_get_int64(&inside, &p) || !der_get_int64(&inside, &q) ||
        !der_get_octets(&inside, &ret->message) || p < 0 || q <= p || (size_t)q >= pool->count)
        return false;
    ret->pair = (struct prime_pair){ (size_t)p, (size_t)q };
    return true;
}

void work_read(const char *path, struct work *ret)
{
    struct work work = { .storage = records_read(path) };
    struct bytes rest = buf_bytes(&work.storage), record;
    size_t room = 0;
    if (!read_head(&rest, &work))
        die("%s: not a file of scep-load prepare", path);
    while (record_next(&rest, &record)) {
        if (work.count == room) {
            room = room ? room * 2 : 1024;
            work.items = realloc(work.items, room * sizeof(*work.items));
            if (!work.items)
                die("no memory for %zu messages", room);
        }
        if (!read_item(record, &work.pool, &work.items[work.count]))
            die("%s: message %zu is none", path, work.count);
        work.count++;
    }
    if (rest.len)
        die("%s: cut short after %zu messages", path, work.count);
    *ret = work;
}

void work_free(struct work *work)
{
    prime_pool_free(&work->pool);
    free(work->items);
    buf_free(&work->storage);
}

void attempt_put(FILE *file, const struct attempt *attempt)
{
    AUTO_BUF der = { 0 };
    size_t mark = der_begin(&der, DER_SEQUENCE);
    der_put_int64(&der, attempt->item);
    der_put_int64(&der, attempt->number);
    der_put_int64(&der, attempt->status);
    der_put_int64(&der, attempt->at_us);
    der_put_int64(&der, attempt->latency_us);
    der_put_octets(&der, attempt->body);
    der_end(&der, mark);
    record_put(file, buf_bytes(&der));
}

bool attempt_next(struct bytes *rest, struct attempt *ret)
{
    struct bytes record;
    struct der_reader in, inside;
    if (!record_next(rest, &record))
        return false;
    in = der_reader_over(record);
    if (!der_get_sequence(&in, &inside) || !der_get_int64(&inside, &ret->item) ||
        !der_get_int64(&inside, &ret->number) || !der_get_int64(&inside, &ret->status) ||
        !der_get_int64(&inside, &ret->at_us) || !der_get_int64(&inside, &ret->latency_us) ||
        !der_get_octets(&inside, &ret->body))
        die("ANSWERS: a record is no attempt");
    return true;
}
