/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-generator: turns guest files into drop-ins for the units that a guest needs.
 *
 * Run by systemd at boot and at every daemon-reload (systemd.generator(7)), as podman's Quadlet is for containers. Writes
 * below the directory that systemd names, nothing else; asks neither D-Bus nor udev, and never looks at the hardware, so
 * that it cannot hang the boot; of a running machine it sees the undo records in /run/vxm. A broken guest file costs only its
 * own guest its drop-ins: the units fail to start then, and say why, because every helper reads the file again. */

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "cli.h"
#include "exit-status.h"
#include "frames-record.h"
#include "guest-disks.h"
#include "guest-files.h"
#include "guest-user.h"
#include "guest.h"
#include "log.h"
#include "netjack.h"
#include "parse.h"
#include "record-file.h"
#include "root.h"

#define DROP_IN "50-vxm.conf"
#define DROP_IN_TAKEN "50-vxm-taken.conf"
#define DROP_IN_USER "50-vxm-user.conf"
#define DROP_IN_DEVICE "40-vxm.conf" /* before that of systemd-fstab-generator(8), which says what somebody has set */

enum {
        UNIT_NAME_SIZE = 256, /* systemd's longest, with its NUL */
};

static const char *arg_root = "/";
static const char *arg_destination;

/* Writes s into a unit file as one word: quoted, with specifiers and escapes disarmed (systemd.syntax(7)). */
static void put_word(FILE *f, const char *s) {
        fputc('"', f);
        for (; *s; s++) {
                if (*s == '"' || *s == '\\')
                        fputc('\\', f);
                if (*s == '%')
                        fputc('%', f);
                fputc(*s, f);
        }
        fputc('"', f);
}

/* As put_word(), for settings that take the rest of the line as it is. */
static void put_text(FILE *f, const char *s) {
        for (; *s; s++) {
                if (*s == '%')
                        fputc('%', f);
                fputc(*s, f);
        }
}

static void put_path(FILE *f, const char *setting, const char *path) {
        fputs(setting, f);
        put_word(f, path);
        fputc('\n', f);
}

static void put_header(FILE *f, const Guest *g) {
        fputs("# Made by vxm-generator; edit the file below, then run systemctl daemon-reload.\n[Unit]\nSourcePath=", f);
        put_text(f, g->file);
        fputc('\n', f);

        /* Images may lie on file systems that come late. */
        for (size_t i = 0; i < g->n_disks; i++)
                if (g->disks[i].path)
                        put_path(f, "RequiresMountsFor=", g->disks[i].path);
        for (size_t i = 0; i < g->n_shares; i++)
                put_path(f, "RequiresMountsFor=", g->shares[i].path);
        if (g->kernel)
                put_path(f, "RequiresMountsFor=", g->kernel);
        if (g->initrd)
                put_path(f, "RequiresMountsFor=", g->initrd);
        if (g->firmware_code)
                put_path(f, "RequiresMountsFor=", g->firmware_code);
        if (g->firmware_vars)
                put_path(f, "RequiresMountsFor=", g->firmware_vars);
}

/* The device list of the unit; systemd follows links in /dev when it starts it. */
static void put_node(FILE *f, const GuestDisk *d, const char *access) {
        fputs("DeviceAllow=", f);
        put_word(f, d->path);
        fprintf(f, " %s\n", access);
}

static void put_guest_disks(FILE *f, const Guest *g) {
        for (size_t i = 0; i < g->n_disks; i++) {
                const GuestDisk *d = &g->disks[i];

                if (guest_disk_is_node(d))
                        put_node(f, d, d->read_only ? "r" : "rw");
                else if (d->path)
                        put_path(f, d->read_only ? "ReadOnlyPaths=-" : "ReadWritePaths=-", d->path);
        }
}

/* What systemd calls a device: as `systemd-escape --path --suffix=device` does. Returns false where that gets too long. */
static bool device_unit_of(const char *path, char ret[static UNIT_NAME_SIZE]) {
        static const char suffix[] = ".device";
        size_t n = 0;

        for (const char *p = path; *p; p++) {
                bool last = strspn(p, "/") == strlen(p);

                if (n + STRLEN("\\x00") + sizeof suffix + STRLEN(".d") > UNIT_NAME_SIZE)
                        return false;
                if (*p == '/' && (n == 0 || p[1] == '/' || last))
                        continue;
                if (*p == '/')
                        ret[n++] = '-';
                else if (isalnum((unsigned char) *p) || *p == ':' || *p == '_' || (*p == '.' && n > 0))
                        ret[n++] = *p;
                else
                        n += (size_t) sprintf(ret + n, "\\x%02x", (unsigned char) *p);
        }
        memcpy(ret + n, suffix, sizeof suffix);
        return true;
}

