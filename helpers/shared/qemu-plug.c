/* SPDX-License-Identifier: BSD-3-Clause */
/* Reconciles QEMU's devices of a kind with a directory and with the nodes there are. inotify(7) only tells that something has
 * changed; what that is comes from a look at all of it, so that no event can be lost or be misunderstood. */

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "log.h"
#include "messages.h"
#include "qemu-plug.h"

enum {
        DEVICES_MAX = 64,              /* entries that are looked at */
        ID_SIZE = PLUG_ENTRY_SIZE + 16, /* QEMU's names */
};

typedef struct Device {
        char entry[PLUG_ENTRY_SIZE];
        ino_t node;   /* of the file that QEMU was told: its name may be another device's one day */
        bool refused; /* QEMU would not have it: it is asked again only when the device has been away */
        bool here;    /* in the directory, and its node exists */
} Device;

/* An add that QEMU has not answered yet. */
typedef struct Question {
        QemuPlug *plug;
        char entry[PLUG_ENTRY_SIZE];
        ino_t node;
        bool open;
} Question;

struct QemuPlug {
        const QemuPlugKind *kind;
        const void *userdata;
        int fd;
        char *directory, *nodes;
        Device devices[DEVICES_MAX];
        size_t n;
        Question questions[DEVICES_MAX];
};

QemuPlug *qemu_plug_free(QemuPlug *plug) {
        if (!plug)
                return NULL;
        closep(&plug->fd);
        free(plug->directory);
        free(plug->nodes);
        free(plug);
        return NULL;
}

int qemu_plug_new(const QemuPlugKind *kind, const void *userdata, const char *directory, const char *nodes, QemuPlug **ret) {
        QemuPlug *plug = calloc(1, sizeof *plug);
        int r;

        if (!plug)
                return -ENOMEM;
        plug->kind = kind;
        plug->userdata = userdata;
        plug->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        r = plug->fd < 0 ? -errno : 0;
        r = r < 0 ? r : free_and_strdup(&plug->directory, directory);
        r = r < 0 ? r : free_and_strdup(&plug->nodes, nodes);
        if (r >= 0 && inotify_add_watch(plug->fd, directory, IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_ONLYDIR) < 0)
                r = -errno;
        if (r < 0) {
                (void) qemu_plug_free(plug);
                return r;
        }
        *ret = plug;
        return 0;
}

int qemu_plug_fd(const QemuPlug *plug) {
        return plug->fd;
}

static const char *id_of(const QemuPlugKind *kind, const char *entry, char buffer[static ID_SIZE]) {
        (void) snprintf(buffer, ID_SIZE, "%s%s", kind->prefix, entry);
        return buffer;
}

static Device *find(QemuPlug *plug, const char *entry) {
        for (size_t i = 0; i < plug->n; i++)
                if (streq(plug->devices[i].entry, entry))
                        return &plug->devices[i];
        return NULL;
}

/* ---- to QEMU ---- */

static void on_added(Qmp *qmp _unused_, const json_t *reply, const char *error, void *userdata) {
        Question *asked = userdata;
        const QemuPlugKind *kind = asked->plug->kind;
        Device *d = find(asked->plug, asked->entry);
        char id[ID_SIZE];

        asked->open = false;
        if (d && d->node != asked->node)
                d = NULL; /* another one has come to its place */
        if (reply) {
                log_debug("%s %s has joined the guest.", kind->what, id_of(kind, asked->entry, id));
                return;
        }
        if (d)
                d->refused = true;
        log_event(LOG_WARNING, kind->message, FIELDS("VXM_DEVICE", id_of(kind, asked->entry, id)),
                "%s %s has not joined the guest: %s; plug it in anew.", kind->what, id, error);
}

static json_t *arguments_of(const QemuPlug *plug, const char *entry, const char *node) {
        _cleanup_(freep) char *path = NULL;
        char id[ID_SIZE];
        json_t *arguments;

        if (format(&path, "%s/%s", plug->nodes, node) < 0)
                return NULL;
        arguments = plug->kind->describe(entry, path, plug->userdata);
        if (arguments && json_object_set_new(arguments, "id", json_string(id_of(plug->kind, entry, id))) < 0) {
                json_decref(arguments);
                return NULL;
        }
        return arguments;
}

