/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-generator: turns guest files into drop-ins for the units that a guest needs.
 *
 * Run by systemd at boot and at every daemon-reload (systemd.generator(7)), as podman's Quadlet is for containers. Writes
 * below the directory that systemd names, nothing else; asks neither D-Bus nor udev, and never looks at the hardware, so
 * that it cannot hang the boot; of a running machine it sees the undo records in /run/vxm. A broken guest file costs only its
 * own guest its drop-ins: the units fail to start then, and say why, because every helper reads the file again. */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "cli.h"
#include "exit-status.h"
#include "guest-disks.h"
#include "guest-files.h"
#include "guest.h"
#include "log.h"
#include "parse.h"
#include "root.h"

#define DROP_IN "50-vxm.conf"
#define DROP_IN_TAKEN "50-vxm-taken.conf"

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

static bool has_huge_pages(const Guest *g) {
        return g->huge_page_size > 0;
}

/* Before anything is stopped or taken for the guest: memory is what a machine is most likely not to have. */
static void put_hugepages_requirement(FILE *f, const Guest *g) {
        if (has_huge_pages(g))
                fprintf(f, "Requires=vxm-hugepages@%s.service\nAfter=vxm-hugepages@%s.service\n", g->name, g->name);
}

static bool pins_cpus(const Guest *g) {
        return g->cpu_pin.kind != CPU_PIN_NONE;
}

static void put_cpus_dependency(FILE *f, const Guest *g) {
        if (pins_cpus(g))
                fprintf(f, "Requires=vxm-cpus@%s.service\nAfter=vxm-cpus@%s.service\n", g->name, g->name);
}

static void put_cpus(FILE *f, const Guest *g) {
        static const int nice[] = { [CPU_PRIORITY_LOW] = 10, [CPU_PRIORITY_HIGH] = -10 };

        if (pins_cpus(g))
                fprintf(f, "LoadCredential=cpus:/run/vxm/cpus/%s\n", g->name);
        if (g->cpu_isolate)
                fputs("Slice=vxm.slice\n", f);
        if (g->cpu_priority != CPU_PRIORITY_NORMAL)
                fprintf(f, "Nice=%d\n", nice[g->cpu_priority]);
        if (g->cpu_realtime)
                fputs("LimitRTPRIO=1\nRestrictRealtime=no\n", f);
        if (g->cpu_realtime && !guest_has_devices(g))
                fputs("LimitMEMLOCK=infinity\n", f);
}

static void put_guest_unit(FILE *f, const Guest *g) {
        put_header(f, g);
        if (g->description) {
                fputs("Description=", f);
                put_text(f, g->description);
                fputc('\n', f);
        }
        if (guest_has_devices(g))
                fprintf(f, "Requires=vxm-bind@%s.service\nAfter=vxm-bind@%s.service\n", g->name, g->name);
        /* A guest that loses its TPM is asked to power off. */
        if (g->tpm)
                fprintf(f, "BindsTo=vxm-tpm@%s.service\nAfter=vxm-tpm@%s.service\n", g->name, g->name);

        if (guest_disks_need_root(g))
                fprintf(f, "Requires=vxm-disks@%s.service\nAfter=vxm-disks@%s.service\n", g->name, g->name);
        for (size_t i = 0; i < g->n_shares; i++)
                fprintf(f, "Requires=vxm-share@%s:%s.socket\nAfter=vxm-share@%s:%s.socket\n", g->name,
                        g->shares[i].name, g->name, g->shares[i].name);
        if (guest_needs_link(g))
                fprintf(f, "Requires=vxm-link@%s.service\nAfter=vxm-link@%s.service\n", g->name, g->name);
        put_hugepages_requirement(f, g);

        put_cpus_dependency(f, g);

        fputs("\n[Service]\n", f);
        if (g->tpm) /* the TPM's secrets are swtpm's, not QEMU's */
                fprintf(f, "InaccessiblePaths=-/var/lib/vxm/guests/%s/tpm\n", g->name);
        put_cpus(f, g);
        if (guest_has_devices(g))
                fputs("DeviceAllow=/dev/vfio/vfio rw\nDeviceAllow=char-vfio rw\n", f);
        if (guest_has_devices(g) || g->memory_lock)
                /* vfio pins all of the guest's memory, and maps the devices' own on top of it; Lock= wants QEMU's own, too. */
                fputs("LimitMEMLOCK=infinity\n", f);
        put_guest_disks(f, g);
}

static void put_bind_unit(FILE *f, const Guest *g) {
        put_header(f, g);
        /* In reverse at the end: first the GPU is back with its driver, then what shows its picture there starts. */
        if (guest_stops_units(g))
                fprintf(f, "Requires=vxm-units@%s.service\nAfter=vxm-units@%s.service\n", g->name, g->name);
        put_hugepages_requirement(f, g);
}

static void put_units_unit(FILE *f, const Guest *g) {
        put_header(f, g);
        put_hugepages_requirement(f, g);
}

static void put_hugepages_unit(FILE *f, const Guest *g) {
        put_header(f, g);
}

