/* SPDX-License-Identifier: BSD-3-Clause */
/* usb-presses BUS DEVICE COUNT: waits until the key A of a USB keyboard has been pressed so many times, as the kernel's usbmon sees it
 * whoever drives the keyboard; then prints how many times a second the processor's time-stamp counter counts, and what it had come to
 * at each press. Says first that it is “listening”. Ends before that when nothing is pressed for a minute.
 *
 * usbmon says when the host controller was done with a report, in microseconds; the counter is read as soon as that is known here, and
 * the time since then is taken off. */

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum {
        PRESSES = 10000,
        PATIENCE = 60 * 1000, /* ms */
        USAGE_A = 4,          /* USB HID Usage Tables, Keyboard/Keypad page */
        INTERRUPT = 1,
        DIRECTION_IN = 0x80,
};

/* What a read of /dev/usbmonN begins with, see the kernel's Documentation/usb/usbmon.rst. */
struct packet {
        uint64_t id;
        uint8_t type, transfer, endpoint, device;
        uint16_t bus;
        int8_t flag_setup, flag_data;
        int64_t seconds;
        int32_t microseconds;
        int32_t status;
        uint32_t length, captured;
        uint8_t setup[8];
};

static double now(void) {
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* How often the counter counts, over a second. */
static double measure_rate(void) {
        double begin = now();
        uint64_t counter = __rdtsc();
        struct timespec second = { 1, 0 };

        nanosleep(&second, NULL);
        return (double) (__rdtsc() - counter) / (now() - begin);
}

/* Whether this is a report of the keyboard's in which A is pressed; ret is left as it is when it is no report. */
static int report(const struct packet *p, const uint8_t *data, size_t size, unsigned device, int *ret) {
        if (p->type != 'C' || p->transfer != INTERRUPT || !(p->endpoint & DIRECTION_IN) || p->device != device || p->status != 0 ||
                size < 3)
                return 0;
        *ret = memchr(data + 2, USAGE_A, size - 2) != NULL;
        return 1;
}

int main(int argc, char *argv[]) {
        static double times[PRESSES];
        char path[64];
        unsigned device = argc == 4 ? (unsigned) atoi(argv[2]) : 0;
        size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, n = 0;
        int fd, is = 0, was = 0;
        double rate;

        if (count == 0 || count > PRESSES)
                return fprintf(stderr, "usage: usb-presses BUS DEVICE COUNT\n"), 1;
        (void) snprintf(path, sizeof path, "/dev/usbmon%d", atoi(argv[1]));
        fd = open(path, O_RDONLY|O_CLOEXEC);
        if (fd < 0)
                return perror(path), 1;
        rate = measure_rate();
        puts("listening");
        fflush(stdout);
        while (n < count && poll(&(struct pollfd) { fd, POLLIN, 0 }, 1, PATIENCE) > 0) {
                union {
                        struct packet packet;
                        uint8_t bytes[4096];
                } buffer;
                ssize_t size = read(fd, &buffer, sizeof buffer);
                double counter = (double) __rdtsc(), t = now();
                const struct packet *p = &buffer.packet;

                if (size < (ssize_t) sizeof *p || !report(p, buffer.bytes + sizeof *p, (size_t) size - sizeof *p, device, &is))
                        continue;
                if (is && !was)
                        times[n++] = counter - rate * (t - (double) p->seconds - (double) p->microseconds / 1e6);
                was = is;
        }
        printf("%.0f\n", rate);
        for (size_t i = 0; i < n; i++)
                printf("%.0f\n", times[i]);
        return 0;
}
