/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads and prints the pin of a guest's firmware; whoever sets a guest up writes it (guest-firmware.c). */

#include <fcntl.h>
#include <sys/stat.h>

#include "conf.h"
#include "firmware-pin.h"
#include "log.h"
#include "parse.h"
#include "root.h"

enum {
        PIN_MAX = 16 * 1024,
};

/* What stands in a pin, in this order. */
static const struct {
        const char *key;
        size_t offset;
        bool flag; /* else a text */
} rows[] = {
        { "Code", offsetof(Firmware, code), false },
        { "Vars", offsetof(Firmware, vars), false },
        { "Format", offsetof(Firmware, format), false },
        { "SecureBoot", offsetof(Firmware, secure_boot), true },
        { "EnrolledKeys", offsetof(Firmware, enrolled_keys), true },
        { "S3", offsetof(Firmware, s3), true },
};

int firmware_pin_print(const Firmware *f, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = format(&text, "# The firmware that the UEFI variables in nvram.fd are of; see SecureBoot= in vxm.guest(5).\n"
                          "[Firmware]");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rows); i++) {
                const char *field = (const char *) f + rows[i].offset;
                const char *value = rows[i].flag ? *(const bool *) field ? "yes" : "no" : *(char *const *) field;

                r = list_append(&text, "\n", "%s=%s", rows[i].key, value);
        }
        r = r < 0 ? r : list_append(&text, "\n", "%s", "");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

static int assign(const ConfLine *line, void *userdata) {
        char *f = userdata;

        for (size_t i = 0; line->key && i < ELEMENTSOF(rows); i++)
                if (streq(line->key, rows[i].key))
                        return rows[i].flag ? parse_boolean(line->value, (bool *) (f + rows[i].offset))
                                            : free_and_strdup((char **) (void *) (f + rows[i].offset), line->value);
        return 0; /* of a newer vxm */
}

int firmware_pin_parse(char *text, size_t size, Firmware *ret) {
        _cleanup_(firmware_done) Firmware f = {};
        int previous = log_get_max_priority(), r;

        /* What is in there may be the guest's words: they are not for the journal. */
        log_set_max_priority(-1);
        r = conf_parse(text, size, "pinned", assign, &f);
        log_set_max_priority(previous);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !f.code || !f.vars || !f.format || !path_is_clean(f.code) || !path_is_clean(f.vars) ||
                (!streq(f.format, "raw") && !streq(f.format, "qcow2")))
                return -EBADMSG;
        *ret = f;
        f = (Firmware){};
        return 0;
}

static int open_directory(int root, const char *guest) {
        _cleanup_(closep) int state = -EBADF;
        _cleanup_(freep) char *path = NULL;
        int fd, r;

        r = format(&path, "var/lib/vxm/guests/%s", guest);
        if (r < 0)
                return r;
        state = root_openat(root, path, O_PATH | O_DIRECTORY);
        if (state < 0)
                return state;
        fd = openat(state, "firmware", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int firmware_pin_read(int root, const char *guest, FirmwarePin *ret, Firmware *ret_firmware) {
        _cleanup_(closep) int directory = open_directory(root, guest), fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        struct stat st;
        size_t size;
        int r;

        *ret = FIRMWARE_NOT_SET_UP;
        if (directory < 0)
                return directory == -ENOENT ? 0 : directory;
        if (fstatat(directory, "nvram.fd", &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;

        *ret = FIRMWARE_UNKNOWN;
        fd = openat(directory, "pinned", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : errno == ELOOP ? -EBADMSG : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        r = read_full(fd, PIN_MAX, &text, &size);
        r = r < 0 ? r : firmware_pin_parse(text, size, ret_firmware);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        *ret = FIRMWARE_PINNED;
        return 0;
}
