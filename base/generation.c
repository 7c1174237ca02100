/* SPDX-License-Identifier: Apache-2.0 */
/* Generations of a key, found in a folder. */
#include "base/generation.h"

#include <dirent.h>
#include <string.h>

#define GENERATION_DIGITS 9 /* an int holds them */

/* N of "PREFIX-N.key.pem"; 0 for every other name. */
static int generation_of(const char *file, const char *prefix)
{
    size_t len = strlen(prefix), digits = 0;
    if (strncmp(file, prefix, len) != 0 || file[len] != '-' || file[len + 1] == '0')
        return 0;
    const char *number = file + len + 1;
    int generation = 0;
    for (; number[digits] >= '0' && number[digits] <= '9'; digits++) {
        if (digits == GENERATION_DIGITS)
            return 0;
        generation = generation * 10 + (number[digits] - '0');
    }
    return strcmp(number + digits, GENERATION_KEY_SUFFIX) == 0 ? generation : 0;
}

static void generation_insert(struct generations *found, int generation)
{
    if (found->count == GENERATIONS_MAX) {
        found->more = true;
        return;
    }
    size_t at = found->count++;
    for (; at > 0 && found->list[at - 1] > generation; at--)
        found->list[at] = found->list[at - 1];
    found->list[at] = generation;
}

struct generations generations_find(const char *dir, const char *prefix)
{
    struct generations found = { 0 };
    DIR *folder = opendir(dir);
    if (!folder)
        return found;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        int generation = generation_of(entry->d_name, prefix);
        if (generation)
            generation_insert(&found, generation);
        if (generation > found.highest)
            found.highest = generation;
    }
    closedir(folder);
    return found;
}

int generation_highest(const char *dir, const char *prefix)
{
    return generations_find(dir, prefix).highest;
}
