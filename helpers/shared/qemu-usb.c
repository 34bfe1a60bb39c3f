/* SPDX-License-Identifier: BSD-3-Clause */
/* Reconciles QEMU's USB devices with a directory and with the nodes there are. inotify(7) only tells that something has
 * changed; what that is comes from a look at all of it, so that no event can be lost or be misunderstood.
 *
 * QEMU opens the node by the path that it is told (hostdevice=): to search for a device, as it does by ids and ports,
 * it would need udev's messages, which do not reach into its network namespace. */

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "log.h"
#include "messages.h"
#include "qemu-usb.h"
#include "usb-plug.h"

enum {
        DEVICES_MAX = 4 * GUEST_USB_MAX, /* entries that are looked at */
        ID_SIZE = 4 + USB_ENTRY_SIZE,    /* “usb-001-005” */
};

typedef struct Device {
        UsbAddress address;
        ino_t node;   /* of the file that QEMU was told: bus and number may be another device's one day */
        bool refused; /* QEMU would not have it: it is asked again only when the device has been away */
        bool here;    /* in the directory, and its node exists */
} Device;

/* A device_add that QEMU has not answered yet. */
typedef struct Question {
        QemuUsb *usb;
        UsbAddress address;
        bool open;
} Question;

struct QemuUsb {
        int fd;
        char *directory, *nodes;
        Device devices[DEVICES_MAX];
        size_t n;
        Question questions[DEVICES_MAX];
};

int qemu_add_usb(Argv *a, const Guest *g, const QemuFacts *facts _unused_) {
        return g->n_usb == 0 ? 0 : argv_add(a, "-device", "qemu-xhci,id=usb,p2=%d,p3=%d", GUEST_USB_MAX, GUEST_USB_MAX);
}

QemuUsb *qemu_usb_free(QemuUsb *usb) {
        if (!usb)
                return NULL;
        closep(&usb->fd);
        free(usb->directory);
        free(usb->nodes);
        free(usb);
        return NULL;
}

int qemu_usb_new(const char *directory, const char *nodes, QemuUsb **ret) {
        QemuUsb *usb = calloc(1, sizeof *usb);
        int r;

        if (!usb)
                return -ENOMEM;
        usb->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        r = usb->fd < 0 ? -errno : 0;
        r = r < 0 ? r : free_and_strdup(&usb->directory, directory);
        r = r < 0 ? r : free_and_strdup(&usb->nodes, nodes);
        if (r >= 0 && inotify_add_watch(usb->fd, directory, IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_ONLYDIR) < 0)
                r = -errno;
        if (r < 0) {
                (void) qemu_usb_free(usb);
                return r;
        }
        *ret = usb;
        return 0;
}

int qemu_usb_fd(const QemuUsb *usb) {
        return usb->fd;
}

static const char *id_of(UsbAddress address, char buffer[static ID_SIZE]) {
        char entry[USB_ENTRY_SIZE];

        (void) snprintf(buffer, ID_SIZE, "usb-%s", usb_entry_print(address, entry));
        return buffer;
}

static Device *find(QemuUsb *usb, UsbAddress address) {
        for (size_t i = 0; i < usb->n; i++)
                if (usb_address_equal(usb->devices[i].address, address))
                        return &usb->devices[i];
        return NULL;
}

/* ---- to QEMU ---- */

static void on_added(Qmp *qmp _unused_, const json_t *reply, const char *error, void *userdata) {
        Question *asked = userdata;
        Device *d = find(asked->usb, asked->address);
        char id[ID_SIZE];

        asked->open = false;
        if (reply) {
                log_debug("USB device %s has joined the guest.", id_of(asked->address, id));
                return;
        }
        if (d)
                d->refused = true;
        log_event(LOG_WARNING, MESSAGE_USB_FAILED, FIELDS("VXM_DEVICE", id_of(asked->address, id)),
                "USB device %s has not joined the guest: %s; plug it in anew.", id_of(asked->address, id), error);
}

