/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* All facts about the machine come through one directory handle, the root. It is "/" in production; a captured tree in
 * tests replays another machine. Paths are given without a leading slash, and no symbolic link leads out of the root
 * (openat2(2), RESOLVE_IN_ROOT). */

#include <dirent.h>

#include "util.h"

enum {
        ROOT_FILE_MAX = 1024 * 1024, /* no file we read whole is larger: guest files, sysfs attributes, descriptors */
};

/* Opens path as a root. Returns the descriptor or -errno. */
int root_open(const char *path);

/* Whether root is this process's own "/". */
bool root_is_this_machine(int root);

/* open(2) below root, always with O_CLOEXEC. Returns the descriptor or -errno. */
int root_openat(int root, const char *path, int flags);

/* The same; -ELOOP where any part of path is a symbolic link. -ENOSYS where the kernel, or a filter, has no openat2(2). */
int root_openat_without_links(int root, const char *path, int flags);

/* Reads the whole of a file of at most ROOT_FILE_MAX bytes; one newline at the end is cut off. Returns 0 or -errno. */
int root_read(int root, const char *path, char **ret);

/* As root_read(), for a number in C notation of at most 64 bits. Returns -EINVAL when it is none. */
int root_read_number(int root, const char *path, uint64_t *ret);

/* Writes value with one write(2), as sysfs wants it. Returns 0 or -errno. */
int root_write(int root, const char *path, const char *value);

/* Where the symbolic link at path points, unresolved; the last component of that. Return 0 or -errno. */
int root_readlink(int root, const char *path, char **ret);
int root_readlink_name(int root, const char *path, char **ret);

/* The same of entries of an open directory: for several of one directory they are faster. A link is never followed, so that
 * nothing leads out of the root that the directory has been opened below. */
int directory_read(int directory, const char *entry, char **ret);
int directory_read_number(int directory, const char *entry, uint64_t *ret);
int directory_readlink_name(int directory, const char *entry, char **ret);

/* Whether path exists, of whatever type. */
bool root_exists(int root, const char *path);

/* The entries of a directory but "." and "..", sorted by byte values. -ENOENT when it does not exist. */
int root_list(int root, const char *path, char ***ret, size_t *ret_n);

/* Frees n strings and the array; returns NULL. */
char **strings_free(char **strings, size_t n);
