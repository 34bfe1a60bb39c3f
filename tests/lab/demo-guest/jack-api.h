/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* As much of JACK's client interface as the two programs here use; its library has these, whatever its version. The
 * development package would bring headers only. */

#include <stdint.h>

typedef struct jack_client jack_client;
typedef struct jack_port jack_port;

enum {
        JACK_NO_START_SERVER = 1, /* of jack_client_open() */
        JACK_PORT_IS_INPUT = 1,
        JACK_PORT_IS_OUTPUT = 2,
        JACK_PORT_IS_PHYSICAL = 4,
};

#define JACK_AUDIO "32 bit float mono audio"

jack_client *jack_client_open(const char *name, int options, int *status, ...);
int jack_set_process_callback(jack_client *client, int (*process)(uint32_t n, void *userdata), void *userdata);
void jack_on_shutdown(jack_client *client, void (*callback)(void *userdata), void *userdata);
int jack_activate(jack_client *client);
jack_port *jack_port_register(jack_client *client, const char *name, const char *type, unsigned long flags, unsigned long size);
const char *jack_port_name(const jack_port *port);
float *jack_port_get_buffer(jack_port *port, uint32_t n);
int jack_connect(jack_client *client, const char *source, const char *destination);
const char **jack_get_ports(jack_client *client, const char *name, const char *type, unsigned long flags);
uint32_t jack_get_sample_rate(jack_client *client);
uint32_t jack_get_buffer_size(jack_client *client);
