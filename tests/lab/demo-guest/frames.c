/* SPDX-License-Identifier: BSD-3-Clause */
/* frames: writes into the memory that the guest shares with a client of Looking Glass: a text at its begin, and one at its end.
 * It is BAR 2 of a PCI device, 1af4:1110 (docs/specs/ivshmem-spec in QEMU). Prints how large it is. */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGIN "written by the guest"
#define END "up to the end"

/* One word of a device's attribute, such as 0x1af4. */
static unsigned long attribute(const char *device, const char *name) {
        char path[256], text[32] = "";
        FILE *f;

        (void) snprintf(path, sizeof path, "%s/%s", device, name);
        f = fopen(path, "r");
        if (!f)
                return 0;
        if (!fgets(text, sizeof text, f))
                text[0] = '\0';
        fclose(f);
        return strtoul(text, NULL, 16);
}

static int enable(const char *device) {
        char path[256];
        int fd, r;

        (void) snprintf(path, sizeof path, "%s/enable", device);
        fd = open(path, O_WRONLY|O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = write(fd, "1", 1) == 1 ? 0 : -errno;
        close(fd);
        return r;
}

static int fill(const char *device) {
        char path[256], *memory;
        struct stat st;
        int fd;

        (void) snprintf(path, sizeof path, "%s/resource2", device);
        fd = open(path, O_RDWR|O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        memory = mmap(NULL, st.st_size, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (memory == MAP_FAILED)
                return -errno;
        memcpy(memory, BEGIN, sizeof BEGIN);
        memcpy(memory + st.st_size - sizeof END, END, sizeof END);
        printf("frames: %lld bytes\n", (long long) st.st_size);
        return 0;
}

int main(void) {
        glob_t devices;
        int r = 0;

        if (glob("/sys/bus/pci/devices/*", 0, NULL, &devices) != 0)
                return EXIT_FAILURE;
        for (size_t i = 0; r == 0 && i < devices.gl_pathc; i++) {
                const char *device = devices.gl_pathv[i];

                if (attribute(device, "vendor") != 0x1af4 || attribute(device, "device") != 0x1110)
                        continue;
                r = enable(device);
                r = r < 0 ? r : fill(device);
        }
        if (r < 0)
                printf("frames: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
