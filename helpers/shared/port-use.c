/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the kernel's tables of sockets, see proc_net(5) and Documentation/networking/proc_net_tcp.rst. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <pwd.h>

#include "port-use.h"
#include "root.h"

enum {
        ADDRESS_MAX = 16,
        TCP_LISTENS = 0x0a, /* TCP_LISTEN of net/tcp_states.h */
};

/* One line of such a table. */
typedef struct Socket {
        uint8_t address[ADDRESS_MAX]; /* 4 or 16 bytes of it, in the network's order */
        unsigned port, state;
        PortUse use;
} Socket;

/* Addresses stand as words of 32 bits in the machine's own order. */
static int parse_address(const char *hex, size_t size, uint8_t ret[static ADDRESS_MAX]) {
        if (strlen(hex) != 2 * size)
                return -EINVAL;
        for (size_t i = 0; i < size; i += sizeof(uint32_t)) {
                char word[9] = {}, *end;
                uint32_t value;

                memcpy(word, hex + 2 * i, 8);
                value = (uint32_t) strtoul(word, &end, 16);
                if (*end != '\0')
                        return -EINVAL;
                memcpy(ret + i, &value, sizeof value);
        }
        return 0;
}

/* “ 0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 …” */
static int parse_line(const char *line, bool ipv6, Socket *ret) {
        Socket s = {};
        char address[2 * ADDRESS_MAX + 1];
        unsigned uid;

        if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%4x %*32[0-9A-Fa-f]:%*4x %2x %*[^ ] %*[^ ] %*x %u %*u %" SCNu64, address,
                    &s.port, &s.state, &uid, &s.use.inode) != 5)
                return -EINVAL;
        s.use.uid = uid;
        if (parse_address(address, ipv6 ? 16 : 4, s.address) < 0)
                return -EINVAL;
        *ret = s;
        return 0;
}

static bool is_zero(const uint8_t *p, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (p[i] != 0)
                        return false;
        return true;
}

/* Whether a socket stands in the way of that address. One at :: usually takes the port of IPv4, too. */
static bool overlaps(const Socket *s, bool ipv6, const char *address) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        uint8_t wanted[ADDRESS_MAX];

        if (streq(address, "") || is_zero(s->address, ipv6 ? 16 : 4))
                return ipv6 || streq(address, "") || !strchr(address, ':');
        if (inet_pton(AF_INET, address, wanted) == 1) {
                if (is_zero(wanted, 4))
                        return !ipv6 || memcmp(s->address, mapped, sizeof mapped) == 0;
                return ipv6 ? memcmp(s->address, mapped, sizeof mapped) == 0 && memcmp(s->address + 12, wanted, 4) == 0
                            : memcmp(s->address, wanted, 4) == 0;
        }
        if (inet_pton(AF_INET6, address, wanted) != 1 || !ipv6)
                return false;
        return is_zero(wanted, 16) || memcmp(s->address, wanted, 16) == 0;
}

int port_use_parse(const char *text, bool ipv6, const Forward *f, uid_t except, PortUse *ret) {
        const char *line = strchr(text, '\n'); /* behind the heading */

        for (; line && line[1] != '\0'; line = strchr(line + 1, '\n')) {
                Socket s;
                int r = parse_line(line + 1, ipv6, &s);

                if (r < 0)
                        return r;
                if (s.port != f->host || (!f->udp && s.state != TCP_LISTENS) || s.use.uid == except ||
                        !overlaps(&s, ipv6, f->address))
                        continue;
                *ret = s.use;
                return 1;
        }
        return 0;
}

int port_use_find(int root, const Forward *f, uid_t except, PortUse *ret) {
        for (int ipv6 = 0; ipv6 <= 1; ipv6++) {
                _cleanup_(freep) char *path = NULL, *text = NULL;
                int r;

                if (format(&path, "proc/net/%s%s", f->udp ? "udp" : "tcp", ipv6 ? "6" : "") < 0)
                        return -ENOMEM;
                r = root_read(root, path, &text);
                if (r == -ENOENT)
                        continue;
                r = r < 0 ? r : port_use_parse(text, ipv6, f, except, ret);
                if (r != 0)
                        return r;
        }
        return 0;
}

static bool has_socket(int root, const char *pid, const char *wanted) {
        _cleanup_(freep) char *directory = NULL;
        char **fds = NULL;
        bool found = false;
        size_t n = 0;

        if (format(&directory, "proc/%s/fd", pid) < 0 || root_list(root, directory, &fds, &n) < 0)
                return false;
        for (size_t i = 0; !found && i < n; i++) {
                _cleanup_(freep) char *path = NULL, *target = NULL;

                found = format(&path, "%s/%s", directory, fds[i]) >= 0 && root_readlink(root, path, &target) >= 0 &&
                        streq(target, wanted);
        }
        strings_free(fds, n);
        return found;
}

/* Returns 1 and “sshd (pid 812)”; 0: nobody that we see. */
static int find_process(int root, uint64_t inode, char **ret) {
        _cleanup_(freep) char *wanted = NULL, *path = NULL, *command = NULL;
        char **pids = NULL;
        size_t n = 0;
        int r = 0;

        if (format(&wanted, "socket:[%" PRIu64 "]", inode) < 0)
                return -ENOMEM;
        if (root_list(root, "proc", &pids, &n) < 0)
                return 0;
        for (size_t i = 0; r == 0 && i < n; i++) {
                if (pids[i][strspn(pids[i], "0123456789")] != '\0' || !has_socket(root, pids[i], wanted))
                        continue;
                r = format(&path, "proc/%s/comm", pids[i]);
                if (r >= 0 && root_read(root, path, &command) >= 0)
                        r = format(ret, "%s (pid %s)", command, pids[i]) < 0 ? -ENOMEM : 1;
        }
        strings_free(pids, n);
        return r;
}

int port_use_describe(int root, const PortUse *use, char **ret) {
        const struct passwd *user = root_is_this_machine(root) ? getpwuid(use->uid) : NULL;
        int r = find_process(root, use->inode, ret);

        if (r != 0)
                return r < 0 ? r : 0;
        return user ? format(ret, "a process of %s", user->pw_name) : format(ret, "a process of user %u", use->uid);
}
