/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices= and names in /run/vxm/evdev of any bytes, records of input devices, and what an input device says of itself in /sys, an
 * attribute a line, with what udev has noted of it. */

#include <fcntl.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "input-device.h"
#include "input-record.h"
#include "root.h"

#define DEVICE "sys/devices/usb1/input/input4"

static void check_names(const char *text) {
        char entry[INPUT_ENTRY_SIZE];
        InputSpec spec = {}, again = {};
        InputKind kind;
        unsigned number;

        if (input_spec_parse(text, &spec) >= 0) {
                if (input_spec_parse(input_spec_print(&spec), &again) < 0 || !input_spec_equal(&spec, &again) || strchr(text, '\n'))
                        abort();
                input_spec_done(&again);
                input_spec_done(&spec);
        }
        if (input_entry_parse(text, &kind, &number) >= 0 && !streq(input_entry_print(kind, number, entry), text))
                abort();
}

static void check_record(const char *text) {
        _cleanup_(input_record_done) InputRecord record = {};
        _cleanup_(freep) char *copy = strdup(text);

        if (!copy || input_record_parse(copy, &record) < 0)
                return;
        for (size_t i = 0; i < record.n_loans; i++)
                if (record.loans[i].kind == INPUT_NONE || record.loans[i].number > INPUT_NUMBER_MAX || record.loans[i].inode == 0)
                        abort();
}

/* A tree with one device, made once, and removed in the end. */
static char tree_path[] = "/tmp/fuzz-input-XXXXXX";
static int tree = -2; /* -1: it cannot be had */

static const char *const directories[] = { "run", "run/udev", "run/udev/data", "sys", "sys/class", "sys/class/input", "sys/devices",
        "sys/devices/usb1", "sys/devices/usb1/input", DEVICE, DEVICE "/capabilities", DEVICE "/id", DEVICE "/event4" };
static const char *const files[] = { DEVICE "/event4/dev", DEVICE "/name", DEVICE "/capabilities/key", DEVICE "/capabilities/rel",
        DEVICE "/capabilities/abs", DEVICE "/properties", DEVICE "/phys", DEVICE "/id/bustype", "run/udev/data/c13:68" };

static int make_tree(void) {
        if (tree != -2)
                return tree;
        tree = mkdtemp(tree_path) ? root_open(tree_path) : -1;
        for (size_t i = 0; tree >= 0 && i < ELEMENTSOF(directories); i++)
                (void) mkdirat(tree, directories[i], 0700);
        if (tree >= 0 && symlinkat("../../devices/usb1/input/input4/event4", tree, "sys/class/input/event4") < 0)
                tree = -1;
        return tree;
}

static void __attribute__((destructor)) remove_tree(void) {
        if (tree < 0)
                return;
        (void) unlinkat(tree, "sys/class/input/event4", 0);
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                (void) unlinkat(tree, files[i], 0);
        for (size_t i = ELEMENTSOF(directories); i-- > 0;)
                (void) unlinkat(tree, directories[i], AT_REMOVEDIR);
        (void) rmdir(tree_path);
}

static void write_file(const char *path, const char *text, size_t size) {
        _cleanup_(closep) int fd = openat(tree, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0 || write(fd, text, size) != (ssize_t) size)
                abort();
}

/* A line a file; what is left is udev's. */
static void check_device(const char *text) {
        static const InputSpec any = { INPUT_AUTO, NULL };
        _cleanup_(input_devices_done) InputDevices l = {};
        const char *rest = text;

        if (make_tree() < 0)
                return;
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                size_t n = i + 1 < ELEMENTSOF(files) ? strcspn(rest, "\n") : strlen(rest);

                write_file(files[i], rest, n);
                rest += n + (rest[n] == '\n');
        }
        if (input_devices_read(tree, &l) < 0)
                return;
        for (size_t i = 0; i < l.n; i++) {
                if (l.items[i].number != 4 || !utf8_is_valid(l.items[i].name))
                        abort();
                (void) input_device_fits(&l, &l.items[i], &any);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = NULL;

        if (size > 8192)
                return 0;
        text = strndup((const char *) data, size);
        if (!text)
                return 0;
        check_names(text);
        check_record(text);
        check_device(text);
        return 0;
}
