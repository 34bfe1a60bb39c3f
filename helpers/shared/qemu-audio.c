/* SPDX-License-Identifier: BSD-3-Clause */
/* The sound card that a guest sees, and where QEMU plays what it hears (qemu(1), -audiodev). */

#include <inttypes.h>

#include "qemu-audio.h"

/* The options of -audiodev that follow its name and id, as text to be freed. device: with commas doubled; NULL: none. */
static int session_options(const Guest *g, const char *device, const char *server, char **ret) {
        const uint64_t latency = g->audio.latency;
        int r = format(ret, "%s%s,out.stream-name=%s,in.stream-name=%s", server ? ",server=unix:" : "", server ? server : "",
                g->name, g->name);

        if (r >= 0 && device)
                r = list_append(ret, "", ",out.name=%s", device);
        if (r >= 0 && latency > 0)
                r = list_append(ret, "", ",out.latency=%" PRIu64 ",in.latency=%" PRIu64, latency, latency);
        return r;
}

/* Without a pattern of ports QEMU's would be connected to none; “system” is what a JACK server calls its sound card. */
static int jack_options(const char *device, char **ret) {
        return format(ret, ",out.connect-ports=%s,in.connect-ports=%s", device ? device : "system:.*",
                device ? device : "system:.*");
}

static int alsa_options(const Guest *g, const char *device, char **ret) {
        const uint64_t latency = g->audio.latency;
        int r = 0;

        if (device)
                r = format(ret, ",out.dev=%s,in.dev=%s", device, device);
        if (r >= 0 && latency > 0)
                r = list_append(ret, "", ",out.buffer-length=%" PRIu64 ",in.buffer-length=%" PRIu64, latency, latency);
        return r;
}

static int add_backend(Argv *a, const Guest *g, const AudioFacts *facts) {
        /* As QEMU calls them. */
        static const char *const drivers[] = { [AUDIO_PIPEWIRE] = "pipewire", [AUDIO_PULSEAUDIO] = "pa", [AUDIO_JACK] = "jack",
                [AUDIO_ALSA] = "alsa", [AUDIO_SPICE] = "spice" };
        _cleanup_(freep) char *device = g->audio.device ? argv_double_commas(g->audio.device) : NULL, *options = NULL;
        int r = 0;

        if (g->audio.device && !device)
                return -ENOMEM;
        if (facts->backend == AUDIO_PIPEWIRE || facts->backend == AUDIO_PULSEAUDIO)
                r = session_options(g, device, facts->pulse, &options);
        else if (facts->backend == AUDIO_JACK)
                r = jack_options(device, &options);
        else if (facts->backend == AUDIO_ALSA)
                r = alsa_options(g, device, &options);
        return r < 0 ? r : argv_add(a, "-audiodev", "%s,id=audio%s", drivers[facts->backend], options ? options : "");
}

/* Without a microphone the card has no input at all, so that the guest cannot even ask for one. */
static int add_card(Argv *a, const GuestAudio *audio) {
        int r;

        switch (audio->model) {
        case AUDIO_USB:
                r = argv_add(a, "-device", "qemu-xhci,id=audio-usb");
                return r < 0 ? r : argv_add(a, "-device", "usb-audio,bus=audio-usb.0,audiodev=audio");
        case AUDIO_VIRTIO:
                return argv_add(a, "-device", "virtio-sound-pci,audiodev=audio,streams=%d", audio->microphone ? 2 : 1);
        case AUDIO_HDA:
        default:
                r = argv_add(a, "-device", "ich9-intel-hda,id=sound");
                return r < 0 ? r : argv_add(a, "-device", "%s,bus=sound.0,audiodev=audio",
                                           audio->microphone ? "hda-micro" : "hda-output");
        }
}

int qemu_add_audio(Argv *a, const Guest *g, const QemuFacts *facts) {
        int r;

        if (g->audio.backend == AUDIO_NONE)
                return 0;
        r = add_backend(a, g, &facts->audio);
        return r < 0 ? r : add_card(a, &g->audio);
}
