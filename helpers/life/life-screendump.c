/* SPDX-License-Identifier: BSD-3-Clause */
/* A picture of the guest's emulated display. QEMU writes it into memory of ours, as it may write nowhere else and shall not;
 * what comes of that is looked at before it becomes a file. */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "exit-status.h"
#include "life.h"
#include "log.h"
#include "whole-file.h"

#define DISPLAY "display" /* as in qemu-display.c */

enum {
        FDSET = 4711,                   /* QEMU's own are counted from 0 */
        PICTURE_MAX = 64 * 1024 * 1024, /* more than 4096 × 4096 points need, however they are packed */
};

/* QEMU 10 takes a file's name only; a set of descriptors is one, and is searched for one that is open for writing only. */
static int open_memory(int *ret_read, int *ret_write) {
        _cleanup_(closep) int memory = memfd_create("vxm-screendump", MFD_CLOEXEC), writing = -EBADF;
        _cleanup_(freep) char *path = NULL;
        int r;

        if (memory < 0)
                return -errno;
        r = format(&path, "/proc/self/fd/%d", memory);
        if (r < 0)
                return r;
        writing = open(path, O_WRONLY | O_CLOEXEC);
        if (writing < 0)
                return -errno;
        *ret_read = TAKE_FD(memory);
        *ret_write = TAKE_FD(writing);
        return 0;
}

static int forget_set(LifeSession *s) {
        return life_call(s, "Cannot take the file back from QEMU", "remove-fd", json_pack("{s:i}", "fdset-id", FDSET), NULL);
}

static int take_picture(LifeSession *s, int writing) {
        const char *what = "Cannot photograph the display";
        int r, q;

        r = life_send_fd(s, writing);
        if (r < 0)
                return log_error_errno(r, "%s: %s.", what, strerror(-r));
        r = life_call(s, what, "add-fd", json_pack("{s:i}", "fdset-id", FDSET), NULL);
        if (r < 0)
                return r;
        r = life_call(s, what, "screendump",
                json_pack("{s:s, s:s, s:s}", "filename", "/dev/fdset/4711", "format", "png", "device", DISPLAY), NULL);
        q = forget_set(s);
        return r < 0 ? r : q;
}

/* The signature of a PNG, and its first chunk: a header that says how large it is. */
static int check_picture(int fd, uint32_t *ret_width, uint32_t *ret_height, size_t *ret_size) {
        static const uint8_t begin[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R' };
        uint8_t head[24];
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size > PICTURE_MAX)
                return -EFBIG;
        if (pread(fd, head, sizeof head, 0) != sizeof head || memcmp(head, begin, sizeof begin) != 0)
                return -EPROTO; /* EBADMSG would be a file that needs editing */
        *ret_width = (uint32_t) head[16] << 24 | (uint32_t) head[17] << 16 | (uint32_t) head[18] << 8 | head[19];
        *ret_height = (uint32_t) head[20] << 24 | (uint32_t) head[21] << 16 | (uint32_t) head[22] << 8 | head[23];
        *ret_size = (size_t) st.st_size;
        return 0;
}

/* from: where the picture is, size bytes of it. */
static int copy(int from, size_t size, int to) {
        _cleanup_(freep) char *data = malloc(size);

        if (!data)
                return -ENOMEM;
        return pread(from, data, size, 0) != (ssize_t) size ? -EIO : write_full(to, data, size);
}

static int save(int fd, size_t size, const char *path) {
        _cleanup_(whole_file_done) WholeFile f = { .fd = -EBADF };
        int r;

        r = whole_file_find(&f, path, NULL);
        r = r < 0 ? r : whole_file_open(&f);
        r = r < 0 ? r : copy(fd, size, f.fd);
        return r < 0 ? r : whole_file_finish(&f, 0666);
}

static bool has_display(LifeSession *s, int *ret_error) {
        _cleanup_(json_decrefp) json_t *devices = NULL;
        const json_t *device;
        bool found = false;
        size_t i;

        *ret_error = life_call(s, "Cannot see what the guest has", "qom-list", json_pack("{s:s}", "path", "/machine/peripheral"), &devices);
        json_array_foreach(devices, i, device)
                found = found || streq_ptr(json_get_string(device, "name"), DISPLAY);
        return found;
}

int life_screendump(LifeSession *s, const char *path) {
        _cleanup_(closep) int reading = -EBADF, writing = -EBADF;
        uint32_t width = 0, height = 0;
        size_t size = 0;
        int r;

        if (!has_display(s, &r))
                return r < 0 ? r
                             : log_error_errno(E_LACKS,
                                       "Guest %s has no emulated display, and what its GPU shows only the monitor there sees; "
                                       "set SPICE= or VNC= in [Display] of its guest file, then start it anew.",
                                       life_guest(s));
        r = open_memory(&reading, &writing);
        if (r < 0)
                return log_error_errno(r, "Cannot make room for a picture: %s.", strerror(-r));
        r = take_picture(s, writing);
        if (r < 0)
                return r;
        r = check_picture(reading, &width, &height, &size);
        if (r < 0)
                return log_error_errno(r, "What QEMU of guest %s has written is no picture: %s.", life_guest(s), strerror(-r));
        if (streq(path, "-")) {
                r = copy(reading, size, STDOUT_FILENO);
                return r < 0 ? log_error_errno(r, "Cannot write to standard output: %s.", strerror(-r)) : 0;
        }
        r = save(reading, size, path);
        if (r < 0)
                return log_error_errno(r, "Cannot write %s: %s; name a file in a directory that you may write to.", path, strerror(-r));
        printf("The display of guest %s is in %s, %u × %u.\n", life_guest(s), path, width, height);
        return 0;
}
