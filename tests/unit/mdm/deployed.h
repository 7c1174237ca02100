/* SPDX-License-Identifier: Apache-2.0 */
/* A device in a group that has a root and a SCEP profile of its platform, beside a ca. */
#pragma once
#include "tests/unit/mdm/fake_ca.h"
#include <jansson.h>

#define CHECKIN   "/device/v1/checkin"
#define CHALLENGE "/device/v1/challenge"
#define KEY_A     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DAY       86400LL

struct site { struct buf cert; char device[64], root[64], profile[64]; };
extern struct site site;
/* What ca issued last. */
struct made_certificate { struct buf der; char thumbprint[65], key[65]; };
extern struct made_certificate made_certificate;

void assign(const char *profile, const char *group);
void unassign(const char *profile);                          /* from the group, lab */
json_t *scep_json(const char *platform);                     /* profile Kiosks; its root is Root */
void site_make(const char *platform);                        /* the device is S1 */
int checked_in(const char *body);
size_t orders(void);                                         /* of the last check-in */
const char *order(size_t index, const char *member);         /* "" where it has none */
const char *state_of(const char *profile);
void certificate_make(void);
void ca_issues(const char *challenge, const char *serial, int64_t version);
char *installed_json(const char *key);                       /* what a device says that has root and certificate; caller frees */
int challenge_asked(const char *key);
void installed(void);                                        /* all of it, with certificate 0A01 */
int deployed_end(void **state);
#define E(name) cmocka_unit_test_setup_teardown(name, fake_ca_begin, deployed_end)
