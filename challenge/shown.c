/* SPDX-License-Identifier: Apache-2.0 */
/* Values in a refusal. */
#include "challenge/shown.h"

#include "base/log.h"

#define CONTEXT 24 /* characters before the first difference */
#define MORE    "..."

static size_t common_prefix(struct bytes a, struct bytes b)
{
    size_t i = 0;
    while (i < a.len && i < b.len && a.data[i] == b.data[i])
        i++;
    return i;
}

static struct shown show(struct bytes text, size_t skip)
{
    struct shown shown = { "" };
    if (text.len == 0)
        return shown;
    const char *start = (const char *)text.data + skip;
    size_t len = text.len - skip, used = 0;
    if (skip) {
        memcpy(shown.text, MORE, sizeof(MORE));
        used = sizeof(MORE) - 1;
    }
    log_escape(start, len, shown.text + used, sizeof(shown.text) - used - (sizeof(MORE) - 1));
    if (len > strlen(shown.text + used)) /* escaping only lengthens */
        strcat(shown.text, MORE);
    return shown;
}

struct shown_pair shown_pair_of(struct bytes csr, struct bytes challenge)
{
    size_t common = common_prefix(csr, challenge), skip = 0;
    bool fit = csr.len <= SHOWN_MAX / 2 && challenge.len <= SHOWN_MAX / 2;
    if (!fit && common > CONTEXT)
        skip = common - CONTEXT;
    while (skip > 0 && skip < csr.len && (csr.data[skip] & 0xC0) == 0x80)
        skip--; /* not inside a character of UTF-8 */
    return (struct shown_pair){ show(csr, skip), show(challenge, skip) };
}
