/* SPDX-License-Identifier: Apache-2.0 */
/* Serials to partitions, partitions to URLs. */
#include "x509/partition.h"

#include "base/limits.h"
#include "x509/extension.h"

#include <assert.h>

#define SERIAL_TAIL_BYTES 4 /* 256 partitions differ by less than 1 in 10 million */

unsigned crl_partition_of(unsigned count, struct bytes serial)
{
    uint32_t tail = 0;
    if (count <= 1)
        return 0;
    for (size_t left = serial.len < SERIAL_TAIL_BYTES ? serial.len : SERIAL_TAIL_BYTES; left; left--)
        tail = tail << 8 | serial.data[serial.len - left];
    return 1 + tail % count;
}

static char *url_of(const char *pattern, unsigned partition)
{
    AUTO_BUF url = { 0 };
    const char *mark = partition ? strstr(pattern, CRL_PARTITION_MARK) : NULL;
    for (; mark; mark = strstr(pattern, CRL_PARTITION_MARK)) {
        buf_printf(&url, "%.*s%u", (int)(mark - pattern), pattern, partition);
        pattern = mark + strlen(CRL_PARTITION_MARK);
    }
    buf_append_str(&url, pattern);
    return xstrdup(buf_text(&url));
}

static struct crl_urls urls_make(const char *const *list, size_t count, unsigned partition)
{
    struct crl_urls urls = { .list = xcalloc(count + 1, sizeof(*urls.list)), .count = count };
    for (size_t i = 0; i < count; i++)
        urls.list[i] = url_of(list[i], partition);
    return urls;
}

struct crl_urls crl_urls_dup(const char *const *list, size_t count)
{
    return urls_make(list, count, 0);
}

struct crl_urls crl_partition_urls(const struct crl_partitions *all, unsigned partition)
{
    assert(crl_is_partitioned(all) ? partition >= 1 && partition <= all->count : partition == 0);
    return urls_make(all->urls, all->url_count, partition);
}

void crl_urls_free(struct crl_urls *urls)
{
    for (size_t i = 0; i < urls->count; i++)
        free(urls->list[i]);
    free(urls->list);
    *urls = (struct crl_urls){ 0 };
}

/* Has an extension that these URLs make just this value? */
static bool is_made_of(void (*put)(struct buf *out, const char *const *urls, size_t count),
                       const struct crl_urls *urls, struct bytes value)
{
    AUTO_BUF made = { 0 };
    struct extension extension;
    put(&made, (const char *const *)urls->list, urls->count);
    struct der_reader in = der_reader_over(buf_bytes(&made));
    return extension_next(&in, &extension) && bytes_equal(extension.value, value);
}

bool crl_partition_is_cdp(const struct crl_partitions *all, unsigned partition, struct bytes value)
{
    AUTO_VAL(crl_urls) urls = crl_partition_urls(all, partition);
    return is_made_of(extension_put_cdp, &urls, value);
}

unsigned crl_partition_by_idp(const struct crl_partitions *all, struct bytes value)
{
    for (unsigned partition = 1; crl_is_partitioned(all) && partition <= all->count; partition++) {
        AUTO_VAL(crl_urls) urls = crl_partition_urls(all, partition);
        if (is_made_of(extension_put_idp, &urls, value))
            return partition;
    }
    return 0;
}
