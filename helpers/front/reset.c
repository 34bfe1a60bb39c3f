/* SPDX-License-Identifier: BSD-3-Clause */
/* Removes what vxm has made. Paths are made of names of guests, which have no slashes and no dots; nothing follows a link, and nothing goes
 * into another file system. */

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "alias.h"
#include "claims.h"
#include "devices.h"
#include "download.h"
#include "exit-status.h"
#include "guest-disks.h"
#include "guest-files.h"
#include "guest.h"
#include "log.h"
#include "messages.h"
#include "parse.h"
#include "reset.h"
#include "root.h"
#include "static-files.h"
#include "static-wish.h"
#include "static.h"
#include "target.h"

#define STATE "var/lib/vxm/guests"
#define WANTS "etc/systemd/system/multi-user.target.wants"
#define USERDEL "/usr/sbin/userdel"

enum {
        DEPTH_MAX = 16, /* of directories; there are two */
};

void reset_done(Reset *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].path);
        free(l->items);
        strings_free(l->users, l->n_users);
        strings_free(l->kept, l->n_kept);
        *l = (Reset){};
}

static int add_string(char ***list, size_t *n, const char *text) {
        char **slot = ARRAY_GROW(*list, *n);

        if (!slot)
                return log_oom();
        *slot = strdup(text);
        if (!*slot)
                return log_oom();
        (*n)++;
        return 0;
}

/* Links count as what they are. */
static bool is_there(int root, const char *path) {
        _cleanup_(closep) int fd = root_openat(root, path, O_PATH | O_NOFOLLOW);

        return fd >= 0;
}

/* Adds it if it is there. */
static int add(int root, Reset *l, bool disks, const char *path) {
        ResetItem *item;

        if (!is_there(root, path))
                return 0;
        item = ARRAY_GROW(l->items, l->n);
        if (!item)
                return log_oom();
        item->path = strdup(path);
        item->disks = disks;
        if (!item->path)
                return log_oom();
        l->n++;
        return 0;
}

/* The guest; NULL: those that have a file, and those that have left something. */
static int list_guests(int root, const char *guest, char ***ret, size_t *ret_n) {
        char **left = NULL;
        size_t n_left = 0;
        int r;

        if (guest)
                return add_string(ret, ret_n, guest);
        r = guest_files_list_masked(root, ret, ret_n);
        r = r < 0 ? r : root_list(root, STATE, &left, &n_left);
        for (size_t i = 0; r >= 0 && i < n_left; i++) {
                bool known = !guest_name_is_valid(left[i]);

                for (size_t j = 0; j < *ret_n; j++)
                        known |= streq(left[i], (*ret)[j]);
                r = known ? 0 : add_string(ret, ret_n, left[i]);
        }
        strings_free(left, n_left);
        return r == -ENOENT ? 0 : r;
}

/* ---- what is in the way ---- */

static int refuse_running(int root, const char *guest) {
        static const char *const kinds[] = { "sockets", "bind", "units", "cpus", "ddc", "disks", "frames", "hugepages", "net", "usb", "input",
                "sleep", "tpm", "link", "netjack", "looking-glass" };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_(freep) char *path = NULL;

                if (format(&path, "run/vxm/%s/%s", kinds[i], guest) < 0)
                        return log_oom();
                if (root_exists(root, path))
                        return log_error_errno(E_BUSY, "Guest %s runs, or something is taken for it still (/%s); stop it first: vxm stop %s",
                                guest, path, guest);
        }
        return 0;
}

/* What vxm gpu has taken belongs to no guest. */
static int refuse_taken(int root) {
        char **names = NULL, gpu[PCI_ADDRESS_TEXT];
        PciAddress address;
        size_t n = 0;
        int r = root_list(root, "run/vxm/bind", &names, &n);

        r = r == -ENOENT ? 0 : r < 0 ? log_error_errno(r, "Cannot list /run/vxm/bind: %s.", strerror(-r)) : 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (passthrough_parse(names[i], &address))
                        r = log_error_errno(E_BUSY, "%s is passed through for no guest; give it back first: vxm gpu reclaim %s",
                                pci_address_format(address, gpu), gpu);
        strings_free(names, n);
        return r;
}

