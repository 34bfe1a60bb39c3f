/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-tpm: the TPM of one guest.
 *
 * Started by vxm-tpm@.service, as the guest's own user and without privileges, for guests with [TPM] Enable=yes, before
 * QEMU. Makes the TPM with its endorsement key and certificates the first time, then becomes swtpm (exec), which QEMU
 * connects to. Writes below the guest's state directory, tpm/, and the socket, nothing else. There is nothing to undo:
 * the state stays, systemd removes the socket. */

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include "argv.h"
#include "cli.h"
#include "exit-status.h"
#include "guest.h"
#include "log.h"
#include "messages.h"
#include "qemu-facts.h"
#include "root.h"
#include "tpm-state.h"

#define STATE_FILE "tpm2-00.permall"
/* The state is made in here, and moved when it is whole: a kill half-way leaves no half TPM. */
#define SETUP "setup"

enum {
        CONTROL_FD = 3, /* where swtpm finds the socket that it is to listen on */
};

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_dry_run;

static char *const environment[] = { (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *) "LC_ALL=C", NULL };

/* A certificate authority of the guest's own, beside its state: the package's, in /var/lib/swtpm-localca, is not for
 * this user, and would tell one guest of the others. The keys are made when they are missing. “@” stands for the
 * guest's directory for its TPM. */
static const struct {
        const char *name, *text;
} configuration[] = {
        { "setup.conf",
                "create_certs_tool = " TPM_CA_PROGRAM "\n"
                "create_certs_tool_config = @/" SETUP "/localca.conf\n"
                "create_certs_tool_options = @/" SETUP "/localca.options\n"
                "active_pcr_banks = sha256\n" },
        { "localca.conf",
                "statedir = @/ca\n"
                "signingkey = @/ca/signkey.pem\n"
                "issuercert = @/ca/issuercert.pem\n"
                "certserial = @/ca/certserial\n" },
        { "localca.options", "--platform-manufacturer vxm\n--platform-version 1.0\n--platform-model QEMU\n" },
};

/* ---- the plan ---- */

static int build_setup(const char *guest, const char *directory, Argv *ret) {
        int r;

        r = argv_add_flag(ret, TPM_SETUP_PROGRAM);
        r = r < 0 ? r : argv_add_flag(ret, "--tpm2");
        r = r < 0 ? r : argv_add(ret, "--tpmstate", "%s/" SETUP, directory);
        r = r < 0 ? r : argv_add(ret, "--config", "%s/" SETUP "/setup.conf", directory);
        r = r < 0 ? r : argv_add(ret, "--vmid", "%s", guest);
        r = r < 0 ? r : argv_add_flag(ret, "--create-ek-cert");
        r = r < 0 ? r : argv_add_flag(ret, "--create-platform-cert");
        r = r < 0 ? r : argv_add_flag(ret, "--lock-nvram");
        return r < 0 ? r : argv_add_flag(ret, "--overwrite"); /* what a kill has left */
}

static int build_emulator(const char *directory, Argv *ret) {
        int r;

        r = argv_add_flag(ret, TPM_PROGRAM);
        r = r < 0 ? r : argv_add_flag(ret, "socket");
        r = r < 0 ? r : argv_add_flag(ret, "--tpm2");
        r = r < 0 ? r : argv_add(ret, "--tpmstate", "dir=%s,mode=0600", directory);
        r = r < 0 ? r : argv_add(ret, "--ctrl", "type=unixio,fd=%d", CONTROL_FD);
        return r < 0 ? r : argv_add(ret, "--seccomp", "action=kill");
}

/* ---- the first time ---- */

