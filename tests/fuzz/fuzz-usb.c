/* SPDX-License-Identifier: BSD-3-Clause */
/* Device= and names in /run/vxm/plug of any bytes, records of USB devices, and what a device says of itself in /sys, an
 * attribute a line. What is taken has the form that the rest of the product relies on. */

#include <fcntl.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "root.h"
#include "usb-record.h"

#define DEVICE "sys/devices/usb1/1-2"

static void check_names(const char *text) {
        char printed[USB_SPEC_SIZE], entry[USB_ENTRY_SIZE];
        UsbAddress address;
        UsbSpec spec, again;

        if (usb_spec_parse(text, &spec) >= 0 &&
                (usb_spec_parse(usb_spec_print(&spec, printed), &again) < 0 || !usb_spec_equal(&spec, &again)))
                abort();
        if (usb_port_is_valid(text) && (strpbrk(text, "/ \n") || usb_port_compare(text, text) != 0))
                abort();
        if (usb_entry_parse(text, &address) >= 0 && !streq(usb_entry_print(address, entry), text))
                abort();
}

static void check_record(const char *text) {
        _cleanup_(usb_record_done) UsbRecord record = {};
        _cleanup_(freep) char *copy = strdup(text);

        if (!copy || usb_record_parse(copy, &record) < 0)
                return;
        for (size_t i = 0; i < record.n_loans; i++) {
                const UsbLoan *l = &record.loans[i];

                if (!usb_port_is_valid(l->port) || l->uid == (uid_t) -1 || l->mode > 07777 || (l->acl && strlen(l->acl) % 2))
                        abort();
                for (size_t j = 0; j < l->n_interfaces; j++)
                        if (strpbrk(l->interfaces[j].name, "/ \n") || strpbrk(l->interfaces[j].driver, "/ \n"))
                                abort();
        }
}

/* A tree with one device, made once, and removed in the end. */
static char tree_path[] = "/tmp/fuzz-usb-XXXXXX";
static int tree = -2; /* -1: it cannot be had */

static const char *const tree_directories[] = { "sys", "sys/bus", "sys/bus/usb", "sys/bus/usb/devices", "sys/devices",
        "sys/devices/usb1", DEVICE };

static int make_tree(void) {
        if (tree != -2)
                return tree;
        tree = mkdtemp(tree_path) ? root_open(tree_path) : -1;
        for (size_t i = 0; tree >= 0 && i < ELEMENTSOF(tree_directories); i++)
                (void) mkdirat(tree, tree_directories[i], 0700);
        if (tree >= 0 && symlinkat("../../../devices/usb1/1-2", tree, "sys/bus/usb/devices/1-2") < 0)
                tree = -1;
        return tree;
}

static void __attribute__((destructor)) remove_tree(void) {
        if (tree < 0)
                return;
        (void) unlinkat(tree, "sys/bus/usb/devices/1-2", 0);
        for (size_t i = ELEMENTSOF(tree_directories); i-- > 0;)
                (void) unlinkat(tree, tree_directories[i], AT_REMOVEDIR);
        (void) rmdir(tree_path);
}

static void forget_tree(int root) {
        static const char *const names[] = { DEVICE "/idVendor", DEVICE "/idProduct", DEVICE "/bDeviceClass", DEVICE "/busnum",
                DEVICE "/devnum", DEVICE "/authorized", DEVICE "/manufacturer", DEVICE "/product" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void) unlinkat(root, names[i], 0);
}

static void write_attribute(int root, const char *name, const char *value, size_t size) {
        char path[64];
        int fd;

        (void) snprintf(path, sizeof path, DEVICE "/%s", name);
        fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd >= 0) {
                (void) write_full(fd, value, size);
                close(fd);
        }
}

static void check_attributes(const char *text) {
        static const char *const names[] = { "idVendor", "idProduct", "bDeviceClass", "busnum", "devnum", "authorized", "manufacturer",
                "product" };
        _cleanup_(usb_devices_done) UsbDevices l = {};
        int root = make_tree();

        if (root < 0)
                return;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                size_t size = strcspn(text, "\n");

                write_attribute(root, names[i], text, size);
                text += size + (text[size] != '\0');
        }
        if (usb_devices_read(root, &l) < 0)
                abort();
        for (size_t i = 0; i < l.n; i++) {
                _cleanup_(freep) char *what = usb_device_describe(&l.items[i]);

                if (!what || !utf8_is_valid(what) || strpbrk(what, "\033\n\r") || l.items[i].address.bus > USB_BUS_MAX ||
                        l.items[i].address.number > USB_NUMBER_MAX)
                        abort();
        }
        forget_tree(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        check_names(text);
        check_record(text);
        check_attributes(text);
        return 0;
}