static int add(QemuPlug *plug, Qmp *qmp, const char *entry, const char *node, ino_t inode) {
        Question *question = NULL;
        json_t *arguments;
        int r;

        for (size_t i = 0; !question && i < DEVICES_MAX; i++)
                if (!plug->questions[i].open)
                        question = &plug->questions[i];
        if (!question)
                return -EAGAIN; /* QEMU does not answer */
        arguments = arguments_of(plug, entry, node);
        if (!arguments)
                return -ENOMEM;
        *question = (Question){ .plug = plug, .node = inode, .open = true };
        (void) snprintf(question->entry, sizeof question->entry, "%s", entry);
        r = qmp_send(qmp, plug->kind->add, arguments, on_added, question);
        question->open = r >= 0;
        return r;
}

static int drop(const QemuPlug *plug, Qmp *qmp, const char *entry) {
        char id[ID_SIZE];
        json_t *arguments = json_pack("{s:s}", "id", id_of(plug->kind, entry, id));

        return arguments ? qmp_send(qmp, plug->kind->drop, arguments, NULL, NULL) : -ENOMEM;
}

/* ---- what there is ---- */

/* Has the end of the node told, too. Returns 1, 0 or -errno. */
static int find_node(const QemuPlug *plug, const char *name, ino_t *ret) {
        _cleanup_(freep) char *node = NULL, *directory = NULL;
        struct stat st;
        int r;

        r = format(&node, "%s/%s", plug->nodes, name);
        if (r < 0)
                return r;
        directory = strndup(node, (size_t) (strrchr(node, '/') - node));
        if (!directory)
                return -ENOMEM;
        /* The watch comes first, so that the node cannot go unseen between the two. */
        if (inotify_add_watch(plug->fd, directory, IN_DELETE | IN_ONLYDIR) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (stat(node, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        /* One that has come to the place of another has not been given yet; its file is made anew then. */
        if (faccessat(AT_FDCWD, node, R_OK | W_OK, AT_EACCESS) < 0)
                return 0;
        *ret = st.st_ino;
        return 1;
}

/* What is known already is marked as here; what is not joins, if it may. */
static int look_at(QemuPlug *plug, Qmp *qmp, const char *entry, bool join) {
        char node[PLUG_NODE_SIZE];
        ino_t inode = 0;
        Device *d;
        int r;

        if (strlen(entry) >= PLUG_ENTRY_SIZE || plug->kind->node_of(entry, node) < 0)
                return 0;
        r = find_node(plug, node, &inode);
        if (r <= 0)
                return r;
        d = find(plug, entry);
        if (d || !join) {
                if (d)
                        d->here = d->node == inode;
                return 0;
        }
        if (plug->n >= DEVICES_MAX)
                return -E2BIG;
        r = add(plug, qmp, entry, node, inode);
        if (r >= 0) {
                plug->devices[plug->n] = (Device){ .node = inode, .here = true };
                (void) snprintf(plug->devices[plug->n++].entry, PLUG_ENTRY_SIZE, "%s", entry);
        }
        return r;
}

static int look_at_all(QemuPlug *plug, Qmp *qmp, bool join) {
        DIR *directory = opendir(plug->directory);
        struct dirent *entry;
        int r = 0;

        if (!directory)
                return errno == ENOENT ? 0 : -errno;
        while (r >= 0 && (entry = readdir(directory)))
                r = look_at(plug, qmp, entry->d_name, join);
        (void) closedir(directory);
        return r;
}

static int drop_gone(QemuPlug *plug, Qmp *qmp) {
        int r = 0;

        for (size_t i = plug->n; r >= 0 && i-- > 0;) {
                Device gone = plug->devices[i];

                if (gone.here)
                        continue;
                plug->devices[i] = plug->devices[--plug->n];
                r = gone.refused ? 0 : drop(plug, qmp, gone.entry);
        }
        return r;
}

static void drain(const QemuPlug *plug) {
        char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

        while (read(plug->fd, events, sizeof events) > 0)
                ;
}

/* What has gone leaves before anything joins: another one may have come to its place, and QEMU may have closed its files only half. */
int qemu_plug_process(QemuPlug *plug, Qmp *qmp) {
        int r;

        drain(plug);
        for (size_t i = 0; i < plug->n; i++)
                plug->devices[i].here = false;
        r = look_at_all(plug, qmp, false);
        r = r < 0 ? r : drop_gone(plug, qmp);
        return r < 0 ? r : look_at_all(plug, qmp, true);
}
