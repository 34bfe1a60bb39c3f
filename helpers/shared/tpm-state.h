/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Where the state of a guest's TPM lies, and whether a TPM can be made of it. */

#include "guest.h"

#define TPM_PROGRAM "/usr/bin/swtpm"
#define TPM_SETUP_PROGRAM "/usr/bin/swtpm_setup"
#define TPM_CA_PROGRAM "/usr/bin/swtpm_localca"

/* Checks that the programs are there and that the state, if there is one, is a file that the guest's user can use. The
 * directory is that user's: nothing in it is followed or read. Looks only; what is missing or wrong is logged, with the
 * next step. *ret_exists: whether there is a state. Returns 0; -E_LACKS: swtpm is not installed; -E_CONFIG: the state
 * needs repair; -errno. */
int tpm_state_check(int root, const Guest *g, bool *ret_exists);
