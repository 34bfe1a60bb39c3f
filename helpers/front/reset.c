/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds what vxm has made, and has it removed, see reset-remove.c. Paths are made of names of guests, which have no slashes and no dots, but
 * those of disks elsewhere, see reset-disk.c. */

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

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
#include "reset-disk.h"
#include "reset-remove.h"
#include "root.h"
#include "static-files.h"
#include "static-wish.h"
#include "static.h"
#include "target.h"

#define STATE RESET_STATE
#define WANTS "etc/systemd/system/multi-user.target.wants"

/* Why something stays. */
#define HAS_DISKS "with disks; --disks removes them"
#define IS_LINK "a symbolic link; what it leads to is yours to remove"
#define BEHIND_LINK "a symbolic link is on the way there; it is yours to remove"
#define NOT_OURS "its directory is not root's alone; it is yours to remove"
#define CLOSED "its directory cannot be opened; it is yours to remove"

void reset_done(Reset *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].path);
                free(l->items[i].guest);
        }
        for (size_t i = 0; i < l->n_kept; i++)
                free(l->kept[i].path);
        free(l->items);
        free(l->kept);
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

static int keep(Reset *l, const char *path, const char *why) {
        ResetKept *kept = ARRAY_GROW(l->kept, l->n_kept);

        if (!kept)
                return log_oom();
        l->n_kept++;
        kept->why = why;
        return free_and_strdup(&kept->path, path) < 0 ? log_oom() : 0;
}

/* Links count as what they are. */
static bool is_there(int root, const char *path) {
        _cleanup_(closep) int fd = root_openat(root, path, O_PATH | O_NOFOLLOW);

        return fd >= 0;
}