/* ---- the unit that all others come after, and which judges first ---- */

/* At boot a disk may be found when an enabled guest is due already. It is wanted, not required: a guest without its disk is
 * refused in words. session: the number of the user in whose session it plays; 0: none is known. */
static void put_user_unit(FILE *f, const Guest *g, size_t session) {
        char unit[UNIT_NAME_SIZE];

        for (size_t i = 0; i < g->n_disks; i++)
                if (guest_disk_is_node(&g->disks[i]) && device_unit_of(g->disks[i].path, unit))
                        fprintf(f, "Wants=%s\nAfter=%s\n", unit, unit);
        /* logind starts those sessions that are there from boot on, before it is ready. */
        if (session > 0)
                fprintf(f, "After=systemd-logind.service user@%zu.service\n", session);
        /* Nobody is made. That one may be gone by the next start, so it is judged each time. */
        if (guest_has_named_user(g))
                fputs("ConditionPathExists=\nConditionKernelCommandLine=!vxm=off\n\n[Service]\nExecStart=\nExecStart=true\n", f);
}

/* ---- a guest that runs as somebody who is there for something else ---- */

/* Paths that are hidden from such a guest, if they are not its own. */
static bool is_hidden(const char *path) {
        static const char *const hidden[] = { "/home/", "/root/", "/run/" };

        for (size_t i = 0; path && i < ELEMENTSOF(hidden); i++)
                if (startswith(path, hidden[i]))
                        return !startswith(path, "/run/vxm/");
        return false;
}

static void put_shown(FILE *f, const char *path, bool read_only) {
        if (!is_hidden(path))
                return;
        fputs(read_only ? "BindReadOnlyPaths=-" : "BindPaths=-", f);
        put_word(f, path);
        fputc(':', f);
        put_word(f, path);
        fputc('\n', f);
}

/* What the guest file names in a home is there all the same: files that are judged by all that run as the guest's user … */
static void put_shown_files(FILE *f, const Guest *g) {
        for (size_t i = 0; i < g->n_devices; i++)
                put_shown(f, g->devices[i].rom_file, true);
        put_shown(f, g->kernel, true);
        put_shown(f, g->initrd, true);
        put_shown(f, g->firmware_code, true);
        put_shown(f, g->firmware_vars, true);
}

/* … and what is QEMU's alone. At shares it only looks, whether they could be had. */
static void put_shown_disks(FILE *f, const Guest *g) {
        for (size_t i = 0; i < g->n_disks; i++)
                put_shown(f, g->disks[i].path, g->disks[i].read_only);
        for (size_t i = 0; i < g->n_shares; i++)
                put_shown(f, g->shares[i].path, true);
}

/* Whoever sits at the desktop is in groups that sockets of the system are open to, and has a session with sockets of its
 * own: of /run only what a guest needs is there. With RemoveIPC=, systemd would remove the shared memory of all that user's
 * programs when the guest ends (systemd.exec(5)). One of these groups may be vxm, whose members can talk to all guests: so of sockets
 * of guests only its own are there. writable: the unit's own directory in /run; NULL: it has none. */
static void put_user(FILE *f, const Guest *g, const char *writable) {
        fprintf(f, "User=%s\nRemoveIPC=no\nTemporaryFileSystem=/run:ro,mode=0755\n"
                   "BindReadOnlyPaths=/run/vxm -/run/systemd -/run/udev\nTemporaryFileSystem=/run/vxm/sockets:ro,mode=0755\n", g->user);
        if (writable)
                fprintf(f, "BindPaths=%s/%s\n", writable, g->name);
}

/* The directory tells vxm-user@, should User= be removed one day, that the guest's own user may have to be made. */
static void put_guest_user(FILE *f, const Guest *g) {
        if (!guest_has_named_user(g))
                return;
        put_user(f, g, "/run/vxm/sockets");
        fprintf(f, "ProtectHome=tmpfs\nStateDirectory=vxm/guests/%s/named-user\n", g->name);
        put_shown_files(f, g);
        put_shown_disks(f, g);
}

