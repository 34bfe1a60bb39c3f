/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which PCI functions a guest gets, and whether it may have them: what its file names, with what has to come along. */

#include "device-resolve.h"
#include "display.h"
#include "guest.h"

/* A function that a guest gets. */
typedef struct GuestFunction {
        PciFunction pci;
        const GuestDevices *section; /* of the guest file, by which it comes */
        bool named;                  /* a Device= means this one; the others come along */
} GuestFunction;

typedef struct GuestFunctions {
        GuestFunction *items; /* functions of a slot together and ascending */
        size_t n;
} GuestFunctions;

/* Looks the guest's devices up below root and judges each; what may not be given is refused with the reason and the next
 * step. A card that [GPU] names comes with all functions of its slot, as far as the host can spare them; whatever is
 * named comes with its IOMMU group. *ret lives no longer than g.
 * Returns 0; -E_CONFIG: the guest file asks for what it cannot have; -E_LACKS: the IOMMU is off, or does not part a
 * device from what the host needs; -E_BUSY: its virtual functions are on; -errno. */
int guest_devices_find(int root, const Guest *g, GuestFunctions *ret);

/* The same once vxm-bind has taken them: those of the guest's devices that vfio-pci has. Judges nothing, as the guest's
 * own user cannot see what the host uses. -E_CONFIG when one that is named has not been taken. */
int guest_devices_bound(int root, const Guest *g, GuestFunctions *ret);

/* What a guest would get whose file named this GPU and nothing else, refusing nothing: the GPU first, section is NULL. *ret_loss
 * names what of all that the host cannot spare; NULL: nothing. That the machine may boot on the GPU itself does not count.
 * Returns 0 or -errno, logged. */
int guest_devices_of_gpu(DeviceFacts *facts, const PciFunction *gpu, GuestFunctions *ret, char **ret_loss);

/* What the host shows by these functions, of all at once: whether a console is left depends on all that go. Returns 0 or
 * -errno, logged. */
int guest_console_read(int root, const GuestFunctions *functions, HostConsole *ret);

/* The function that one Device= means. Returns as guest_devices_find(). */
int guest_device_resolve(int root, const Guest *g, const GuestDevices *section, const DeviceSpec *spec, PciFunction *ret);

/* Whether the guest asks for a device at boot (Binding=static). */
bool guest_wants_static(const Guest *g);

/* The same of its GPUs alone. */
bool guest_wants_static_gpu(const Guest *g);

/* All functions that any guest file wants bound at boot. A guest whose file is wrong or whose devices are refused is left out,
 * and said; *ret_refused is then the first such error, else 0. Returns 0 or -errno, logged. */
int guest_devices_find_static(int root, PciFunctions *ret, int *ret_refused);

void guest_functions_done(GuestFunctions *l);
