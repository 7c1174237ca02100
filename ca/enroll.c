/* SPDX-License-Identifier: Apache-2.0 */
/* The heart of the product, in order: judge, T1, seal, T2. Each stage hands on to the next and takes no thread along while
   disk or signer work, so that requests which come together share commits, flushes and system calls. Where a stage finds
   something wrong, settle() takes over on a thread that may wait. */
#include "ca/enroll.h"

#include "base/fault.h"
#include "base/wake.h"
#include "ca/answer.h"
#include "ca/issue.h"
#include "ca/judge.h"
#include "ca/request.h"
#include "ca/right.h"
#include "ca/validator.h"

#define ENROLL_ATTEMPTS 5 /* the same request in other threads: each round one is done */

struct enrolment {
    struct ca *ca;
    struct enroll_start start;
    struct request request;
    struct grant grant;
    struct reserve_params params;
    struct reservation slot;
    struct buf der;
    struct enrolled enrolled;
    int attempt;
    enum err err; /* what settle has to deal with */
    struct why reason;
};

static void enrolment_end(struct enrolment *enrolment, enum err err, const struct why *why)
{
    enrolment->start.done(enrolment->start.arg, err, &enrolment->enrolled, why);
    enrolled_free(&enrolment->enrolled);
    reservation_free(&enrolment->slot);
    grant_free(&enrolment->grant);
    request_free(&enrolment->request);
    buf_free(&enrolment->der);
    free(enrolment);
}

static void settle(void *arg);

/* Goes on where it may wait. */
static void settle_later(struct enrolment *enrolment, enum err err, const struct why *why)
{
    enrolment->err = err;
    enrolment->reason = *why;
    enrolment->start.go_on(enrolment->start.arg, settle, enrolment);
}

/* --- the stages --- */

static void issued(struct enrolment *enrolment)
{
    static const struct why none;
    enrolled_fill(&enrolment->slot, &enrolment->der, &enrolment->enrolled);
    enrolment_end(enrolment, OK, &none);
}

static void on_recorded(void *arg, enum err err, const struct why *why)
{
    struct enrolment *enrolment = arg;
    if (err == OK)
        issued(enrolment);
    else
        settle_later(enrolment, err, why);
}

static void refused_by_signer(void *arg);

static void on_sealed(void *arg, enum err err, const struct why *why)
{
    struct enrolment *enrolment = arg;
    if (err == OK && !FAULT(t2_before_answer)) {
        issue_record_start(enrolment->ca, &enrolment->slot, buf_bytes(&enrolment->der), on_recorded,
                           enrolment); /* T2 */
    } else if (err == OK) {
        issued(enrolment);
    } else if (err_row(err)->retryable) {
        /* It stays reserved: the same request seals it, or time voids it. */
        enrolment_end(enrolment, err, why);
    } else {
        enrolment->err = err;
        enrolment->reason = *why;
        enrolment->start.go_on(enrolment->start.arg, refused_by_signer, enrolment);
    }
}

static void on_reserved(void *arg, enum err err, const struct why *why)
{
    struct enrolment *enrolment = arg;
    if (err != OK) {
        settle_later(enrolment, err, why);
        return;
    }
    enrolment->grant.reserved = true;
    if (enrolment->slot.over[0]) {
        enrolment->enrolled =
            (struct enrolled){ .disposition = ENROLL_PENDING, .request_id = enrolment->slot.request_id };
        memcpy(enrolment->enrolled.over, enrolment->slot.over, sizeof(enrolment->slot.over));
        enrolment_end(enrolment, OK, why);
        return;
    }
    issue_seal_start(enrolment->ca, &enrolment->slot, &enrolment->der, on_sealed, enrolment); /* signer */
}

static void wait_for_approval(void *arg);

/* What may be issued, and as what. From `authorised` on the requester was accepted: what goes wrong is kept. */
static enum err judge(struct enrolment *enrolment, struct why *why)
{
    struct request *request = &enrolment->request;
    struct grant *grant = &enrolment->grant;
    TRY(authorise(enrolment->ca, request, grant, why)); /* key, signer, challenge */
    grant->authorised = true;
    TRY(judge_asked(enrolment->ca, request, grant, why));
    /* Last, because whoever a manual endpoint makes wait was accepted by nobody: is_to_be_kept. */
    grant->waits = grant->waits || (grant->template->manager_approval && !FAULT(manager_approval));
    if (grant->waits && principal_is_role(request->requester))
        return fail(why, ERR_TEMPLATE,
                    "template %s wants a manager's approval, and a role's own request cannot wait",
                    grant->template->name);
    return OK;
}

static void enrolment_begin(struct enrolment *enrolment)
{
    struct why why = { 0 };
    enum err err = judge(enrolment, &why);
    if (err != OK) {
        settle_later(enrolment, err, &why);
        return;
    }
    enrolment->params = reserve_params_of(&enrolment->request, &enrolment->grant);
    const struct reserve_start start = { &enrolment->params, &enrolment->grant, &enrolment->slot };
    if (enrolment->grant.waits && enrolment->request.endpoint)
        enrolment->start.go_on(enrolment->start.arg, wait_for_approval, enrolment);
    else
        issue_reserve_start(enrolment->ca, &start, on_reserved, enrolment); /* T1 */
}

/* --- on a thread that may wait --- */

