/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mdm/fixture.h"

const struct user *fixture_user(void)
{
    static const struct user user = {
        .id = "11111111-1111-4111-8111-111111111111",
        .upn = "anna@example.test",
        .name = "Anna Doe",
        .email = "anna.doe@mail.example.test",
        .distinguished_name = "CN=Doe\\, Anna,OU=UserAccounts,DC=corp,DC=example,DC=test",
        .sam_name = "CORP\\anna",
        .sid = "S-1-5-21-1-2-3-1104",
        .enabled = true,
    };
    return &user;
}

const struct device *fixture_device(void)
{
    static const struct device device = {
        .id = "22222222-2222-4222-8222-222222222222",
        .directory_id = "33333333-3333-4333-8333-333333333333",
        .owner = "11111111-1111-4111-8111-111111111111",
        .platform = PLATFORM_WINDOWS_10,
        .state = DEVICE_ENROLLED,
        .domain_joined = true,
        .serial = "SER-0042",
        .imei = "490154203237518",
        .meid = "A0000012345678",
        .wifi_mac = "00163e123456",
        .name = "laptop-7",
        .fqdn = "laptop-7.corp.example.test",
    };
    return &device;
}

const struct holder *fixture_holder(void)
{
    static struct holder holder;
    holder = (struct holder){ fixture_user(), fixture_device() };
    return &holder;
}
