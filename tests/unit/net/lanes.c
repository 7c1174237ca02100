/* SPDX-License-Identifier: Apache-2.0 */
/* The lanes by themselves: whose turn it is, who makes room, and what brief ones keep back. */
#include "net/lanes.h"

#include "tests/unit/test.h"

/* What is put in and taken out has a letter; its lane is an address or, with NULL, our own. */
struct street {
    struct lanes *lanes;
    struct lane *lane_of[128]; /* of what has been taken, by letter */
    int64_t now_ms;
    char letters[128];
};

static void refuse(void *arg)
{
    (void)arg;
}

static struct street street_of(size_t size, unsigned running_per_address)
{
    struct street street = { 0 };
    struct why why;
    const struct lanes_config config = { .size = size, .running_per_address = running_per_address };
    ASSERT_OK(lanes_new(&config, &street.lanes, &why), &why);
    for (int i = 0; i < 128; i++)
        street.letters[i] = (char)i;
    return street;
}

struct put {
    const char *from;
    char name;
    bool brief, stays; /* stays: it cannot be refused */
};

static enum lanes_put put_in(struct street *street, const struct put *put, char *ret_displaced)
{
    struct address from;
    struct lane_job displaced = { 0 };
    const struct lane_job job = { .refuse = put->stays ? NULL : refuse,
                                  .arg = &street->letters[(int)put->name],
                                  .brief = put->brief,
                                  .since_ms = street->now_ms };
    if (put->from)
        assert_true(address_parse(bytes_str(put->from), &from));
    enum lanes_put result = lanes_put(street->lanes, put->from ? &from : NULL, &job, &displaced);
    *ret_displaced = result == LANES_DISPLACED ? *(const char *)displaced.arg : '-';
    if (result == LANES_DISPLACED)
        assert_ptr_equal(displaced.refuse, refuse);
    return result;
}

static void put(struct street *street, const char *from, char name)
{
    char displaced;
    assert_int_equal(put_in(street, &(struct put){ .from = from, .name = name }, &displaced), LANES_TAKEN);
}

static void put_brief(struct street *street, const char *from, char name)
{
    char displaced;
    const struct put brief = { .from = from, .name = name, .brief = true };
    assert_int_equal(put_in(street, &brief, &displaced), LANES_TAKEN);
}

/* '-': none may start. */
static char take(struct street *street, bool brief_too)
{
    struct lane_job job;
    struct lane *lane = NULL;
    bool ready = lanes_ready(street->lanes, brief_too);
    if (!lanes_take(street->lanes, brief_too, &job, &lane)) {
        assert_false(ready);
        return '-';
    }
    assert_true(ready);
    char name = *(const char *)job.arg;
    street->lane_of[(int)name] = lane;
    return name;
}

static void done(struct street *street, char name)
{
    lanes_done(street->lanes, street->lane_of[(int)name]);
}

#define A "192.0.2.1"
#define B "192.0.2.2"
#define C "192.0.2.3"

TEST(nothing_is_ready_in_empty_lanes)
{
    struct street street = street_of(4, 0);
    assert_int_equal(take(&street, true), '-');
    assert_int_equal(lanes_waiting(street.lanes), 0);
    lanes_free(street.lanes);
    lanes_free(NULL);
}

TEST(lanes_take_turns_and_each_keeps_its_order)
{
    struct street street = street_of(10, 0);
    for (const char *name = "abc"; *name; name++)
        put(&street, A, *name);
    put(&street, B, 'k');
    put(&street, NULL, 'x');
    put(&street, B, 'l');
    assert_int_equal(lanes_waiting(street.lanes), 6);
    for (const char *name = "akxblc"; *name; name++)
        assert_int_equal(take(&street, true), *name);
    assert_int_equal(lanes_waiting(street.lanes), 0);
    assert_int_equal(take(&street, true), '-');
    lanes_free(street.lanes);
}

