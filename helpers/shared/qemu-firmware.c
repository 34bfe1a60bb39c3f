/* SPDX-License-Identifier: BSD-3-Clause */
/* Firmware, TPM and identity on QEMU's command line. */

#include <inttypes.h>

#include "qemu-firmware.h"

#define GIB (UINT64_C(1) << 30)

/* What every OVMF opens for 64-bit BARs by itself (PcdPciMmio64Size in edk2's OvmfPkg*.dsc). From edk2-stable202211 on
 * it takes an eighth of what the processor can address where it knows that, and what it is told is only the least
 * (PlatformDynamicMmioWindow() in OvmfPkg/Library/PlatformInitLib/MemDetect.c). So telling it what the devices need
 * never makes the window smaller, and is left out where any OVMF has enough. */
#define MMIO64_OF_OVMF (32 * GIB)
/* Of the window, for QEMU's own devices and the ranges of its root ports. */
#define MMIO64_OF_QEMU GIB

uint64_t qemu_mmio64_mib(const Guest *g, uint64_t needed) {
        uint64_t size = 1;

        if (g->firmware != FIRMWARE_UEFI || g->mmio64 == MMIO64_NO)
                return 0;
        if (g->mmio64 != MMIO64_AUTO)
                return g->mmio64 >> 20;
        if (needed > 8 * 1024 * GIB) /* more than it can be told, rounded up */
                return 0;
        while (size < needed + MMIO64_OF_QEMU)
                size <<= 1;
        return size > MMIO64_OF_OVMF ? size >> 20 : 0;
}

static int add_flash(Argv *a, const Firmware *f, const char *code, const char *nvram) {
        int r;

        r = argv_add(a, "-blockdev", "driver=file,node-name=code-file,filename=%s,read-only=on,auto-read-only=off",
                code);
        r = r < 0 ? r : argv_add(a, "-blockdev", "driver=%s,node-name=code,file=code-file,read-only=on", f->format);
        r = r < 0 ? r : argv_add(a, "-blockdev", "driver=file,node-name=nvram-file,filename=%s", nvram);
        return r < 0 ? r : argv_add(a, "-blockdev", "driver=%s,node-name=nvram,file=nvram-file", f->format);
}

int qemu_add_firmware(Argv *a, const Guest *g, const QemuFacts *facts) {
        const Firmware *f = &facts->firmware;
        _cleanup_(freep) char *code = NULL, *nvram = NULL;
        int r;

        if (g->firmware != FIRMWARE_UEFI)
                return 0;
        code = argv_double_commas(f->code);
        nvram = argv_double_commas(facts->nvram);
        if (!code || !nvram)
                return -ENOMEM;

        r = add_flash(a, f, code, nvram);
        /* Variables are written in SMM only (edk2, OvmfPkg/README, SMM_REQUIRE); the machine has it by smm=on. */
        if (r >= 0 && f->secure_boot)
                r = argv_add(a, "-global", "driver=cfi.pflash01,property=secure,value=on");
        /* 64-bit firmware that cannot resume with SMM stops at once where suspend to RAM is offered (same README). */
        if (r >= 0 && f->secure_boot && !f->s3)
                r = argv_add(a, "-global", "driver=ICH9-LPC,property=disable_s3,value=1");
        if (r >= 0 && facts->mmio64_mib > 0)
                r = argv_add(a, "-fw_cfg", "name=opt/ovmf/X-PciMmio64Mb,string=%" PRIu64, facts->mmio64_mib);
        return r;
}

/* The command response buffer is what TPM 2.0 has in PCs, and what Windows 11 wants. */
int qemu_add_tpm(Argv *a, const Guest *g, const QemuFacts *facts) {
        _cleanup_(freep) char *path = NULL;
        int r;

        if (!g->tpm)
                return 0;
        path = argv_double_commas(facts->tpm);
        if (!path)
                return -ENOMEM;
        r = argv_add(a, "-chardev", "socket,id=tpm,path=%s", path);
        r = r < 0 ? r : argv_add(a, "-tpmdev", "emulator,id=tpm0,chardev=tpm");
        return r < 0 ? r : argv_add(a, "-device", "tpm-crb,tpmdev=tpm0");
}

int qemu_add_uuid(Argv *a, const Guest *g _unused_, const QemuFacts *facts) {
        return facts->uuid ? argv_add(a, "-uuid", "%s", facts->uuid) : 0;
}
