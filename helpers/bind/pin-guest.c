/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes the drop-in of `vxm-bind --record`. */

#include <fcntl.h>
#include <sys/stat.h>

#include "devices.h"
#include "log.h"
#include "pin-guest.h"
#include "root.h"

#define GUESTS "etc/vxm/guests"

static int print_pin(int root, const Guest *g, const GuestDevices *section, const DeviceSpec *spec, FILE *f) {
        _cleanup_(pci_function_done) PciFunction function = {};
        _cleanup_(device_pin_done) DevicePin pin = {};
        _cleanup_(freep) char *text = NULL;
        GuestDevices unpinned = *section;
        int r;

        unpinned.n_pins = 0; /* what was recorded before is about to be replaced */
        r = guest_device_resolve(root, g, &unpinned, spec, &function);
        if (r < 0)
                return r;
        r = device_pin_of(&function, &pin);
        r = r < 0 ? r : device_pin_format(&pin, &text);
        if (r < 0)
                return log_error_errno(r, "%s: cannot make sense of its place in sysfs, /sys/%s.", function.name, function.path);
        fprintf(f, "# Device=%s is %s\nRecorded=%s\n", spec->text, function.name, text);
        return 0;
}

static int print_pins(int root, const Guest *g, FILE *f) {
        int r = 0;

        fputs("# Which devices the guest's are, by the way to their slot and their ids. Made by vxm-bind --record;\n"
              "# remove this file to let the guest have whatever Device= finds.\n",
                f);
        for (size_t i = 0; i < g->n_devices; i++) {
                const GuestDevices *d = &g->devices[i];

                if (d->n_specs == 0)
                        continue;
                fprintf(f, "[%s%s%s]\nRecorded=\n", d->gpu ? "GPU" : "PCI", d->name ? " " : "", d->name ? d->name : "");
                for (size_t j = 0; r >= 0 && j < d->n_specs; j++)
                        r = print_pin(root, g, d, &d->specs[j], f);
        }
        return r;
}

/* Makes a directory if it is not there, and opens it. Step by step through the root handle: a link in another machine's tree must
 * not lead out of it. */
static int open_directory(int root, const char *parent, const char *name) {
        _cleanup_(closep) int fd = root_openat(root, parent, O_PATH | O_DIRECTORY);
        _cleanup_(freep) char *path = NULL;
        int r;

        r = fd < 0 ? fd : format(&path, "%s/%s", parent, name);
        if (r < 0)
                return r;
        if (mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        return root_openat(root, path, O_PATH | O_DIRECTORY);
}

static int open_drop_ins(int root, const char *guest) {
        _cleanup_(closep) int vxm = open_directory(root, "etc", "vxm"), guests = -EBADF;
        _cleanup_(freep) char *name = NULL;
        int r;

        guests = vxm < 0 ? vxm : open_directory(root, "etc/vxm", "guests");
        r = guests < 0 ? guests : format(&name, "%s.guest.d", guest);
        return r < 0 ? r : open_directory(root, GUESTS, name);
}

static int write_drop_in(int root, const char *guest, const char *text) {
        static const char file[] = "90-recorded.conf", temporary[] = ".90-recorded.conf.new";
        _cleanup_(closep) int directory = open_drop_ins(root, guest), fd = -EBADF;
        int r;

        if (directory < 0)
                return directory;
        fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        r = write_full(fd, text, strlen(text));
        if (r >= 0 && (fsync(fd) < 0 || renameat(directory, temporary, directory, file) < 0))
                r = -errno;
        if (r < 0)
                (void) unlinkat(directory, temporary, 0);
        return r;
}

int pin_guest(int root, const char *guest, bool dry_run) {
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(freep) char *text = NULL;
        FILE *f;
        size_t size;
        int r;

        r = guest_load(root, guest, &g);
        if (r < 0)
                return r;
        if (!guest_has_devices(g))
                return log_info("Guest %s has no devices in %s; there is nothing to record.", guest, g->file);

        f = open_memstream(&text, &size);
        if (!f)
                return log_oom();
        r = print_pins(root, g, f);
        if (fclose(f) != 0)
                return log_oom();
        if (r < 0)
                return r;
        if (dry_run)
                return fputs(text, stdout) < 0 ? -EIO : 0;
        r = write_drop_in(root, guest, text);
        return r < 0 ? log_error_errno(r, "Cannot write /" GUESTS "/%s.guest.d/90-recorded.conf: %s.", guest, strerror(-r))
                     : log_info("Recorded in /" GUESTS "/%s.guest.d/90-recorded.conf; other devices are refused from now on.",
                               guest);
}
