/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the rows of guest_keys[] name: a reader for each kind of value. value_KIND() sets the field dest from a text that is
 * not empty; value_add_KIND() appends to a list, dest being the struct that holds it; value_reset_KIND() sets a field back to
 * nothing, or empties a list. All return 0; -EINVAL: it is not of that form; -ERANGE: too large, or too many; -ENOMEM. */

int value_text(const char *value, void *dest);
int value_name(const char *value, void *dest);
int value_path(const char *value, void *dest);
int value_boolean(const char *value, void *dest);
int value_memory_size(const char *value, void *dest);
int value_huge_pages(const char *value, void *dest);
int value_os(const char *value, void *dest);
int value_cpu_count(const char *value, void *dest);
int value_cpu_model(const char *value, void *dest);
int value_cpu_topology(const char *value, void *dest);
int value_cpu_pin(const char *value, void *dest);
void value_reset_cpu_pin(void *dest);
int value_cpu_priority(const char *value, void *dest);
int value_stop_timeout(const char *value, void *dest);
int value_restart(const char *value, void *dest);
int value_on_panic(const char *value, void *dest);
int value_watchdog(const char *value, void *dest);
int value_hang_timeout(const char *value, void *dest);
int value_sleep(const char *value, void *dest);
int value_uuid(const char *value, void *dest);
int value_firmware_type(const char *value, void *dest);
int value_mmio64(const char *value, void *dest);
int value_disk_size(const char *value, void *dest);
void value_reset_number(void *dest);
int value_disk_format(const char *value, void *dest);
void value_reset_disk_format(void *dest);
int value_disk_bus(const char *value, void *dest);
int value_disk_cache(const char *value, void *dest);
int value_boot_index(const char *value, void *dest);
int value_serial(const char *value, void *dest);
int value_tag(const char *value, void *dest);
int value_add_device(const char *value, void *dest);
void value_reset_devices(void *dest);
int value_add_pin(const char *value, void *dest);
void value_reset_pins(void *dest);
int value_binding(const char *value, void *dest);
int value_reset_method(const char *value, void *dest);
int value_power_control(const char *value, void *dest);
int value_d3cold(const char *value, void *dest);
int value_bar_size(const char *value, void *dest);
void value_reset_bar_size(void *dest);
int value_add_stop_units(const char *value, void *dest);
void value_reset_stop_units(void *dest);
int value_network_type(const char *value, void *dest);
int value_interface(const char *value, void *dest);
int value_mac(const char *value, void *dest);
int value_network_model(const char *value, void *dest);
int value_add_forward(const char *value, void *dest);
void value_reset_forwards(void *dest);
int value_port(const char *value, void *dest);
void value_reset_port(void *dest);
int value_display(const char *value, void *dest);
int value_display_model(const char *value, void *dest);
int value_add_usb(const char *value, void *dest);
void value_reset_usb(void *dest);
int value_netjack_server(const char *value, void *dest);
int value_netjack_port(const char *value, void *dest);
int value_ipv4(const char *value, void *dest);
int value_netjack_frames(const char *value, void *dest);
int value_netjack_rate(const char *value, void *dest);
int value_netjack_channels(const char *value, void *dest);
