/* SPDX-License-Identifier: Apache-2.0 */
/* How a profile stands on a device. One table says which event moves it from which state to which; each move is a row of history. */
#pragma once
#include "mdm/platform.h"
#include "mdm/uuid.h"
#include "store/store.h"

enum deployment_state {
    DEPLOYMENT_NONE, DEPLOYMENT_PENDING, DEPLOYMENT_DELIVERED, DEPLOYMENT_VERIFIED, DEPLOYMENT_ISSUED, DEPLOYMENT_INSTALLED,
    DEPLOYMENT_RENEWING, DEPLOYMENT_REVOKED, DEPLOYMENT_REMOVED, DEPLOYMENT_ERROR, DEPLOYMENT_STATE_COUNT
};
enum deployment_event {
    DEPLOYMENT_TARGETED,                                     /* it reaches the device, or does so in another version */
    DEPLOYMENT_ORDERED,                                      /* the device was told */
    DEPLOYMENT_WAITS,                                        /* ca has verified the challenge; an administrator is to approve */
    DEPLOYMENT_CERTIFIED,                                    /* ca has issued */
    DEPLOYMENT_FOUND,                                        /* the device has it */
    DEPLOYMENT_LOST,                                         /* the device has it no more: somebody deleted it there */
    DEPLOYMENT_ENDS,                                         /* it is time to renew */
    DEPLOYMENT_FAILED,
    DEPLOYMENT_TAKEN,                                        /* its certificate was revoked */
    DEPLOYMENT_GONE,                                         /* it does not reach the device any more, which has nothing of it */
    DEPLOYMENT_EVENT_COUNT
};
enum deployment_intent { INTENT_HAVE, INTENT_REMOVE, INTENT_LEAVE, INTENT_COUNT };   /* LEAVE: it may stay, and is not renewed */
extern const struct words deployment_state_words, deployment_event_words, deployment_intent_words;

#define DEPLOYMENT_NEVER INT64_MAX
#define DEPLOYMENT_RETRY_S 900                               /* what failed on a device, or was never seen there, is tried again no sooner */
#define DEPLOYMENT_STEP_PREVIEW "preview"                    /* the request cannot be made of what is known */
struct deployment {
    char device[UUID_TEXT], profile[UUID_TEXT];
    int64_t version;
    enum profile_type type;
    enum deployment_state state;
    enum deployment_intent intent;
    char order[UUID_TEXT];                                   /* what the device was told to do; empty: nothing */
    int64_t due_at;                                          /* when it is to be told something; DEPLOYMENT_NEVER */
    int64_t history;                                         /* number of the last row */
    char step[16], code[48], diagnosis[16], detail[320];     /* of the last failure, until the next move */
    char thumbprint[65];                                     /* of a trusted certificate; SHA-256, lower case */
    int64_t created_at, changed_at;
};
struct deployments { struct deployment *list; size_t count; };
void deployments_free(struct deployments *deployments);      /* held by value */
/* Those of a device, in the order of the profiles' ids; of one profile where that is not NULL. With room for `more` further ones. */
NODISCARD enum err deployments_load(struct store_tx *tx, const char *device, const char *profile, size_t more,
                                    struct deployments *ret, struct why *why);
/* Before they are loaded to be changed: whoever else changes the device's waits until this unit has ended. */
NODISCARD enum err deployments_hold(struct store_tx *tx, const char *device, struct why *why);
NODISCARD enum err deployment_save(struct store_tx *tx, const struct deployment *deployment, struct why *why);
/* device_report's copy of when the first of them is due; after they were saved. */
NODISCARD enum err deployment_due(struct store_tx *tx, const char *device, struct why *why);

struct deployment_move { enum deployment_event event; const char *step, *code, *diagnosis, *detail;   /* NULL: nothing */
                         int64_t due_at;                     /* of a move to installed or error; 0: never */
                         int64_t now; };
/* Moves the row, saves it, and writes its history. A move that the table does not have is logged, and changes nothing. */
NODISCARD enum err deployment_move(struct store_tx *tx, struct deployment *deployment, const struct deployment_move *move,
                                   struct why *why);
/* DEPLOYMENT_NONE: there is no such move. */
enum deployment_state deployment_next(enum deployment_state state, enum deployment_event event);
