/* SPDX-License-Identifier: Apache-2.0 */
/* Length-prefixed records. */
#include "bench/records.h"

#include "base/file.h"
#include <errno.h>

#define RECORDS_FILE_MAX ((size_t)8 << 30)
#define WRITE_BUFFER     ((size_t)1 << 20) /* an answer costs a copy, not a system call */

FILE *records_create(const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file)
        die("%s: %s", path, strerror(errno));
    setvbuf(file, NULL, _IOFBF, WRITE_BUFFER);
    return file;
}

void record_put(FILE *file, struct bytes der)
{
    uint32_t len = (uint32_t)der.len;
    const uint8_t head[] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len };
    fwrite(head, 1, sizeof(head), file);
    fwrite(der.data, 1, der.len, file);
}

void records_close(FILE *file, const char *path)
{
    bool good = !ferror(file);
    if (fclose(file) != 0 || !good)
        die("%s: cannot be written", path);
}

struct buf records_read(const char *path)
{
    struct buf all;
    struct why why;
    if (file_read(path, RECORDS_FILE_MAX, &all, &why) != OK)
        die("%s", why.text);
    return all;
}

bool record_next(struct bytes *rest, struct bytes *ret)
{
    const uint8_t *at = rest->data;
    if (rest->len < 4)
        return false;
    size_t len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    if (rest->len - 4 < len)
        return false;
    *ret = bytes_of(at + 4, len);
    *rest = bytes_of(at + 4 + len, rest->len - 4 - len);
    return true;
}
