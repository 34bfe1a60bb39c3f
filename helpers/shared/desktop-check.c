/* SPDX-License-Identifier: BSD-3-Clause */
/* Judges sound and frames before the guest starts. */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "conf.h"
#include "desktop-check.h"
#include "exit-status.h"
#include "frames-record.h"
#include "guest-desktop.h"
#include "guest-user.h"
#include "log.h"
#include "messages.h"
#include "root.h"

void audio_facts_done(AudioFacts *facts) {
        free(facts->pulse);
}

/* ---- QEMU ---- */

int qemu_has_module(int root, const char *module) {
        /* Where QEMU looks for its modules, by distribution. */
        static const char *const directories[] = { "usr/lib/x86_64-linux-gnu/qemu", "usr/lib64/qemu", "usr/lib/qemu" };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_(freep) char *path = NULL;

                if (!root_exists(root, directories[i]))
                        continue;
                if (format(&path, "%s/%s.so", directories[i], module) < 0)
                        return -ENOMEM;
                return root_exists(root, path);
        }
        return 1;
}

/* The modules of a version of QEMU know what it can play by; PipeWire came with 8.1. */
static int check_module(int root, const Guest *g, AudioBackend backend) {
        static const char *const modules[] = { [AUDIO_PIPEWIRE] = "audio-pipewire", [AUDIO_PULSEAUDIO] = "audio-pa",
                [AUDIO_JACK] = "audio-jack", [AUDIO_ALSA] = "audio-alsa", [AUDIO_SPICE] = "audio-spice" };
        int r = qemu_has_module(root, modules[backend]);

        if (r < 0)
                return log_oom();
        if (r > 0)
                return 0;
        return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, FIELDS("CONFIG_FILE", g->file),
                "%s: [Audio] Backend=%s needs QEMU's module %s, which is missing; install it (Debian: %s)%s.", g->file,
                audio_backend_name(backend), modules[backend],
                backend == AUDIO_SPICE ? "qemu-system-modules-spice" : "qemu-system-gui",
                backend == AUDIO_PIPEWIRE ? ", or choose pulseaudio, if this QEMU is older than 8.1: PipeWire serves that, too" : "");
}

/* Emulated hardware is in QEMU itself, by its name. The file is mapped and looked through, which takes some milliseconds, as
 * asking QEMU would take a process and a hundred. */
static int has_device(int root, const char *qemu, const char *device) {
        _cleanup_(closep) int fd = root_openat(root, qemu + 1, O_RDONLY);
        struct stat st;
        void *map;
        bool found;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size == 0)
                return 1; /* of a machine that has only been written down */
        map = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
                return -errno;
        found = memmem(map, (size_t) st.st_size, device, strlen(device) + 1);
        (void) munmap(map, (size_t) st.st_size);
        return found;
}

static int check_model(int root, const Guest *g, const char *qemu) {
        int r = g->audio.model == AUDIO_VIRTIO ? has_device(root, qemu, "virtio-sound-pci") : 1;

        if (r < 0)
                return log_error_errno(r, "Cannot look into %s: %s.", qemu, strerror(-r));
        return r > 0 ? 0
                     : log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, FIELDS("CONFIG_FILE", g->file),
                               "%s: [Audio] Model=virtio-sound needs QEMU 8.2 or newer, and %s has no such device; choose "
                               "ich9-intel-hda.",
                               g->file, qemu);
}

/* ---- the user's session ---- */

/* In the guest's unit there is only what the generator has let in, by /etc/passwd. */
static int refuse_session(int root, const Guest *g, uid_t uid, const char *what) {
        const char *in_unit = root_is_this_machine(root) ? getenv("RUNTIME_DIRECTORY") : NULL;
        uid_t local;

        if (in_unit && guest_user_look_up(root, g->user, true, &local) < 0)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, FIELDS("CONFIG_FILE", g->file),
                        "%s: [Audio] Backend=%s: %s is not in /etc/passwd, by which the guest is let into the user's session; "
                        "choose spice.",
                        g->file, audio_backend_name(g->audio.backend), g->user);
        return log_event_errno(E_LACKS, MESSAGE_SESSION_MISSING, FIELDS("CONFIG_FILE", g->file),
                "%s: [Audio] Backend=%s: %s has no session with %s in /run/user/%u; log in as that user, or run "
                "loginctl enable-linger %s for a session that is there from boot on.",
                g->file, audio_backend_name(g->audio.backend), g->user, what, uid, g->user);
}

/* PulseAudio's own name for what PipeWire serves as well. */
static int find_pulse(int root, uid_t uid, AudioFacts *ret) {
        return guest_user_session(root, uid, "pulse/native", &ret->pulse);
}

static int has_pipewire(int root, uid_t uid) {
        return guest_user_session(root, uid, "pipewire-0", NULL);
}