/* ---- sound and frames ---- */

/* Of the user's session only the sockets of its sound servers: what else is there, as the user's own systemd, would lead out of
 * here. Clients of PipeWire ask for a directory of their own, too. The user's number stands in /etc/passwd, or it is not known here;
 * then the guest says so when it starts. JACK has its server's memory in /dev/shm. */
static void put_session(FILE *f, int root, const Guest *g) {
        uid_t uid;

        if (!guest_plays_in_session(g) || guest_user_look_up(root, g->user, true, &uid) < 0)
                return;
        if (g->audio.backend != AUDIO_PULSEAUDIO)
                fprintf(f, "BindReadOnlyPaths=-/run/user/%u/pipewire-0\nEnvironment=PIPEWIRE_RUNTIME_DIR=/run/user/%u\n", uid, uid);
        if (g->audio.backend == AUDIO_PULSEAUDIO || g->audio.backend == AUDIO_AUTO)
                fprintf(f, "BindReadOnlyPaths=-/run/user/%u/pulse/native\n", uid);
        fprintf(f, "Environment=XDG_RUNTIME_DIR=/run/vxm/sockets/%s\n", g->name);
}

static void put_audio(FILE *f, int root, const Guest *g) {
        put_session(f, root, g);
        if (g->audio.backend == AUDIO_ALSA)
                fputs("DeviceAllow=char-alsa rw\nSupplementaryGroups=audio\n", f);
}

/* One file, or one of kvmfr's nodes: which of them is the guest's user's, vxm-frames decides. */
static void put_frames(FILE *f, const Guest *g) {
        if (g->looking_glass == 0)
                return;
        fprintf(f, "LoadCredential=" FRAMES_CREDENTIAL ":/run/vxm/frames/%s\nReadWritePaths=-" FRAMES_DIRECTORY "/%s\n"
                   "DeviceAllow=char-kvmfr rw\n", g->name, g->name);
}

/* ---- the guest's own unit ---- */

static void put_requirement(FILE *f, const char *unit) {
        fprintf(f, "Requires=%s\nAfter=%s\n", unit, unit);
}

static void put_cpus(FILE *f, const Guest *g) {
        static const int nice[] = { [CPU_PRIORITY_LOW] = 10, [CPU_PRIORITY_HIGH] = -10 };

        if (g->cpu_pin.kind != CPU_PIN_NONE)
                fprintf(f, "LoadCredential=cpus:/run/vxm/cpus/%s\n", g->name);
        if (g->cpu_isolate)
                fputs("Slice=vxm.slice\n", f);
        if (g->cpu_priority != CPU_PRIORITY_NORMAL)
                fprintf(f, "Nice=%d\n", nice[g->cpu_priority]);
        if (g->cpu_realtime)
                fputs("LimitRTPRIO=1\nRestrictRealtime=no\n", f);
}

/* What a file, a program or a piece of hardware lacks does not come by trying again; what fails at once each time is given up.
 * The limit holds for starts by hand, too. */
static void put_restart_limit(FILE *f, const Guest *g) {
        if (g->restart != GUEST_RESTART_NO)
                fputs("StartLimitIntervalSec=10min\nStartLimitBurst=5\n", f);
}

static void put_restart(FILE *f, const Guest *g) {
        if (g->restart != GUEST_RESTART_NO)
                fprintf(f, "Restart=%s\nRestartSec=1s\nRestartPreventExitStatus=64 69 78\n",
                        g->restart == GUEST_RESTART_ALWAYS ? "always" : "on-failure");
}

