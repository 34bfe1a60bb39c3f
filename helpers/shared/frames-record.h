/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The undo record of vxm-frames: where a guest leaves its frames for Looking Glass, and, for a node of kvmfr, whose that was. It
 * is written before anything is made or given, and taken away at the end. It is the claim on the node, too, and, passed on by
 * systemd as a credential, what tells the guest's supervisor which memory to map. */

#include <sys/types.h>

#include "util.h"

/* The credential's name, in the guest's drop-in. */
#define FRAMES_CREDENTIAL "frames"

/* Where files are made, one a guest, called like it. */
#define FRAMES_DIRECTORY "/run/vxm/looking-glass"

typedef struct Frames {
        char *path;    /* the file, or “/dev/kvmfr0” */
        uint64_t size; /* bytes that the guest sees */
        bool is_node;
        dev_t number; /* of a node: itself … */
        uid_t uid;    /* … and how it was before */
        gid_t gid;
        mode_t mode;
} Frames;

void frames_done(Frames *frames);

/* Reads a record's text (changed in place). Returns 0, -EBADMSG when it is none, -ENOMEM. */
int frames_record_parse(char *text, Frames *ret);

/* As in record-file.h. */
int frames_record_save(int root, const char *guest, const Frames *frames);
int frames_record_load(int root, const char *guest, Frames *ret);
int frames_record_forget(int root, const char *guest);

/* Whether another guest's record has the path. Returns as record_file_holder(). */
int frames_record_holder(int root, const char *guest, const char *path, char **ret_holder);
