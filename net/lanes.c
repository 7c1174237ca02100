/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes with something to do stand in one line and go round; lanes with nothing are kept a moment, because an address
   that was just served is one that the others have to share with. */
#include "net/lanes.h"

#include "base/clock.h"
#include "base/secret.h"
#include <sys/queue.h>

#define BUCKETS 1024
/* An address counts as active this long after its last job: a device's requests follow each other faster. */
#define ACTIVE_MS 1000

struct waiting {
    struct waiting *next;
    struct lane_job job;
};

struct lane {
    struct lane *next_in_bucket;
    TAILQ_ENTRY(lane) turn;   /* while anything waits */
    TAILQ_ENTRY(lane) recent; /* but for `own` */
    struct address address;
    struct waiting *first, **last;
    size_t count; /* waiting */
    unsigned running;
    int64_t seen_ms;
};

TAILQ_HEAD(lane_list, lane);

struct lanes {
    struct lanes_config config;
    uint64_t seed;
    size_t count; /* waiting in all lanes */
    size_t brief; /* of these */
    struct lane own;
    struct lane *buckets[BUCKETS];
    struct lane_list turns;  /* the next one first */
    struct lane_list recent; /* the one seen longest ago first */
};

static void lane_begin(struct lane *lane)
{
    lane->last = &lane->first;
}

enum err lanes_new(const struct lanes_config *config, struct lanes **ret, struct why *why)
{
    AUTO(lanes) lanes = xcalloc(1, sizeof(*lanes));
    lanes->config = *config;
    TAILQ_INIT(&lanes->turns);
    TAILQ_INIT(&lanes->recent);
    lane_begin(&lanes->own);
    TRY(random_fill(&lanes->seed, sizeof(lanes->seed), why));
    *ret = TAKE(lanes);
    return OK;
}

static void lane_clear(struct lane *lane)
{
    while (lane->first) {
        struct waiting *next = lane->first->next;
        free(lane->first);
        lane->first = next;
    }
}

void lanes_free(struct lanes *lanes)
{
    if (!lanes)
        return;
    lane_clear(&lanes->own);
    struct lane *lane;
    while ((lane = TAILQ_FIRST(&lanes->recent))) {
        TAILQ_REMOVE(&lanes->recent, lane, recent);
        lane_clear(lane);
        free(lane);
    }
    free(lanes);
}

static struct lane **place_of(struct lanes *lanes, const struct address *address)
{
    struct lane **at = &lanes->buckets[address_hash(address, lanes->seed) % BUCKETS];
    while (*at && !address_equal(&(*at)->address, address))
        at = &(*at)->next_in_bucket;
    return at;
}

static bool is_idle(const struct lane *lane, int64_t now_ms)
{
    return lane->count == 0 && lane->running == 0 && now_ms - lane->seen_ms >= ACTIVE_MS;
}

static void idle_drop(struct lanes *lanes, int64_t now_ms)
{
    struct lane *lane;
    while ((lane = TAILQ_FIRST(&lanes->recent)) && is_idle(lane, now_ms)) {
        TAILQ_REMOVE(&lanes->recent, lane, recent);
        *place_of(lanes, &lane->address) = lane->next_in_bucket;
        free(lane);
    }
}

static struct lane *lane_of(struct lanes *lanes, const struct address *from, int64_t now_ms)
{
    if (!from)
        return &lanes->own;
    const struct address holder = address_holder(*from);
    struct lane **place = place_of(lanes, &holder);
    if (*place) {
        TAILQ_REMOVE(&lanes->recent, *place, recent);
    } else {
        *place = xcalloc(1, sizeof(**place));
        (*place)->address = holder;
        lane_begin(*place);
    }
    (*place)->seen_ms = now_ms;
    TAILQ_INSERT_TAIL(&lanes->recent, *place, recent);
    return *place;
}

static struct lane_job oldest_take(struct lanes *lanes, struct lane *lane)
{
    struct waiting *oldest = lane->first;
    struct lane_job job = oldest->job;
    if (!(lane->first = oldest->next))
        lane->last = &lane->first;
    free(oldest);
    lane->count--;
    lanes->count--;
    lanes->brief -= job.brief;
    TAILQ_REMOVE(&lanes->turns, lane, turn);
    if (lane->count) /* its next turn comes after everybody else's */
        TAILQ_INSERT_TAIL(&lanes->turns, lane, turn);
    return job;
}

static void job_add(struct lanes *lanes, struct lane *lane, const struct lane_job *job)
{
    struct waiting *waiting = xcalloc(1, sizeof(*waiting));
    waiting->job = *job;
    *lane->last = waiting;
    lane->last = &waiting->next;
    if (lane->count++ == 0)
        TAILQ_INSERT_TAIL(&lanes->turns, lane, turn);
    lanes->count++;
    lanes->brief += job->brief;
}

/* Whose queue is longer than `count` by more than the one place that is wanted; NULL: nobody's. */
static struct lane *longest_above(struct lanes *lanes, size_t count)
{
    struct lane *longest = NULL, *lane;
    TAILQ_FOREACH(lane, &lanes->turns, turn)
    {
        if (lane != &lanes->own && (!longest || lane->count > longest->count))
            longest = lane;
    }
    return longest && longest->count > count + 1 && longest->first->job.refuse ? longest : NULL;
}

static size_t waiting_of(struct lanes *lanes, const struct address *from)
{
    if (!from)
        return lanes->own.count;
    const struct address holder = address_holder(*from);
    const struct lane *lane = *place_of(lanes, &holder);
    return lane ? lane->count : 0;
}

enum lanes_put lanes_put(struct lanes *lanes, const struct address *from, const struct lane_job *job,
                         struct lane_job *ret_displaced)
{
    enum lanes_put result = LANES_TAKEN;
    if (lanes->count >= lanes->config.size) {
        struct lane *longest = longest_above(lanes, waiting_of(lanes, from));
        if (!longest)
            return LANES_FULL;
        *ret_displaced = oldest_take(lanes, longest);
        result = LANES_DISPLACED;
    }
    idle_drop(lanes, job->since_ms);
    job_add(lanes, lane_of(lanes, from, job->since_ms), job);
    return result;
}

/* Alone an address may have every worker; once others are there each has its share. */
static bool may_start(const struct lanes *lanes, const struct lane *lane)
{
    bool alone = TAILQ_FIRST(&lanes->recent) == TAILQ_LAST(&lanes->recent, lane_list);
    unsigned share = lanes->config.running_per_address;
    return lane == &lanes->own || alone || share == 0 || lane->running < share;
}

static struct lane *next_lane(const struct lanes *lanes, bool brief_too)
{
    struct lane *lane;
    if (!brief_too && lanes->brief == lanes->count) /* nearly always: nothing to look for in a long queue */
        return NULL;
    TAILQ_FOREACH(lane, &lanes->turns, turn)
    {
        if (may_start(lanes, lane) && (brief_too || !lane->first->job.brief))
            return lane;
    }
    return NULL;
}

bool lanes_take(struct lanes *lanes, bool brief_too, struct lane_job *ret, struct lane **ret_lane)
{
    struct lane *lane = next_lane(lanes, brief_too);
    if (!lane)
        return false;
    *ret = oldest_take(lanes, lane);
    lane->running++;
    *ret_lane = lane;
    return true;
}

bool lanes_ready(const struct lanes *lanes, bool brief_too)
{
    return next_lane(lanes, brief_too) != NULL;
}

void lanes_done(struct lanes *lanes, struct lane *lane)
{
    (void)lanes;
    lane->running--;
}

size_t lanes_waiting(const struct lanes *lanes)
{
    return lanes->count;
}
