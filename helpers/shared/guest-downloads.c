/* SPDX-License-Identifier: BSD-3-Clause */
/* URLs, and contradictions in [Download] sections. */

#include <ctype.h>

#include "conf.h"
#include "guest-downloads.h"
#include "log.h"

enum {
        URL_MAX = 1024,
        FILE_NAME_MAX = 128,
};

static const char *skip_scheme(const char *s) {
        const char *rest = startswith(s, "https://");

        return rest ? rest : startswith(s, "http://");
}

/* “host”, “host:8080”, “[::1]:8080”. */
static const char *skip_host(const char *s) {
        const char *p = s;

        if (*p == '[') {
                p += strspn(p + 1, "0123456789abcdefABCDEF:.") + 1;
                if (*p++ != ']')
                        return NULL;
        } else {
                while (isalnum((unsigned char) *p) || *p == '.' || *p == '-')
                        p++;
        }
        if (p == s)
                return NULL;
        if (*p == ':')
                p += strspn(p + 1, "0123456789") + 1;
        return *p == '/' ? p : NULL;
}

const char *url_file_name(const char *url) {
        return strrchr(url, '/') + 1;
}

bool url_is_clean(const char *s) {
        const char *host = skip_scheme(s), *path = host ? skip_host(host) : NULL, *name, *star;

        if (!path || strlen(s) > URL_MAX || strstr(path, "/../") || strstr(path, "//"))
                return false;
        for (const char *p = path; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("/._-+~%,=*", *p))
                        return false;
        name = url_file_name(path);
        star = strchr(path, '*');
        return *name && *name != '.' && strlen(name) <= FILE_NAME_MAX && (!star || (star >= name && !strchr(star + 1, '*')));
}

bool url_is_safe(const char *url) {
        static const char *const own[] = { "http://127.0.0.1", "http://localhost", "http://[::1]" };

        if (startswith(url, "https://"))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(own); i++) {
                const char *rest = startswith(url, own[i]);

                if (rest && (*rest == ':' || *rest == '/'))
                        return true;
        }
        return false;
}

static int refuse(const Guest *g, const GuestDownload *d, const char *what) {
        return conf_log(LOG_ERR, g->file, 0, "[Download %s] %s", d->name, what);
}

static int verify(const Guest *g, const GuestDownload *d) {
        if (!d->url)
                return refuse(g, d, "has no URL=; add one.");
        if (!*d->sha256 == !d->checksums)
                return refuse(g, d, "needs SHA256= or Checksums=, one of them, or nobody could tell what has come.");
        if (d->checksums && !url_is_safe(d->checksums))
                return refuse(g, d, "Checksums= has to be https:, or somebody on the way could change it.");
        if (strchr(d->url, '*') && !d->checksums)
                return refuse(g, d, "URL= has a “*”, which only a list can tell; set Checksums=.");
        if (d->checksums && strchr(d->checksums, '*'))
                return refuse(g, d, "Checksums= has a “*”; write its name.");
        if (!d->disk == !d->cdrom)
                return refuse(g, d, "needs Disk= or CDROM=, one of them.");
        if (d->cdrom && d->cloud_init)
                return refuse(g, d, "CloudInit=yes is for the system on a disk; set Disk=.");
        return 0;
}

int guest_downloads_verify(const Guest *g) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_downloads; i++)
                r = verify(g, &g->downloads[i]);
        return r;
}
