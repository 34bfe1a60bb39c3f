/* SPDX-License-Identifier: BSD-3-Clause */
/* Which firmware a guest gets, and how it is set up with it. Only guest_firmware_prepare() writes, as the guest's own
 * user. */

#include <fcntl.h>

#include "exit-status.h"
#include "firmware-pin.h"
#include "guest-firmware.h"
#include "log.h"
#include "messages.h"
#include "root.h"

enum {
        NVRAM_MAX = 64 * 1024 * 1024,
};

static const char *yes_no(bool b) {
        return b ? "yes" : "no";
}

static int refuse_change(const Guest *g, const char *key, const char *value, const char *was) {
        return log_event_errno(E_CONFIG, MESSAGE_FIRMWARE_PINNED, FIELDS("CONFIG_FILE", g->file),
                "%s: [Firmware] %s=%s, but the guest was set up with %s=%s, and its UEFI variables are of that firmware; set it "
                "back, or remove /var/lib/vxm/guests/%s/firmware/nvram.fd to begin with new variables.",
                g->file, key, value, key, was, g->name);
}

/* What the guest file says now against what the variables are of. */
static int judge_pinned(int root, const Guest *g, const Firmware *pinned) {
        if (g->secure_boot != pinned->secure_boot)
                return refuse_change(g, "SecureBoot", yes_no(g->secure_boot), yes_no(pinned->secure_boot));
        if (g->secure_boot && !g->firmware_code && g->enrolled_keys != pinned->enrolled_keys)
                return refuse_change(g, "EnrolledKeys", yes_no(g->enrolled_keys), yes_no(pinned->enrolled_keys));
        if (g->firmware_code && !streq(g->firmware_code, pinned->code))
                return refuse_change(g, "Code", g->firmware_code, pinned->code);
        if (g->firmware_vars && !streq(g->firmware_vars, pinned->vars))
                return refuse_change(g, "Vars", g->firmware_vars, pinned->vars);
        if (!root_exists(root, pinned->code + 1))
                return log_event_errno(E_LACKS, MESSAGE_FIRMWARE_PINNED, FIELDS("CONFIG_FILE", g->file),
                        "Firmware %s, which guest %s was set up with, is gone; install it again, or remove "
                        "/var/lib/vxm/guests/%s/firmware/nvram.fd to begin with another one and new variables.",
                        pinned->code, g->name, g->name);
        return 0;
}

static int choose_named(const Guest *g, Firmware *ret) {
        if (firmware_set(ret, g->firmware_code, g->firmware_vars, firmware_format(g->firmware_code)) < 0)
                return log_oom();
        ret->secure_boot = g->secure_boot;
        return 0;
}

static int choose(int root, const Guest *g, Firmware *ret) {
        FirmwareWish wish = { .machine = "q35", .secure_boot = g->secure_boot, .enrolled_keys = g->enrolled_keys };
        int r;

        if (g->firmware_code)
                return choose_named(g, ret);
        r = firmware_find(root, &wish, ret);
        if (r == -ENOENT && g->secure_boot)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, FIELDS("CONFIG_FILE", g->file),
                        "UEFI firmware with Secure Boot %s is missing: neither a descriptor in /usr/share/qemu/firmware nor "
                        "the usual files offer one; install OVMF (Debian: ovmf), name one by Code= and Vars=, or set "
                        "SecureBoot=no.",
                        g->enrolled_keys ? "and enrolled keys" : "and no keys enrolled");
        if (r == -ENOENT)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "UEFI firmware for guests is missing: neither a descriptor in /usr/share/qemu/firmware nor the usual "
                        "files offer one; install OVMF (Debian: ovmf), or set [Firmware] Type=bios.");
        return r < 0 ? log_error_errno(r, "Cannot look for UEFI firmware: %s.", strerror(-r)) : 0;
}

int guest_firmware_find(int root, const Guest *g, Firmware *ret) {
        _cleanup_(firmware_done) Firmware pinned = {};
        FirmwarePin pin;
        int r;

        if (g->firmware != FIRMWARE_UEFI)
                return 0;
        r = firmware_pin_read(root, g->name, &pin, &pinned);
        if (r == -EACCES) /* somebody who only asks; the guest's user and root may look */
                pin = FIRMWARE_NOT_SET_UP;
        else if (r == -EBADMSG)
                return log_event_errno(E_CONFIG, MESSAGE_FIRMWARE_PINNED, NULL,
                        "/var/lib/vxm/guests/%s/firmware/pinned is damaged; remove it together with nvram.fd beside it, and the "
                        "guest begins with new UEFI variables.",
                        g->name);
        else if (r < 0)
                return log_error_errno(r, "Cannot read /var/lib/vxm/guests/%s/firmware: %s.", g->name, strerror(-r));

        if (pin == FIRMWARE_UNKNOWN && g->secure_boot)
                return refuse_change(g, "SecureBoot", "yes", "no");
        if (pin != FIRMWARE_PINNED)
                return choose(root, g, ret);
        r = judge_pinned(root, g, &pinned);
        if (r < 0)
                return r;
        *ret = pinned;
        pinned = (Firmware){};
        return 0;
}

/* As a whole or not at all. */
static int write_file(int root, const char *path, const char *data, size_t size) {
        _cleanup_(freep) char *temporary = NULL;
        _cleanup_(closep) int fd = -EBADF;
        int r;

        r = format(&temporary, "%s.new", path);
        if (r < 0)
                return r;
        fd = openat(root, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = write_full(fd, data, size);
        if (r >= 0 && (fsync(fd) < 0 || renameat(root, temporary, root, path) < 0))
                r = -errno;
        if (r < 0)
                (void) unlinkat(root, temporary, 0);
        return r;
}

/* Beside nvram. One that is there is of an older firmware, or of an NVRAM that has been removed. */
static int write_pin(int root, const Firmware *f, const char *nvram) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        int r;

        r = format(&path, "%.*s/pinned", (int) (strrchr(nvram, '/') - nvram), nvram);
        r = r < 0 ? r : firmware_pin_print(f, &text);
        if (r < 0)
                return log_oom();
        r = write_file(root, path + 1, text, strlen(text));
        return r < 0 ? log_error_errno(r, "Cannot note the guest's firmware in %s: %s.", path, strerror(-r)) : 0;
}

static int write_nvram(int root, const Firmware *f, const char *nvram) {
        _cleanup_(freep) char *data = NULL;
        _cleanup_(closep) int fd = root_openat(root, f->vars + 1, O_RDONLY);
        size_t size;
        int r;

        r = fd < 0 ? fd : read_full(fd, NVRAM_MAX, &data, &size);
        if (r < 0)
                return log_error_errno(r, "Cannot read %s: %s.", f->vars, strerror(-r));
        r = write_file(root, nvram + 1, data, size);
        return r < 0 ? log_error_errno(r, "Cannot write the guest's NVRAM, %s: %s.", nvram, strerror(-r)) : 0;
}

static bool is_pinned(int root, const char *nvram) {
        _cleanup_(freep) char *path = NULL;

        return format(&path, "%.*s/pinned", (int) (strrchr(nvram, '/') - nvram) - 1, nvram + 1) >= 0 &&
                root_exists(root, path);
}

int guest_firmware_prepare(int root, const Firmware *f, const char *nvram) {
        bool set_up = root_exists(root, nvram + 1);
        int r;

        if (!f->code || (set_up && is_pinned(root, nvram)))
                return 0;
        /* First the pin: what a kill leaves is a pin without NVRAM, which counts for nothing. */
        r = write_pin(root, f, nvram);
        return r < 0 || set_up ? r : write_nvram(root, f, nvram);
}