static bool is_link(int root, const char *path) {
        _cleanup_(closep) int fd = root_openat(root, path, O_PATH | O_NOFOLLOW);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* what: all but path and guest, which are copied. */
static int add(Reset *l, const ResetItem *what, const char *guest, const char *path) {
        ResetItem *item = ARRAY_GROW(l->items, l->n);

        if (!item)
                return log_oom();
        *item = *what;
        l->n++;
        return free_and_strdup(&item->path, path) < 0 || free_and_strdup(&item->guest, guest) < 0 ? log_oom() : 0;
}

/* Adds it if it is there. */
static int add_found(int root, Reset *l, const ResetItem *what, const char *guest, const char *path) {
        return is_there(root, path) ? add(l, what, guest, path) : 0;
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
static bool is_known(int directory, const char *name) {
        static const char *const known[] = { "firmware", "tpm", "named-user", "seed.iso" };
        struct stat st;

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (streq(known[i], name))
                        return true;
        return *name == '.' && fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
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

/* What is in a guest's directory besides. */
typedef struct Content {
        bool disks;
        char *link; /* the name of one there that leads elsewhere; NULL: none */
} Content;

static void content_done(Content *c) {
        free(c->link);
}

static int look_at(int directory, const char *name, Content *c) {
        struct stat st;

        if (is_known(directory, name))
                return 0;
        c->disks = true;
        if (c->link || fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISLNK(st.st_mode))
                return 0;
        c->link = strdup(name);
        return c->link ? 0 : log_oom();
}

/* Whatever lies in it may be a disk, as its guest file may be gone; what a guest file calls one is one (g: NULL, there is none). */
static int look_into(int root, const char *path, const Guest *g, Content *c) {
        _cleanup_(closep) int directory = root_openat(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        char **names = NULL;
        size_t n = 0;
        int r = directory < 0 ? directory : root_list(root, path, &names, &n);

        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR ? 0 : log_error_errno(r, "Cannot look into /%s: %s.", path, strerror(-r));
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = look_at(directory, names[i], c);
        strings_free(names, n);
        for (size_t i = 0; g && i < g->n_disks; i++) {
                const GuestDisk *d = &g->disks[i];
                const char *rest = d->path && !d->cdrom ? startswith(d->path + 1, path) : NULL;

                c->disks |= rest && *rest == '/' && is_there(root, d->path + 1);
        }
        return r;
}

static bool is_regular(int root, const char *path, struct stat *ret) {
        _cleanup_(closep) int fd = root_openat(root, path, O_PATH);

        return fd >= 0 && fstat(fd, ret) == 0 && S_ISREG(ret->st_mode);
}

/* directory: of a disk. What is in those of guests goes, and stays, with these. */
static bool is_in_state(int root, int directory) {
        _cleanup_(closep) int fd = root_openat(root, STATE, O_PATH | O_DIRECTORY);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 && reset_directory_is_below(directory, &st);
}

/* A disk that has been made elsewhere, as the guest file wanted it; never one in the directory of another guest. Returns how many this adds:
 * 1 or 0; or -errno. *ret_stays: nothing would remove it. */
static int add_other_disk(int root, Reset *l, const Guest *g, const GuestDisk *d, bool disks, bool *ret_stays) {
        ResetItem item = { .kind = RESET_DISK, .disks = true };
        _cleanup_(closep) int directory = -EBADF;
        const char *name, *why;
        struct stat st;
        int r;

        if (d->size == 0 || guest_disk_is_own(g, d) || startswith(d->path, "/" STATE "/") || !is_regular(root, d->path + 1, &st))
                return 0;
        directory = reset_disk_open_directory(root, d->path + 1, &name);
        if (directory == -ENOENT || (directory >= 0 && is_in_state(root, directory)))
                return 0;
        why = directory == -ELOOP ? BEHIND_LINK : directory == -EPERM ? NOT_OURS : directory < 0 ? CLOSED : NULL;
        *ret_stays |= !!why;
        item.device = st.st_dev;
        item.inode = st.st_ino;
        r = why || !disks ? keep(l, d->path + 1, why ? why : HAS_DISKS) : add(l, &item, g->name, d->path + 1);
        return r < 0 ? r : 1;
}

/* Returns how many there are, or -errno. */
static int add_other_disks(int root, Reset *l, const Guest *g, bool disks, bool *ret_stay) {
        int found = 0;

        for (size_t i = 0; i < g->n_disks; i++) {
                int r = add_other_disk(root, l, g, &g->disks[i], disks, ret_stay);

                if (r < 0)
                        return r;
                found += r;
        }
        return found;
}

static int refuse_shared(int root, const Reset *l, const char *guest) {
        char **names = NULL;
        size_t n = 0;
        int r = guest_files_list(root, &names, &n);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(guest_freep) Guest *other = NULL;
                const char *path = streq(names[i], guest) || load(root, names[i], &other) < 0 ? NULL : reset_find_missed(root, l, other);

                if (path)
                        r = log_error_errno(E_CONFIG, "Guest %s has %s as well; take it out there first: vxm edit %s", names[i], path, names[i]);
        }
        strings_free(names, n);
        return r;
}

/* A disk, its UEFI variables and its TPM belong together: without these, Windows does not open its own disk any more. Returns 1: all that the
 * guest's user may have had goes; 0: something stays; -errno. */
static int add_directory(int root, Reset *l, const char *guest, const Guest *g, const char *path, bool disks) {
        _cleanup_(content_done) Content c = {};
        bool link = is_link(root, path), stays = false;
        int r, others;

        r = link ? keep(l, path, IS_LINK) : look_into(root, path, g, &c);
        if (r < 0)
                return r;
        others = g ? add_other_disks(root, l, g, disks, &stays) : 0;
        if (others < 0 || link)
                return others < 0 ? others : 0;
        if (!disks && (c.disks || others > 0))
                return c.disks || is_there(root, path) ? keep(l, path, HAS_DISKS) : 0;
        if (c.link)
                log_warning("/%s/%s is a symbolic link; what it leads to stays, and so does user vxm-%s.", path, c.link, guest);
        r = add_found(root, l, &(ResetItem){ .disks = c.disks }, guest, path);
        return r < 0 ? r : !stays && !c.link;
}

/* Returns as that. */
static int add_state(int root, Reset *l, const char *guest, bool disks) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(guest_freep) Guest *g = NULL;
        int loaded = load(root, guest, &g), r;
        bool unknown = loaded < 0 && loaded != -ENOENT;

        if (format(&path, STATE "/%s", guest) < 0)
                return log_oom();
        r = add_directory(root, l, guest, g, path, disks);
        if (r >= 0 && unknown)
                log_warning("The file of guest %s is wrong; disks that it names elsewhere stay, and so does user vxm-%s.", guest, guest);
        return r < 0 ? r : r > 0 && !unknown;
}

static int add_user(int root, Reset *l, const char *guest) {
        _cleanup_(freep) char *user = NULL;

        if (format(&user, "vxm-%s", guest) < 0)
                return log_oom();
        return root_is_this_machine(root) && getpwnam(user) ? add(l, &(ResetItem){ .kind = RESET_USER, .last = true }, guest, user) : 0;
}

static int add_alias(int root, Reset *l, const char *directory, const char *guest) {
        _cleanup_(closep) int fd = root_openat(root, directory, O_RDONLY | O_DIRECTORY);
        _cleanup_(freep) char *path = NULL, *target = NULL;

        if (fd < 0)
                return 0;
        if (format(&path, "%s/@%s", directory, guest) < 0)
                return log_oom();
        target = alias_target(fd, path + strlen(directory) + 1);
        return target ? add(l, &(ResetItem){ .kind = RESET_LINK }, guest, path) : 0;
}

/* Commands @NAME, for all users and for who asks. By sudo, $HOME is root's. */
static int add_aliases(int root, Reset *l, const char *guest) {
        _cleanup_(freep) char *home = NULL, *of_caller = NULL;
        int r;

        if (!target_is_guest(guest))
                return 0;
        r = root_is_this_machine(root) ? alias_home(&home) : 0;
        if (r != -ENOMEM && root_is_this_machine(root))
                r = alias_home_of_caller(&of_caller);
        if (r == -ENOMEM)
                return log_oom();
        r = add_alias(root, l, ALIAS_SYSTEM + 1, guest);
        r = r < 0 || !home ? r : add_alias(root, l, home + 1, guest);
        return r < 0 || !of_caller || streq_ptr(home, of_caller) ? r : add_alias(root, l, of_caller + 1, guest);
}

/* They go last: as long as they are there, another run finds all that they name. */
static int add_files(int root, Reset *l, const char *guest) {
        static const char *const forms[] = { "run/vxm/guests/%s.guest.d", "run/vxm/guests/%s.guest", "etc/vxm/guests/%s.guest.d",
                "etc/vxm/guests/%s.guest" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(forms); i++) {
                const char *hole = strstr(forms[i], "%s");
                _cleanup_(freep) char *path = NULL;

                if (format(&path, "%.*s%s%s", (int) (hole - forms[i]), forms[i], guest, hole + STRLEN("%s")) < 0)
                        return log_oom();
                r = add_found(root, l, &(ResetItem){ .last = true }, guest, path);
        }
        return r;
}

static int find_guest(int root, const char *guest, bool disks, Reset *l) {
        _cleanup_(freep) char *link = NULL;
        int r, all;

        if (format(&link, WANTS "/vxm-guest@%s.service", guest) < 0)
                return log_oom();
        r = add_found(root, l, &(ResetItem){}, guest, link);
        r = r < 0 ? r : add_aliases(root, l, guest);
        all = r < 0 ? r : add_state(root, l, guest, disks);
        r = all < 0 ? all : add_files(root, l, guest);
        return r < 0 || all == 0 ? r : add_user(root, l, guest);
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
                r = add_found(root, &l, &(ResetItem){}, NULL, DOWNLOADS);
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
                if (l->items[i].kind != RESET_USER)
                        fprintf(f, "remove  /%s%s\n", l->items[i].path, l->items[i].disks ? "    (with disks)" : "");
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].kind == RESET_USER)
                        fprintf(f, "remove  user %s\n", l->items[i].path);
        for (size_t i = 0; i < l->n_kept; i++)
                fprintf(f, "keep    /%s    (%s)\n", l->kept[i].path, l->kept[i].why);
}

