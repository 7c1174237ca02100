/* SPDX-License-Identifier: Apache-2.0 */
/* The two pages of a SCEP URL without `operation`. */
#include "scep/pages.h"

/* Behind the policy module this page means that the URL works (seed 001). */
const char page_forbidden[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>HTTP Error 403.0 - Forbidden</title></head>\n"
    "<body><h1>HTTP Error 403.0 - Forbidden</h1>\n"
    "<p>This address answers SCEP requests of devices. Seen in a browser, this page means that the address "
    "works.</p>\n"
    "</body></html>\n";

const char page_information[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Network Device Enrollment "
    "Service</title></head>\n"
    "<body><h1>Network Device Enrollment Service</h1>\n"
    "<p>Network Device Enrollment Service allows you to obtain certificates for routers or other network "
    "devices using "
    "the Simple Certificate Enrollment Protocol (SCEP).</p>\n"
    "<p>This address is used by network devices to submit certificate requests. To obtain an enrollment "
    "challenge "
    "password, go to the admin page: <a href=\"" ADMIN_PATH "\">" ADMIN_PATH "</a>.</p>\n"
    "</body></html>\n";
