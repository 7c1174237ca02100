/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of documents, read again when its files change. */
#include "va/published.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#define MAX_AGE_S 3600

struct file {
    char *name; /* in lower case: NAME.crt */
    struct document *document;
    bool is_crl;
    int64_t ends;
};
struct listing {
    struct file files[LIMIT_VA_FILES];
    size_t count;
};
struct published {
    char *folder;
    pthread_mutex_t lock;
    struct listing listing; /* under lock */
    uint64_t seen;          /* what the folder looked like when it was read; the refreshing thread's own */
};

static void listing_clear(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        free(listing->files[i].name);
        document_unref(listing->files[i].document);
    }
    *listing = (struct listing){ 0 };
}

struct published *published_new(const char *folder)
{
    struct published *published = xcalloc(1, sizeof(*published));
    published->folder = xstrdup(folder);
    pthread_mutex_init(&published->lock, NULL);
    return published;
}

void published_free(struct published *published)
{
    if (!published)
        return;
    listing_clear(&published->listing);
    pthread_mutex_destroy(&published->lock);
    free(published->folder);
    free(published);
}

static bool ends_in(const char *name, const char *suffix)
{
    size_t len = strlen(name), tail = strlen(suffix);
    return len > tail && strcasecmp(name + len - tail, suffix) == 0;
}

/* --- one file --- */

static enum err crl_params(struct bytes der, struct document_params *params, int64_t *ret_ends,
                           struct why *why)
{
    struct crl crl;
    TRY(crl_parse(der, &crl, why));
    *ret_ends = crl.next_update;
    params->content_type = "application/pkix-crl";
    params->last_modified = crl.this_update;
    params->expires = crl.next_update;
    return OK;
}

static enum err cert_params(struct bytes der, struct document_params *params, int64_t *ret_ends,
                            struct why *why)
{
    struct cert cert;
    TRY(cert_parse(der, &cert, why));
    *ret_ends = cert.not_after;
    params->content_type = "application/pkix-cert";
    params->last_modified = cert.not_before;
    return OK;
}

/* Document and end, of a CRL or a certificate. */
static enum err file_load(const char *path, struct file *file, struct why *why)
{
    AUTO_BUF whole = { 0 };
    TRY(file_read(path, LIMIT_CRL_FRAME_BYTES, &whole, why));
    struct document_params params = { .whole = &whole, .body = buf_bytes(&whole), .max_age_s = MAX_AGE_S };
    TRY((file->is_crl ? crl_params : cert_params)(params.body, &params, &file->ends, why));
    return document_new(&params, &file->document, why);
}

static void file_add(const struct published *published, const char *name, struct listing *listing)
{
    AUTO_STR path = xasprintf("%s/%s", published->folder, name);
    struct file file = { .is_crl = ends_in(name, ".crl") };
    struct why why = { 0 };
    if (listing->count == LIMIT_VA_FILES) {
        log_warn(NULL, "not served, there are more than %d files: %s", LIMIT_VA_FILES, path);
        return;
    }
    if (file_load(path, &file, &why) != OK) {
        log_warn(NULL, "not served: %s: %s", path, why.text);
        return;
    }
    file.name = xstrdup(name);
    for (char *at = file.name; *at; at++)
        *at |= *at >= 'A' && *at <= 'Z' ? 0x20 : 0;
    listing->files[listing->count++] = file;
}

/* --- the folder --- */

static uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * UINT64_C(0x9E3779B97F4A7C15) + (sum >> 29);
}

/* Names, sizes and times: what changes when a file is put in place, replaced or written again. */
static uint64_t look(const struct published *published, DIR *folder)
{
    uint64_t sum = 1;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        AUTO_STR path = xasprintf("%s/%s", published->folder, entry->d_name);
        struct stat info;
        if ((!ends_in(entry->d_name, ".crt") && !ends_in(entry->d_name, ".crl")) || stat(path, &info) != 0)
            continue;
        uint64_t one = mix(info.st_ino, (uint64_t)info.st_size);
        one = mix(one, (uint64_t)info.st_mtim.tv_sec);
        sum += mix(one, (uint64_t)info.st_mtim.tv_nsec);
    }
    return sum;
}

static void listing_read(const struct published *published, DIR *folder, struct listing *listing)
{
    rewinddir(folder);
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (ends_in(entry->d_name, ".crt") || ends_in(entry->d_name, ".crl"))
            file_add(published, entry->d_name, listing);
    }
}

void published_refresh(struct published *published)
{
    DIR *folder = opendir(published->folder);
    if (!folder)
        return; /* none was made: nothing to serve */
    uint64_t seen = look(published, folder);
    if (seen != published->seen) {
        struct listing *fresh = xcalloc(1, sizeof(*fresh));
        listing_read(published, folder, fresh);
        pthread_mutex_lock(&published->lock);
        struct listing old = published->listing;
        published->listing = *fresh;
        pthread_mutex_unlock(&published->lock);
        free(fresh);
        listing_clear(&old);
        published->seen = seen;
    }
    closedir(folder);
}

struct document *published_find(struct published *published, const char *name)
{
    struct document *found = NULL;
    pthread_mutex_lock(&published->lock);
    for (size_t i = 0; i < published->listing.count && !found; i++) {
        if (strcmp(published->listing.files[i].name, name) == 0)
            found = document_ref(published->listing.files[i].document);
    }
    pthread_mutex_unlock(&published->lock);
    return found;
}

size_t published_count(struct published *published)
{
    pthread_mutex_lock(&published->lock);
    size_t count = published->listing.count;
    pthread_mutex_unlock(&published->lock);
    return count;
}

void published_each(struct published *published, published_visit visit, void *arg)
{
    pthread_mutex_lock(&published->lock);
    for (size_t i = 0; i < published->listing.count; i++) {
        const struct file *file = &published->listing.files[i];
        visit(arg, &(struct published_file){ file->name, file->is_crl, file->ends });
    }
    pthread_mutex_unlock(&published->lock);
}
