/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads at one pool: jobs of all kinds, which wait without a thread and are brought on by strangers. */
#include "net/pool.h"

#include "tests/unit/count.h"

#define PLACES     6
#define BRIEF      2
#define SUBMITTERS 4
#define STRANGERS  3
#define JOBS       1500 /* of each submitter */
#define STEPS_MOST 5
#define ADDRESSES  5

/* A job runs its first step when it is submitted, and each later one after somebody went on with it. */
struct job {
    struct crowd *crowd;
    struct job *next;
    struct pool_place *place;
    unsigned seed;
    int steps, done; /* each step is one after the other, so they need no lock */
    bool brief;
    bool refused;
};

struct crowd {
    struct pool *pool;
    struct address addresses[ADDRESSES];
    struct count steps, ended, refused, brief, on_threads, in_places;
    pthread_mutex_t lock; /* the rest */
    pthread_cond_t some;
    struct job *parked;
    bool over;
};

static unsigned roll(struct job *job, unsigned sides)
{
    job->seed = job->seed * 1103515245 + 12345;
    return job->seed / 65536 % sides;
}

static void park(struct job *job)
{
    struct crowd *crowd = job->crowd;
    pthread_mutex_lock(&crowd->lock);
    job->next = crowd->parked;
    crowd->parked = job;
    pthread_cond_signal(&crowd->some);
    pthread_mutex_unlock(&crowd->lock);
}

static void leave(struct job *job)
{
    struct crowd *crowd = job->crowd;
    count_add(&crowd->in_places, -1);
    pool_leave(job->place);
    count_add(&crowd->ended, 1);
}

static void step(void *arg, struct pool_place *place);

static void go_on(struct job *job)
{
    job->brief = roll(job, 2);
    pool_go_on(job->place, step, job, job->brief);
}

static void step(void *arg, struct pool_place *place)
{
    struct job *job = arg;
    struct crowd *crowd = job->crowd;
    bool brief = job->brief;
    count_add(&crowd->on_threads, 1);
    if (brief)
        count_add(&crowd->brief, 1);
    if (job->done++ == 0) {
        job->place = place;
        count_add(&crowd->in_places, 1);
        if (job->steps > 1)
            pool_keep(place);
    }
    count_add(&crowd->steps, 1);
    if (brief)
        count_add(&crowd->brief, -1);
    count_add(&crowd->on_threads, -1);
    if (job->steps == 1) {
        count_add(&crowd->in_places, -1);
        count_add(&crowd->ended, 1);
    } else if (roll(job, 2)) {
        park(job);
    } else if (job->done < job->steps) {
        go_on(job);
    } else {
        leave(job);
    }
}

static void *stranger(void *arg)
{
    struct crowd *crowd = arg;
    pthread_mutex_lock(&crowd->lock);
    for (;;) {
        struct job *job = crowd->parked;
        if (!job && crowd->over)
            break;
        if (!job) {
            pthread_cond_wait(&crowd->some, &crowd->lock);
            continue;
        }
        crowd->parked = job->next;
        pthread_mutex_unlock(&crowd->lock);
        if (job->done < job->steps)
            go_on(job);
        else
            leave(job);
        pthread_mutex_lock(&crowd->lock);
    }
    pthread_mutex_unlock(&crowd->lock);
    return NULL;
}

static void refuse(void *arg)
{
    struct job *job = arg;
    job->refused = true;
    count_add(&job->crowd->refused, 1);
}

struct submitter {
    struct crowd *crowd;
    unsigned number;
    struct job jobs[JOBS];
};

static void *submitter(void *arg)
{
    struct submitter *submitter = arg;
    for (unsigned i = 0; i < JOBS; i++) {
        struct job *job = &submitter->jobs[i];
        *job = (struct job){ .crowd = submitter->crowd, .seed = submitter->number * 100000 + i };
        job->steps = 1 + (int)roll(job, STEPS_MOST);
        job->brief = roll(job, 2);
        const struct address *from = &submitter->crowd->addresses[roll(job, ADDRESSES)];
        const struct pool_job ask = { step, refuse, job, roll(job, 4) ? from : NULL, job->brief };
        if (!pool_submit_from(submitter->crowd->pool, &ask))
            refuse(job);
    }
    return NULL;
}

