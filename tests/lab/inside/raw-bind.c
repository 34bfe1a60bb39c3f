/* SPDX-License-Identifier: BSD-3-Clause */
/* raw-bind: the least that has to be done to move PCI functions to another driver, for a bench to compare with.
 *
 *     raw-bind DRIVER ADDRESS…      to DRIVER, by driver_override
 *     raw-bind - ADDRESS…           to whichever driver wants them
 *
 * Three writes a function, nothing judged, noted or read back. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int put(const char *path, const char *value) {
        int fd = open(path, O_WRONLY | O_CLOEXEC), r = -1;

        if (fd >= 0 && write(fd, value, strlen(value)) > 0)
                r = 0;
        if (r < 0)
                perror(path);
        if (fd >= 0)
                close(fd);
        return r;
}

static int move(const char *driver, const char *address) {
        char override[96], unbind[96];

        snprintf(override, sizeof override, "/sys/bus/pci/devices/%s/driver_override", address);
        snprintf(unbind, sizeof unbind, "/sys/bus/pci/devices/%s/driver/unbind", address);
        if (put(override, strcmp(driver, "-") == 0 ? "\n" : driver) < 0 || put(unbind, address) < 0)
                return -1;
        return put("/sys/bus/pci/drivers_probe", address);
}

int main(int argc, char *argv[]) {
        for (int i = 2; i < argc; i++)
                if (move(argv[1], argv[i]) < 0)
                        return 1;
        return 0;
}
