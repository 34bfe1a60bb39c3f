/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of vxm-usb, a thing a line: “user 988”, “want 046d:c52b” and “have 1-4.2 046d:c52b 001-005 0:0 664 - 1
 * 1-4.2:1.0=usbhid 1-4.2:1.1=usbhid”: port, ids, address; owner, mode and access list of the node; configuration, and
 * interfaces with their drivers. */

#include "guest.h"
#include "parse.h"
#include "record-file.h"
#include "usb-record.h"

#define RECORD_KIND "usb"

enum {
        LOANS_MAX = 4 * GUEST_USB_MAX, /* what a guest can have, and what earlier runs have left */
        ACL_MAX = 4096,                /* digits; one of 200 users has 3300 */
        DRIVER_MAX = 64,
};

void usb_loan_done(UsbLoan *loan) {
        for (size_t i = 0; i < loan->n_interfaces; i++) {
                free(loan->interfaces[i].name);
                free(loan->interfaces[i].driver);
        }
        free(loan->interfaces);
        free(loan->acl);
        *loan = (UsbLoan){};
}

void usb_record_done(UsbRecord *record) {
        for (size_t i = 0; i < record->n_loans; i++)
                usb_loan_done(&record->loans[i]);
        free(record->loans);
        free(record->wants);
        *record = (UsbRecord){};
}

/* “1-4.2:1.0”, of the device at that port: it becomes a path, and is written to the kernel. */
static bool is_interface_of(const char *s, const char *port) {
        const char *rest = startswith(s, port);

        return rest && *rest == ':' && strlen(rest) <= 8 && rest[1 + strspn(rest + 1, "0123456789.")] == '\0';
}

static bool is_driver(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

        return n > 0 && n <= DRIVER_MAX && s[n] == '\0' && s[0] != '.';
}

int usb_loan_add_interface(UsbLoan *loan, const char *name, const char *driver) {
        UsbInterface *slot;

        if (!is_interface_of(name, loan->port) || !is_driver(driver))
                return -EINVAL;
        if (loan->n_interfaces >= USB_INTERFACES_MAX)
                return -E2BIG;
        slot = ARRAY_GROW(loan->interfaces, loan->n_interfaces);
        if (!slot)
                return -ENOMEM;
        loan->n_interfaces++;
        slot->name = strdup(name);
        slot->driver = strdup(driver);
        return slot->name && slot->driver ? 0 : -ENOMEM;
}

bool usb_loan_is_of(const UsbLoan *loan, const UsbDevice *d) {
        return streq(loan->port, d->name) && usb_address_equal(loan->address, d->address) && loan->vendor == d->vendor &&
               loan->product == d->product;
}

const UsbLoan *usb_record_find(const UsbRecord *record, const UsbDevice *d) {
        for (size_t i = 0; i < record->n_loans; i++)
                if (usb_loan_is_of(&record->loans[i], d))
                        return &record->loans[i];
        return NULL;
}

static bool is_noted(const UsbRecord *record, const UsbLoan *loan) {
        for (size_t i = 0; i < record->n_loans; i++)
                if (streq(record->loans[i].port, loan->port) &&
                        usb_address_equal(record->loans[i].address, loan->address))
                        return true;
        return false;
}

int usb_record_add(UsbRecord *record, UsbLoan *loan) {
        UsbLoan *slot;

        if (is_noted(record, loan)) {
                usb_loan_done(loan);
                return 0;
        }
        if (record->n_loans >= LOANS_MAX)
                return -E2BIG;
        slot = ARRAY_GROW(record->loans, record->n_loans);
        if (!slot)
                return -ENOMEM;
        *slot = *loan;
        *loan = (UsbLoan){};
        record->n_loans++;
        return 0;
}

void usb_record_remove(UsbRecord *record, size_t index) {
        usb_loan_done(&record->loans[index]);
        record->n_loans--;
        memmove(&record->loans[index], &record->loans[index + 1], (record->n_loans - index) * sizeof record->loans[0]);
}

/* ---- reading ---- */

/* -1 is no owner. */
static int parse_owner(char *s, UsbLoan *loan) {
        char *uid_text = strsep(&s, ":");
        uint64_t uid, gid;

        if (!s || parse_number(uid_text, 0, UINT32_MAX - 1, &uid) < 0 || parse_number(s, 0, UINT32_MAX - 1, &gid) < 0)
                return -EBADMSG;
        loan->uid = (uid_t) uid;
        loan->gid = (gid_t) gid;
        return 0;
}

static int parse_acl(const char *s, UsbLoan *loan) {
        size_t n = strspn(s, "0123456789abcdef");

        if (streq(s, "-"))
                return 0;
        if (n == 0 || n % 2 != 0 || n > ACL_MAX || s[n] != '\0')
                return -EBADMSG;
        return free_and_strdup(&loan->acl, s);
}

