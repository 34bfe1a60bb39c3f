/* SPDX-License-Identifier: BSD-3-Clause */
/* Speaks to the monitors of this machine. */

#include <time.h>

#include "ddc-library.h"
#include "ddc-link.h"
#include "ddc-wire.h"

static int open_bus(const DdcLink *link, int bus) {
        return ddc_wire_open(*(const int *) link->userdata, bus);
}

static int edid_at(const DdcLink *link, int bus, Edid *ret) {
        _cleanup_(closep) int fd = open_bus(link, bus);
        uint8_t data[EDID_SIZE];
        int r = fd < 0 ? fd : ddc_wire_edid(fd, data, sizeof data);

        return r < 0 ? r : edid_parse(data, sizeof data, ret) < 0 ? -EAGAIN : 0;
}

static bool is_at(const DdcLink *link, int bus, const char *identity, int *ret_error) {
        char there[EDID_IDENTITY_SIZE];
        Edid edid;

        *ret_error = edid_at(link, bus, &edid);
        return *ret_error >= 0 && streq(edid_identity(&edid, there), identity);
}

/* On the buses of its card. If none of them has a node, none can be had. */
static int link_find(const DdcLink *link, const Monitor *m) {
        _cleanup_(freep) int *buses = NULL;
        char identity[EDID_IDENTITY_SIZE];
        size_t n = 0;
        int r = m->pci ? monitors_buses_of_card(*(const int *) link->userdata, m->pci, &buses, &n) : 0, error = -EAGAIN;

        (void) edid_identity(&m->edid, identity);
        if (r >= 0 && n == 0)
                return -ENXIO;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (is_at(link, buses[i], identity, &error))
                        return buses[i];
                if (error == -ENOENT || error == -EACCES || error == -EPERM)
                        r = error;
        }
        return r < 0 ? r : -EAGAIN;
}

static int link_check(const DdcLink *link, int bus, const char *identity) {
        int error;

        return is_at(link, bus, identity, &error) || error < 0 ? 0 : -ENODEV;
}

static int link_answers(const DdcLink *link, int bus, uint8_t source) {
        _cleanup_(closep) int fd = open_bus(link, bus);

        if (fd < 0)
                return fd;
        if (source == DDC_SOURCE_HOST && ddc_library_open() < 0)
                return -ENOPKG;
        return ddc_wire_answers(fd);
}

static int link_get(const DdcLink *link, int bus, uint8_t source, uint8_t feature, uint8_t *ret) {
        _cleanup_(closep) int fd = -EBADF;

        if (source == DDC_SOURCE_HOST)
                return ddc_library_get(bus, feature, ret);
        fd = open_bus(link, bus);
        return fd < 0 ? fd : ddc_wire_get(fd, source, feature, ret);
}

/* No version of libddcutil has a function for the source address. */
static int link_set(const DdcLink *link, int bus, uint8_t source, uint8_t feature, uint8_t value) {
        _cleanup_(closep) int fd = -EBADF;

        if (source == DDC_SOURCE_HOST)
                return ddc_library_set(bus, feature, value);
        fd = open_bus(link, bus);
        return fd < 0 ? fd : ddc_wire_set(fd, source, feature, value);
}

static int link_capabilities(const DdcLink *link _unused_, int bus, char **ret) {
        return ddc_library_capabilities(bus, ret);
}

static uint64_t link_now(const DdcLink *link _unused_) {
        return now_usec();
}

static void link_wait(const DdcLink *link _unused_, uint64_t usec) {
        struct timespec t = { .tv_sec = (time_t) (usec / 1000000), .tv_nsec = (long) (usec % 1000000 * 1000) };

        (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

DdcLink ddc_link(int *root) {
        return (DdcLink){ root, link_find, link_check, link_answers, link_get, link_set, link_capabilities, link_now, link_wait };
}
