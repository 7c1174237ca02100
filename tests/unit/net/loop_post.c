/* SPDX-License-Identifier: Apache-2.0 */
/* Posts: none is lost, whoever posts and whatever the list holds. */
#include "net/loop.h"

#include "tests/unit/count.h"

struct turning {
    struct loop *loop;
    pthread_t thread;
};

static void *turn(void *arg)
{
    loop_run(((struct turning *)arg)->loop);
    return NULL;
}

static struct turning *turning_begin(void)
{
    struct turning *turning = xcalloc(1, sizeof(*turning));
    struct why why;
    ASSERT_OK(loop_new(&turning->loop, &why), &why);
    assert_int_equal(pthread_create(&turning->thread, NULL, turn, turning), 0);
    return turning;
}

static void turning_end(struct turning *turning)
{
    loop_stop(turning->loop);
    pthread_join(turning->thread, NULL);
    loop_free(turning->loop);
    free(turning);
}

struct sender {
    struct loop *loop;
    struct count arrived;
    int sent;
    bool alone, missing, disordered;
    struct letter {
        struct sender *sender;
        int number;
    } letters[5000];
    pthread_t thread;
};

static void on_letter(void *arg)
{
    const struct letter *letter = arg;
    if (count_add(&letter->sender->arrived, 1) != letter->number)
        letter->sender->disordered = true;
}

/* alone: waits for each, so that the list is nearly always empty when it posts. */
static void *send_letters(void *arg)
{
    struct sender *sender = arg;
    for (int i = 0; i < sender->sent && !sender->missing; i++) {
        sender->letters[i] = (struct letter){ sender, i + 1 };
        loop_post(sender->loop, on_letter, &sender->letters[i]);
        if (sender->alone)
            sender->missing = !count_reaches(&sender->arrived, i + 1);
    }
    sender->missing = sender->missing || !count_reaches(&sender->arrived, sender->sent);
    return NULL;
}

static void letters_all_arrive(int waiting, int hurrying)
{
    struct turning *turning = turning_begin();
    int count = waiting + hurrying;
    struct sender *senders = xcalloc((size_t)count, sizeof(*senders));
    for (int i = 0; i < count; i++) {
        senders[i] = (struct sender){
            .loop = turning->loop, .arrived = COUNT_ZERO, .sent = 5000, .alone = i < waiting
        };
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_letters, &senders[i]), 0);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(senders[i].thread, NULL);
        assert_false(senders[i].missing);
        assert_false(senders[i].disordered);
    }
    turning_end(turning);
    free(senders);
}

TEST(one_post_at_a_time_always_wakes_the_loop)
{
    letters_all_arrive(1, 0);
}

TEST(posts_of_many_threads_all_arrive_in_the_order_of_each)
{
    letters_all_arrive(0, 4);
}

TEST(threads_that_wait_and_threads_that_do_not_get_theirs)
{
    letters_all_arrive(3, 2);
}

struct chain {
    struct loop *loop;
    struct count steps;
    int length;
};

static void on_link(void *arg)
{
    struct chain *chain = arg;
    if (count_now(&chain->steps) + 1 < chain->length)
        loop_post(chain->loop, on_link, chain);
    count_add(&chain->steps, 1);
}

TEST(a_post_from_a_posted_function_runs)
{
    struct turning *turning = turning_begin();
    struct chain chain = { turning->loop, COUNT_ZERO, 5000 };
    loop_post(turning->loop, on_link, &chain);
    assert_true(count_reaches(&chain.steps, 5000));
    turning_end(turning);
    assert_int_equal(count_now(&chain.steps), 5000);
}

/* --- on the loop's own thread, so that the list is what the test makes it --- */

struct script {
    struct loop *loop;
    char seen[32];
    int other; /* whose address is an arg, too */
};

static void see(struct script *script, char what)
{
    script->seen[strlen(script->seen)] = what;
}

static void on_a(void *arg)
{
    see(arg, 'a');
}

static void on_stop(void *arg)
{
    struct script *script = arg;
    see(script, 's');
    loop_stop(script->loop);
}

static void on_b_then_a(void *arg)
{
    struct script *script = arg;
    see(script, 'b');
    loop_post(script->loop, on_a, script);
}

static void on_nothing(void *arg)
{
    (void)arg;
}

static void on_forget(void *arg)
{
    struct script *script = arg;
    see(script, '0' + (char)loop_forget(script->loop, &script->other));
}

static struct script script_begin(void)
{
    struct script script = { 0 };
    struct why why;
    ASSERT_OK(loop_new(&script.loop, &why), &why);
    return script;
}

TEST(what_is_posted_meanwhile_comes_after_what_is_there)
{
    struct script script = script_begin();
    loop_post(script.loop, on_b_then_a, &script);
    loop_post(script.loop, on_b_then_a, &script);
    loop_post(script.loop, on_a, &script);
    loop_after(script.loop, 30, on_stop, &script);
    loop_run(script.loop);
    assert_string_equal(script.seen, "bbaaas");
    loop_free(script.loop);
}

TEST(a_function_may_forget_what_comes_after_it)
{
    struct script script = script_begin();
    loop_post(script.loop, on_a, &script);
    loop_post(script.loop, on_forget, &script);
    for (int i = 0; i < 3; i++)
        loop_post(script.loop, on_nothing, &script.other);
    loop_post(script.loop, on_a, &script);
    loop_post(script.loop, on_stop, &script);
    loop_run(script.loop);
    assert_string_equal(script.seen, "a3as");
    loop_free(script.loop);
}

/* The list is empty again, by forgetting and not by running. */
static void on_forget_all(void *arg)
{
    struct script *script = arg;
    loop_post(script->loop, on_nothing, &script->other);
    loop_post(script->loop, on_nothing, &script->other);
    on_forget(script);
}

static void *post_stop(void *arg)
{
    struct script *script = arg;
    loop_post(script->loop, on_stop, script);
    return NULL;
}

static void on_post_elsewhere(void *arg)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, post_stop, arg) == 0)
        pthread_join(thread, NULL);
}

static void on_patience_over(void *arg)
{
    see(arg, '!');
    on_stop(arg);
}

TEST(a_post_into_a_list_that_was_forgotten_wakes_the_loop)
{
    struct script script = script_begin();
    loop_after(script.loop, 0, on_forget_all, &script);
    loop_after(script.loop, 10, on_post_elsewhere, &script);
    loop_after(script.loop, 1000 * test_patience_s(), on_patience_over, &script);
    loop_run(script.loop);
    assert_string_equal(script.seen, "2s");
    loop_free(script.loop);
}

TEST(what_is_left_when_the_loop_stops_runs_when_it_runs_again)
{
    struct script script = script_begin();
    loop_post(script.loop, on_stop, &script);
    loop_post(script.loop, on_b_then_a, &script);
    loop_run(script.loop);
    loop_post(script.loop, on_stop, &script);
    loop_run(script.loop);
    assert_int_equal(strlen(script.seen), 4);
    for (const char *each = "ssab"; *each; each++)
        assert_non_null(strchr(script.seen, *each));
    loop_free(script.loop);
}

RUN(T(one_post_at_a_time_always_wakes_the_loop), T(posts_of_many_threads_all_arrive_in_the_order_of_each),
    T(threads_that_wait_and_threads_that_do_not_get_theirs), T(a_post_from_a_posted_function_runs),
    T(what_is_posted_meanwhile_comes_after_what_is_there), T(a_function_may_forget_what_comes_after_it),
    T(a_post_into_a_list_that_was_forgotten_wakes_the_loop),
    T(what_is_left_when_the_loop_stops_runs_when_it_runs_again))