static void wait_for_approval(void *arg)
{
    struct enrolment *enrolment = arg;
    struct why why = { 0 };
    int64_t id = 0;
    enum err err = issue_wait(enrolment->ca, &enrolment->params, &enrolment->grant,
                              enrolment->request.endpoint->pending_max, &id, &why);
    if (err != OK) {
        enrolment->err = err;
        enrolment->reason = why;
        settle(enrolment);
        return;
    }
    enrolment->enrolled = (struct enrolled){ .disposition = ENROLL_PENDING, .request_id = id };
    enrolment_end(enrolment, OK, &why);
}

static void refused_by_signer(void *arg)
{
    struct enrolment *enrolment = arg;
    struct why why = { 0 };
    enum err err = issue_fail(enrolment->ca, &enrolment->slot, &enrolment->reason, &why);
    if (err != OK) {
        enrolment->err = err;
        enrolment->reason = why;
    }
    settle(enrolment);
}

/* What was refused after T1 has its row. Strangers on a manual endpoint, and whoever lost the race for a one-time password,
   were accepted by nobody: their refusals stay out of the store. */
static bool is_to_be_kept(enum err err, const struct grant *grant)
{
    return !grant->reserved && (!grant->waits || grant->managed) && !err_row(err)->retryable &&
           err != ERR_CONFLICT && err != ERR_CHALLENGE_USED && err != ERR_CHALLENGE_EXPIRED;
}

/* Nearly every request is new, and the store refuses a second row for the same one: so whether it is known, from an hour or
   a moment ago, is only asked when something stood in its way. OK: it was, and has its answer. */
static enum err settle_once(struct enrolment *enrolment, struct why *why)
{
    struct ca *ca = enrolment->ca;
    const struct grant *grant = &enrolment->grant;
    enum err err = enrolment->err;
    bool known = false;
    if (!grant->reserved || err == ERR_CONFLICT)
        TRY(answer_known(ca, &enrolment->request, &known, &enrolment->enrolled, why));
    if (known)
        return OK;
    if (grant->authorised && is_to_be_kept(err, grant)) {
        const struct reserve_params params = reserve_params_of(&enrolment->request, grant);
        const struct refused refused = { &params, grant, &enrolment->request.csr };
        TRY(issue_refuse(ca, &refused, &enrolment->reason, why));
    }
    return fail(why, err, "%s", enrolment->reason.text);
}

static void begin_again(struct enrolment *enrolment)
{
    reservation_free(&enrolment->slot);
    grant_free(&enrolment->grant);
    buf_free(&enrolment->der);
    public_key_free(TAKE(enrolment->request.key));
    enrolment_begin(enrolment);
}

static void settle(void *arg)
{
    struct enrolment *enrolment = arg;
    struct why why = { 0 };
    enum err err = settle_once(enrolment, &why);
    if (err == ERR_CONFLICT && ++enrolment->attempt < ENROLL_ATTEMPTS) {
        begin_again(enrolment);
        return;
    }
    if (err == ERR_CONFLICT)
        err = fail(&why, ERR_BUSY, "the same request came in %d times at once", ENROLL_ATTEMPTS);
    enrolment_end(enrolment, err, &why);
}

/* --- asking --- */

static struct enrolment *enrolment_new(struct ca *ca, const struct enroll_start *start)
{
    struct enrolment *enrolment = xcalloc(1, sizeof(*enrolment));
    enrolment->ca = ca;
    enrolment->start = *start;
    return enrolment;
}

static void enrolment_opened(struct enrolment *enrolment, enum err err, const struct why *why)
{
    if (err == OK)
        enrolment_begin(enrolment);
    else
        enrolment_end(enrolment, err, why);
}

void ca_enroll_start(struct ca *ca, const struct enroll_start *start)
{
    struct enrolment *enrolment = enrolment_new(ca, start);
    struct why why = { 0 };
    enum err err = request_open(ca, start->ask, &enrolment->request, &why);
    enrolment_opened(enrolment, err, &why);
}

void ca_enroll_own_start(struct ca *ca, const struct own_request *own, const struct enroll_start *start)
{
    struct enrolment *enrolment = enrolment_new(ca, start);
    struct why why = { 0 };
    enum err err = request_open_own(ca, own, &enrolment->request, &why);
    enrolment_opened(enrolment, err, &why);
}

struct waiting {
    struct lender lender;
    enum err err;
    struct enrolled enrolled;
    struct why why;
};

static void on_work(void *arg, void (*work)(void *work_arg), void *work_arg)
{
    struct waiting *waiting = arg;
    lender_go_on(&waiting->lender, work, work_arg);
}

static void on_end(void *arg, enum err err, struct enrolled *enrolled, const struct why *why)
{
    struct waiting *waiting = arg;
    waiting->err = err;
    waiting->enrolled = *enrolled;
    waiting->why = *why;
    *enrolled = (struct enrolled){ 0 };
    lender_end(&waiting->lender);
}

enum err ca_enroll(struct ca *ca, const struct enroll_request *ask, struct enrolled *ret, struct why *why)
{
    struct waiting waiting = { 0 };
    lender_open(&waiting.lender);
    ca_enroll_start(ca, &(struct enroll_start){ ask, on_work, on_end, &waiting });
    lender_wait(&waiting.lender);
    if (waiting.err != OK)
        return fail(why, waiting.err, "%s", waiting.why.text);
    *ret = waiting.enrolled;
    return OK;
}
