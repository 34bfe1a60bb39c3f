/* SPDX-License-Identifier: BSD-3-Clause */
/* Claims on devices: the undo records of all guests, read as what they hold. */

#include "bind-record.h"
#include "claims.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"

int claims_check(int root, const char *guest, const GuestFunctions *functions) {
        for (size_t i = 0; i < functions->n; i++) {
                const PciFunction *f = &functions->items[i].pci;
                _cleanup_(freep) char *holder = NULL;
                int r;

                r = bind_record_holder(root, guest, f->address, &holder);
                if (r > 0)
                        return log_event_errno(E_BUSY, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", f->name),
                                "%s belongs to guest %s now; stop that first: systemctl stop vxm-guest@%s; if it has stopped "
                                "already, have its devices given back: %s --release %s",
                                f->name, holder, holder, program_invocation_name, holder);
                if (r < 0)
                        return log_error_errno(r, "Cannot read the undo record /run/vxm/bind/%s: %s; correct or remove it.",
                                holder ? holder : "", strerror(-r));
        }
        return 0;
}
