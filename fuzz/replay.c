/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target as an ordinary test: every file of a corpus folder, every beginning of it, and mutants of it that
   are the same each time. */
#include "fuzz/target.h"

#include <dirent.h>
#include <string.h>

#define FILE_MAX (1 << 17)
#define CUTS_MAX 4000 /* of a long file, evenly spread */

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* Each input gets memory of exactly its size, so that the sanitizers see one octet too far. */
static void run_exact(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, data, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static size_t mutate(uint8_t *data, size_t len, uint64_t *state)
{
    uint32_t edits = 1 + next_random(state) % 4;
    for (uint32_t i = 0; i < edits && len > 0; i++) {
        size_t at = next_random(state) % len, run = 1 + next_random(state) % 8;
        if (run > len - at)
            run = len - at;
        switch (next_random(state) % 5) {
        case 0:
            data[at] ^= (uint8_t)(1u << next_random(state) % 8);
            break;
        case 1:
            data[at] = (uint8_t)next_random(state);
            break;
        case 2: /* a length octet, often */
            data[at] = (uint8_t)(0x7E + next_random(state) % 8);
            break;
        case 3:
            memmove(data + at, data + at + run, len - at - run);
            len -= run;
            break;
        default:
            memmove(data + at + run, data + at, len - at - run);
            break;
        }
    }
    return len;
}

static void replay(const uint8_t *data, size_t len, unsigned long mutants)
{
    static uint8_t scratch[FILE_MAX];
    uint64_t state = len;
    run_exact(data, len);
    size_t step = len / CUTS_MAX + 1;
    for (size_t cut = 0; cut < len; cut += step)
        run_exact(data, cut);
    for (unsigned long i = 0; i < mutants; i++) {
        memcpy(scratch, data, len);
        run_exact(scratch, mutate(scratch, len, &state));
    }
}

int main(int argc, char **argv)
{
    static uint8_t data[FILE_MAX];
    unsigned long mutants = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    size_t files = 0;
    if (!folder) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER [MUTANTS]\n", argv[0]);
        return 2;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        FILE *file = fopen(path, "rb");
        if (!file) {
            fprintf(stderr, "%s: cannot be read\n", path);
            return 1;
        }
        size_t len = fread(data, 1, sizeof(data), file);
        fclose(file);
        replay(data, len, mutants);
        files++;
    }
    closedir(folder);
    printf("%zu files\n", files);
    return files ? 0 : 1; /* an empty corpus tests nothing */
}
