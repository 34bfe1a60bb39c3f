/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What to do to give a guest's devices to vfio-pci, and to give them back: a list of steps, made from facts alone, which
 * can be printed, compared and carried out. The way back is planned from the undo record and the machine as it is. */

#include "bind-record.h"
#include "devices.h"

typedef enum BindStepType {
        BIND_LOAD_MODULE,   /* value: the module */
        BIND_WRITE,         /* value into path */
        BIND_EXPECT_VALUE,  /* value is what path reads now */
        BIND_EXPECT_DRIVER, /* the device has driver value (NULL: none); was: what it had before, for the message */
        BIND_GIVE_NODE,     /* path is made accessible to the guest's user alone */
        BIND_TAKE_NODE,     /* path, if it is still there, belongs to uid and gid again */
} BindStepType;

typedef struct BindStep {
        BindStepType type;
        char device[PCI_ADDRESS_TEXT]; /* empty: none in particular */
        uint16_t vendor_id, device_id; /* BIND_EXPECT_DRIVER: by which the device has a name */
        char *path; /* below the root, no leading slash */
        char *value;
        char *was;
        bool enters_driver; /* the write may block in the kernel */
        bool may_fail;      /* a failure is told, and no reason to stop */
        uid_t uid;
        gid_t gid;
} BindStep;

typedef struct BindPlan {
        GuestFunctions functions; /* all that the guest gets, from guest_devices_find() */
        HostConsole console;      /* what the host shows by them */
        BindRecord record;        /* how all that the steps change is before them */
        BindStep *steps;
        size_t n;
} BindPlan;

/* Plans the way of plan->functions, which nobody else must have (claims_check()), to vfio-pci, and into the hands of uid, the
 * guest's user. Nothing is written; refusals are logged with the reason.
 * Returns 0; -E_CONFIG: the guest file asks for what it cannot have; -errno. */
int bind_plan_take(int root, const Guest *g, uid_t uid, BindPlan *plan);

/* Plans how functions that are bound at boot get to vfio-pci, for nobody yet. Returns 0 or -errno. */
int bind_plan_static(int root, const PciFunctions *functions, BindPlan *ret);

/* Plans the way back to what record says, from how things are now. A device that has left the machine is passed over; so
 * is, with its whole slot, one that has swallowed a write: nothing good comes of the next; and one of which something
 * cannot be read. *ret_left says if there is one of these two, that is, whether the record has to stay. */
int bind_plan_return(int root, const BindRecord *record, BindPlan *ret, bool *ret_left);

/* One step a line, as --dry-run shows it. */
void bind_plan_print(const BindPlan *plan, FILE *f);
void bind_plan_done(BindPlan *plan);
