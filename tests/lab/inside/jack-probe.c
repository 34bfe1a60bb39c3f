/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends noise that tells its place to the guest's first channel, and looks at what comes back, which jack-invert.c makes of
 * it. Waits for the guest's ports, then until PERIODS periods have come back right, and ends with 0; with 1 after SECONDS.
 *
 *     jack-probe PERIODS SECONDS
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../demo-guest/jack-api.h"

enum { DELAY_MAX = 64 }; /* periods */

static jack_port *input, *output;
static volatile unsigned wanted, right, wrong, silent, delay;

/* Of each frame since the beginning another one, and none is 0. */
static float noise(uint64_t frame) {
        uint32_t x = (uint32_t) frame * UINT32_C(2654435761);

        x ^= x >> 15;
        x *= UINT32_C(2246822519);
        return ((x >> 12) + 1) / 2097152.0f;
}

static int came_back(const float *in, uint32_t n, uint64_t period, unsigned late) {
        for (uint32_t i = 0; i < n; i++)
                if (in[i] != noise((period - late) * n + i) * -0.5f)
                        return 0;
        return 1;
}

static int process(uint32_t n, void *userdata) {
        static uint64_t period;
        const float *in = jack_port_get_buffer(input, n);
        float *out = jack_port_get_buffer(output, n);
        unsigned late = 0;

        (void) userdata;
        for (uint32_t i = 0; i < n; i++)
                out[i] = noise(period * n + i);
        if (in[0] == 0 && in[n - 1] == 0)
                silent++;
        else {
                for (late = 1; late < DELAY_MAX && late <= period && !came_back(in, n, period, late); late++)
                        ;
                if (late < DELAY_MAX && late <= period) {
                        right++;
                        delay = late;
                } else
                        wrong++;
        }
        period++;
        return 0;
}

static const char *find(jack_client *client, const char *name, unsigned long flags) {
        const char **ports = jack_get_ports(client, name, JACK_AUDIO, flags);

        return ports ? ports[0] : NULL;
}

static void rest(void) {
        nanosleep(&(struct timespec){ .tv_nsec = 100 * 1000 * 1000 }, NULL);
}

int main(int argc, char *argv[]) {
        time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 60);
        const char *to = NULL, *from = NULL;
        jack_client *client = jack_client_open("probe", JACK_NO_START_SERVER, NULL);

        wanted = argc > 1 ? (unsigned) atoi(argv[1]) : 100;
        if (!client)
                return fputs("there is no server, or it is not for us\n", stderr), 1;
        input = jack_port_register(client, "in", JACK_AUDIO, JACK_PORT_IS_INPUT, 0);
        output = jack_port_register(client, "out", JACK_AUDIO, JACK_PORT_IS_OUTPUT, 0);
        jack_set_process_callback(client, process, NULL);
        if (!input || !output || jack_activate(client) != 0)
                return fputs("cannot take part\n", stderr), 1;
        while ((!to || !from) && time(NULL) < end) {
                to = find(client, ".*:to_slave_1", JACK_PORT_IS_INPUT);
                from = find(client, ".*:from_slave_1", JACK_PORT_IS_OUTPUT);
                rest();
        }
        if (!to || !from)
                return fputs("no guest has joined\n", stderr), 1;
        if (jack_connect(client, jack_port_name(output), to) != 0 || jack_connect(client, from, jack_port_name(input)) != 0)
                return fputs("cannot connect\n", stderr), 1;
        while (right < wanted && time(NULL) < end)
                rest();
        printf("%s rate %u period %u: %u right, %u wrong, %u silent, delay %u\n", to, jack_get_sample_rate(client),
                jack_get_buffer_size(client), right, wrong, silent, delay);
        return right < wanted;
}
