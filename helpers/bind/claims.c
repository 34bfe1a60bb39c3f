/* SPDX-License-Identifier: BSD-3-Clause */
/* Claims on devices: the undo records of all guests, read as what they hold. */

#include "bind-record.h"
#include "claims.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"

static int unreadable(int error, const char *holder) {
        if (error == -EACCES || error == -EPERM)
                return log_error_errno(error, "Only root can see whether another guest has the devices; ask as root.");
        return log_error_errno(error, "Cannot read the undo record /run/vxm/bind/%s: %s; correct or remove it.",
                holder ? holder : "", strerror(-error));
}

static int check_stuck(int root, const char *guest, const GuestFunctions *functions) {
        _cleanup_(bind_record_done) BindRecord record = {};
        int r;

        r = bind_record_load(root, guest, &record);
        if (r < 0)
                return r == -ENOENT ? 0 : unreadable(r, guest);
        for (size_t i = 0; i < functions->n; i++) {
                const PciFunction *f = &functions->items[i].pci;

                if (bind_record_is_stuck(&record, root, f->address))
                        return log_event_errno(E_BUSY, MESSAGE_DEVICE_STUCK, FIELDS("VXM_DEVICE", f->name),
                                "%s is left alone: a driver has not come back from an earlier write to its card. Wait until it "
                                "has, or restart the machine.",
                                f->name);
        }
        return 0;
}

const char *passthrough_name(PciAddress address, char buffer[static PASSTHROUGH_NAME_SIZE]) {
        (void) snprintf(buffer, PASSTHROUGH_NAME_SIZE, "gpu-%04x-%02x-%02x-%x", address.domain, address.bus, address.slot, address.function);
        return buffer;
}

bool passthrough_parse(const char *name, PciAddress *ret_address) {
        char again[PASSTHROUGH_NAME_SIZE];
        unsigned domain, bus, slot, function;

        if (sscanf(name, "gpu-%8x-%2x-%2x-%1x", &domain, &bus, &slot, &function) != 4)
                return false;
        *ret_address = (PciAddress){ .domain = domain, .bus = (uint8_t) bus, .slot = (uint8_t) slot, .function = (uint8_t) function };
        return streq(passthrough_name(*ret_address, again), name);
}

static int refuse_held(const char *name, const char *holder) {
        char gpu[PCI_ADDRESS_TEXT];
        PciAddress address;

        if (passthrough_parse(holder, &address))
                return log_event_errno(E_BUSY, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", name),
                        "%s is passed through for no guest; give it back first: vxm gpu reclaim %s", name, pci_address_format(address, gpu));
        return log_event_errno(E_BUSY, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", name),
                "%s belongs to guest %s now; stop that first: systemctl stop vxm-guest@%s; if it has stopped "
                "already, have its devices given back: /usr/lib/vxm/vxm-bind --release %s",
                name, holder, holder, holder);
}

int claims_check(int root, const char *guest, const GuestFunctions *functions) {
        for (size_t i = 0; i < functions->n; i++) {
                const PciFunction *f = &functions->items[i].pci;
                _cleanup_(freep) char *holder = NULL;
                int r;

                r = bind_record_holder(root, guest, f->address, &holder);
                if (r > 0)
                        return refuse_held(f->name, holder);
                if (r < 0)
                        return unreadable(r, holder);
        }
        return check_stuck(root, guest, functions);
}
