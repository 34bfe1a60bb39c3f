/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The undo record of vxm-bind: how each function and node of one guest was before the first write. It is written whole
 * before that write, and taken away after the last one of the undo, so that a kill at any instant leaves either no
 * change or a record of all that may have changed. A power cut takes the record and what it describes. */

#include <sys/types.h>

#include "guarded.h"
#include "pci.h"

typedef struct BindRecordFunction {
        PciAddress address;
        char *driver;   /* NULL: none */
        char *override; /* NULL: none */
        uid_t node_uid; /* owner of the group's node in /dev/vfio; root where there was no node yet */
        gid_t node_gid;
        GuardedStuck stuck; /* a process that a write to the device has swallowed */
} BindRecordFunction;

/* An attribute below a function's directory that a guest file sets. */
typedef struct BindRecordAttribute {
        PciAddress address;
        char *name;  /* "reset_method" */
        char *value; /* as to be written to have it as before; "-": nothing */
} BindRecordAttribute;

/* A boot framebuffer that was taken from its driver. */
typedef struct BindRecordPlatform {
        char *device; /* "simple-framebuffer.0" */
        char *driver; /* "simple-framebuffer" */
} BindRecordPlatform;

typedef struct BindRecord {
        BindRecordFunction *functions;
        size_t n;
        BindRecordAttribute *attributes;
        size_t n_attributes;
        BindRecordPlatform *platforms;
        size_t n_platforms;
        char **vtconsoles; /* "vtcon1": were bound */
        size_t n_vtconsoles;
} BindRecord;

/* Copies from an earlier record all that it knows and this one does not, so that what an earlier run has noted, of
 * devices that have not been given back since, holds on. Returns 0; -E2BIG: that is more than a record takes; -ENOMEM. */
int bind_record_merge(BindRecord *record, const BindRecord *earlier);

/* Takes down one function, and the owner of its group's node, as they are now. Returns 0; -EINVAL: it could not be
 * read back; -E2BIG: a record does not take so many; -errno. */
int bind_record_add(BindRecord *record, int root, const PciFunction *f);

/* Notes that an attribute, a boot framebuffer's driver or a bound console was so. Return 0; -EINVAL: it could not be
 * read back; -E2BIG; -ENOMEM. */
int bind_record_add_attribute(BindRecord *record, PciAddress address, const char *name, const char *value);
int bind_record_add_platform(BindRecord *record, const char *device, const char *driver);
int bind_record_add_vtconsole(BindRecord *record, const char *name);

/* The entry of the function at address, or NULL. */
BindRecordFunction *bind_record_find(const BindRecord *record, PciAddress address);

/* Whether a write to the card at address, by whichever of its functions, is still stuck in a driver. */
bool bind_record_is_stuck(const BindRecord *record, int root, PciAddress address);

void bind_record_done(BindRecord *record);

/* Reads a record's text (changed in place). Returns 0, -EBADMSG when it is none, -ENOMEM. */
int bind_record_parse(char *text, BindRecord *ret);

/* Keeps the record as run/vxm/bind/GUEST below root: all of it, or -errno and nothing. */
int bind_record_save(int root, const char *guest, const BindRecord *record);

/* Returns 0; -ENOENT: there is none; -EBADMSG: it is damaged; -errno. */
int bind_record_load(int root, const char *guest, BindRecord *ret);

/* Keeps other runs from reading and writing records until *ret_fd is closed. Waits for them; they are short. */
int bind_record_lock(int root, int *ret_fd);

/* Holds the guest's record until *ret_fd is closed, here and in all child processes: as long as a write to a driver is going
 * on, somebody holds it, even if who had ordered the write is gone. Waits for that at most deadline µs. Returns 0; -ENOENT:
 * there is no record; -E_BUSY: somebody still holds it; -errno. */
int bind_record_hold(int root, const char *guest, uint64_t deadline, int *ret_fd);

/* Whether the record of a guest other than guest has the function at address, or a write that is stuck in its card, that is,
 * whether that guest holds it. To be called under the lock. Returns 1 and the name in *ret_holder; 0: nobody does; -errno, and
 * in *ret_holder whose record cannot be read, if it is that. */
int bind_record_holder(int root, const char *guest, PciAddress address, char **ret_holder);

/* Removes the record. Returns 0, also when there is none, or -errno. */
int bind_record_forget(int root, const char *guest);