static void put_guest_unit(FILE *f, int root, const Guest *g) {
        if (g->description) {
                fputs("Description=", f);
                put_text(f, g->description);
                fputc('\n', f);
        }
        /* A guest that loses its TPM is asked to power off. */
        if (g->tpm)
                fprintf(f, "BindsTo=vxm-tpm@%s.service\n", g->name);
        /* It comes after the guest, and a monitor that cannot be switched is no reason to stop that. */
        if (g->n_monitors > 0)
                fprintf(f, "Wants=vxm-ddc@%s.service\n", g->name);
        put_restart_limit(f, g);

        fputs("\n[Service]\n", f);
        put_restart(f, g);
        if (g->tpm) /* the TPM's secrets are swtpm's, not QEMU's */
                fprintf(f, "InaccessiblePaths=-/var/lib/vxm/guests/%s/tpm\n", g->name);
        put_guest_user(f, g);
        put_audio(f, root, g);
        put_frames(f, g);
        put_cpus(f, g);
        if (guest_has_devices(g))
                fputs("DeviceAllow=/dev/vfio/vfio rw\nDeviceAllow=char-vfio rw\n", f);
        /* vfio pins all of the guest's memory, and maps the devices' own on top of it; the others want QEMU's own. */
        if (guest_has_devices(g) || g->memory_lock || g->cpu_realtime)
                fputs("LimitMEMLOCK=infinity\n", f);
        put_guest_disks(f, g);
        if (guest_has_input(g))
                fputs("DeviceAllow=char-input rw\n", f);
        /* libusb does not begin without the kernel's messages about devices; those of udev do not reach in here. */
        if (guest_has_usb(g))
                fputs("DeviceAllow=char-usb_device rw\nRestrictAddressFamilies=AF_NETLINK\n", f);
}

/* ---- the units that it needs ---- */

/* What comes before has had everything judged already. */
static void put_judged(FILE *f, const Guest *g _unused_, size_t index _unused_) {
        fputs("\n[Service]\nExecStartPre=\n", f);
}

/* Where an image is to be made. */
static void put_directory_of(FILE *f, const char *path) {
        _cleanup_(freep) char *directory = strndup(path, (size_t) (strrchr(path, '/') - path));

        if (directory)
                put_path(f, "ReadWritePaths=-", directory[0] ? directory : "/");
}

static void put_disks_unit(FILE *f, const Guest *g, size_t index _unused_) {
        fputs("\n[Service]\n", f);
        for (size_t i = 0; i < g->n_disks; i++) {
                const GuestDisk *d = &g->disks[i];

                if (guest_disk_is_node(d))
                        put_node(f, d, "r");
                else if (guest_disk_needs_root(g, d))
                        put_directory_of(f, d->path);
        }
}

/* Only the host itself gets at it; a guest's QEMU is on no network, so systemd listens. */
static void put_port(FILE *f, uint64_t port) {
        fprintf(f, "\n[Socket]\nListenStream=127.0.0.1:%" PRIu64 "\n", port);
}

static void put_spice_socket(FILE *f, const Guest *g, size_t index _unused_) {
        put_port(f, g->spice);
}

static void put_vnc_socket(FILE *f, const Guest *g, size_t index _unused_) {
        put_port(f, g->vnc);
}

/* The user that the socket belongs to has to be there. */
static void put_share_socket(FILE *f, const Guest *g, size_t index _unused_) {
        fprintf(f, "Requires=vxm-user@%s.service\nAfter=vxm-user@%s.service\n\n[Socket]\nSocketUser=%s\n", g->name, g->name,
                g->user);
}

/* To virtiofsd, which has no privileges, 0 is itself: it need not change who it is. */
static void put_owner(FILE *f, uint64_t owner) {
        fputs("Environment=\"VXM_OWNER=", f);
        for (size_t i = 0; i < 2; i++)
                fprintf(f, "%s--translate-%cid=squash-guest:0:0:%u --translate-%cid=squash-host:0:%" PRIu64 ":%u", i > 0 ? " " : "",
                        "ug"[i], UINT32_MAX, "ug"[i], owner, UINT32_MAX);
        fputs("\"\n", f);
}

/* Source and destination are parted by a colon; one in a quoted path is none of these. */
static void put_share_service(FILE *f, const Guest *g, size_t index) {
        const GuestShare *s = &g->shares[index];

        fprintf(f, "\n[Service]\nUser=%s\n%s=", g->user, s->read_only ? "BindReadOnlyPaths" : "BindPaths");
        put_word(f, s->path);
        fputs(":/mnt\n", f);
        if (s->owner > 0)
                put_owner(f, s->owner);
        if (guest_has_named_user(g))
                fputs("TemporaryFileSystem=/run:ro,mode=0755\nRemoveIPC=no\n", f);
}

/* Each type of network opens what it needs, and no more. passt shuts itself in: namespaces, a file system of its own
 * with nothing in it, no capabilities. For that it makes calls which would need privileges outside of its user
 * namespace. */