/* What is there and QEMU has a module for, the best first. */
static int choose(int root, const Guest *g, uid_t uid, AudioFacts *ret) {
        int r = has_pipewire(root, uid);

        if (r > 0 && qemu_has_module(root, "audio-pipewire") > 0)
                return ret->backend = AUDIO_PIPEWIRE, 0;
        r = r < 0 ? r : find_pulse(root, uid, ret);
        /* Without another way out the missing module is what is told. */
        if (r > 0 && (g->spice == DISPLAY_NO || qemu_has_module(root, "audio-pa") > 0))
                return ret->backend = AUDIO_PULSEAUDIO, 0;
        if (r < 0 || g->spice == DISPLAY_NO)
                return r < 0 ? r : refuse_session(root, g, uid, "PipeWire or PulseAudio");
        return ret->backend = AUDIO_SPICE, 0;
}

/* A JACK server tells of itself in /dev/shm only; QEMU says when there is none. */
static int find_in_session(int root, const Guest *g, AudioFacts *ret) {
        uid_t uid;
        int r;

        r = guest_user_look_up(root, g->user, false, &uid);
        if (r < 0)
                return log_error_errno(r, "Cannot ask who %s is: %s.", g->user, strerror(-r));
        switch (g->audio.backend) {
        case AUDIO_AUTO:
                return choose(root, g, uid, ret);
        case AUDIO_PIPEWIRE:
                r = has_pipewire(root, uid);
                return r != 0 ? r : refuse_session(root, g, uid, "PipeWire");
        case AUDIO_PULSEAUDIO:
                r = find_pulse(root, uid, ret);
                return r != 0 ? r : refuse_session(root, g, uid, "PulseAudio, nor PipeWire in its place (pipewire-pulse),");
        default:
                return 0;
        }
}

static int check_alsa(int root, const Guest *g) {
        if (root_exists(root, "dev/snd"))
                return 0;
        return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, FIELDS("CONFIG_FILE", g->file),
                "%s: [Audio] Backend=alsa: there is no sound card, /dev/snd is missing; choose another Backend=.", g->file);
}

int audio_find(int root, const Guest *g, const char *qemu, AudioFacts *ret) {
        _cleanup_(audio_facts_done) AudioFacts facts = { .backend = g->audio.backend };
        int r;

        if (g->audio.backend == AUDIO_NONE)
                return 0;
        r = check_model(root, g, qemu);
        if (r >= 0 && guest_plays_in_session(g))
                r = find_in_session(root, g, &facts);
        else if (r >= 0 && g->audio.backend == AUDIO_ALSA)
                r = check_alsa(root, g);
        else if (g->audio.backend == AUDIO_AUTO)
                facts.backend = AUDIO_SPICE;
        r = r < 0 ? r : check_module(root, g, facts.backend);
        if (r < 0)
                return r;
        *ret = facts;
        facts = (AudioFacts){};
        return 0;
}

/* ---- frames ---- */

/* A restart of the guest's unit alone leaves what vxm-frames has made as it is. */
static int check_made(const Guest *g, const Frames *frames) {
        if (frames->size == g->looking_glass)
                return 0;
        return conf_log(LOG_ERR, g->file, 0,
                "[Display] LookingGlass= has changed since the memory for frames was made; run systemctl stop vxm-guest@%s, then "
                "start it again.",
                g->name);
}

static int read_credential(int root, const Guest *g, char **ret) {
        const char *directory = root_is_this_machine(root) ? getenv("CREDENTIALS_DIRECTORY") : NULL;
        _cleanup_(freep) char *path = NULL, *text = NULL;
        _cleanup_(frames_done) Frames frames = {};
        int r;

        if (!directory || directory[0] != '/')
                return -ENOENT;
        r = format(&path, "%s/" FRAMES_CREDENTIAL, directory + 1);
        r = r < 0 ? r : root_read(root, path, &text);
        r = r < 0 ? r : frames_record_parse(text, &frames);
        if (r == -ENOENT)
                return r;
        if (r < 0)
                return log_error_errno(r, "Cannot read what vxm-frames has left in /%s: %s.", path ? path : "", strerror(-r));
        r = check_made(g, &frames);
        if (r >= 0)
                *ret = TAKE_PTR(frames.path);
        return r;
}

int looking_glass_find(int root, const Guest *g, bool in_unit, char **ret) {
        int r = 0;

        if (g->looking_glass == 0)
                return 0;
        if (g->looking_glass_user)
                r = guest_user_judge_person(root, g, "[Display] LookingGlassUser", g->looking_glass_user);
        r = r < 0 ? r : read_credential(root, g, ret);
        if (r != -ENOENT)
                return r;
        if (in_unit)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Display] LookingGlass= is set, but the guest's unit does not know of it yet; run systemctl "
                        "daemon-reload, then start the guest again.");
        return format(ret, FRAMES_DIRECTORY "/%s", g->name) < 0 ? log_oom() : 0;
}
