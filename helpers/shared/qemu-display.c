/* SPDX-License-Identifier: BSD-3-Clause */
/* The emulated display: nothing at all unless the guest file asks for SPICE or VNC. Both are sockets in the guest's own
 * directory, so that owner and mode say who may look and type: the guest's user, and root. */

#include <inttypes.h>

#include "qemu-display.h"

static const char *model_device(DisplayModel model) {
        switch (model) {
        case DISPLAY_QXL:
                return "qxl-vga";
        case DISPLAY_VGA:
                return "VGA";
        case DISPLAY_VIRTIO:
        default:
                return "virtio-vga";
        }
}

/* The port is how guest and viewer exchange the size of the window and the clipboard, see spice-vdagentd(1). */
static int add_spice(Argv *a, const char *sockets) {
        int r;

        r = argv_add(a, "-spice", "unix=on,addr=%s/spice,disable-ticketing=on", sockets);
        r = r < 0 ? r : argv_add(a, "-chardev", "spicevmc,id=spice-agent,name=vdagent");
        return r < 0 ? r : argv_add(a, "-device", "virtserialport,bus=serial.0,chardev=spice-agent,"
                                                  "name=com.redhat.spice.0");
}

/* A tablet tells where the pointer is, a mouse only how far it went: only so it is where a viewer of the display shows it. The
 * client of Looking Glass draws the guest's own pointer, and sends how far the mouse has gone. */
static int add_input(Argv *a, const Guest *g) {
        int r;

        if (g->looking_glass > 0) {
                r = argv_add(a, "-device", "virtio-keyboard-pci");
                return r < 0 ? r : argv_add(a, "-device", "virtio-mouse-pci");
        }
        r = argv_add(a, "-device", "qemu-xhci,id=display-usb");
        return r < 0 ? r : argv_add(a, "-device", "usb-tablet,id=display-tablet,bus=display-usb.0");
}

int qemu_add_display(Argv *a, const Guest *g, const QemuFacts *facts) {
        _cleanup_(freep) char *sockets = NULL;
        int r = 0;

        if (!guest_has_display(g))
                return 0;
        sockets = argv_double_commas(facts->sockets);
        if (!sockets)
                return -ENOMEM;

        if (g->display_model != DISPLAY_NONE)
                r = argv_add(a, "-device", "%s,id=display", model_device(g->display_model));
        r = r < 0 ? r : add_input(a, g);
        if (r >= 0 && g->spice != DISPLAY_NO)
                r = add_spice(a, sockets);
        if (r >= 0 && g->vnc != DISPLAY_NO)
                r = argv_add(a, "-vnc", "unix:%s/vnc", sockets);
        return r;
}

/* As “IVSHMEM” in Looking Glass's documentation has it: BAR 2 of the device is the memory. */
int qemu_add_looking_glass(Argv *a, const Guest *g, const QemuFacts *facts) {
        int r;

        if (g->looking_glass == 0)
                return 0;
        r = argv_add(a, "-object", "memory-backend-file,id=frames,size=%" PRIu64 "M,share=on,mem-path=%s", g->looking_glass >> 20,
                facts->frames);
        return r < 0 ? r : argv_add(a, "-device", "ivshmem-plain,id=looking-glass,memdev=frames");
}
