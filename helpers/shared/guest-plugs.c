/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of devices that are plugged into running guests. */

#include <sys/epoll.h>

#include "door.h"
#include "guest-plugs.h"
#include "input-plug.h"
#include "log.h"
#include "messages.h"
#include "qemu-input.h"
#include "qemu-usb.h"
#include "usb-plug.h"

typedef struct PlugRow {
        const QemuPlugKind *kind;
        bool (*wanted)(const Guest *g);
        const char *door, *nodes, *unit;
        const char *texts[2]; /* what there is not, when it cannot be watched; what QEMU cannot be told of */
} PlugRow;

static const PlugRow rows[] = {
        { &qemu_usb_kind, guest_has_usb, DOOR_USB, "/" USB_NODES, "vxm-usb", { "no USB devices", "USB devices" } },
        { &qemu_input_kind, guest_has_input, DOOR_INPUT, "/" INPUT_NODES, "vxm-input",
                { "neither keyboard nor mouse", "keyboards and mice" } },
};

typedef struct Watch {
        GuestPlugs *all;
        const PlugRow *row;
        QemuPlug *plug;
        sd_event_source *source;
} Watch;

struct GuestPlugs {
        Qmp *qmp;
        const Guest *guest;
        Watch watches[ELEMENTSOF(rows)];
};

static int on_change(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_, void *userdata) {
        Watch *w = userdata;
        int r = qemu_plug_process(w->plug, w->all->qmp);

        if (r < 0)
                log_warning("Cannot tell QEMU which %s the guest has: %s.", w->row->texts[1], strerror(-r));
        return 0;
}

static int watch(sd_event *event, GuestPlugs *p, Watch *w) {
        _cleanup_(freep) char *path = NULL, *directory = NULL;
        int r;

        r = door_path(w->row->door, p->guest->name, &path);
        r = r < 0 ? r : format(&directory, "/%s", path);
        r = r < 0 ? r : qemu_plug_new(w->row->kind, p->guest, directory, w->row->nodes, &w->plug);
        r = r < 0 ? r : sd_event_add_io(event, &w->source, qemu_plug_fd(w->plug), EPOLLIN, on_change, w);
        return r < 0 ? r : qemu_plug_process(w->plug, p->qmp);
}

int guest_plugs_new(sd_event *event, Qmp *qmp, const Guest *guest, GuestPlugs **ret) {
        GuestPlugs *p = calloc(1, sizeof *p);

        if (!p)
                return -ENOMEM;
        *p = (GuestPlugs){ .qmp = qmp, .guest = guest };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int r;

                p->watches[i] = (Watch){ .all = p, .row = &rows[i] };
                r = rows[i].wanted(guest) ? watch(event, p, &p->watches[i]) : 0;
                if (r < 0)
                        log_event(LOG_WARNING, rows[i].kind->message, FIELDS("VXM_DEVICE", rows[i].texts[1]),
                                "The guest gets %s: %s; see `systemctl status %s@%s`, and run systemctl daemon-reload if the guest file "
                                "has changed.",
                                rows[i].texts[0], strerror(-r), rows[i].unit, guest->name);
        }
        *ret = p;
        return 0;
}

void guest_plugs_stop(GuestPlugs *p) {
        for (size_t i = 0; p && i < ELEMENTSOF(p->watches); i++)
                p->watches[i].source = sd_event_source_disable_unref(p->watches[i].source);
}

GuestPlugs *guest_plugs_free(GuestPlugs *p) {
        if (!p)
                return NULL;
        guest_plugs_stop(p);
        for (size_t i = 0; i < ELEMENTSOF(p->watches); i++)
                (void) qemu_plug_free(p->watches[i].plug);
        free(p);
        return NULL;
}