static int refuse_in_use(int root, const char *guest) {
        char **names = NULL;
        size_t n = 0;
        int r = guest ? 0 : refuse_taken(root);

        r = r < 0 ? r : list_guests(root, guest, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = refuse_running(root, names[i]);
        strings_free(names, n);
        return r;
}

/* ---- what there is ---- */

/* What units and vxm init make in a guest's directory, which is the home of its user, too. */
static bool is_known(const char *name) {
        static const char *const known[] = { "firmware", "tpm", "named-user", "seed.iso" };

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (streq(known[i], name))
                        return true;
        return *name == '.';
}

/* Whether a guest's directory has a disk in it: whatever else lies there may be one, and its guest file may be gone. Returns 1, 0 or -errno. */
static int has_disks(int root, const char *directory) {
        char **names = NULL;
        size_t n = 0;
        int r = root_list(root, directory, &names, &n), found = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                found |= !is_known(names[i]);
        strings_free(names, n);
        return r == -ENOENT || r == -ENOTDIR ? 0 : r < 0 ? log_error_errno(r, "Cannot look into /%s: %s.", directory, strerror(-r)) : found;
}

/* Returns 0; -ENOENT: there is no file, or one that says nothing; or what is wrong with it. Says nothing. */
static int load(int root, const char *guest, Guest **ret) {
        _cleanup_(guest_files_done) GuestFiles f = {};
        int r;

        r = guest_files_find(root, GUEST_FILES, guest, &f);
        if (r < 0 || f.masked)
                return r < 0 ? r : -ENOENT;
        return guest_load_quietly(root, guest, NULL, ret);
}

static bool is_regular(int root, const char *path) {
        _cleanup_(closep) int fd = root_openat(root, path, O_PATH | O_NOFOLLOW);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* A disk that has been made elsewhere, as the guest file wanted it; never one in the directory of another guest. */
static bool is_made_elsewhere(int root, const Guest *g, const GuestDisk *d) {
        return d->size > 0 && !guest_disk_is_own(g, d) && !startswith(d->path, "/" STATE "/") && is_regular(root, d->path + 1);
}

/* Returns how many there are, or -errno. */
static int add_other_disks(int root, Reset *l, const Guest *g, bool disks) {
        int found = 0, r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++) {
                const GuestDisk *d = &g->disks[i];

                if (!is_made_elsewhere(root, g, d))
                        continue;
                found++;
                r = disks ? add(root, l, true, d->path + 1) : add_string(&l->kept, &l->n_kept, d->path + 1);
        }
        return r < 0 ? r : found;
}

/* Where a path leads into the guest's directory, or to a disk that would go, somebody else would miss it. */
static const char *find_missed(const Reset *l, const Guest *other) {
        for (size_t i = 0; i < other->n_disks; i++)
                for (size_t j = 0; other->disks[i].path && j < l->n; j++) {
                        const char *rest = startswith(other->disks[i].path + 1, l->items[j].path);

                        if (rest && (*rest == '\0' || *rest == '/'))
                                return other->disks[i].path;
                }
        return NULL;
}

static int refuse_shared(int root, const Reset *l, const char *guest) {
        char **names = NULL;
        size_t n = 0;
        int r = guest_files_list(root, &names, &n);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(guest_freep) Guest *other = NULL;
                const char *path = streq(names[i], guest) || load(root, names[i], &other) < 0 ? NULL : find_missed(l, other);

                if (path)
                        r = log_error_errno(E_CONFIG, "Guest %s has %s as well; take it out there first: vxm edit %s", names[i], path, names[i]);
        }
        strings_free(names, n);
        return r;
}

/* A disk, its UEFI variables and its TPM belong together: without these, Windows does not open its own disk any more. And the user stays as
 * long as there may be something of that user's. */
