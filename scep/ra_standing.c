/* SPDX-License-Identifier: Apache-2.0 */
/* What ca says of RA certificates, kept by serial. */
#include "scep/ra_standing.h"

#include "base/fault.h"
#include "base/log.h"
#include "ipc/cert_status.h"
#include <pthread.h>
#include <stdlib.h>

struct standing_row {
    struct serial serial;
    enum ra_standing standing;
};
struct ra_standings {
    pthread_mutex_t lock;
    struct standing_row *rows; /* those that were ever told not to stand */
    size_t count;
};

struct ra_standings *ra_standings_new(void)
{
    struct ra_standings *standings = xcalloc(1, sizeof(*standings));
    pthread_mutex_init(&standings->lock, NULL);
    return standings;
}

void ra_standings_free(struct ra_standings *standings)
{
    if (!standings)
        return;
    pthread_mutex_destroy(&standings->lock);
    free(standings->rows);
    free(standings);
}

static struct standing_row *row_find(const struct ra_standings *standings, const struct serial *serial)
{
    for (size_t i = 0; i < standings->count; i++) {
        if (serial_equal(&standings->rows[i].serial, serial))
            return &standings->rows[i];
    }
    return NULL;
}

enum ra_standing ra_standing_of(struct ra_standings *standings, const struct ra_key *held)
{
    struct serial serial;
    if (!serial_from_bytes(serial_magnitude(held->cert.serial), &serial))
        return RA_STANDS;
    pthread_mutex_lock(&standings->lock);
    const struct standing_row *row = row_find(standings, &serial);
    enum ra_standing standing = row ? row->standing : RA_STANDS;
    pthread_mutex_unlock(&standings->lock);
    return standing;
}

enum ra_standing ra_standing_of_set(struct ra_standings *standings, const struct ra_set *set)
{
    enum ra_standing recipient = ra_standing_of(standings, ra_set_recipient(set)),
                     signer = ra_standing_of(standings, ra_set_signer(set));
    return recipient > signer ? recipient : signer;
}

/* --- asking --- */

static enum ra_standing standing_of(const struct cert_status *status)
{
    if (status->status != OCSP_REVOKED)
        return RA_STANDS;
    bool compromised = status->reason == CRL_KEY_COMPROMISE || status->reason == CRL_CA_COMPROMISE;
    return status->reason == CRL_CERTIFICATE_HOLD ? RA_HELD : compromised ? RA_COMPROMISED : RA_REVOKED;
}

static struct standing_row *row_add(struct ra_standings *standings)
{
    struct standing_row *more = xcalloc(standings->count + 1, sizeof(*more));
    if (standings->count)
        memcpy(more, standings->rows, standings->count * sizeof(*more));
    free(standings->rows);
    standings->rows = more;
    return &more[standings->count++];
}

static enum ra_standing row_set(struct ra_standings *standings, const struct standing_row *fresh)
{
    pthread_mutex_lock(&standings->lock);
    struct standing_row *row = row_find(standings, &fresh->serial);
    enum ra_standing before = row ? row->standing : RA_STANDS;
    if (!row && fresh->standing != RA_STANDS)
        row = row_add(standings);
    if (row)
        *row = *fresh;
    pthread_mutex_unlock(&standings->lock);
    return before;
}

static void change_log(const struct ra_standing_ask *ask, const struct ra_key *held,
                       enum ra_standing standing, const struct cert_status *status)
{
    AUTO_BUF serial = { 0 };
    serial_append_text(&serial, held->cert.serial);
    if (standing == RA_STANDS)
        log_info(NULL, "RA certificate stands again ra_set=%s generation=%d serial=%s", ask->set->name,
                 held->generation, buf_text(&serial));
    else
        log_error(NULL, "alarm: RA certificate is revoked ra_set=%s generation=%d serial=%s reason=%s",
                  ask->set->name, held->generation, buf_text(&serial), crl_reason_name(status->reason));
}

static enum err key_ask(struct ra_standings *standings, const struct ra_standing_ask *ask,
                        const struct ra_key *held, struct why *why)
{
    struct standing_row fresh;
    struct cert_status status;
    if (cert_is_expired(&held->cert, ask->now) ||
        !serial_from_bytes(serial_magnitude(held->cert.serial), &fresh.serial))
        return OK;
    TRY(status_ask(ask->ca, ask->issuer, &fresh.serial, &status, why));
    fresh.standing = standing_of(&status);
    if (row_set(standings, &fresh) != fresh.standing)
        change_log(ask, held, fresh.standing, &status);
    return OK;
}

enum err ra_standings_ask(struct ra_standings *standings, const struct ra_standing_ask *ask, struct why *why)
{
    for (size_t i = 0; i < ask->set->count; i++)
        TRY(key_ask(standings, ask, &ask->set->encryption[i], why));
    for (size_t i = 0; i < ask->set->signature_count; i++)
        TRY(key_ask(standings, ask, &ask->set->signature[i], why));
    return OK;
}
