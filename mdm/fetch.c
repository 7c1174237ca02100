/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/fetch.h"

#include "base/auto.h"
#include "base/fault.h"
#include <curl/curl.h>
#include <stdatomic.h>

#define CONNECT_TIMEOUT_S 5

static atomic_int running;

enum err fetch_open(struct why *why)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
               ? OK
               : fail(why, ERR_INTERNAL, "libcurl does not start");
}

struct receiving {
    struct buf body;
    size_t most;
};

static size_t receive(char *data, size_t size, size_t count, void *arg)
{
    struct receiving *receiving = arg;
    if (size * count > receiving->most - receiving->body.len)
        return 0;
    buf_append(&receiving->body, bytes_of(data, size * count));
    return size * count;
}

static void options_set(CURL *curl, const struct fetch *asked, struct receiving *receiving)
{
    curl_easy_setopt(curl, CURLOPT_URL, asked->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)FETCH_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, FAULT(fetch_redirect) ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, FAULT(fetch_peer) ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, FAULT(fetch_peer) ? 0L : 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "chancery/" CHANCERY_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, receiving);
    if (asked->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, asked->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (asked->form)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, asked->form);
    if (asked->user) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, asked->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, asked->password);
    }
}

static enum err run(CURL *curl, const struct fetch *asked, struct buf *ret, struct why *why)
{
    struct receiving receiving = { .most = asked->most };
    long status = 0;
    options_set(curl, asked, &receiving);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status == 200) {
        *ret = receiving.body;
        return OK;
    }
    buf_wipe(&receiving.body);
    if (code == CURLE_OK && status >= 400 && status < 500)
        return fail(why, ERR_NOT_AUTHORISED, "the OpenID provider refused it with %ld", status);
    if (code != CURLE_OK)
        return fail(why, ERR_UNAVAILABLE, "the OpenID provider: %s", curl_easy_strerror(code));
    return fail(why, ERR_UNAVAILABLE, "the OpenID provider answered %ld, wanted is 200", status);
}

enum err fetch(const struct fetch *asked, struct buf *ret, struct why *why)
{
    enum err err;
    if (atomic_fetch_add(&running, 1) >= FETCH_AT_ONCE) {
        err = fail(why, ERR_BUSY, "%d requests to the OpenID provider are waiting already", FETCH_AT_ONCE);
    } else {
        CURL *curl = curl_easy_init();
        err = curl ? run(curl, asked, ret, why) : fail(why, ERR_INTERNAL, "libcurl does not start");
        curl_easy_cleanup(curl);
    }
    atomic_fetch_sub(&running, 1);
    return err;
}