static void put_link_unit(FILE *f, const Guest *g, size_t index _unused_) {
        fputs("\n[Service]\n", f);
        /* What passt is told of names lies all over /run; it sees no file at all once it has read that. */
        if (guest_has_named_user(g))
                fprintf(f, "User=%s\nRemoveIPC=no\n", g->user);
        if (guest_has_network(g, NETWORK_BRIDGE))
                fputs("DeviceAllow=/dev/net/tun rw\nDeviceAllow=/dev/vhost-net rw\n", f);
        if (guest_has_network(g, NETWORK_NAT) || guest_has_network(g, NETWORK_HOST))
                fputs("RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK\nRestrictNamespaces=user mnt pid ipc uts\n"
                      "SystemCallFilter=@mount @setuid capset\n", f);
}

/* On the bridge, and nowhere else; in a user's session it sees PipeWire alone. */
static void put_netjack_unit(FILE *f, const Guest *g, size_t session) {
        fprintf(f, "\n[Service]\nRestrictNetworkInterfaces=%s\n", netjack_bridge(g));
        if (!guest_has_named_user(g))
                return;
        put_user(f, g, "/run/vxm/netjack");
        if (session > 0)
                fprintf(f, "BindReadOnlyPaths=-/run/user/%zu/pipewire-0\n", session);
}

/* swtpm judges the guest file before it runs, so it sees what that names. */
static void put_tpm_unit(FILE *f, const Guest *g, size_t index _unused_) {
        if (!guest_has_named_user(g))
                return;
        fputs("\n[Service]\n", f);
        put_user(f, g, "/run/vxm/tpm");
        fputs("ProtectHome=tmpfs\n", f);
        put_shown_files(f, g);
}

static void put_viewers_unit(FILE *f, const Guest *g, size_t index _unused_) {
        fputs("\n[Service]\n", f);
        put_user(f, g, NULL);
        fprintf(f, "BindReadOnlyPaths=/run/vxm/sockets/%s\n", g->name);
}

static size_t needs_hugepages(const Guest *g) {
        return g->huge_page_size > 0;
}

static size_t needs_units(const Guest *g) {
        return guest_stops_units(g);
}

static size_t needs_bind(const Guest *g) {
        return guest_has_devices(g);
}

static size_t needs_sleep(const Guest *g) {
        return guest_inhibits(g) != NULL;
}

static size_t needs_link(const Guest *g) {
        return guest_needs_link(g);
}

static size_t needs_cpus(const Guest *g) {
        return g->cpu_pin.kind != CPU_PIN_NONE;
}

static size_t needs_disks(const Guest *g) {
        return guest_disks_need_root(g);
}

static size_t needs_usb(const Guest *g) {
        return guest_has_usb(g);
}

static size_t needs_input(const Guest *g) {
        return guest_has_input(g);
}

static size_t needs_frames(const Guest *g) {
        return g->looking_glass > 0;
}

static size_t needs_spice(const Guest *g) {
        return g->spice >= DISPLAY_PORT_MIN;
}

static size_t needs_vnc(const Guest *g) {
        return g->vnc >= DISPLAY_PORT_MIN;
}

static size_t needs_netjack(const Guest *g) {
        return g->netjack.enable;
}

static size_t needs_shares(const Guest *g) {
        return g->n_shares;
}

static size_t needs_tpm(const Guest *g) {
        return g->tpm;
}

typedef void (*UnitWriter)(FILE *f, const Guest *g, size_t index);

typedef struct Unit {
        const char *name, *type;
        size_t (*needed)(const Guest *g); /* how many of them, one a share; else one or none */
        UnitWriter put;                   /* what is its own in its drop-in */
        bool judges;                      /* has vxm-bind --judge look before it changes something, if it is the first */
        const char *records;              /* the kind of the undo records of what it does, see record-file.h */
        bool dispensable; /* the guest wants it only: systemd may restart it, and that is nothing to the guest */
} Unit;

/* All that a guest may need before it runs, in the order of starting: each requires the one before that the guest
 * needs, and the guest all of them. What one has done is undone when another fails only if that one requires it: systemd
 * looks at units that nobody needs any more when something that required them has ended, not when a job has failed
 * that would have started it. And should one end while the guest runs, the guest still needs the others.
 *
 * Memory comes before the desktop and the GPU, as what the machine is most likely not to have, and these after each
 * other so that the GPU is back when the desktop starts. The interrupts of devices are gone when CPUs are fenced off,
 * and come back after. vxm-net judges all but devices, vxm-cpus, vxm-disks, vxm-input and vxm-frames all but these and networks. What runs
 * as the guest's user comes last; a restart of the guest starts that anew, but not the sockets of shares. */
