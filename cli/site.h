/* SPDX-License-Identifier: Apache-2.0 */
/* Where a site's files are while it is being made, and whose they are. */
#pragma once
#include "config/config.h"
#include "x509/cert.h"

struct site_paths { char *etc, *state, *log, *run, *root; };  /* owned */
/* dir NULL: the system's folders (design.md section 8); otherwise below dir, made absolute. */
NODISCARD enum err site_paths_of(const char *dir, const char *root_dir, struct site_paths *ret, struct why *why);
void site_paths_free(struct site_paths *paths);
/* Every folder with its mode and, in system mode, its owner. */
struct site_shape { bool system_mode, mdm; };
NODISCARD enum err site_folders(const struct site_paths *paths, const struct site_shape *shape, struct why *why);

/* In system mode path becomes the role's own; in user mode, when root does it, that of whoever has its folder. */
NODISCARD enum err site_give(const struct config *config, const char *role, const char *path, struct why *why);
/* In system mode everything that init left in the roles' folders becomes theirs. */
NODISCARD enum err site_give_all(const struct config *config, const struct site_paths *paths, struct why *why);
/* A new file of a role: keys/…, certs/… below its state folder. Never overwrites. */
NODISCARD enum err site_write(const struct config *config, const char *role, const char *name, struct bytes data,
                              struct why *why);
NODISCARD enum err site_write_cert(const struct config *config, const char *role, const char *name, const struct bytes *ders,
                                   size_t count, struct why *why);
/* The role's unlock secret, made if it is not there yet. */
NODISCARD enum err site_unlock(const struct config *config, const char *role, struct secret *ret, struct why *why);
/* 32 random octets as 64 hexadecimal digits in a new 0400 file of the role. */
NODISCARD enum err site_random_secret(const struct config *config, const char *role, const char *name, struct why *why);
