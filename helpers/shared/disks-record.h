/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The undo record of vxm-disks: which block devices are one guest's, and who owned their nodes before. It is written
 * whole before the first node changes hands, and taken away after the last is back. It is the claim on them, too. */

#include <sys/types.h>

#include "util.h"

typedef struct DiskNode {
        dev_t number;
        uid_t uid;    /* who owned the node */
        char *device; /* its directory below /sys: “devices/pci0000:00/…/block/sdb” */
        char *node;   /* “/dev/sdb” */
        uid_t given;  /* who has it meanwhile, if User= names somebody; 0: the guest's own user */
} DiskNode;

typedef struct DiskNodes {
        DiskNode *items;
        size_t n;
} DiskNodes;

/* Appends, unless the node is noted already: what was noted first is how it was before, and last, who has it. Returns 0; -EINVAL: it could
 * not be read back; -E2BIG: a record does not take so many; -ENOMEM. */
int disk_nodes_add(DiskNodes *l, const DiskNode *node);
void disk_nodes_done(DiskNodes *l);

/* Reads a record's text (changed in place). Returns 0, -EBADMSG when it is none, -ENOMEM. */
int disks_record_parse(char *text, DiskNodes *ret);

/* As in record-file.h. */
int disks_record_save(int root, const char *guest, const DiskNodes *record);
int disks_record_load(int root, const char *guest, DiskNodes *ret);
int disks_record_forget(int root, const char *guest);

/* Whether another guest's record has the block device, a part of it, or what it is a part of. Returns as
 * record_file_holder(). */
int disks_record_holder(int root, const char *guest, const char *device, char **ret_holder);