static struct crowd *crowd_new(size_t queue)
{
    struct crowd *crowd = xcalloc(1, sizeof(*crowd));
    *crowd = (struct crowd){ .steps = COUNT_ZERO,
                             .ended = COUNT_ZERO,
                             .refused = COUNT_ZERO,
                             .brief = COUNT_ZERO,
                             .on_threads = COUNT_ZERO,
                             .in_places = COUNT_ZERO,
                             .lock = PTHREAD_MUTEX_INITIALIZER,
                             .some = PTHREAD_COND_INITIALIZER };
    for (int i = 0; i < ADDRESSES; i++) {
        char text[32];
        snprintf(text, sizeof(text), "192.0.2.%d", i);
        assert_true(address_parse(bytes_str(text), &crowd->addresses[i]));
    }
    struct why why;
    const struct pool_config config = {
        .threads = PLACES, .queue = queue, .brief = BRIEF, .running_per_address = 3
    };
    ASSERT_OK(pool_new(&config, &crowd->pool, &why), &why);
    return crowd;
}

/* early: the pool ends while jobs are queued, parked and on their way. */
static void crowd_run(size_t queue, bool early)
{
    struct crowd *crowd = crowd_new(queue);
    struct submitter *submitters = xcalloc(SUBMITTERS, sizeof(*submitters));
    pthread_t senders[SUBMITTERS], strangers[STRANGERS];
    for (unsigned i = 0; i < STRANGERS; i++)
        assert_int_equal(pthread_create(&strangers[i], NULL, stranger, crowd), 0);
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        submitters[i].crowd = crowd;
        submitters[i].number = i;
        assert_int_equal(pthread_create(&senders[i], NULL, submitter, &submitters[i]), 0);
    }
    for (unsigned i = 0; i < SUBMITTERS; i++)
        pthread_join(senders[i], NULL);
    if (!early)
        assert_true(count_reaches(&crowd->ended, SUBMITTERS * JOBS - count_now(&crowd->refused)));
    pool_free(crowd->pool);
    pthread_mutex_lock(&crowd->lock);
    crowd->over = true;
    pthread_cond_broadcast(&crowd->some);
    pthread_mutex_unlock(&crowd->lock);
    for (unsigned i = 0; i < STRANGERS; i++)
        pthread_join(strangers[i], NULL);
    int steps = 0, refused = 0;
    for (unsigned i = 0; i < SUBMITTERS * JOBS; i++) {
        const struct job *job = &submitters[i / JOBS].jobs[i % JOBS];
        assert_int_equal(job->done, job->refused ? 0 : job->steps);
        steps += job->done;
        refused += job->refused;
    }
    assert_int_equal(count_now(&crowd->refused), refused);
    assert_int_equal(count_now(&crowd->ended), SUBMITTERS * JOBS - refused);
    assert_int_equal(count_now(&crowd->steps), steps);
    assert_in_range(count_most(&crowd->brief), 1, BRIEF);
    assert_in_range(count_most(&crowd->on_threads), 1, PLACES);
    assert_in_range(count_most(&crowd->in_places), 1, PLACES);
    free(submitters);
    free(crowd);
}

TEST(every_step_runs_once_and_no_bound_is_passed)
{
    crowd_run(SUBMITTERS * JOBS, false);
}

TEST(what_a_short_queue_takes_is_done_and_the_rest_is_refused_once)
{
    crowd_run(20, false);
}

TEST(a_pool_that_ends_in_the_middle_of_it_finishes_all)
{
    crowd_run(SUBMITTERS * JOBS, true);
}

RUN(T(every_step_runs_once_and_no_bound_is_passed),
    T(what_a_short_queue_takes_is_done_and_the_rest_is_refused_once),
    T(a_pool_that_ends_in_the_middle_of_it_finishes_all))
