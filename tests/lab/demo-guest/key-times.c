/* SPDX-License-Identifier: BSD-3-Clause */
/* key-times COUNT: waits until the key A has been pressed so many times, on whichever keyboard; then prints for each what the processor's
 * time-stamp counter had come to when this program had read it. Ends before that when nothing is pressed for a while. */

#include <fcntl.h>
#include <glob.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <x86intrin.h>

enum {
        KEYBOARDS = 16,
        PRESSES = 10000,
        PATIENCE = 20 * 1000, /* ms */
};

static unsigned long long times[PRESSES];

static size_t open_keyboards(struct pollfd *fds) {
        glob_t nodes;
        size_t n = 0;

        if (glob("/dev/input/event*", 0, NULL, &nodes) != 0)
                return 0;
        for (size_t i = 0; i < nodes.gl_pathc && n < KEYBOARDS; i++) {
                unsigned char keys[KEY_MAX / 8 + 1] = {};
                int fd = open(nodes.gl_pathv[i], O_RDONLY|O_NONBLOCK|O_CLOEXEC);

                if (fd >= 0 && ioctl(fd, EVIOCGBIT(EV_KEY, sizeof keys), keys) >= 0 && (keys[KEY_A / 8] & 1 << KEY_A % 8))
                        fds[n++] = (struct pollfd) { fd, POLLIN, 0 };
                else if (fd >= 0)
                        close(fd);
        }
        globfree(&nodes);
        return n;
}

static size_t note(int fd, size_t n, size_t count) {
        struct input_event event;

        while (n < count && read(fd, &event, sizeof event) == sizeof event)
                if (event.type == EV_KEY && event.code == KEY_A && event.value == 1)
                        times[n++] = __rdtsc();
        return n;
}

int main(int argc, char *argv[]) {
        struct pollfd fds[KEYBOARDS];
        size_t count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0, keyboards = open_keyboards(fds), n = 0;

        if (count == 0 || count > PRESSES || keyboards == 0) {
                fprintf(stderr, "key-times: COUNT is missing or too large, or there is no keyboard\n");
                return 1;
        }
        fprintf(stderr, "%zu keyboards\n", keyboards);
        while (n < count && poll(fds, keyboards, PATIENCE) > 0)
                for (size_t i = 0; i < keyboards; i++)
                        if (fds[i].revents)
                                n = note(fds[i].fd, n, count);
        for (size_t i = 0; i < n; i++)
                printf("%llu\n", times[i]);
        return 0;
}
