/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ldap/entry.h"

#include "x509/text.h"
#include <strings.h>

#define LABEL_MOST 200 /* octets of a DN in a message */

void entry_free(struct entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        struct entry_attribute *attribute = &entry->attributes[i];
        for (size_t j = 0; j < attribute->count; j++)
            buf_free(&attribute->values[j]);
        free(attribute->values);
        free(attribute->name);
    }
    free(entry->attributes);
    free(entry->dn);
    *entry = (struct entry){ 0 };
}

/* Room grows by doubling: at powers of two. */
static void *grown(void *list, size_t count, size_t size)
{
    if (count & (count - 1))
        return list;
    void *more = realloc(list, (count ? 2 * count : 1) * size);
    if (!more)
        die("out of memory: an entry of %zu values", count);
    return more;
}

const struct entry_attribute *entry_find(const struct entry *entry, const char *attribute)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (strcasecmp(entry->attributes[i].name, attribute) == 0)
            return &entry->attributes[i];
    }
    return NULL;
}

void entry_add(struct entry *entry, const char *attribute, struct bytes value)
{
    struct entry_attribute *found = (struct entry_attribute *)entry_find(entry, attribute);
    if (!found) {
        entry->attributes = grown(entry->attributes, entry->count, sizeof(*entry->attributes));
        found = &entry->attributes[entry->count++];
        *found = (struct entry_attribute){ .name = xstrdup(attribute) };
    }
    found->values = grown(found->values, found->count, sizeof(*found->values));
    found->values[found->count++] = buf_dup(value);
}

struct bytes entry_first(const struct entry *entry, const char *attribute)
{
    const struct entry_attribute *found = entry_find(entry, attribute);
    return found && found->count ? buf_bytes(&found->values[0]) : BYTES_NONE;
}

char *entry_label(const struct entry *entry)
{
    AUTO_BUF text = { 0 };
    struct bytes dn = bytes_str(entry->dn);
    size_t len = dn.len > LABEL_MOST ? LABEL_MOST : dn.len;
    while (len < dn.len && len && (dn.data[len] & 0xC0) == 0x80) /* never inside a character */
        len--;
    text_append_escaped(&text, bytes_of(dn.data, len), "");
    return xasprintf("%s%s", buf_text(&text), len < dn.len ? "..." : "");
}