static const Unit units[] = {
        { "vxm-hugepages", "service", needs_hugepages, NULL, true, "hugepages" },
        { "vxm-units", "service", needs_units, NULL, true, "units" },
        { "vxm-bind", "service", needs_bind, NULL, false, "bind" },
        { "vxm-sleep", "service", needs_sleep, NULL, false, "sleep" },
        { "vxm-net", "service", needs_link, NULL, false, "net" },
        { "vxm-cpus", "service", needs_cpus, NULL, false, "cpus" },
        { "vxm-disks", "service", needs_disks, put_disks_unit, false, "disks" },
        { "vxm-usb", "service", needs_usb, NULL, false, "usb" },
        { "vxm-input", "service", needs_input, NULL, false, "input" },
        { "vxm-frames", "service", needs_frames, NULL, false, "frames" },
        { "vxm-spice", "socket", needs_spice, put_spice_socket, false, NULL },
        { "vxm-vnc", "socket", needs_vnc, put_vnc_socket, false, NULL },
        { "vxm-share", "socket", needs_shares, put_share_socket, false, NULL },
        { "vxm-tpm", "service", needs_tpm, put_tpm_unit, false, NULL },
        { "vxm-link", "service", needs_link, put_link_unit, false, NULL },
        { "vxm-netjack", "service", needs_netjack, put_netjack_unit, false, NULL, true },
};

enum { INSTANCE_SIZE = 128 };

/* The name of a unit's share; NULL: it has none. */
static const char *share_of(const Guest *g, size_t u, size_t index) {
        return units[u].needed == needs_shares ? g->shares[index].name : NULL;
}

/* NAME@GUEST.TYPE, or NAME@GUEST:SHARE.TYPE. */
static void instance_of(const char *name, const char *guest, const char *share, const char *type,
        char ret[static INSTANCE_SIZE]) {
        (void) snprintf(ret, INSTANCE_SIZE, "%s@%s%s%s.%s", name, guest, share ? ":" : "", share ? share : "", type);
}

static void put_requirements(FILE *f, const Guest *g) {
        char unit[INSTANCE_SIZE];

        for (size_t u = 0; u < ELEMENTSOF(units); u++)
                for (size_t n = units[u].needed(g), i = 0; i < n; i++) {
                        instance_of(units[u].name, g->name, share_of(g, u, i), units[u].type, unit);
                        if (units[u].dispensable)
                                fprintf(f, "Wants=%s\nAfter=%s\n", unit, unit);
                        else
                                put_requirement(f, unit);
                }
}

/* ---- files ---- */

/* Opens DESTINATION/UNIT.d/NAME, anew. */
static int open_drop_in(int destination, const char *unit, const char *name, FILE **ret) {
        char directory[UNIT_NAME_SIZE + 2], path[UNIT_NAME_SIZE + 32];
        int fd;

        (void) snprintf(directory, sizeof directory, "%s.d", unit);
        (void) snprintf(path, sizeof path, "%s/%s", directory, name);

        if (mkdirat(destination, directory, 0755) < 0 && errno != EEXIST)
                return log_error_errno(errno, "Cannot make %s/%s: %m.", arg_destination, directory);
        fd = openat(destination, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return log_error_errno(errno, "Cannot write %s/%s: %m.", arg_destination, path);
        *ret = fdopen(fd, "w");
        if (!*ret) {
                close(fd);
                return log_oom();
        }
        return 0;
}

static int check_written(const char *unit, const char *name, FILE *f) {
        if (fflush(f) != 0 || ferror(f))
                return log_error_errno(errno, "Cannot write %s/%s.d/%s: %m.", arg_destination, unit, name);
        return 0;
}

/* Writes a unit's drop-in: its requirement on the one before, if there is any, and what is its own. */
static int write_drop_in(int destination, const Guest *g, const char *unit, const char *before, UnitWriter put,
        size_t index) {
        _cleanup_(fclosep) FILE *f = NULL;
        int r;

        r = open_drop_in(destination, unit, DROP_IN, &f);
        if (r < 0)
                return r;
        put_header(f, g);
        if (before[0])
                put_requirement(f, before);
        if (put)
                put(f, g, index);
        return check_written(unit, DROP_IN, f);
}

static int write_guest_drop_in(int root, int destination, const Guest *g) {
        _cleanup_(fclosep) FILE *f = NULL;
        char unit[INSTANCE_SIZE];
        int r;

        instance_of("vxm-guest", g->name, NULL, "service", unit);
        r = open_drop_in(destination, unit, DROP_IN, &f);
        if (r < 0)
                return r;
        put_header(f, g);
        put_requirements(f, g);
        put_guest_unit(f, root, g);
        return check_written(unit, DROP_IN, f);
}

/* As long as for KVM, see units/dev-kvm.device.d. */
static int generate_device(int destination, const char *path) {
        _cleanup_(fclosep) FILE *f = NULL;
        char unit[UNIT_NAME_SIZE];
        int r;

        if (!device_unit_of(path, unit))
                return 0;
        r = open_drop_in(destination, unit, DROP_IN_DEVICE, &f);
        if (r < 0)
                return r;
        fputs("# Made by vxm-generator: a guest waits for this disk at boot, but not for ever.\n[Unit]\n"
              "JobRunningTimeoutSec=30s\n", f);
        return check_written(unit, DROP_IN_DEVICE, f);
}

/* What leads viewers from a port to the guest's own socket, which is the user's whom its file names. */
static int generate_viewers(int destination, const Guest *g) {
        static const char *const names[] = { "vxm-spice", "vxm-vnc" };
        const bool needed[] = { needs_spice(g), needs_vnc(g) };
        char unit[INSTANCE_SIZE];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++) {
                if (!guest_has_named_user(g) || !needed[i])
                        continue;
                instance_of(names[i], g->name, NULL, "service", unit);
                r = write_drop_in(destination, g, unit, "", put_viewers_unit, 0);
        }
        return r;
}

