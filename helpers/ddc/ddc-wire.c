/* SPDX-License-Identifier: BSD-3-Clause */
/* Speaks to monitors by i2c-dev. */

#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <sys/ioctl.h>
#include <time.h>

#include "ddc-wire.h"
#include "root.h"

/* What a monitor needs between a question and its answer, and after a setting before anything else (DDC/CI 1.1, 4.3, 4.4). */
#define ANSWER_USEC 40000
#define SET_USEC 50000

/* The node's adapter is no more, or not yet again; to who calls us the same words would say what is wrong with the monitor. */
static bool is_gone(int error) {
        return error == ENODEV || error == ENXIO;
}

int ddc_wire_open(int root, int bus) {
        char path[32];
        int r;

        (void) snprintf(path, sizeof path, "dev/i2c-%d", bus);
        r = root_openat(root, path, O_RDWR | O_NOCTTY | O_NONBLOCK);
        return is_gone(-r) ? -EAGAIN : r;
}

/* All messages in one transfer; no address is claimed, so that a driver of the kernel's or another program may have it, too. What an
 * address that nobody has makes of a transfer differs between adapters. */
static int transfer(int fd, struct i2c_msg *messages, unsigned n) {
        struct i2c_rdwr_ioctl_data data = { .msgs = messages, .nmsgs = n };

        if (ioctl(fd, I2C_RDWR, &data) >= 0)
                return 0;
        return is_gone(errno) || errno == EREMOTEIO || errno == EIO || errno == ETIMEDOUT ? -EAGAIN : -errno;
}

static int receive(int fd, uint16_t address, uint8_t *data, size_t size) {
        struct i2c_msg message = { .addr = address, .flags = I2C_M_RD, .len = (uint16_t) size, .buf = data };

        return transfer(fd, &message, 1);
}

static int send_bytes(int fd, uint8_t *data, size_t size) {
        struct i2c_msg message = { .addr = DDC_ADDRESS, .len = (uint16_t) size, .buf = data };

        return transfer(fd, &message, 1);
}

/* The standard's own times, not ours to wait for an event in. */
static void pause_usec(long usec) {
        struct timespec t = { .tv_nsec = usec * 1000 };

        (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

int ddc_wire_answers(int fd) {
        uint8_t byte;

        return receive(fd, DDC_ADDRESS, &byte, 1);
}

int ddc_wire_edid(int fd, uint8_t *ret, size_t size) {
        uint8_t offset = 0;
        struct i2c_msg messages[] = {
                { .addr = EDID_ADDRESS, .len = 1, .buf = &offset },
                { .addr = EDID_ADDRESS, .flags = I2C_M_RD, .len = (uint16_t) size, .buf = ret },
        };

        return transfer(fd, messages, ELEMENTSOF(messages));
}

int ddc_wire_get(int fd, uint8_t source, uint8_t feature, uint8_t *ret) {
        uint8_t question[DDC_GET_SIZE], answer[DDC_REPLY_SIZE];
        uint16_t value;
        int r;

        ddc_packet_get(source, feature, question);
        r = send_bytes(fd, question, sizeof question);
        if (r < 0)
                return r;
        pause_usec(ANSWER_USEC);
        r = receive(fd, DDC_ADDRESS, answer, sizeof answer);
        r = r < 0 ? r : ddc_reply_parse(answer, sizeof answer, feature, &value);
        if (r < 0)
                return r == -EBADMSG ? -EPROTO : r;
        *ret = (uint8_t) value; /* the higher byte is whatever it is with some */
        return 0;
}

int ddc_wire_set(int fd, uint8_t source, uint8_t feature, uint8_t value) {
        uint8_t order[DDC_SET_SIZE];
        int r;

        ddc_packet_set(source, feature, value, order);
        r = send_bytes(fd, order, sizeof order);
        pause_usec(SET_USEC);
        return r;
}
