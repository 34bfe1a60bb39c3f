/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The record of vxm-cpus: which CPUs a guest holds, and how those things were before that are changed for it:
 * AllowedCPUs= of units, and the masks of interrupts, of the kernel's threads and of its workqueues. It is the claim, the note for the way back, and, passed on by systemd
 * as a credential, what tells the guest's supervisor where to pin its threads. What several guests have changed stands
 * in the records of them all, as it was before the first. */

#include "cpu-place.h"

/* The credential's name, in the guest's drop-in. */
#define CPU_CREDENTIAL "cpus"

typedef struct CpuRecordUnit {
        char *name;
        CpuSet allowed; /* empty: all, no limit was set */
} CpuRecordUnit;

/* What of the kernel's has a mask of CPUs, and how one is named. */
typedef enum CpuMaskKind {
        CPU_MASK_IRQ,        /* the number as in /proc/irq, or "default": what new ones begin with */
        CPU_MASK_THREAD,     /* "PID:START": its start in clock ticks since boot (proc(5)), as PIDs are used again */
        CPU_MASK_WORKQUEUES, /* "unbound": those whose work is bound to no CPU */
        _CPU_MASK_KINDS,
} CpuMaskKind;

typedef struct CpuRecordMask {
        CpuMaskKind kind;
        char *name;
        CpuSet mask;
} CpuRecordMask;

typedef struct CpuRecord {
        CpuPlacement placement;
        bool isolate;
        CpuRecordUnit *units;
        size_t n_units;
        CpuRecordMask *masks;
        size_t n_masks;
} CpuRecord;

void cpu_record_done(CpuRecord *record);

/* Note how something was; what is noted already stays. Return 0, -E2BIG or -ENOMEM. */
int cpu_record_add_unit(CpuRecord *record, const char *name, const CpuSet *allowed);
int cpu_record_add_mask(CpuRecord *record, CpuMaskKind kind, const char *name, const CpuSet *mask);

const CpuRecordUnit *cpu_record_find_unit(const CpuRecord *record, const char *name);
const CpuRecordMask *cpu_record_find_mask(const CpuRecord *record, CpuMaskKind kind, const char *name);

/* Whether something of this kind can be called so. */
bool cpu_mask_name_is_valid(CpuMaskKind kind, const char *name);

/* The parts of a thread's name. Returns 0 or -EINVAL. */
int cpu_thread_name_parse(const char *name, pid_t *ret_pid, uint64_t *ret_start);

/* Reads a record's text (changed in place). Returns 0, -EBADMSG when it is none, -ENOMEM. */
int cpu_record_parse(char *text, CpuRecord *ret);
int cpu_record_print(FILE *f, const void *record);

/* Keeps the record as run/vxm/cpus/GUEST below root: all of it, or -errno and nothing. */
int cpu_record_save(int root, const char *guest, const CpuRecord *record);

/* Returns 0; -ENOENT: there is none; -EBADMSG: it is damaged; -errno. */
int cpu_record_load(int root, const char *guest, CpuRecord *ret);

/* Removes the record. Returns 0, also when there is none, or -errno. */
int cpu_record_forget(int root, const char *guest);

/* The records of all guests but this one. */
typedef struct CpuClaim {
        char *guest;
        CpuRecord record;
} CpuClaim;

typedef struct CpuClaims {
        CpuClaim *items;
        size_t n;
} CpuClaims;

void cpu_claims_done(CpuClaims *claims);

/* Returns 0, or -errno after a message. What this user may not read is left out: only root is to judge by it. */
int cpu_claims_load(int root, const char *guest, CpuClaims *ret);

/* Judges and places a guest with Pin=, among those that there are. Returns 0; or after a message -E_CONFIG, -E_BUSY,
 * -E_LACKS, -errno. */
int cpu_claims_place(const HostCpus *host, const Guest *g, const CpuClaims *claims, CpuPlacement *ret);
