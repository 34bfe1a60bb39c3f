/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of units. */

#include "guest-unit.h"

const GuestUnitKind guest_unit_kinds[] = {
        { "vxm-user", "a user of its own", false },
        { "vxm-hugepages", "huge pages", false },
        { "vxm-units", "units of the host that stand in its way", false },
        { "vxm-bind", "devices", false },
        { "vxm-sleep", "no sleep for the host", false },
        { "vxm-net", "networks of the host", false },
        { "vxm-cpus", "CPUs", false },
        { "vxm-disks", "disks", false },
        { "vxm-usb", "USB devices", false },
        { "vxm-input", "keyboards and mice", false },
        { "vxm-frames", "memory for Looking Glass", false },
        { "vxm-spice", "a port for SPICE", true },
        { "vxm-vnc", "a port for VNC", true },
        { "vxm-share", "a share", true },
        { "vxm-tpm", "TPM", false },
        { "vxm-link", "network cards", false },
        { "vxm-netjack", "NETJACK", false },
        { "vxm-guest", "the guest itself", false },
        { "vxm-ddc", "monitors", false },
        {},
};

static const char *after_kind(const char *unit, const GuestUnitKind *kind) {
        const char *rest = startswith(unit, kind->name);

        return rest && *rest == '@' ? rest + 1 : NULL;
}

const GuestUnitKind *guest_unit_parse(const char *unit, char ret_guest[static GUEST_NAME_MAX + 1], size_t *ret_rank) {
        for (const GuestUnitKind *kind = guest_unit_kinds; kind->name; kind++) {
                const char *guest = after_kind(unit, kind), *type = guest ? strrchr(guest, '.') : NULL;
                size_t n = guest ? strcspn(guest, ":.") : 0;

                if (!type || n > GUEST_NAME_MAX || !(streq(type, ".service") || (kind->socket && streq(type, ".socket"))))
                        continue;
                memcpy(ret_guest, guest, n);
                ret_guest[n] = '\0';
                if (!guest_name_is_valid(ret_guest))
                        return NULL;
                *ret_rank = (size_t) (kind - guest_unit_kinds);
                return kind;
        }
        return NULL;
}

void guest_unit_name(const char *kind, const char *guest, char ret[static GUEST_UNIT_SIZE]) {
        (void) snprintf(ret, GUEST_UNIT_SIZE, "vxm-%s@%s.service", kind, guest);
}

void guest_unit_short(const char *unit, char ret[static GUEST_UNIT_SIZE]) {
        size_t n = strlen(unit);

        if (n > STRLEN(".service") && streq(unit + n - STRLEN(".service"), ".service"))
                n -= STRLEN(".service");
        (void) snprintf(ret, GUEST_UNIT_SIZE, "%.*s", (int) n, unit);
}
