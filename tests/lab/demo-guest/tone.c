/* SPDX-License-Identifier: BSD-3-Clause */
/* tone HERTZ: plays a sine on the guest's first sound card, for ever, by the kernel's OSS emulation, which takes no library. */

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <unistd.h>

enum {
        RATE = 48000,
        CHANNELS = 2,
        AMPLITUDE = 12000,
};

/* The kernel has all cards silent at first. Not each card has each of these. */
static void turn_up(void) {
        static const int controls[] = { SOUND_MIXER_VOLUME, SOUND_MIXER_PCM, SOUND_MIXER_SPEAKER };
        int fd = open("/dev/mixer", O_RDWR|O_CLOEXEC);

        for (size_t i = 0; fd >= 0 && i < sizeof controls / sizeof *controls; i++) {
                int level = 100 | 100 << 8;

                (void) ioctl(fd, MIXER_WRITE(controls[i]), &level);
        }
        if (fd >= 0)
                close(fd);
}

static int set_up(int fd) {
        int format = AFMT_S16_LE, channels = CHANNELS, rate = RATE;

        if (ioctl(fd, SNDCTL_DSP_SETFMT, &format) < 0 || ioctl(fd, SNDCTL_DSP_CHANNELS, &channels) < 0 ||
                ioctl(fd, SNDCTL_DSP_SPEED, &rate) < 0)
                return -errno;
        return format == AFMT_S16_LE && channels == CHANNELS && rate == RATE ? 0 : -EOPNOTSUPP;
}

/* A second of the tone has a whole number of waves, so that it can be repeated. */
static int play(int fd, unsigned hertz) {
        static int16_t second[RATE][CHANNELS];

        for (size_t i = 0; i < RATE; i++)
                second[i][0] = second[i][1] = (int16_t) lrint(AMPLITUDE * sin(2 * M_PI * hertz * i / RATE));
        for (;;)
                for (size_t done = 0; done < sizeof second;) {
                        ssize_t n = write(fd, (char *) second + done, sizeof second - done);

                        if (n < 0)
                                return -errno;
                        done += n;
                }
}

int main(int argc, char *argv[]) {
        int fd, r;

        if (argc != 2)
                return EXIT_FAILURE;
        turn_up();
        fd = open("/dev/dsp", O_WRONLY|O_CLOEXEC);
        r = fd < 0 ? -errno : set_up(fd);
        r = r < 0 ? r : play(fd, atoi(argv[1]));
        printf("tone: %s\n", strerror(-r));
        return EXIT_FAILURE;
}