static int write_configuration(int setup, const char *directory) {
        for (size_t i = 0; i < ELEMENTSOF(configuration); i++) {
                _cleanup_(fclosep) FILE *f = NULL;
                int fd = openat(setup, configuration[i].name,
                        O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

                if (fd < 0)
                        return -errno;
                f = fdopen(fd, "w");
                if (!f) {
                        close(fd);
                        return -ENOMEM;
                }
                for (const char *p = configuration[i].text; *p; p++)
                        if (*p == '@')
                                fputs(directory, f);
                        else
                                fputc(*p, f);
                if (fflush(f) != 0 || ferror(f))
                        return -EIO;
        }
        return 0;
}

/* Debian's and Ubuntu's profile of swtpm knows no state in /var/lib/vxm. What profiles are loaded only root may read. */
static bool may_be_confined(int root) {
        _cleanup_(freep) char *enabled = NULL;

        return root_read(root, "sys/module/apparmor/parameters/enabled", &enabled) >= 0 && streq(enabled, "Y") &&
                root_exists(root, "etc/apparmor.d/usr.bin.swtpm");
}

/* Its tale goes nowhere, its errors to the journal. */
static int run_setup(int root, const Argv *argv) {
        posix_spawn_file_actions_t actions;
        int r, status;
        pid_t pid;

        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return log_error_errno(r, "Cannot run " TPM_SETUP_PROGRAM ": %s.", strerror(-r));
        r = -posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        r = r < 0 ? r : -posix_spawn(&pid, argv->items[0], &actions, NULL, argv->items, environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r < 0)
                return log_error_errno(r, "Cannot run " TPM_SETUP_PROGRAM ": %s.", strerror(-r));
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return log_error_errno(errno, "Cannot wait for " TPM_SETUP_PROGRAM ": %m.");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return log_event_errno(EIO, MESSAGE_TPM_STATE, NULL,
                        "The guest's TPM could not be made; what swtpm_setup said about it stands before this line. Nothing "
                        "of it is kept, the next start tries again.%s",
                        may_be_confined(root) ? " AppArmor may have refused it (journalctl -k --grep=swtpm tells); if so, see "
                                                "APPARMOR in vxm-tpm(8)."
                                              : "");
        return 0;
}

/* Moves the state to where it counts, on the disk too, and removes what it was made with. */
static int keep_state(int tpm, int setup) {
        static const char *const names[] = { ".lock", "setup.conf", "localca.conf", "localca.options" };
        _cleanup_(closep) int fd = openat(setup, STATE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0 || renameat(setup, STATE_FILE, tpm, STATE_FILE) < 0 || fsync(tpm) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void) unlinkat(setup, names[i], 0);
        (void) unlinkat(tpm, SETUP, AT_REMOVEDIR);
        return 0;
}

static int open_below(int directory, const char *name) {
        int fd;

        if (mkdirat(directory, name, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int make_state(int root, const Guest *g, const char *directory, const Argv *argv) {
        _cleanup_(closep) int tpm = -EBADF, setup = -EBADF, ca = -EBADF;
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        int r;

        /* Nothing is made for a guest that cannot start. What has to be prepared for it has been, if we get here; disks that
         * need no preparation are judged by the guest's own unit, from where it can reach them. */
        r = qemu_facts_gather(root, g, QEMU_PATH, QEMU_FACTS_HOST_ALONE, &facts);
        if (r < 0)
                return r;
        tpm = root_openat(root, directory + 1, O_RDONLY | O_DIRECTORY);
        setup = tpm < 0 ? tpm : open_below(tpm, SETUP);
        ca = setup < 0 ? setup : open_below(tpm, "ca");
        r = ca < 0 ? ca : write_configuration(setup, directory);
        if (r < 0)
                return log_error_errno(r, "Cannot prepare a TPM in %s: %s.", directory, strerror(-r));
        r = run_setup(root, argv);
        if (r < 0)
                return r;
        r = keep_state(tpm, setup);
        if (r < 0)
                return log_error_errno(r, "Cannot keep the TPM's state in %s: %s.", directory, strerror(-r));
        log_info("The guest has a TPM of its own now; its state is %s.", directory);
        return 0;
}

/* ---- every time ---- */

/* Listening before QEMU is started is all it takes to be ready: swtpm may be slower, a connection waits for it. */
static int open_socket(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        if (strlen(path) >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0 || listen(fd, 1) < 0) {
                int r = -errno;

                close(fd);
                return r;
        }
        return fd;
}

/* Comes back only with an error, logged. */
static int become_emulator(const Argv *argv, const char *path) {
        _cleanup_(closep) int fd = open_socket(path);
        int r;

        if (fd < 0)
                return log_error_errno(fd, "Cannot listen on %s: %s.", path, strerror(-fd));
        if (fd == CONTROL_FD)
                r = fcntl(fd, F_SETFD, 0);
        else
                r = dup2(fd, CONTROL_FD);
        if (r < 0)
                return log_error_errno(errno, "Cannot hand %s over: %m.", path);
        (void) sd_notify(false, "READY=1\nSTATUS=TPM 2.0, waiting for QEMU or in use.");
        execve(argv->items[0], argv->items, environment);
        return log_error_errno(errno, "Cannot run " TPM_PROGRAM ": %m.");
}

static int run(void) {
        _cleanup_(freep) char *directory = NULL, *path = NULL;
        _cleanup_(argv_done) Argv setup = {}, emulator = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(closep) int root = -EBADF;
        bool exists;
        int r;

        root = root_open(arg_root);
        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", arg_root, strerror(-root));
        r = guest_load(root, arg_guest, &g);
        if (r < 0)
                return r; /* told, with file and line */
        if (!g->tpm)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                        "%s: The guest has no TPM; set [TPM] Enable=yes, then run systemctl daemon-reload.", g->file);
        r = tpm_state_check(root, g, &exists);
        if (r < 0)
                return r;
        if (format(&directory, "/var/lib/vxm/guests/%s/tpm", g->name) < 0 ||
                format(&path, "/run/vxm/tpm/%s/socket", g->name) < 0 ||
                build_setup(g->name, directory, &setup) < 0 || build_emulator(directory, &emulator) < 0)
                return log_oom();
        if (arg_dry_run) {
                if (!exists)
                        argv_print(&setup, stdout);
                return argv_print(&emulator, stdout), 0;
        }

        r = exists ? 0 : make_state(root, g, directory, &setup);
        return r < 0 ? r : become_emulator(&emulator, path);
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "dry-run", NULL, "print what would be run; start nothing", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: the machine below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-tpm", "Becomes the TPM of a guest: swtpm, set up the first time.", "GUEST", 1,
                options, .root_alone = "needs --dry-run." };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        arg_guest = operands[0];
        umask(0077);
        log_setup("vxm-tpm", arg_guest);
        return exit_status(run());
}
