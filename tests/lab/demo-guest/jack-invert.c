/* SPDX-License-Identifier: BSD-3-Clause */
/* What the demo guest does with sound: what it captures is played back, each sample times minus one half, which a float
 * holds exactly. Tells what it found once, then goes on until its server ends. When that finds its host's end anew, its ports
 * are new ones, and connected to nothing. */

#include <stdio.h>
#include <unistd.h>

#include "jack-api.h"

static jack_port *input, *output;

static int process(uint32_t n, void *userdata) {
        const float *in = jack_port_get_buffer(input, n);
        float *out = jack_port_get_buffer(output, n);

        (void) userdata;
        for (uint32_t i = 0; i < n; i++)
                out[i] = in[i] * -0.5f;
        return 0;
}

static void ended(void *userdata) {
        (void) userdata;
        _exit(1);
}

static unsigned count(const char **ports) {
        unsigned n = 0;

        while (ports && ports[n])
                n++;
        return n;
}

int main(void) {
        jack_client *client = jack_client_open("invert", JACK_NO_START_SERVER, NULL);
        const char **capture, **playback;

        if (!client)
                return 1;
        input = jack_port_register(client, "in", JACK_AUDIO, JACK_PORT_IS_INPUT, 0);
        output = jack_port_register(client, "out", JACK_AUDIO, JACK_PORT_IS_OUTPUT, 0);
        jack_set_process_callback(client, process, NULL);
        jack_on_shutdown(client, ended, NULL);
        if (!input || !output || jack_activate(client) != 0)
                return 1;
        capture = jack_get_ports(client, NULL, JACK_AUDIO, JACK_PORT_IS_PHYSICAL | JACK_PORT_IS_OUTPUT);
        playback = jack_get_ports(client, NULL, JACK_AUDIO, JACK_PORT_IS_PHYSICAL | JACK_PORT_IS_INPUT);
        if (count(capture) == 0 || count(playback) == 0)
                return 1;
        printf("jack: rate %u period %u capture %u playback %u\n", jack_get_sample_rate(client), jack_get_buffer_size(client),
                count(capture), count(playback));
        fflush(stdout);
        for (;;) {
                (void) jack_connect(client, capture[0], jack_port_name(input));
                (void) jack_connect(client, jack_port_name(output), playback[0]);
                sleep(1);
        }
}