static void put_tpm_unit(FILE *f, const Guest *g) {
        put_header(f, g);
        /* Nothing is made for a guest that vxm-bind refuses. */
        if (guest_has_devices(g))
                fprintf(f, "Requires=vxm-bind@%s.service\nAfter=vxm-bind@%s.service\n", g->name, g->name);
}

/* Where an image is to be made. */
static void put_directory_of(FILE *f, const char *path) {
        _cleanup_(freep) char *directory = strndup(path, (size_t) (strrchr(path, '/') - path));

        if (directory)
                put_path(f, "ReadWritePaths=-", directory[0] ? directory : "/");
}

static void put_disks_unit(FILE *f, const Guest *g) {
        put_header(f, g);
        /* So that all is judged before anybody changes something: vxm-bind has done that, and has devices to take. */
        if (guest_has_devices(g))
                fprintf(f, "After=vxm-bind@%s.service\n", g->name);
        fputs("\n[Service]\n", f);
        for (size_t i = 0; i < g->n_disks; i++) {
                const GuestDisk *d = &g->disks[i];

                if (guest_disk_is_node(d))
                        put_node(f, d, "r");
                else if (guest_disk_needs_root(g, d))
                        put_directory_of(f, d->path);
        }
}

/* Source and destination are parted by a colon; one in a quoted path is none of these. */
static void put_share_service(FILE *f, const Guest *g, const GuestShare *s) {
        put_header(f, g);
        fprintf(f, "\n[Service]\nUser=vxm-%s\n%s=", g->name, s->read_only ? "BindReadOnlyPaths" : "BindPaths");
        put_word(f, s->path);
        fputs(":/mnt\n", f);
}

/* The user that the socket belongs to has to be there. */
static void put_share_socket(FILE *f, const Guest *g, const GuestShare *s _unused_) {
        put_header(f, g);
        fprintf(f, "Requires=vxm-user@%s.service\nAfter=vxm-user@%s.service\n\n[Socket]\nSocketUser=vxm-%s\n", g->name, g->name,
                g->name);
}

/* What one unit has done is undone when another one fails only if that one requires it: systemd looks at units that
 * nobody needs any more when something that required them has ended, not when a job has failed that would have
 * started it. Hence a chain: bind, net, the display's ports, link, the guest. */
static void put_requirement(FILE *f, const Guest *g, const char *unit, const char *type) {
        fprintf(f, "Requires=%s@%s.%s\nAfter=%s@%s.%s\n", unit, g->name, type, unit, g->name, type);
}

static void put_net_unit(FILE *f, const Guest *g) {
        put_header(f, g);
        if (guest_has_devices(g))
                put_requirement(f, g, "vxm-bind", "service");
}

/* Only the host itself gets at it; a guest's QEMU is on no network, so systemd listens. */
static void put_port(FILE *f, uint64_t port) {
        fprintf(f, "\n[Socket]\nListenStream=127.0.0.1:%" PRIu64 "\n", port);
}

static void put_spice_socket(FILE *f, const Guest *g) {
        put_header(f, g);
        put_port(f, g->spice);
}

static void put_vnc_socket(FILE *f, const Guest *g) {
        put_header(f, g);
        if (g->spice >= DISPLAY_PORT_MIN)
                put_requirement(f, g, "vxm-spice", "socket");
        put_port(f, g->vnc);
}

/* Each type of network opens what it needs, and no more. passt shuts itself in: namespaces, a file system of its own
 * with nothing in it, no capabilities. For that it makes calls which would need privileges outside of its user
 * namespace. */
static void put_link_unit(FILE *f, const Guest *g) {
        put_header(f, g);
        put_requirement(f, g, "vxm-net", "service");
        if (g->spice >= DISPLAY_PORT_MIN)
                put_requirement(f, g, "vxm-spice", "socket");
        if (g->vnc >= DISPLAY_PORT_MIN)
                put_requirement(f, g, "vxm-vnc", "socket");
        fputs("\n[Service]\n", f);
        if (guest_has_network(g, NETWORK_BRIDGE))
                fputs("DeviceAllow=/dev/net/tun rw\nDeviceAllow=/dev/vhost-net rw\n", f);
        if (guest_has_network(g, NETWORK_NAT) || guest_has_network(g, NETWORK_HOST))
                fputs("RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK\nRestrictNamespaces=user mnt pid ipc uts\n"
                      "SystemCallFilter=@mount @setuid capset\n", f);
}

/* Of a guest whose devices or units are taken only the name is known for sure: its file may have changed, or be gone. */
static void put_taken(FILE *f, const Guest *g, const char *unit) {
        fprintf(f, "# Made by vxm-generator: what has been taken for the guest goes back when it ends, whatever its file says by "
                   "then.\n[Unit]\nRequires=%s@%s.service\nAfter=%s@%s.service\n",
                unit, g->name, unit, g->name);
}

static void put_needs_bind(FILE *f, const Guest *g) {
        put_taken(f, g, "vxm-bind");
}

static void put_needs_units(FILE *f, const Guest *g) {
        put_taken(f, g, "vxm-units");
}

