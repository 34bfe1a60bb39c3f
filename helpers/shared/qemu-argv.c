/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds QEMU's command line. Each part of the guest adds its own options; what QEMU does by itself is switched off
 * first (-nodefaults), so that the guest has what its file says and nothing else. */

#include <inttypes.h>

#include "qemu-audio.h"
#include "qemu-disks.h"
#include "qemu-display.h"
#include "qemu-firmware.h"
#include "qemu-memory.h"
#include "qemu-network.h"
#include "qemu-usb.h"

void qemu_facts_done(QemuFacts *facts) {
        firmware_done(&facts->firmware);
        guest_functions_done(&facts->functions);
        free(facts->nvram);
        free(facts->tpm);
        free(facts->uuid);
        free(facts->sockets);
        free(facts->links);
        free(facts->frames);
        audio_facts_done(&facts->audio);
}

/* One monitor is the supervisor's own. The other, which what is called by hand talks to, takes one caller at a time. */
static int add_monitors(Argv *a, const QemuFacts *facts) {
        _cleanup_(freep) char *sockets = argv_double_commas(facts->sockets);
        int r;

        if (!sockets)
                return -ENOMEM;
        r = argv_add(a, "-chardev", "socket,id=qmp,fd=%d", QEMU_QMP_FD);
        r = r < 0 ? r : argv_add(a, "-mon", "chardev=qmp,mode=control");
        r = r < 0 ? r : argv_add(a, "-chardev", "socket,id=monitor,path=%s/qmp,server=on,wait=off", sockets);
        return r < 0 ? r : argv_add(a, "-mon", "chardev=monitor,mode=control");
}

/* JACK's client makes each of its threads with the scheduling policy that threads have anyway, and does not go on when even
 * that is denied. What it allows besides, RestrictRealtime= of the unit and its control group confine. */
static bool may_schedule(const QemuFacts *facts) {
        return facts->audio.backend == AUDIO_JACK;
}

static int add_base(Argv *a, const Guest *g, const QemuFacts *facts) {
        int r;

        r = argv_add(a, "-name", "guest=%s,debug-threads=on", g->name);
        r = r < 0 ? r : argv_add_flag(a, "-nodefaults");
        r = r < 0 ? r : argv_add_flag(a, "-no-user-config");
        r = r < 0 ? r : argv_add(a, "-display", "none");
        /* Paused until the supervisor has looked. */
        r = r < 0 ? r : argv_add_flag(a, "-S");
        r = r < 0 ? r : argv_add(a, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=%s",
                may_schedule(facts) ? "allow" : "deny");
        return r < 0 ? r : add_monitors(a, facts);
}

/* Windows takes the hardware's clock for the time of day on the wall, and keeps its time by counting ticks of it: those that came
 * while the host was busy are made up for, by the clock at once, by the older timer later. Where there is a HPET it
 * would take that instead, of which none can be made up for, and which costs the host more. */
static int add_clocks(Argv *a, const Guest *g) {
        int r;

        if (g->os != GUEST_OS_WINDOWS)
                return 0;
        r = argv_add(a, "-rtc", "base=localtime,driftfix=slew");
        return r < 0 ? r : argv_add(a, "-global", "kvm-pit.lost_tick_policy=delay");
}

static int add_machine(Argv *a, const Guest *g, const QemuFacts *facts) {
        int r;

        r = argv_add(a, "-machine", "q35,accel=kvm,vmport=off,dump-guest-core=off,memory-backend=mem0%s%s%s",
                g->firmware == FIRMWARE_UEFI ? ",pflash0=code,pflash1=nvram" : "",
                facts->firmware.secure_boot ? ",smm=on" : "", g->os == GUEST_OS_WINDOWS ? ",hpet=off" : "");
        r = r < 0 ? r : qemu_cpus_add(a, g, &facts->cpus);
        return r < 0 ? r : add_clocks(a, g);
}

static int add_boot(Argv *a, const Guest *g, const QemuFacts *facts _unused_) {
        int r = 0;

        if (g->kernel)
                r = argv_add(a, "-kernel", "%s", g->kernel);
        if (r >= 0 && g->initrd)
                r = argv_add(a, "-initrd", "%s", g->initrd);
        if (r >= 0 && g->command_line)
                r = argv_add(a, "-append", "%s", g->command_line);
        return r;
}

