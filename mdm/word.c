/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/word.h"

int word_find(const struct words *words, struct bytes name)
{
    for (int i = 0; i < words->count; i++)
        if (words->names[i] && bytes_equal(bytes_str(words->names[i]), name))
            return i;
    return -1;
}

const char *word_name(const struct words *words, int value)
{
    bool known = value >= 0 && value < words->count && words->names[value];
    return known ? words->names[value] : "none";
}

void words_append(struct buf *out, const struct words *words)
{
    int last = words->count - 1;
    bool first = true;
    for (int i = 0; i <= last; i++) {
        if (!words->names[i])
            continue;
        buf_append_str(out, first ? "" : i == last ? " or " : ", ");
        buf_append_str(out, words->names[i]);
        first = false;
    }
}
