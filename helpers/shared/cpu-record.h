/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The record of vxm-cpus: which CPUs a guest holds, and how those things were before that are changed for it:
 * AllowedCPUs= of units, and masks of interrupts. It is the claim, the note for the way back, and, passed on by systemd
 * as a credential, what tells the guest's supervisor where to pin its threads. What several guests have changed stands
 * in the records of them all, as it was before the first. */

#include "cpu-place.h"

/* The credential's name, in the guest's drop-in. */
#define CPU_CREDENTIAL "cpus"

typedef struct CpuRecordUnit {
        char *name;
        CpuSet allowed; /* empty: all, no limit was set */
} CpuRecordUnit;

typedef struct CpuRecordIrq {
        char *name; /* a number, or "default": what new ones begin with */
        CpuSet mask;
} CpuRecordIrq;

typedef struct CpuRecord {
        CpuPlacement placement;
        bool isolate;
        CpuRecordUnit *units;
        size_t n_units;
        CpuRecordIrq *irqs;
        size_t n_irqs;
} CpuRecord;

void cpu_record_done(CpuRecord *record);

/* Note how something was; what is noted already stays. Return 0, -E2BIG or -ENOMEM. */
int cpu_record_add_unit(CpuRecord *record, const char *name, const CpuSet *allowed);
int cpu_record_add_irq(CpuRecord *record, const char *name, const CpuSet *mask);

const CpuRecordUnit *cpu_record_find_unit(const CpuRecord *record, const char *name);
const CpuRecordIrq *cpu_record_find_irq(const CpuRecord *record, const char *name);

/* Whether name is that of an interrupt: a number as /proc/irq has it, or "default". */
bool cpu_irq_name_is_valid(const char *name);

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