/* ---- removal ---- */

/* Its files are gone by now. */
static int rebind(int root) {
        size_t left = 0;
        int r = static_wish_count(root, false, &left);

        r = r < 0 ? r : left > 0 ? static_enable(root, false) : static_disable(root, false);
        return r < 0 ? log_error_errno(r, "Its device is still bound at boot; when what is in the way has been removed: vxm config --%s-binding",
                               left > 0 ? "enable" : "disable")
                     : 0;
}

static bool is_held(const Reset *l, const bool left[], size_t item) {
        for (size_t i = 0; l->items[item].last && i < l->n; i++)
                if (left[i] && i != item && streq_ptr(l->items[i].guest, l->items[item].guest))
                        return true;
        return false;
}

/* left: what is not gone. */
static int remove_all(int root, const Reset *l, bool users, bool left[]) {
        const char *told = NULL;
        int first = 0;

        for (size_t i = 0; i < l->n; i++) {
                const char *guest = l->items[i].guest;
                bool held = is_held(l, left, i);
                int r = 0;

                if ((l->items[i].kind == RESET_USER) != users)
                        continue;
                if (held && !users && !streq_ptr(told, guest))
                        log_warning("The file of guest %s stays, as it names what is left; when that can go: vxm reset %s", guest, guest);
                told = held ? guest : told;
                r = held ? 0 : reset_remove(root, &l->items[i]);
                left[i] = held || r < 0;
                first = first < 0 ? first : r;
        }
        return first;
}

/* Users go last, and also where static binding is in the way: nothing else would find them again. */
int reset_run(int root, const Reset *l) {
        int first = l->binding ? static_disable(root, false) : 0, r;
        bool *left = calloc(l->n + 1, sizeof *left);

        if (!left)
                return log_oom();
        r = remove_all(root, l, false, left);
        first = first < 0 ? first : r;
        r = l->rebinding && r >= 0 ? rebind(root) : 0;
        first = first < 0 ? first : r;
        r = remove_all(root, l, true, left);
        first = first < 0 ? first : r;
        free(left);
        return first;
}
