/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the validation authority: /ocsp and /CertEnroll/. */
#include "va/route.h"

#include "http/path.h"
#include "http/server.h"
#include "va/ocsp.h"
#include "va/ocsp_path.h"
#include <strings.h>

#define OCSP_PATH   "/ocsp"
#define FOLDER_PATH "/certenroll/"

static const char *const download_suffix[DOWNLOAD_COUNT] = {
    [DOWNLOAD_CERT] = ".crt", [DOWNLOAD_CRL] = ".crl", [DOWNLOAD_DELTA] = "+.crl"
};

bool route_is_ocsp(struct bytes path, struct bytes *ret_rest)
{
    static const size_t len = sizeof(OCSP_PATH) - 1;
    if (path.len < len || strncasecmp((const char *)path.data, OCSP_PATH, len) != 0 ||
        (path.len > len && path.data[len] != '/'))
        return false;
    *ret_rest = bytes_of(path.data + len, path.len - len);
    return true;
}

/* Is file the name of that download of a CA: "issuing+.crl"? */
static bool is_download(const char *file, const struct authority *authority, enum download which)
{
    const char *name = authority_name(authority);
    size_t len = strlen(name);
    return strncmp(file, name, len) == 0 && strcmp(file + len, download_suffix[which]) == 0;
}

/* The number in "issuing-17.crl" of a CA with at least so many partitions; 0: it is no such name. */
static unsigned partition_named(const char *file, const struct authority *authority)
{
    const char *name = authority_name(authority);
    size_t len = strlen(name);
    if (strncmp(file, name, len) != 0 || file[len] != '-')
        return 0;
    const char *digits = file + len + 1;
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > 3 || *digits == '0' || strcmp(digits + count, ".crl") != 0)
        return 0;
    unsigned partition = (unsigned)strtoul(digits, NULL, 10);
    return partition <= authority_partitions(authority) ? partition : 0;
}

/* A CA need not have delta CRLs, and one with partitions has no complete CRL. */
static bool is_never(const struct authority *authority, enum download which)
{
    return (which == DOWNLOAD_DELTA && authority_is_known(authority)) ||
           (which == DOWNLOAD_CRL && authority_partitions(authority));
}

static enum err authority_find_document(struct va *va, const char *file, struct document **ret)
{
    for (size_t i = 0; i < va->authority_count; i++) {
        struct authority *authority = va->authorities[i];
        unsigned partition = partition_named(file, authority);
        if (partition) {
            *ret = authority_partition(authority, partition);
            return *ret ? OK : ERR_UNAVAILABLE;
        }
        for (enum download which = 0; which < DOWNLOAD_COUNT; which++) {
            if (!is_download(file, authority, which))
                continue;
            *ret = authority_document(authority, which);
            if (*ret)
                return OK;
            return is_never(authority, which) ? ERR_HTTP_PATH : ERR_UNAVAILABLE;
        }
    }
    return ERR_HTTP_PATH;
}

enum err route_document(struct va *va, struct bytes path, struct document **ret)
{
    AUTO_STR clean = path_normalise(path);
    if (!clean || strncmp(clean, FOLDER_PATH, sizeof(FOLDER_PATH) - 1) != 0)
        return ERR_HTTP_PATH;
    const char *file = clean + sizeof(FOLDER_PATH) - 1;
    enum err err = authority_find_document(va, file, ret);
    if (err != ERR_HTTP_PATH)
        return err;
    struct document *document = published_find(va->published, file);
    if (!document)
        return ERR_HTTP_PATH;
    *ret = document;
    return OK;
}

static void ocsp_route(struct va *va, struct http_exchange *exchange, struct bytes rest)
{
    const struct http_request *request = http_request(exchange);
    AUTO_BUF der = { 0 };
    if (request->method == HTTP_POST)
        ocsp_handle(va, exchange, request->body);
    else if (ocsp_path_decode(rest, &der))
        ocsp_handle(va, exchange, buf_bytes(&der));
    else
        ocsp_handle(va, exchange, BYTES_NONE);
}

static void download_route(struct va *va, struct http_exchange *exchange)
{
    const struct http_request *request = http_request(exchange);
    struct document *document = NULL;
    enum err err = route_document(va, request->path, &document);
    struct http_answer answer = { .status = err_row(err)->http_status };
    if (err == ERR_UNAVAILABLE)
        answer.extra_headers = VA_RETRY_AFTER;
    if (err == OK && request->method == HTTP_POST) {
        answer.status = 405;
        answer.extra_headers = "Allow: GET, HEAD\r\n";
    }
    if (answer.status == 200) {
        document_respond(document, exchange, clock_now(va->clock));
        return;
    }
    document_unref(document);
    http_respond(exchange, &answer);
}

void route_handle(struct http_exchange *exchange, void *arg)
{
    struct va *va = arg;
    struct bytes rest;
    if (route_is_ocsp(http_request(exchange)->path, &rest))
        ocsp_route(va, exchange, rest);
    else
        download_route(va, exchange);
}