TEST(hosts_of_one_ipv6_network_share_a_lane)
{
    struct street street = street_of(10, 0);
    put(&street, "2001:db8::1", 'a');
    put(&street, "2001:db8::2", 'b');
    put(&street, "2001:db8:0:1::1", 'k');
    for (const char *name = "akb"; *name; name++)
        assert_int_equal(take(&street, true), *name);
    lanes_free(street.lanes);
}

TEST(our_own_lane_has_no_bound)
{
    struct street street = street_of(10, 1);
    put(&street, A, 'a');
    put(&street, B, 'k');
    for (const char *name = "xyz"; *name; name++)
        put(&street, NULL, *name);
    for (const char *name = "akxyz"; *name; name++)
        assert_int_equal(take(&street, true), *name);
    lanes_free(street.lanes);
}

TEST(an_address_at_its_share_waits_until_one_of_its_own_is_done)
{
    struct street street = street_of(10, 2);
    for (const char *name = "abcd"; *name; name++)
        put(&street, A, *name);
    put(&street, B, 'k');
    for (const char *name = "akb"; *name; name++)
        assert_int_equal(take(&street, true), *name);
    assert_int_equal(take(&street, true), '-');
    done(&street, 'k');
    assert_int_equal(take(&street, true), '-'); /* that was another's */
    done(&street, 'b');
    assert_int_equal(take(&street, true), 'c');
    assert_int_equal(take(&street, true), '-');
    done(&street, 'a');
    assert_int_equal(take(&street, true), 'd');
    lanes_free(street.lanes);
}

TEST(alone_is_who_nobody_else_was_seen_beside_for_a_second)
{
    struct street street = street_of(10, 1);
    street.now_ms = 500;
    put(&street, B, 'k');
    assert_int_equal(take(&street, true), 'k');
    done(&street, 'k');
    street.now_ms = 1499;
    put(&street, A, 'a');
    put(&street, A, 'b');
    assert_int_equal(take(&street, true), 'a');
    assert_int_equal(take(&street, true), '-'); /* B was here just now */
    street.now_ms = 1500;
    put(&street, A, 'c');
    assert_int_equal(take(&street, true), 'b');
    assert_int_equal(take(&street, true), 'c');
    lanes_free(street.lanes);
}

TEST(an_address_with_something_running_is_there_however_long_that_takes)
{
    struct street street = street_of(10, 1);
    put(&street, B, 'k');
    assert_int_equal(take(&street, true), 'k');
    street.now_ms = 1000000;
    put(&street, A, 'a');
    put(&street, A, 'b');
    assert_int_equal(take(&street, true), 'a');
    assert_int_equal(take(&street, true), '-');
    done(&street, 'k');
    put(&street, A, 'c');
    assert_int_equal(take(&street, true), 'b');
    lanes_free(street.lanes);
}

TEST(full_lanes_refuse_and_are_as_before)
{
    struct street street = street_of(2, 0);
    char displaced;
    put(&street, A, 'a');
    put(&street, B, 'k');
    const struct put more[] = { { A, 'b', false, false },
                                { C, 'p', false, false },
                                { NULL, 'x', false, true } };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(put_in(&street, &more[i], &displaced), LANES_FULL);
    assert_int_equal(lanes_waiting(street.lanes), 2);
    assert_int_equal(take(&street, true), 'a');
    put(&street, C, 'p'); /* what was taken has made room */
    assert_int_equal(put_in(&street, &more[0], &displaced), LANES_FULL);
    assert_int_equal(take(&street, true), 'k');
    assert_int_equal(take(&street, true), 'p');
    lanes_free(street.lanes);
}