/* Console and agent, as sockets that the guest's user, root and the group vxm can connect to. */
static int add_serial(Argv *a, const Guest *g _unused_, const QemuFacts *facts) {
        _cleanup_(freep) char *sockets = argv_double_commas(facts->sockets);
        int r;

        if (!sockets)
                return -ENOMEM;
        r = argv_add(a, "-chardev", "socket,id=console,path=%s/console,server=on,wait=off", sockets);
        r = r < 0 ? r : argv_add(a, "-device", "isa-serial,chardev=console");
        r = r < 0 ? r : argv_add(a, "-device", "virtio-serial-pci,id=serial");
        r = r < 0 ? r : argv_add(a, "-chardev", "socket,id=agent,path=%s/agent,server=on,wait=off", sockets);
        r = r < 0 ? r : argv_add(a, "-device", "virtserialport,bus=serial.0,chardev=agent,name=org.qemu.guest_agent.0");
        return r < 0 ? r : argv_add(a, "-device", "virtio-rng-pci");
}

/* A device and, for its own function, the option ROM that the guest file names. */
static int add_function(Argv *a, const GuestFunction *f, size_t port, unsigned function, bool multifunction) {
        const char *rom_file = f->named ? f->section->rom_file : NULL;
        _cleanup_(freep) char *rom = rom_file ? argv_double_commas(rom_file) : NULL;

        if (rom_file && !rom)
                return -ENOMEM;
        return argv_add(a, "-device", "vfio-pci,host=%s,bus=slot%zu,addr=0x0.0x%x%s%s%s", f->pci.name, port, function,
                multifunction ? ",multifunction=on" : "", rom ? ",romfile=" : "", rom ? rom : "");
}

/* Each card gets a root port of its own, and its functions the numbers they have on the host: drivers expect the sound
 * function beside the picture, and firmware finds no GPU on the root bus itself. Without a function 0 a guest finds none
 * of the others, so the first of a card is that. */
static int add_functions(Argv *a, const Guest *g _unused_, const QemuFacts *facts) {
        const GuestFunctions *functions = &facts->functions;
        size_t n_ports = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < functions->n; i++) {
                const GuestFunction *f = &functions->items[i];
                bool first = i == 0 || !pci_same_slot(functions->items[i - 1].pci.address, f->pci.address);
                bool more = i + 1 < functions->n && pci_same_slot(functions->items[i + 1].pci.address, f->pci.address);

                if (first) {
                        n_ports++;
                        r = argv_add(a, "-device", "pcie-root-port,id=slot%zu,chassis=%zu", n_ports, n_ports);
                }
                if (r >= 0)
                        r = add_function(a, f, n_ports, first ? 0 : f->pci.address.function, first && more);
        }
        return r;
}

/* How QEMU hears that the guest's system has panicked or hangs, and what it does then. Windows tells it by Hyper-V's interface. A
 * panic that is answered with a reset, and a watchdog with the guest's end, wait for the supervisor. */
static int add_policies(Argv *a, const Guest *g, const QemuFacts *facts _unused_) {
        static const char *const panic[] = { [GUEST_POLICY_NONE] = "none", [GUEST_POLICY_PAUSE] = "pause",
                [GUEST_POLICY_RESET] = "pause" };
        int r = 0;

        if (g->os == GUEST_OS_LINUX)
                r = argv_add(a, "-device", "pvpanic-pci");
        if (r >= 0 && g->watchdog != GUEST_POLICY_NONE)
                r = argv_add(a, "-device", "i6300esb,id=watchdog");
        if (r >= 0 && g->watchdog != GUEST_POLICY_NONE)
                r = argv_add(a, "-action", "watchdog=%s", g->watchdog == GUEST_POLICY_RESET ? "reset" : "pause");
        if (r >= 0 && g->on_panic != GUEST_POLICY_POWEROFF) /* which QEMU does by itself */
                r = argv_add(a, "-action", "panic=%s", panic[g->on_panic]);
        return r;
}

/* The parts of a command line, in their order. What comes later takes no PCI slot away from what comes before. */
static int (*const parts[])(Argv *a, const Guest *g, const QemuFacts *facts) = {
        add_base, add_machine, qemu_add_memory, qemu_add_uuid, qemu_add_firmware, qemu_add_tpm, add_boot, add_serial,
        qemu_add_disks, qemu_add_shares, qemu_add_networks, qemu_add_display,
        qemu_add_looking_glass, qemu_add_audio, qemu_add_usb, add_functions, add_policies,
};

int qemu_argv_build(const Guest *g, const QemuFacts *facts, const char *qemu, Argv *ret) {
        _cleanup_(argv_done) Argv a = {};
        int r;

        r = argv_add_flag(&a, qemu);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(parts); i++)
                r = parts[i](&a, g, facts);
        if (r < 0)
                return r;

        *ret = a;
        a = (Argv){};
        return 0;
}
