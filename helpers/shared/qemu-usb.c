/* SPDX-License-Identifier: BSD-3-Clause */
/* QEMU opens the node by the path that it is told (hostdevice=): to search for a device, as it does by ids and ports,
 * it would need udev's messages, which do not reach into its network namespace. */

#include "messages.h"
#include "qemu-usb.h"
#include "usb-plug.h"

int qemu_add_usb(Argv *a, const Guest *g, const QemuFacts *facts _unused_) {
        return g->n_usb == 0 ? 0 : argv_add(a, "-device", "qemu-xhci,id=usb,p2=%d,p3=%d", GUEST_USB_MAX, GUEST_USB_MAX);
}

static int node_of(const char *entry, char ret[static PLUG_NODE_SIZE]) {
        char path[USB_NODE_SIZE];
        UsbAddress address;
        int r = usb_entry_parse(entry, &address);

        if (r >= 0)
                (void) snprintf(ret, PLUG_NODE_SIZE, "%s", usb_node_print(address, path) + STRLEN("/" USB_NODES "/"));
        return r;
}

static json_t *describe(const char *entry _unused_, const char *node, const void *userdata _unused_) {
        return json_pack("{s:s, s:s, s:s}", "driver", "usb-host", "bus", "usb.0", "hostdevice", node);
}

const QemuPlugKind qemu_usb_kind = {
        .what = "USB device",
        .message = MESSAGE_USB_FAILED,
        .prefix = "usb-",
        .add = "device_add",
        .drop = "device_del",
        .node_of = node_of,
        .describe = describe,
};