static int add(QemuUsb *usb, Qmp *qmp, UsbAddress address) {
        char id[ID_SIZE], path[USB_NODE_SIZE];
        _cleanup_(freep) char *node = NULL;
        Question *question = NULL;
        json_t *arguments;
        int r;

        for (size_t i = 0; !question && i < DEVICES_MAX; i++)
                if (!usb->questions[i].open)
                        question = &usb->questions[i];
        if (!question)
                return -EAGAIN; /* QEMU does not answer */
        /* Below the directory of nodes, as /dev/bus/usb/001/005 is. */
        r = format(&node, "%s%s", usb->nodes, usb_node_print(address, path) + STRLEN("/" USB_NODES));
        if (r < 0)
                return r;
        arguments = json_pack("{s:s, s:s, s:s, s:s}", "driver", "usb-host", "id", id_of(address, id), "bus", "usb.0",
                "hostdevice", node);
        if (!arguments)
                return -ENOMEM;
        *question = (Question){ usb, address, true };
        r = qmp_send(qmp, "device_add", arguments, on_added, question);
        question->open = r >= 0;
        return r;
}

static int drop(Qmp *qmp, UsbAddress address) {
        char id[ID_SIZE];
        json_t *arguments = json_pack("{s:s}", "id", id_of(address, id));

        return arguments ? qmp_send(qmp, "device_del", arguments, NULL, NULL) : -ENOMEM;
}

/* ---- what there is ---- */

/* Has the end of the node told, too. Returns 1, 0 or -errno. */
static int find_node(const QemuUsb *usb, UsbAddress address, ino_t *ret) {
        _cleanup_(freep) char *directory = NULL, *node = NULL;
        struct stat st;
        int r;

        r = format(&directory, "%s/%03u", usb->nodes, address.bus);
        r = r < 0 ? r : format(&node, "%s/%03u", directory, address.number);
        if (r < 0)
                return r;
        /* The watch comes first, so that the node cannot go unseen between the two. */
        if (inotify_add_watch(usb->fd, directory, IN_DELETE | IN_ONLYDIR) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (stat(node, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        *ret = st.st_ino;
        return 1;
}

static int look_at(QemuUsb *usb, Qmp *qmp, const char *name) {
        UsbAddress address;
        Device *d;
        ino_t node = 0;
        int r;

        if (usb_entry_parse(name, &address) < 0)
                return 0;
        r = find_node(usb, address, &node);
        if (r <= 0)
                return r;
        d = find(usb, address);
        if (d)
                return d->here = d->node == node, 0;
        if (usb->n >= DEVICES_MAX)
                return -E2BIG;
        r = add(usb, qmp, address);
        if (r >= 0)
                usb->devices[usb->n++] = (Device){ .address = address, .node = node, .here = true };
        return r;
}

static int look_at_all(QemuUsb *usb, Qmp *qmp) {
        DIR *directory = opendir(usb->directory);
        struct dirent *entry;
        int r = 0;

        if (!directory)
                return errno == ENOENT ? 0 : -errno;
        while (r >= 0 && (entry = readdir(directory)))
                r = look_at(usb, qmp, entry->d_name);
        (void) closedir(directory);
        return r;
}

/* Returns 1 when there were any, 0 or -errno. */
static int drop_gone(QemuUsb *usb, Qmp *qmp) {
        bool any = false;
        int r = 0;

        for (size_t i = usb->n; r >= 0 && i-- > 0;) {
                Device gone = usb->devices[i];

                if (gone.here)
                        continue;
                any = true;
                usb->devices[i] = usb->devices[--usb->n];
                r = gone.refused ? 0 : drop(qmp, gone.address);
        }
        return r < 0 ? r : any;
}

static void drain(const QemuUsb *usb) {
        char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

        while (read(usb->fd, events, sizeof events) > 0)
                ;
}

int qemu_usb_process(QemuUsb *usb, Qmp *qmp) {
        int r;

        drain(usb);
        for (size_t i = 0; i < usb->n; i++)
                usb->devices[i].here = false;
        r = look_at_all(usb, qmp);
        r = r < 0 ? r : drop_gone(usb, qmp);
        /* Another one may have come to its place already, and had to wait until that was free. */
        return r > 0 ? look_at_all(usb, qmp) : r;
}
