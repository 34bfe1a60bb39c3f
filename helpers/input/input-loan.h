/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Letting a guest's user at the node of an input device, and shutting it out again. */

#include "input-device.h"
#include "input-record.h"

/* Notes which node that is. Returns 0; -ENOENT: it is gone; -errno. */
int input_loan_note(int root, const InputDevice *d, InputLoan *ret);

/* The same, and whether the user is let in already. */
int input_loan_note_user(int root, const InputDevice *d, uid_t uid, InputLoan *ret);

/* Both return 1; 0: it is so already; -ENOENT: the device is gone; -E_LACKS after a message; -errno. */
int input_loan_give(int root, const InputLoan *loan, uid_t uid);
int input_loan_return(int root, const InputLoan *loan, uid_t uid);

/* Whether the node is still that one, and the user still let in. Returns 1, 0, or as above. */
int input_loan_is_held(int root, const InputLoan *loan, uid_t uid);
