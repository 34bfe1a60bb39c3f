/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions about the machine, for vxm-bind --check and vxm doctor. */

#include "exit-status.h"
#include "host-check.h"
#include "log.h"
#include "module.h"
#include "pci.h"
#include "root.h"

int host_check_argument(int root, char **ret_text) {
        _cleanup_(freep) char *text = NULL;
        char *state;

        if (root_read(root, "proc/cmdline", &text) < 0)
                return -ENODATA;
        for (char *word = strtok_r(text, " ", &state); word; word = strtok_r(NULL, " ", &state))
                if (streq(word, "vxm=off"))
                        return log_error_errno(E_CONFIG, "The machine was booted with vxm=off, so no guest starts; boot without it.");
        return free_and_strdup(ret_text, "no vxm=off");
}

/* How an argument gets onto the kernel's command line here, going by the boot loader's own files: kernel-command-line(7). */
static const char *how_to_boot_with(int root) {
        static const struct {
                const char *file, *how;
        } loaders[] = {
                { "usr/sbin/grubby", "`grubby --update-kernel=ALL --args=…`" },
                { "usr/sbin/update-grub", "in GRUB_CMDLINE_LINUX_DEFAULT= of /etc/default/grub, then `update-grub`" },
                { "etc/default/grub", "in GRUB_CMDLINE_LINUX_DEFAULT= of /etc/default/grub, then `grub-mkconfig -o /boot/grub/grub.cfg`" },
                { "etc/kernel/cmdline", "in /etc/kernel/cmdline, then `kernel-install add-all`" },
        };

        for (size_t i = 0; i < ELEMENTSOF(loaders); i++)
                if (root_exists(root, loaders[i].file))
                        return loaders[i].how;
        return "where your boot loader has the kernel's command line";
}

/* The argument that the processor needs; AMD's IOMMU is on without one. */
static int refuse_iommu(int root) {
        _cleanup_(freep) char *cpu = NULL, *arguments = NULL;
        bool intel;

        (void) root_read(root, "proc/cpuinfo", &cpu);
        (void) root_read(root, "proc/cmdline", &arguments);
        intel = cpu && strstr(cpu, "GenuineIntel");
        if (intel && arguments && !strstr(arguments, "intel_iommu=on"))
                return log_error_errno(E_LACKS, "The IOMMU is off; boot with intel_iommu=on (%s), and if that does not help, turn on VT-d "
                                                "in the firmware setup.",
                        how_to_boot_with(root));
        return log_error_errno(E_LACKS, "The IOMMU is off; turn on %s in the firmware setup.", intel ? "VT-d" : "AMD-Vi or VT-d");
}

int host_check_iommu(int root, char **ret_text) {
        char **names = NULL;
        size_t n = 0;
        int r;

        if (!pci_iommu_is_on(root))
                return refuse_iommu(root);
        r = root_list(root, "sys/kernel/iommu_groups", &names, &n);
        strings_free(names, n);
        return r < 0 ? r : format(ret_text, "on, %zu groups", n);
}

int host_check_module(int root, bool is_this_machine, FindingVerdict *verdict, char **ret_text) {
        int r;

        if (root_exists(root, "sys/bus/pci/drivers/" VFIO_DRIVER))
                return free_and_strdup(ret_text, VFIO_DRIVER " is loaded");
        if (!is_this_machine) {
                *verdict = FINDING_NOTE;
                return free_and_strdup(ret_text, VFIO_DRIVER " is not loaded; whether the kernel has it cannot be told from here");
        }
        r = module_exists(VFIO_DRIVER);
        if (r == 0)
                return log_error_errno(E_LACKS, "The running kernel has no module " VFIO_DRIVER "; boot a kernel built with CONFIG_VFIO_PCI.");
        return r < 0 ? log_error_errno(r, "Cannot look for " VFIO_DRIVER ": %s.", strerror(-r))
                     : free_and_strdup(ret_text, VFIO_DRIVER " can be loaded");
}