static int add_state(int root, Reset *l, const char *guest, bool disks) {
        _cleanup_(freep) char *directory = NULL, *user = NULL;
        _cleanup_(guest_freep) Guest *g = NULL;
        int loaded = load(root, guest, &g), others = 0, own;
        bool unknown = loaded < 0 && loaded != -ENOENT;

        if (format(&directory, STATE "/%s", guest) < 0 || format(&user, "vxm-%s", guest) < 0)
                return log_oom();
        own = has_disks(root, directory);
        if (own < 0)
                return own;
        others = g ? add_other_disks(root, l, g, disks) : 0;
        if (others < 0)
                return others;
        if (unknown)
                log_warning("The file of guest %s is wrong; disks that it names elsewhere stay, and so does user %s.", guest, user);
        if (!disks && own + others > 0)
                return own > 0 || is_there(root, directory) ? add_string(&l->kept, &l->n_kept, directory) : 0;
        own = add(root, l, own > 0, directory);
        if (own >= 0 && !unknown && root_is_this_machine(root) && getpwnam(user))
                own = add_string(&l->users, &l->n_users, user);
        return own;
}

static int add_alias(int root, Reset *l, const char *directory, const char *guest) {
        _cleanup_(closep) int fd = root_openat(root, directory, O_RDONLY | O_DIRECTORY);
        _cleanup_(freep) char *path = NULL, *target = NULL;

        if (fd < 0)
                return 0;
        if (format(&path, "%s/@%s", directory, guest) < 0)
                return log_oom();
        target = alias_target(fd, path + strlen(directory) + 1);
        return target ? add(root, l, false, path) : 0;
}

/* Commands @NAME, for all users and for who asks. */
static int add_aliases(int root, Reset *l, const char *guest) {
        _cleanup_(freep) char *home = NULL;
        int r;

        if (!target_is_guest(guest))
                return 0;
        r = root_is_this_machine(root) ? alias_home(&home) : 0;
        if (r == -ENOMEM)
                return log_oom();
        r = add_alias(root, l, ALIAS_SYSTEM + 1, guest);
        return r < 0 || !home ? r : add_alias(root, l, home + 1, guest);
}

/* The guest file goes last: as long as it is there, another run finds all that it names. */
static int find_guest(int root, const char *guest, bool disks, Reset *l) {
        static const char *const forms[] = { "run/vxm/guests/%s.guest.d", "run/vxm/guests/%s.guest", "etc/vxm/guests/%s.guest.d",
                "etc/vxm/guests/%s.guest" };
        _cleanup_(freep) char *link = NULL;
        int r;

        if (format(&link, WANTS "/vxm-guest@%s.service", guest) < 0)
                return log_oom();
        r = add(root, l, false, link);
        r = r < 0 ? r : add_aliases(root, l, guest);
        r = r < 0 ? r : add_state(root, l, guest, disks);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(forms); i++) {
                const char *hole = strstr(forms[i], "%s");
                _cleanup_(freep) char *path = NULL;

                r = format(&path, "%.*s%s%s", (int) (hole - forms[i]), forms[i], guest, hole + STRLEN("%s")) < 0 ? log_oom() : add(root, l, false, path);
        }
        return r;
}

static int find_guests(int root, const char *guest, bool disks, Reset *l) {
        char **names = NULL;
        size_t n = 0;
        int r = list_guests(root, guest, &names, &n);

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = find_guest(root, names[i], disks, l);
        strings_free(names, n);
        return r;
}

static int refuse_unknown(const char *guest) {
        return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "There is nothing of a guest “%s” here; vxm list shows which there are.", guest);
}

/* One whose file is wrong may. */
static bool may_want_static(int root, const char *guest) {
        _cleanup_(guest_freep) Guest *g = NULL;
        int r = load(root, guest, &g);

        return r < 0 ? r != -ENOENT : guest_wants_static(g);
}

int reset_find(int root, const char *guest, bool disks, Reset *ret) {
        _cleanup_(reset_done) Reset l = {};
        int r;

        if (guest && !guest_name_is_valid(guest))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "“%s” is no name for a guest.", guest);
        r = refuse_in_use(root, guest);
        r = r < 0 ? r : find_guests(root, guest, disks, &l);
        r = r < 0 || !guest || !disks ? r : refuse_shared(root, &l, guest);
        if (r >= 0 && guest && l.n == 0 && l.n_kept == 0)
                r = refuse_unknown(guest);
        if (r >= 0 && !guest)
                r = add(root, &l, false, DOWNLOADS);
        if (r < 0)
                return r;
        if (root_exists(root, STATIC_DEVICES) || is_there(root, STATIC_WANTS)) {
                l.binding = !guest;
                l.rebinding = guest && may_want_static(root, guest);
        }
        *ret = l;
        l = (Reset){};
        return 0;
}