TEST(the_oldest_of_the_longest_lane_makes_room)
{
    struct street street = street_of(5, 0);
    char displaced;
    for (const char *name = "kl"; *name; name++)
        put(&street, B, *name);
    for (const char *name = "abc"; *name; name++)
        put(&street, A, *name);
    assert_int_equal(put_in(&street, &(struct put){ .from = C, .name = 'p' }, &displaced), LANES_DISPLACED);
    assert_int_equal(displaced, 'a');
    assert_int_equal(lanes_waiting(street.lanes), 5);
    /* A 2, B 2, C 1: nobody has two more than C */
    assert_int_equal(put_in(&street, &(struct put){ .from = C, .name = 'q' }, &displaced), LANES_FULL);
    /* our own lane counts as any other: now it is as long as theirs, and comes to no more */
    assert_int_equal(put_in(&street, &(struct put){ .name = 'x' }, &displaced), LANES_DISPLACED);
    assert_int_equal(displaced, 'k');
    assert_int_equal(put_in(&street, &(struct put){ .name = 'y' }, &displaced), LANES_FULL);
    lanes_free(street.lanes);
}

TEST(what_cannot_be_refused_is_not_displaced)
{
    struct street street = street_of(3, 0);
    char displaced;
    const struct put stays = { .from = A, .name = 'a', .stays = true };
    assert_int_equal(put_in(&street, &stays, &displaced), LANES_TAKEN);
    put(&street, A, 'b');
    put(&street, A, 'c');
    assert_int_equal(put_in(&street, &(struct put){ .from = B, .name = 'k' }, &displaced), LANES_FULL);
    lanes_free(street.lanes);
    street = street_of(3, 0);
    for (const char *name = "xyz"; *name; name++)
        put(&street, NULL, *name); /* ours is the longest, and is left alone */
    assert_int_equal(put_in(&street, &(struct put){ .from = B, .name = 'k' }, &displaced), LANES_FULL);
    assert_int_equal(take(&street, true), 'x');
    lanes_free(street.lanes);
}

TEST(without_room_for_brief_ones_the_others_go_on)
{
    struct street street = street_of(10, 0);
    put_brief(&street, A, 'a');
    put(&street, A, 'b');
    put(&street, B, 'k');
    put_brief(&street, B, 'l');
    assert_int_equal(take(&street, false), 'k'); /* b keeps its place behind a */
    assert_int_equal(take(&street, false), '-');
    assert_int_equal(take(&street, true), 'a');
    assert_int_equal(take(&street, false), 'b');
    assert_int_equal(take(&street, false), '-');
    assert_int_equal(take(&street, true), 'l');
    lanes_free(street.lanes);
}

TEST(a_brief_one_that_made_room_is_not_counted_on)
{
    struct street street = street_of(3, 0);
    char displaced;
    for (const char *name = "abc"; *name; name++)
        put_brief(&street, A, *name);
    assert_int_equal(take(&street, false), '-');
    assert_int_equal(put_in(&street, &(struct put){ .from = B, .name = 'k' }, &displaced), LANES_DISPLACED);
    assert_int_equal(take(&street, true), 'b');
    assert_int_equal(take(&street, false), 'k');
    assert_int_equal(take(&street, true), 'c');
    put(&street, A, 'd');
    assert_int_equal(take(&street, false), 'd'); /* nothing brief is left that could stand in its way */
    lanes_free(street.lanes);
}

TEST(what_still_waits_is_dropped_with_the_lanes)
{
    struct street street = street_of(10, 0);
    put(&street, A, 'a');
    put(&street, A, 'b');
    put(&street, B, 'k');
    put(&street, NULL, 'x');
    assert_int_equal(take(&street, true), 'a');
    lanes_free(street.lanes);
}

RUN(T(nothing_is_ready_in_empty_lanes), T(lanes_take_turns_and_each_keeps_its_order),
    T(hosts_of_one_ipv6_network_share_a_lane), T(our_own_lane_has_no_bound),
    T(an_address_at_its_share_waits_until_one_of_its_own_is_done),
    T(alone_is_who_nobody_else_was_seen_beside_for_a_second),
    T(an_address_with_something_running_is_there_however_long_that_takes),
    T(full_lanes_refuse_and_are_as_before), T(the_oldest_of_the_longest_lane_makes_room),
    T(what_cannot_be_refused_is_not_displaced), T(without_room_for_brief_ones_the_others_go_on),
    T(a_brief_one_that_made_room_is_not_counted_on), T(what_still_waits_is_dropped_with_the_lanes))