/* After the units that judge all, and first write something else: what they refuse is not to have changed anything. */
static void put_cpus_unit(FILE *f, const Guest *g) {
        put_header(f, g);
        if (guest_has_devices(g))
                fprintf(f, "Requires=vxm-bind@%s.service\nAfter=vxm-bind@%s.service\n", g->name, g->name);
}

typedef void (*UnitWriter)(FILE *f, const Guest *g);

/* Opens DESTINATION/UNIT.d/NAME, anew. */
static int open_drop_in(int destination, const char *unit, const char *name, FILE **ret) {
        char directory[96], path[128];
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

/* Writes DESTINATION/UNIT@GUEST.TYPE.d/NAME. */
static int write_drop_in_of(int destination, const char *unit, const char *type, const Guest *g, const char *name,
        UnitWriter put) {
        _cleanup_(fclosep) FILE *f = NULL;
        char instance[64];
        int r;

        (void) snprintf(instance, sizeof instance, "%s@%s.%s", unit, g->name, type);
        r = open_drop_in(destination, instance, name, &f);
        if (r < 0)
                return r;
        put(f, g);
        return check_written(instance, name, f);
}

/* The same for vxm-share@GUEST:SHARE, of both types. */
static int write_share(int destination, const Guest *g, const GuestShare *s) {
        static const struct {
                const char *type;
                void (*put)(FILE *f, const Guest *g, const GuestShare *s);
        } types[] = { { "service", put_share_service }, { "socket", put_share_socket } };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_(fclosep) FILE *f = NULL;
                char name[80];
                int r;

                (void) snprintf(name, sizeof name, "vxm-share@%s:%s.%s", g->name, s->name, types[i].type);
                r = open_drop_in(destination, name, DROP_IN, &f);
                if (r < 0)
                        return r;
                types[i].put(f, g, s);
                r = check_written(name, DROP_IN, f);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_drop_in(int destination, const char *unit, const Guest *g, const char *name, UnitWriter put) {
        return write_drop_in_of(destination, unit, "service", g, name, put);
}

static int generate_guest(int destination, const Guest *g) {
        int r;

        r = write_drop_in(destination, "vxm-guest", g, DROP_IN, put_guest_unit);
        if (r >= 0 && guest_has_devices(g))
                r = write_drop_in(destination, "vxm-bind", g, DROP_IN, put_bind_unit);
        if (r >= 0 && guest_has_devices(g) && guest_stops_units(g))
                r = write_drop_in(destination, "vxm-units", g, DROP_IN, put_units_unit);
        if (r >= 0 && has_huge_pages(g))
                r = write_drop_in(destination, "vxm-hugepages", g, DROP_IN, put_hugepages_unit);
        if (r >= 0 && pins_cpus(g))
                r = write_drop_in(destination, "vxm-cpus", g, DROP_IN, put_cpus_unit);
        if (r >= 0 && guest_disks_need_root(g))
                r = write_drop_in(destination, "vxm-disks", g, DROP_IN, put_disks_unit);
        for (size_t i = 0; r >= 0 && i < g->n_shares; i++)
                r = write_share(destination, g, &g->shares[i]);
        if (r >= 0 && guest_needs_link(g))
                r = write_drop_in(destination, "vxm-link", g, DROP_IN, put_link_unit);
        if (r >= 0 && guest_needs_link(g))
                r = write_drop_in(destination, "vxm-net", g, DROP_IN, put_net_unit);
        if (r >= 0 && g->spice >= DISPLAY_PORT_MIN)
                r = write_drop_in_of(destination, "vxm-spice", "socket", g, DROP_IN, put_spice_socket);
        if (r >= 0 && g->vnc >= DISPLAY_PORT_MIN)
                r = write_drop_in_of(destination, "vxm-vnc", "socket", g, DROP_IN, put_vnc_socket);
        if (r >= 0 && g->tpm)
                r = write_drop_in(destination, "vxm-tpm", g, DROP_IN, put_tpm_unit);
        return r;
}

/* A guest file that is changed, broken, masked or removed while its guest runs must not part the guest from the units that undo
 * what was done for it: nothing would be given back when it ends, and a host with a single GPU would stay dark. Whatever has an
 * undo record keeps them. */
static int generate_taken(int root, int destination, const char *records, bool units) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, records, &names, &n);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return log_error_errno(r, "Cannot list /%s: %s.", records, strerror(-r));
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const Guest g = { .name = names[i] };

                if (!guest_name_is_valid(g.name)) /* half a record */
                        continue;
                r = write_drop_in(destination, "vxm-guest", &g, DROP_IN_TAKEN, put_needs_bind);
                if (r >= 0 && units)
                        r = write_drop_in(destination, "vxm-bind", &g, DROP_IN_TAKEN, put_needs_units);
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
                        r = generate_guest(destination, g) < 0 ? -EIO : r;
        }
        strings_free(names, n);
        r = generate_taken(root, destination, "run/vxm/bind", false) < 0 ? -EIO : r;
        return generate_taken(root, destination, "run/vxm/units", true) < 0 ? -EIO : r;
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