/* The number of the user whose session the guest is heard in, by its own sound or by NETJACK; 0: none is known. */
static size_t session_of(int root, const Guest *g) {
        bool heard = guest_plays_in_session(g) || (guest_has_named_user(g) && g->netjack.enable);
        uid_t uid;

        return heard && guest_user_look_up(root, g->user, true, &uid) >= 0 ? uid : 0;
}

static int generate_guest(int root, int destination, const Guest *g) {
        char unit[INSTANCE_SIZE], before[INSTANCE_SIZE] = "";
        const size_t session = session_of(root, g);
        int r;

        /* All others come after it, and before the guest's first start it judges: what the file names has to be there. */
        instance_of("vxm-user", g->name, NULL, "service", unit);
        r = write_drop_in(destination, g, unit, before, put_user_unit, session);
        for (size_t i = 0; r >= 0 && i < g->n_disks; i++)
                if (guest_disk_is_node(&g->disks[i]))
                        r = generate_device(destination, g->disks[i].path);
        for (size_t u = 0; u < ELEMENTSOF(units); u++)
                for (size_t n = units[u].needed(g), i = 0; r >= 0 && i < n; i++) {
                        instance_of(units[u].name, g->name, share_of(g, u, i), units[u].type, unit);
                        r = write_drop_in(destination, g, unit, before,
                                units[u].judges && before[0] ? put_judged : units[u].put,
                                units[u].needed == needs_netjack ? session : i);
                        memcpy(before, unit, sizeof before);
                }
        r = r < 0 ? r : generate_viewers(destination, g);
        for (size_t i = 0; r >= 0 && i < g->n_shares; i++) {
                instance_of("vxm-share", g->name, g->shares[i].name, "service", unit);
                r = write_drop_in(destination, g, unit, "", put_share_service, i);
        }
        if (r < 0)
                return r;
        return write_guest_drop_in(root, destination, g);
}

/* ---- what has been taken ---- */

/* Of a guest for which something is taken only the name is known for sure: its file may have changed, or be gone. */
static int write_taken(int destination, const char *unit, const char *before) {
        _cleanup_(fclosep) FILE *f = NULL;
        int r;

        r = open_drop_in(destination, unit, DROP_IN_TAKEN, &f);
        if (r < 0)
                return r;
        fputs("# Made by vxm-generator: what has been taken for the guest goes back when it ends, whatever its file says "
              "by then.\n[Unit]\n", f);
        put_requirement(f, before);
        return check_written(unit, DROP_IN_TAKEN, f);
}

/* The next unit that has something to undo for the guest, or the guest's own. */
static const char *next_taken(int root, size_t u, const char *guest) {
        char path[64];

        while (++u < ELEMENTSOF(units)) {
                if (!units[u].records)
                        continue;
                (void) snprintf(path, sizeof path, "run/vxm/%s/%s", units[u].records, guest);
                if (root_exists(root, path))
                        return units[u].name;
        }
        return "vxm-guest";
}

