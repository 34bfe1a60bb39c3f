/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Where guest files and presets lie and which of them count, by systemd's rules: /etc/vxm over /run/vxm over
 * /usr/lib/vxm; drop-ins of all three sorted together by name; a link to /dev/null or an empty file masks. */

#include "util.h"

typedef enum GuestFileKind {
        GUEST_FILES,  /* …/guests/NAME.guest */
        PRESET_FILES, /* …/presets/NAME.guest */
} GuestFileKind;

typedef struct GuestFiles {
        char **paths; /* the main file, then its drop-ins in the order they apply; below the root, no leading slash */
        size_t n;
        bool masked; /* the main file is masked; paths[0] tells where */
} GuestFiles;

/* Finds the files of one guest or preset. Returns 0, -ENOENT when there is no main file, or -errno. */
int guest_files_find(int root, GuestFileKind kind, const char *name, GuestFiles *ret);
void guest_files_done(GuestFiles *f);

/* The files of a guest whose main file is, or is to be, main_file, whatever is there now: that and its drop-ins. Returns 0 or
 * -errno. */
int guest_files_find_for(int root, const char *name, const char *main_file, GuestFiles *ret);

/* Adds a drop-in that is to be, at its place, unless it is there already. Returns 0 or -ENOMEM. */
int guest_files_add(GuestFiles *f, const char *path);

/* The names of all guests that have a main file which is not masked, sorted. Names out of grammar are warned about. */
int guest_files_list(int root, char ***ret_names, size_t *ret_n);

/* The same with those that are masked. */
int guest_files_list_masked(int root, char ***ret_names, size_t *ret_n);

/* Of all presets that are not masked. */
int preset_files_list(int root, char ***ret_names, size_t *ret_n);
