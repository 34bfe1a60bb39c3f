/* SPDX-License-Identifier: BSD-3-Clause */
/* Taps, by the ioctls of tun(4) (Documentation/networking/tuntap.rst) and netdevice(7). Netlink would want a
 * library, or more code, for the same four steps; and these go by any socket, so that the unit needs no address
 * family of networks. */

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "root.h"
#include "tap.h"

static int read_attribute(int root, const char *interface, const char *name, uint64_t *ret) {
        _cleanup_(freep) char *path = NULL;

        if (format(&path, "sys/class/net/%s/%s", interface, name) < 0)
                return -ENOMEM;
        return root_read_number(root, path, ret);
}

bool tap_exists(int root, const char *name) {
        _cleanup_(freep) char *path = NULL;

        return format(&path, "sys/class/net/%s", name) >= 0 && root_exists(root, path);
}

static bool is_port_of(int root, const char *tap, const char *bridge) {
        _cleanup_(freep) char *path = NULL, *master = NULL;

        return format(&path, "sys/class/net/%s/master", tap) >= 0 && root_readlink_name(root, path, &master) >= 0 &&
               streq(master, bridge);
}

bool tap_is_ready(int root, const NetTap *tap, uid_t owner) {
        uint64_t has_owner, flags;

        return read_attribute(root, tap->name, "owner", &has_owner) >= 0 && has_owner == owner &&
               read_attribute(root, tap->name, "flags", &flags) >= 0 && (flags & IFF_UP) != 0 &&
               is_port_of(root, tap->name, tap->bridge);
}

static struct ifreq request_for(const char *name) {
        struct ifreq request = {};

        memccpy(request.ifr_name, name, '\0', sizeof request.ifr_name);
        return request;
}

/* Attaches to the tap, which makes one that there is not. It is gone with the descriptor, unless it is persistent. */
static int attach(const char *name) {
        struct ifreq request = request_for(name);
        _cleanup_(closep) int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NOCTTY);

        request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
        if (fd < 0)
                return -errno;
        if (ioctl(fd, TUNSETIFF, &request) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int set_mac(int fd, const NetTap *tap) {
        struct ifreq request = request_for(tap->name);
        unsigned byte[6];
        int n;

        n = sscanf(tap->mac, "%2x:%2x:%2x:%2x:%2x:%2x", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5]);
        if (n != (int) ELEMENTSOF(byte))
                return -EINVAL;
        request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
        for (size_t i = 0; i < ELEMENTSOF(byte); i++)
                request.ifr_hwaddr.sa_data[i] = (char) byte[i];
        return ioctl(fd, SIOCSIFHWADDR, &request) < 0 ? -errno : 0;
}

/* A bridge shrinks to the smallest of its ports. */
static int set_mtu(int root, int fd, const NetTap *tap) {
        struct ifreq request = request_for(tap->name);
        uint64_t mtu;
        int r;

        r = read_attribute(root, tap->bridge, "mtu", &mtu);
        if (r < 0)
                return r;
        request.ifr_mtu = (int) mtu;
        return ioctl(fd, SIOCSIFMTU, &request) < 0 ? -errno : 0;
}

static int join(int root, int fd, const NetTap *tap) {
        struct ifreq request = request_for(tap->bridge);
        uint64_t index;
        int r;

        if (is_port_of(root, tap->name, tap->bridge))
                return 0;
        r = read_attribute(root, tap->name, "ifindex", &index);
        if (r < 0)
                return r;
        request.ifr_ifindex = (int) index;
        return ioctl(fd, SIOCBRADDIF, &request) < 0 ? -errno : 0;
}

static int bring_up(int fd, const NetTap *tap) {
        struct ifreq request = request_for(tap->name);

        if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return -errno;
        request.ifr_flags |= IFF_UP;
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static int own(int tap_fd, uid_t owner) {
        if (ioctl(tap_fd, TUNSETOWNER, (unsigned long) owner) < 0 || ioctl(tap_fd, TUNSETPERSIST, 1UL) < 0)
                return -errno;
        return 0;
}

/* Up comes last: before, it is not in the bridge, and the host would see it as a network of its own. */
int tap_make(int root, const NetTap *tap, uid_t owner, const char **ret_step) {
        _cleanup_(closep) int fd = -EBADF, tap_fd = -EBADF;
        int r;

        *ret_step = "be made";
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        tap_fd = attach(tap->name);
        if (tap_fd < 0)
                return tap_fd;
        r = own(tap_fd, owner);
        if (r < 0)
                return r;
        *ret_step = "get its address";
        r = set_mac(fd, tap);
        if (r < 0)
                return r;
        *ret_step = "get the bridge's MTU";
        r = set_mtu(root, fd, tap);
        if (r < 0)
                return r;
        *ret_step = "become a port of the bridge";
        r = join(root, fd, tap);
        if (r < 0)
                return r;
        *ret_step = "be brought up";
        return bring_up(fd, tap);
}

int tap_remove(int root, const char *name) {
        _cleanup_(closep) int fd = -EBADF;

        if (!tap_exists(root, name))
                return 0;
        fd = attach(name);
        if (fd < 0)
                return fd;
        return ioctl(fd, TUNSETPERSIST, 0UL) < 0 ? -errno : 0;
}
