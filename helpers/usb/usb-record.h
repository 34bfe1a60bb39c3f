/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The record of vxm-usb: which USB devices a running guest wants, and those that it has, with what they were before. It
 * is written whole before a node changes hands, and taken away after the last is back. It is the claim on them, too. */

#include <sys/types.h>

#include "usb-device.h"

enum {
        USB_INTERFACES_MAX = 32, /* of one configuration (USB 2.0 allows more; no device has) */
};

/* An interface and the driver that it had: “1-4.2:1.0”, “usbhid”. */
typedef struct UsbInterface {
        char *name, *driver;
} UsbInterface;

/* A device that the guest's user has been given. */
typedef struct UsbLoan {
        char port[USB_PORT_SIZE]; /* its name */
        uint16_t vendor, product;
        UsbAddress address;
        uid_t uid; /* of the node, before */
        gid_t gid;
        mode_t mode;  /* permissions only */
        char *acl;    /* its POSIX access list as the kernel keeps it, in hexadecimal digits; NULL: none */
        unsigned configuration; /* the one that was active; 0: none */
        UsbInterface *interfaces; /* those that had a driver */
        size_t n_interfaces;
} UsbLoan;

typedef struct UsbRecord {
        uid_t user; /* who the guest runs as, and is given what is plugged in; 0: not noted */
        UsbSpec *wants;
        size_t n_wants;
        UsbLoan *loans;
        size_t n_loans;
} UsbRecord;

void usb_loan_done(UsbLoan *loan);
void usb_record_done(UsbRecord *record);

/* Adds an interface. Returns 0; -EINVAL: one of the names could not be read back; -E2BIG; -ENOMEM. */
int usb_loan_add_interface(UsbLoan *loan, const char *name, const char *driver);

/* Adds a loan, which is taken over and zeroed, unless that device is noted already: what was noted first is how it was
 * before. */
int usb_record_add(UsbRecord *record, UsbLoan *loan);

/* The loan of a device; NULL: there is none. */
const UsbLoan *usb_record_find(const UsbRecord *record, const UsbDevice *d);

/* Whether a loan is of that device, not of one that has come to its place. */
bool usb_loan_is_of(const UsbLoan *loan, const UsbDevice *d);

/* Removes a loan by its index. */
void usb_record_remove(UsbRecord *record, size_t index);

/* Reads a record's text (changed in place). Returns 0, -EBADMSG when it is none, -ENOMEM. */
int usb_record_parse(char *text, UsbRecord *ret);

/* As in record-file.h. */
int usb_record_save(int root, const char *guest, const UsbRecord *record);
int usb_record_load(int root, const char *guest, UsbRecord *ret);
int usb_record_forget(int root, const char *guest);
int usb_record_guests(int root, char ***ret, size_t *ret_n);

/* Whether another guest has the device. Returns as record_file_holder(). */
int usb_record_holder(int root, const char *guest, const UsbDevice *d, char **ret_holder);
