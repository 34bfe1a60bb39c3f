/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Lends a USB device to a guest's user, and takes it back: owner and access list of its node, and the drivers of its
 * interfaces, which QEMU detaches by itself, and attaches again unless it is killed. */

#include "usb-record.h"

/* Notes how a device is, in an empty loan. Reads only. Returns 0; -ENOENT: it is gone; -errno. */
int usb_loan_note(int root, const UsbDevice *d, UsbLoan *ret);

/* Gives the node to uid, and to nobody else. Returns 0; -ENOENT: it is gone; -errno. */
int usb_loan_give(int root, const UsbLoan *loan, uid_t uid);

/* Whether the node is uid's: else the device has been away, though it is the same and has the same number again.
 * Returns 1, 0 or -errno. */
int usb_loan_is_held(int root, const UsbLoan *loan, uid_t uid);

/* Takes the node back from everybody else, makes its permissions what they were, has udev look at them, and the drivers bound again that
 * are missing. All of it is tried, and what is so already is left alone. A device that is gone has nothing to be given
 * back. Returns 1, 0: it is gone; -errno, and what could not be done in *ret_step. */
int usb_loan_return(int root, const UsbLoan *loan, const char **ret_step);
