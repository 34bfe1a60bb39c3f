/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds commands @NAME. */

#include "alias.h"
#include "caller.h"

int alias_home(char **ret) {
        const char *home = getenv("HOME");

        return isempty(home) || home[0] != '/' ? -ENOENT : format(ret, "%s/.local/bin", home);
}

int alias_home_of_caller(char **ret) {
        const struct passwd *who = caller_find();

        return !who || who->pw_dir[0] != '/' ? -ENOENT : format(ret, "%s/.local/bin", who->pw_dir);
}

char *alias_target(int directory, const char *path) {
        char text[4096];
        ssize_t n = readlinkat(directory, path, text, sizeof text - 1);
        const char *name;

        if (n < 0)
                return NULL;
        text[n] = '\0';
        name = strrchr(text, '/');
        return streq(name ? name + 1 : text, "vxm") ? strdup(text) : NULL;
}
