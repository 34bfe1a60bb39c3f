/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads option ROMs. They come from the internet more often than from the card, so nothing in them is believed. */

#include <fcntl.h>

#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "rom-file.h"
#include "root.h"

enum {
        ROM_FILE_MAX = 16 * 1024 * 1024,
        ROM_IMAGES_MAX = 32,
        ROM_UNIT = 512, /* bytes; images are measured in these */
        ROM_PCIR_POINTER = 0x18,
        ROM_PCIR_SIZE = 0x18,
        ROM_REVISION_LISTS = 3, /* from this revision of the PCI data structure on there may be a list of devices */
        ROM_LISTED_MAX = 256,   /* devices in it */
        ROM_CODE_EFI = 3,
        ROM_LAST_IMAGE = 0x80,
};

static uint16_t read16(const uint8_t *p) {
        return (uint16_t) (p[0] | p[1] << 8);
}

/* One image of the chain. */
typedef struct RomImage {
        uint16_t vendor, device;
        size_t size;
        uint8_t code_type;
        bool fits; /* it is for the device asked for */
        bool last;
} RomImage;

/* Whether the list of further devices that an image is for has this one: words that end with a zero, at an offset from the data
 * structure (PCI Firmware Specification 3.0, 5.1.2). */
static bool is_listed(const uint8_t *pcir, size_t size, uint16_t device) {
        size_t at = read16(pcir + 8);

        if (pcir[0x0c] < ROM_REVISION_LISTS || at == 0)
                return false;
        for (size_t n = 0; n < ROM_LISTED_MAX && at + 2 <= size; n++, at += 2) {
                uint16_t listed = read16(pcir + at);

                if (listed == 0 || listed == device)
                        return listed != 0;
        }
        return false;
}

/* Reads the image at the start of data. Returns 0, or -EBADMSG and the reason. */
static int read_image(const uint8_t *data, size_t size, uint16_t vendor, uint16_t device, const char **ret_reason,
        RomImage *ret) {
        const uint8_t *pcir;
        size_t at;

        if (size < ROM_PCIR_POINTER + 2 || read16(data) != 0xaa55)
                return *ret_reason = "does not begin with 0x55AA, so it is no option ROM", -EBADMSG;
        at = read16(data + ROM_PCIR_POINTER);
        if (at + ROM_PCIR_SIZE > size || memcmp(data + at, "PCIR", 4) != 0)
                return *ret_reason = "has no PCI data structure; it may be cut short", -EBADMSG;
        pcir = data + at;
        *ret = (RomImage){
                .vendor = read16(pcir + 4),
                .device = read16(pcir + 6),
                .size = (size_t) read16(pcir + 0x10) * ROM_UNIT,
                .code_type = pcir[0x14],
                .last = pcir[0x15] & ROM_LAST_IMAGE,
        };
        if (ret->size == 0 || ret->size > size)
                return *ret_reason = "is shorter than it says; it may be cut short", -EBADMSG;
        ret->fits = ret->vendor == vendor && (ret->device == device || is_listed(pcir, size - at, device));
        return 0;
}

int rom_check(const uint8_t *data, size_t size, uint16_t vendor, uint16_t device, bool want_efi, char **ret_reason) {
        const char *reason = NULL;
        bool efi = false, fits = false;
        RomImage image = {};

        for (size_t at = 0, n = 0; !image.last && n < ROM_IMAGES_MAX; at += image.size, n++) {
                int r = 0;

                if (at > 0 && at == size)
                        r = (reason = "ends before its last image; it may be cut short", -EBADMSG);
                else
                        r = read_image(data + at, size - at, vendor, device, &reason, &image);
                if (r < 0)
                        return free_and_strdup(ret_reason, reason) < 0 ? -ENOMEM : r;
                fits |= image.fits;
                efi |= image.fits && image.code_type == ROM_CODE_EFI;
        }
        if (!image.last)
                return free_and_strdup(ret_reason, "has too many images") < 0 ? -ENOMEM : -EBADMSG;
        if (!fits)
                return format(ret_reason, "is for device %04x:%04x, not for %04x:%04x", image.vendor, image.device, vendor,
                               device) < 0
                               ? -ENOMEM
                               : -EBADMSG;
        if (want_efi && !efi)
                return free_and_strdup(ret_reason, "has no image for UEFI; set [Firmware] Type=bios, or find a newer one") < 0
                               ? -ENOMEM
                               : -EBADMSG;
        return 0;
}

int rom_file_check(int root, const Guest *g, const PciFunction *f, const char *path) {
        _cleanup_(freep) char *data = NULL, *reason = NULL;
        _cleanup_(closep) int fd = root_openat(root, path + 1, O_RDONLY | O_NOCTTY | O_NONBLOCK);
        size_t size;
        int r;

        r = fd < 0 ? fd : read_full(fd, ROM_FILE_MAX, &data, &size);
        if (r < 0)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                        "%s: RomFile=%s cannot be read: %s; correct the path.", g->file, path, strerror(-r));
        r = rom_check((const uint8_t *) data, size, f->vendor, f->device, g->firmware == FIRMWARE_UEFI, &reason);
        if (r == -EBADMSG)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID,
                        FIELDS("CONFIG_FILE", g->file, "VXM_DEVICE", f->name),
                        "%s: RomFile=%s for %s %s; without RomFile= the guest uses the card's own.", g->file, path, f->name,
                        reason);
        return r < 0 ? log_oom() : 0;
}