int reset_judge(int root, const char *guest, bool disks, const Reset *l) {
        int r = refuse_in_use(root, guest);

        return r < 0 || !guest || !disks ? r : refuse_shared(root, l, guest);
}

void reset_print(const Reset *l, FILE *f) {
        if (l->binding)
                fprintf(f, "disable static binding\n");
        if (l->rebinding)
                fprintf(f, "renew   static binding, without this guest\n");
        for (size_t i = 0; i < l->n; i++)
                fprintf(f, "remove  /%s%s\n", l->items[i].path, l->items[i].disks ? "    (with disks)" : "");
        for (size_t i = 0; i < l->n_users; i++)
                fprintf(f, "remove  user %s\n", l->users[i]);
        for (size_t i = 0; i < l->n_kept; i++)
                fprintf(f, "keep    /%s    (with disks; --disks removes them)\n", l->kept[i]);
}

/* ---- removal ---- */

static int remove_tree(int directory, const char *name, dev_t device, unsigned depth);

static int remove_entries(int fd, dev_t device, unsigned depth) {
        DIR *d = fdopendir(fd);
        int first = 0;

        if (!d) {
                close(fd);
                return -errno;
        }
        for (struct dirent *entry; (entry = readdir(d));) {
                int r;

                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                r = remove_tree(dirfd(d), entry->d_name, device, depth + 1);
                first = first < 0 ? first : r;
        }
        closedir(d);
        return first;
}

/* A bind mount may be of the same file system. Kernels before 5.8 do not tell, but what is mounted there is not removed itself. */
static bool is_mounted_on(int directory, const char *name) {
        struct statx st;

        return statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int remove_tree(int directory, const char *name, dev_t device, unsigned depth) {
        struct stat st;
        int fd, r;

        if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISDIR(st.st_mode))
                return unlinkat(directory, name, 0) < 0 && errno != ENOENT ? -errno : 0;
        if (st.st_dev != device || depth > DEPTH_MAX || (depth > 0 && is_mounted_on(directory, name)))
                return -EXDEV;
        fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? -errno : remove_entries(fd, device, depth);
        return r < 0 ? r : unlinkat(directory, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_item(int root, const ResetItem *item) {
        const char *slash = strrchr(item->path, '/');
        _cleanup_(freep) char *parent = strndup(item->path, (size_t) (slash - item->path));
        _cleanup_(closep) int directory = parent ? root_openat(root, parent, O_RDONLY | O_DIRECTORY) : -ENOMEM;
        struct stat st;
        int r = directory;

        if (r >= 0)
                r = fstatat(directory, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : remove_tree(directory, slash + 1, st.st_dev, 0);
        return r < 0 && r != -ENOENT ? log_error_errno(r, "Cannot remove /%s: %s.", item->path, strerror(-r)) : 0;
}

static int remove_user(const char *user) {
        char *const argv[] = { (char *) "userdel", (char *) user, NULL }, *const environment[] = { NULL };
        int status, r;
        pid_t pid;

        r = posix_spawn(&pid, USERDEL, NULL, NULL, argv, environment);
        if (r > 0)
                return log_error_errno(r, "Cannot run " USERDEL ": %s; user %s stays.", strerror(r), user);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : log_error_errno(EIO, "userdel failed, and has said why; user %s stays.", user);
}

/* Its files are gone by now. */
static int rebind(int root) {
        size_t left = 0;
        int r = static_wish_count(root, false, &left);

        r = r < 0 ? r : left > 0 ? static_enable(root, false) : static_disable(root, false);
        return r < 0 ? log_error_errno(r, "Its device is still bound at boot; when what is in the way has been removed: vxm config --%s-binding",
                               left > 0 ? "enable" : "disable")
                     : 0;
}

int reset_run(int root, const Reset *l) {
        int first = l->binding ? static_disable(root, false) : 0;

        for (size_t i = 0; i < l->n; i++) {
                int r = remove_item(root, &l->items[i]);

                first = first < 0 ? first : r;
        }
        if (l->rebinding && first >= 0)
                first = rebind(root);
        for (size_t i = 0; first >= 0 && i < l->n_users; i++)
                first = remove_user(l->users[i]);
        return first;
}
