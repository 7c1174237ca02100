/* SPDX-License-Identifier: Apache-2.0 */
/* The three commands of scep-load: prepare messages, send them, check the answers. */
#pragma once
#include <stddef.h>

_Noreturn void usage(const char *problem);                   /* prints the help, ends with 2 */
double option_number(const char *name, const char *text, double least);   /* ends with 2 when it is none */

int prepare_main(int argc, char **argv);
int run_main(int argc, char **argv);
int check_main(int argc, char **argv);
