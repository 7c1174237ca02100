/* SPDX-License-Identifier: Apache-2.0 */
/* A journal in a temporary folder, and entries that are handed in to it. */
#pragma once
#include "base/auto.h"
#include "base/file.h"
#include "signer/journal.h"
#include "tests/unit/signer/disk.h"
#include "tests/unit/told.h"
#include <stdlib.h>
#include <unistd.h>

struct place {
    char dir[64], path[96];
    struct journal *journal;
};

static inline void place_open(struct place *place)
{
    struct why why = { 0 };
    ASSERT_OK(journal_open(place->path, NULL, NULL, &place->journal, &why), &why);
}

static inline int place_begin(void **state)
{
    struct place *place = xcalloc(1, sizeof(*place));
    snprintf(place->dir, sizeof(place->dir), "/tmp/chancery-journal-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof(place->path), "%s/journal", place->dir);
    place_open(place);
    *state = place;
    return 0;
}

static inline int place_end(void **state)
{
    struct place *place = *state;
    disk_release();
    disk_room = -1;
    disk_interrupts = 0;
    journal_free(place->journal);
    unlink(place->path);
    rmdir(place->dir);
    free(place);
    return 0;
}

struct entry {
    char id[16];
    struct journal_entry entry;
    struct told *told;
    const char *path; /* done looks for the entry in the file; NULL: it does not */
    bool found;
    enum err err;
    struct why why;
    uint64_t offset;
    int turn;
    atomic_int dones;
};

struct seen {
    size_t count;
    char ids[4096][16];
    uint64_t offsets[4096];
};
static inline enum err see(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why)
{
    struct seen *seen = arg;
    if (seen->count == 4096)
        return fail(why, ERR_LIMIT, "more than a test wrote");
    snprintf(seen->ids[seen->count], 16, "%.*s", (int)entry->id.len, (const char *)entry->id.data);
    seen->offsets[seen->count++] = offset;
    return OK;
}

static inline enum err look_for(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why)
{
    struct entry *wanted = arg;
    (void)why;
    wanted->found |= offset == wanted->offset && bytes_equal(entry->id, bytes_str(wanted->id));
    return OK;
}

static inline void on_written(void *arg, enum err err, uint64_t offset, const struct why *why)
{
    struct entry *entry = arg;
    uint64_t torn;
    entry->err = err;
    entry->why = *why;
    entry->offset = offset;
    if (entry->path && journal_each(entry->path, look_for, entry, &torn, NULL) != OK)
        entry->found = false;
    atomic_fetch_add(&entry->dones, 1);
    told_one(entry->told, &entry->turn);
}

static inline void entry_submit(struct journal *journal, struct entry *entry, int number, struct told *told)
{
    snprintf(entry->id, sizeof(entry->id), "%d", number);
    entry->entry = (struct journal_entry){ 1790000000, BYTES_LIT("issuing"), 1, bytes_str(entry->id),
                                           BYTES_LIT("certificate") };
    entry->told = told;
    journal_submit(journal, &entry->entry, on_written, entry);
}

static inline struct entry *entries_submit(struct place *place, int many, struct told *told)
{
    struct entry *entries = xcalloc((size_t)many, sizeof(*entries));
    for (int i = 0; i < many; i++)
        entry_submit(place->journal, &entries[i], i, told);
    return entries;
}

static inline void all_seen(const struct place *place, struct seen *seen)
{
    struct why why = { 0 };
    uint64_t torn;
    *seen = (struct seen){ 0 };
    ASSERT_OK(journal_each(place->path, see, seen, &torn, &why), &why);
    assert_int_equal(0, torn);
}

static inline void expect_told(const struct entry *entries, int many, enum err err)
{
    for (int i = 0; i < many; i++) {
        assert_int_equal(1, entries[i].dones);
        if (entries[i].err != err)
            fail_msg("entry %d: %s", i, entries[i].why.text);
    }
}
