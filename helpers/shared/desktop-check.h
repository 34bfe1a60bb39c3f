/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What a guest's sound and frames need of the host: modules of QEMU, a session that plays, users. Looks only. */

#include "guest.h"

/* How the guest's sound gets out. */
typedef struct AudioFacts {
        AudioBackend backend; /* never AUDIO_AUTO */
        char *pulse;          /* PulseAudio's socket in the user's session */
} AudioFacts;

void audio_facts_done(AudioFacts *facts);

/* Judges [Audio], and decides what auto means. Returns 0; after a message -E_CONFIG, -E_LACKS, -errno. */
int audio_find(int root, const Guest *g, const char *qemu, AudioFacts *ret);

/* Judges who is to see the guest's frames; finds the memory for them: what vxm-frames has made, by the credential that systemd
 * hands to the guest's unit, else what it would make if there is no kvmfr. in_unit: it has to be made. *ret is NULL for a guest
 * that has none. Returns as audio_find(). */
int looking_glass_find(int root, const Guest *g, bool in_unit, char **ret);

/* Whether QEMU's module, such as “audio-pa”, is there: 1, 0, or -ENOMEM. A QEMU without modules has all in it. */
int qemu_has_module(int root, const char *module);
