/* SPDX-License-Identifier: BSD-3-Clause */
/* Access lists by libacl. Each change is one call to the kernel, which sets list and mode together, so a kill leaves the one or the
 * other. */

#include <stdbool.h>
#include <stdio.h>
#include <sys/acl.h>

#include "exit-status.h"
#include "library.h"
#include "log.h"
#include "messages.h"
#include "node-access.h"

typedef struct AclLibrary {
        __typeof__(acl_get_file) *get_file;
        __typeof__(acl_set_file) *set_file;
        __typeof__(acl_free) *free;
        __typeof__(acl_get_entry) *get_entry;
        __typeof__(acl_create_entry) *create_entry;
        __typeof__(acl_delete_entry) *delete_entry;
        __typeof__(acl_get_tag_type) *get_tag_type;
        __typeof__(acl_set_tag_type) *set_tag_type;
        __typeof__(acl_get_qualifier) *get_qualifier;
        __typeof__(acl_set_qualifier) *set_qualifier;
        __typeof__(acl_get_permset) *get_permset;
        __typeof__(acl_add_perm) *add_perm;
        __typeof__(acl_calc_mask) *calc_mask;
} AclLibrary;

static const AclLibrary *acl_library(void) {
        static AclLibrary acl;
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(acl.get_file, acl_get_file),
                LIBRARY_FUNCTION(acl.set_file, acl_set_file),
                LIBRARY_FUNCTION(acl.free, acl_free),
                LIBRARY_FUNCTION(acl.get_entry, acl_get_entry),
                LIBRARY_FUNCTION(acl.create_entry, acl_create_entry),
                LIBRARY_FUNCTION(acl.delete_entry, acl_delete_entry),
                LIBRARY_FUNCTION(acl.get_tag_type, acl_get_tag_type),
                LIBRARY_FUNCTION(acl.set_tag_type, acl_set_tag_type),
                LIBRARY_FUNCTION(acl.get_qualifier, acl_get_qualifier),
                LIBRARY_FUNCTION(acl.set_qualifier, acl_set_qualifier),
                LIBRARY_FUNCTION(acl.get_permset, acl_get_permset),
                LIBRARY_FUNCTION(acl.add_perm, acl_add_perm),
                LIBRARY_FUNCTION(acl.calc_mask, acl_calc_mask),
                {},
        };

        return library_load("libacl.so.1", functions) < 0 ? NULL : &acl;
}

int node_access_find(void) {
        return acl_library() ? 0
                             : log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                                       "libacl.so.1 is missing, by which users are let at devices; install it (Debian: libacl1).");
}

enum { FD_PATH_SIZE = 32 };

/* A node without a list has one that says what its mode does. */
static int get_list(int fd, char path[static FD_PATH_SIZE], acl_t *ret) {
        int r = node_access_find();

        if (r < 0)
                return r;
        (void) snprintf(path, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
        *ret = acl_library()->get_file(path, ACL_TYPE_ACCESS);
        return *ret ? 0 : -errno;
}

static void acl_freep(acl_t *list) {
        if (*list)
                (void) acl_library()->free(*list);
}

static bool is_of(acl_entry_t entry, uid_t uid) {
        acl_tag_t tag;
        uid_t *whose;
        bool is;

        if (acl_library()->get_tag_type(entry, &tag) < 0 || tag != ACL_USER)
                return false;
        whose = acl_library()->get_qualifier(entry);
        is = whose && *whose == uid;
        (void) acl_library()->free(whose);
        return is;
}

/* Returns 1, 0 or -errno. */
static int find(acl_t list, uid_t uid, acl_entry_t *ret) {
        int id = ACL_FIRST_ENTRY, r;

        for (; (r = acl_library()->get_entry(list, id, ret)) > 0; id = ACL_NEXT_ENTRY)
                if (is_of(*ret, uid))
                        return 1;
        return r < 0 ? -errno : 0;
}

static int count(acl_t list) {
        acl_entry_t entry;
        int n = 0;

        for (int id = ACL_FIRST_ENTRY; acl_library()->get_entry(list, id, &entry) > 0; id = ACL_NEXT_ENTRY)
                n++;
        return n;
}

static int add(acl_t *list, uid_t uid) {
        acl_permset_t permissions;
        acl_entry_t entry;

        if (acl_library()->create_entry(list, &entry) < 0 || acl_library()->set_tag_type(entry, ACL_USER) < 0 ||
            acl_library()->set_qualifier(entry, &uid) < 0 || acl_library()->get_permset(entry, &permissions) < 0 ||
            acl_library()->add_perm(permissions, ACL_READ) < 0 || acl_library()->add_perm(permissions, ACL_WRITE) < 0 ||
            acl_library()->calc_mask(list) < 0)
                return -errno;
        return 0;
}

/* Where nobody is left but owner, group and others, so is the mask, and the list becomes a mode again. */
static int drop_mask(acl_t list) {
        acl_entry_t entry;
        acl_tag_t tag;

        if (count(list) != 4)
                return 0;
        for (int id = ACL_FIRST_ENTRY; acl_library()->get_entry(list, id, &entry) > 0; id = ACL_NEXT_ENTRY)
                if (acl_library()->get_tag_type(entry, &tag) >= 0 && tag == ACL_MASK)
                        return acl_library()->delete_entry(list, entry) < 0 ? -errno : 0;
        return 0;
}

int node_lets_in(int fd, uid_t uid) {
        _cleanup_(acl_freep) acl_t list = NULL;
        char path[FD_PATH_SIZE];
        acl_entry_t entry;
        int r = get_list(fd, path, &list);

        return r < 0 ? r : find(list, uid, &entry);
}

int node_let_in(int fd, uid_t uid) {
        _cleanup_(acl_freep) acl_t list = NULL;
        char path[FD_PATH_SIZE];
        acl_entry_t entry;
        int r = get_list(fd, path, &list);

        r = r < 0 ? r : find(list, uid, &entry);
        if (r != 0)
                return r < 0 ? r : 0;
        r = add(&list, uid);
        if (r >= 0 && acl_library()->set_file(path, ACL_TYPE_ACCESS, list) < 0)
                r = -errno;
        return r < 0 ? r : 1;
}

int node_shut_out(int fd, uid_t uid) {
        _cleanup_(acl_freep) acl_t list = NULL;
        char path[FD_PATH_SIZE];
        acl_entry_t entry;
        int r = get_list(fd, path, &list);

        r = r < 0 ? r : find(list, uid, &entry);
        if (r <= 0)
                return r;
        if (acl_library()->delete_entry(list, entry) < 0)
                return -errno;
        r = drop_mask(list);
        if (r >= 0 && acl_library()->set_file(path, ACL_TYPE_ACCESS, list) < 0)
                r = -errno;
        return r < 0 ? r : 1;
}