static int parse_interfaces(char *s, UsbLoan *loan) {
        int r = 0;

        for (char *name; r >= 0 && (name = strsep(&s, " "));) {
                char *driver = name;

                (void) strsep(&driver, "=");
                r = driver ? usb_loan_add_interface(loan, name, driver) : -EBADMSG;
        }
        return r;
}

static int parse_loan(char *line, UsbLoan *loan) {
        char *words[7];
        UsbSpec port, ids;
        uint64_t configuration;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (!(words[i] = strsep(&line, " ")))
                        return -EBADMSG;
        if (usb_spec_parse(words[0], &port) < 0 || !port.by_port || usb_spec_parse(words[1], &ids) < 0 || ids.by_port ||
                usb_entry_parse(words[2], &loan->address) < 0 ||
                parse_number(words[6], 0, UINT8_MAX, &configuration) < 0)
                return -EBADMSG;
        memcpy(loan->port, port.port, sizeof loan->port);
        loan->vendor = ids.vendor;
        loan->product = ids.product;
        loan->configuration = (unsigned) configuration;
        r = parse_owner(words[3], loan);
        r = r < 0 ? r : parse_mode(words[4], &loan->mode);
        r = r < 0 ? r : parse_acl(words[5], loan);
        return r < 0 || !line ? r : parse_interfaces(line, loan);
}

static int parse_want(const char *s, UsbRecord *record) {
        UsbSpec *slot, spec;

        if (usb_spec_parse(s, &spec) < 0 || record->n_wants >= GUEST_USB_MAX)
                return -EBADMSG;
        slot = ARRAY_GROW(record->wants, record->n_wants);
        if (!slot)
                return -ENOMEM;
        *slot = spec;
        record->n_wants++;
        return 0;
}

/* Never root. */
static int parse_user(const char *s, UsbRecord *record) {
        uint64_t uid;

        if (record->user != 0 || parse_number(s, 1, UINT32_MAX - 1, &uid) < 0)
                return -EBADMSG;
        record->user = (uid_t) uid;
        return 0;
}

static int parse_line(char *line, UsbRecord *record) {
        _cleanup_(usb_loan_done) UsbLoan loan = {};
        char *verb = strsep(&line, " ");
        int r;

        if (!line)
                return -EBADMSG;
        if (streq(verb, "user"))
                return parse_user(line, record);
        if (streq(verb, "want"))
                return parse_want(line, record);
        r = streq(verb, "have") ? parse_loan(line, &loan) : -EBADMSG;
        r = r < 0 ? r : is_noted(record, &loan) ? -EBADMSG : usb_record_add(record, &loan);
        return r < 0 && r != -ENOMEM ? -EBADMSG : r;
}

int usb_record_parse(char *text, UsbRecord *ret) {
        _cleanup_(usb_record_done) UsbRecord record = {};
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                int r = parse_line(line, &record);

                if (r < 0)
                        return r;
        }
        *ret = record;
        record = (UsbRecord){};
        return 0;
}

/* ---- the file ---- */

static int record_print(FILE *f, const void *userdata) {
        const UsbRecord *record = userdata;
        char buffer[USB_SPEC_SIZE];

        if (record->user != 0)
                fprintf(f, "user %u\n", record->user);
        for (size_t i = 0; i < record->n_wants; i++)
                fprintf(f, "want %s\n", usb_spec_print(&record->wants[i], buffer));
        for (size_t i = 0; i < record->n_loans; i++) {
                const UsbLoan *l = &record->loans[i];

                fprintf(f, "have %s %04x:%04x %s %u:%u %o %s %u", l->port, l->vendor, l->product,
                        usb_entry_print(l->address, buffer), l->uid, l->gid, (unsigned) l->mode, l->acl ? l->acl : "-",
                        l->configuration);
                for (size_t j = 0; j < l->n_interfaces; j++)
                        fprintf(f, " %s=%s", l->interfaces[j].name, l->interfaces[j].driver);
                fputc('\n', f);
        }
        return 0;
}

int usb_record_save(int root, const char *guest, const UsbRecord *record) {
        return record_file_save(root, RECORD_KIND, guest, record_print, record);
}

int usb_record_load(int root, const char *guest, UsbRecord *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : usb_record_parse(text, ret);
}

int usb_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}

int usb_record_guests(int root, char ***ret, size_t *ret_n) {
        return record_file_guests(root, RECORD_KIND, ret, ret_n);
}

static int record_has(int root, const char *guest, const void *device) {
        _cleanup_(usb_record_done) UsbRecord record = {};
        int r = usb_record_load(root, guest, &record);

        return r < 0 ? r : usb_record_find(&record, device) != NULL;
}

int usb_record_holder(int root, const char *guest, const UsbDevice *d, char **ret_holder) {
        return record_file_holder(root, RECORD_KIND, guest, record_has, d, ret_holder);
}