/* A guest file that is changed, broken, masked or removed while its guest runs must not part the guest from the units
 * that undo what was done for it: nothing would be given back when it ends, and a host with a single GPU would stay
 * dark. Whatever has an undo record stays required, in the same order. */
static int generate_taken(int root, int destination, size_t u) {
        char unit[INSTANCE_SIZE], before[INSTANCE_SIZE];
        char **names = NULL;
        size_t n = 0;
        int r;

        r = record_file_guests(root, units[u].records, &names, &n);
        if (r < 0)
                return log_error_errno(r, "Cannot list /run/vxm/%s: %s.", units[u].records, strerror(-r));
        for (size_t i = 0; r >= 0 && i < n; i++) {
                instance_of(units[u].name, names[i], NULL, units[u].type, before);
                instance_of(next_taken(root, u, names[i]), names[i], NULL, "service", unit);
                r = write_taken(destination, unit, before);
        }
        strings_free(names, n);
        return r;
}

/* ---- who has run as somebody else ---- */

/* A guest file that no longer names the user while the guest still runs as that one, or is broken or gone, must not make systemd
 * remove the shared memory of that user's programs when the guest ends: RemoveIPC= is looked at only then. */
static int write_keep_ipc(int destination, const char *guest) {
        static const char *const names[] = { "vxm-guest", "vxm-tpm", "vxm-link", "vxm-netjack", "vxm-spice", "vxm-vnc" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++) {
                _cleanup_(fclosep) FILE *f = NULL;
                char unit[INSTANCE_SIZE];

                instance_of(names[i], guest, NULL, "service", unit);
                r = open_drop_in(destination, unit, DROP_IN_USER, &f);
                if (r < 0)
                        return r;
                fputs("# Made by vxm-generator: the guest has run as a user who is there for something else, and may do so still.\n"
                      "[Service]\nRemoveIPC=no\n", f);
                r = check_written(unit, DROP_IN_USER, f);
        }
        return r;
}

/* The directory is made by the guest's unit, see put_guest_user(). */
static int generate_named_users(int root, int destination) {
        char **names = NULL;
        size_t n = 0;
        int r = root_list(root, "var/lib/vxm/guests", &names, &n);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return log_error_errno(r, "Cannot list /var/lib/vxm/guests: %s.", strerror(-r));
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *marker = NULL;

                if (!guest_name_is_valid(names[i]))
                        continue;
                if (format(&marker, "var/lib/vxm/guests/%s/named-user", names[i]) < 0)
                        r = log_oom();
                else if (root_exists(root, marker))
                        r = write_keep_ipc(destination, names[i]);
        }
        strings_free(names, n);
        return r;
}

static int run(void) {
        _cleanup_(closep) int root = -EBADF, destination = -EBADF;
        char **names = NULL;
        size_t n = 0;
        int r;

        root = root_open(arg_root);
        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", arg_root, strerror(-root));
        destination = root_open(arg_destination);
        if (destination < 0)
                return log_error_errno(destination, "Cannot open %s: %s.", arg_destination, strerror(-destination));
        r = guest_files_list(root, &names, &n);
        if (r < 0)
                return log_error_errno(r, "Cannot list the guest files: %s.", strerror(-r));

        for (size_t i = 0; i < n; i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                /* What is wrong with one guest is told, and is no reason to withhold the others. */
                if (guest_load(root, names[i], &g) >= 0)
                        r = generate_guest(root, destination, g) < 0 ? -EIO : r;
        }
        strings_free(names, n);
        for (size_t u = 0; u < ELEMENTSOF(units); u++)
                if (units[u].records && generate_taken(root, destination, u) < 0)
                        r = -EIO;
        if (generate_named_users(root, destination) < 0)
                r = -EIO;
        return r;
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "root", "DIR", "read the guest files below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = {
                "vxm-generator",
                "Turns guest files into drop-ins for systemd's units. Run by systemd itself.",
                "NORMAL-DIR EARLY-DIR LATE-DIR",
                3,
                options,
        };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        arg_destination = operands[0];
        log_setup("vxm-generator", NULL);
        if (getenv("SYSTEMD_SCOPE")) /* systemd itself has started us, systemd.generator(7) */
                log_to_kmsg();
        return exit_status(run());
}
