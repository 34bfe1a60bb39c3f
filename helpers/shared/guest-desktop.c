/* SPDX-License-Identifier: BSD-3-Clause */
/* Contradictions in what a guest's desktop is to be: frames for Looking Glass, sound, and whose they are. */

#include "conf.h"
#include "guest-desktop.h"
#include "log.h"

const char *audio_backend_name(AudioBackend backend) {
        static const char *const names[] = { [AUDIO_NONE] = "none", [AUDIO_AUTO] = "auto", [AUDIO_PIPEWIRE] = "pipewire",
                [AUDIO_PULSEAUDIO] = "pulseaudio", [AUDIO_JACK] = "jack", [AUDIO_ALSA] = "alsa", [AUDIO_SPICE] = "spice" };

        return names[backend];
}

static int verify_looking_glass(const Guest *g) {
        if (g->looking_glass == 0 && g->looking_glass_user)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Display] LookingGlassUser= is set, but not LookingGlass=; set it to the guest's resolution.");
        if (g->looking_glass == 0)
                return 0;
        if (!guest_has_named_user(g) && !g->looking_glass_user)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Display] LookingGlass= is set, and nobody who may look; set LookingGlassUser= to a user of this "
                        "machine, or [Guest] User=.");
        /* That user's group may have others in it, so there is no way to let just two users at the frames. */
        if (guest_has_named_user(g) && g->looking_glass_user && !streq(g->looking_glass_user, g->user))
                return conf_log(LOG_ERR, g->file, 0,
                        "[Display] LookingGlassUser=%s is set, and [Guest] User=%s, who has the frames already; remove one.",
                        g->looking_glass_user, g->user);
        return 0;
}

static int verify_display(const Guest *g) {
        if (g->display_model != DISPLAY_NONE)
                return 0;
        if (g->spice == DISPLAY_NO || g->vnc != DISPLAY_NO)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Display] Model=none leaves keyboard and mouse by SPICE, but %s; correct one of them.",
                        g->vnc != DISPLAY_NO ? "VNC= is set" : "SPICE= is not set");
        return 0;
}

static bool has_latency(AudioBackend backend) {
        return backend == AUDIO_AUTO || backend == AUDIO_PIPEWIRE || backend == AUDIO_PULSEAUDIO || backend == AUDIO_ALSA;
}

/* A key that says something of sound when there is none, or when the backend has no such thing. */
static const char *superfluous_key(const GuestAudio *a) {
        bool off = a->backend == AUDIO_NONE;

        if (a->device && (off || a->backend == AUDIO_SPICE || a->backend == AUDIO_AUTO))
                return "Device";
        if (a->latency > 0 && !has_latency(a->backend))
                return "Latency";
        return off && a->microphone ? "Microphone" : NULL;
}

static int verify_audio(const Guest *g) {
        const GuestAudio *a = &g->audio;
        const char *backend = audio_backend_name(a->backend), *key = superfluous_key(a);
        bool in_session = a->backend == AUDIO_PIPEWIRE || a->backend == AUDIO_PULSEAUDIO || a->backend == AUDIO_JACK;

        if (key)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Audio] %s= is set, which Backend=%s has no use for; remove it, or choose another Backend=.", key,
                        backend);
        if (in_session && !guest_has_named_user(g))
                return conf_log(LOG_ERR, g->file, 0,
                        "[Audio] Backend=%s plays in the session of the user that the guest runs as; set [Guest] User= to that "
                        "user.",
                        backend);
        if (a->backend == AUDIO_SPICE && g->spice == DISPLAY_NO)
                return conf_log(LOG_ERR, g->file, 0, "[Audio] Backend=spice is set, but not [Display] SPICE=; set it to yes.");
        if (a->backend == AUDIO_AUTO && !guest_has_named_user(g) && g->spice == DISPLAY_NO)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Audio] Backend=auto is set, and neither [Guest] User=, in whose session the guest could be heard, nor "
                        "[Display] SPICE=; set one of them.");
        if (a->microphone && a->model == AUDIO_USB)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Audio] Microphone=yes is set, and Model=usb-audio, which has none; choose another Model=.");
        return 0;
}

int guest_desktop_verify(const Guest *g) {
        int r = verify_display(g);

        r = r < 0 ? r : verify_looking_glass(g);
        return r < 0 ? r : verify_audio(g);
}
