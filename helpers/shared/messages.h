/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The message IDs of everything a user may want to search for or act on. Each has a text in catalog/vxm.catalog, which
 * `journalctl -x` shows; a test holds the two together. */

/* A guest file cannot be used: CONFIG_FILE, CONFIG_LINE. */
#define MESSAGE_GUEST_FILE_INVALID "03419c7f48d34ba2a79d6975e96a175e"
/* There is no file of that name for the guest, it is masked, or its name is out of grammar. */
#define MESSAGE_GUEST_UNKNOWN "995ab68680334926bfb1bfc1f9847e2d"
/* The machine lacks something the guest asks for. */
#define MESSAGE_HOST_LACKS "c0c594495a5f4690afd45129a2f793d9"
/* The machine has not the memory that the guest asks for. */
#define MESSAGE_MEMORY_SHORT "3b9e35f5f6044fedad95d6ee6987177b"
/* Huge pages have been added to the pool for a guest. */
#define MESSAGE_PAGES_ADDED "5816d20a47404663bbc18b44bfea80ae"
/* Huge pages that were added for a guest are taken away again. */
#define MESSAGE_PAGES_RETURNED "01176f7c86fe4f2ca98030e29cf809ae"
/* Huge pages that were added for a guest stay, because another guest waits for them. */
#define MESSAGE_PAGES_KEPT "f0bfc5c8a1fb4c1da57a55333f3a67d5"
/* The memory for a guest's frames is there. */
#define MESSAGE_FRAMES_MADE "a81022df791143ab9d52435007d5ec78"
/* The memory for a guest's frames is removed, or back with the host. */
#define MESSAGE_FRAMES_REMOVED "540b01410c67432996378a6dba2dbf73"
/* The memory for a guest's frames could not be removed or given back. */
#define MESSAGE_FRAMES_FAILED "6544563bb4a043b29506babed5db9cf6"
/* A monitor shows the guest, or the host again. */
#define MESSAGE_MONITOR_SWITCHED "e3d17e3d5c0f4b57a2a9c8f1d6b04e93"
/* A monitor could not be switched. */
#define MESSAGE_MONITOR_FAILED "5a8f0c6e2b7d49d18f3e91c47ab25d06"
/* What the guest file says of monitors does not fit those there are. */
#define MESSAGE_MONITOR_REFUSED "c94b2e7f81a34d6eb05d7f3a69e8c12b"
/* The user whom a guest runs as has no session to play its sound in. */
#define MESSAGE_SESSION_MISSING "9d9afc1c4b8e44d0b5f6078b8b1e8eb7"
/* A device may not be given to the guest: VXM_DEVICE. */
#define MESSAGE_DEVICE_REFUSED "4b6fd01c2ac94a1280381316671affb1"
/* A device now belongs to vfio-pci: VXM_DEVICE, VXM_DRIVER (the one it had). */
#define MESSAGE_DEVICE_TAKEN "78eb1a121b0b48fe947980d853eb6197"
/* A device is back with the driver it had: VXM_DEVICE, VXM_DRIVER. */
#define MESSAGE_DEVICE_RETURNED "678b0d386bee44e7849c05819fb69fe6"
/* A step on a device failed: VXM_DEVICE. */
#define MESSAGE_DEVICE_FAILED "fe3b2504d6494fefa7720318541b3d72"
/* A write to a driver has not come back: VXM_DEVICE. */
#define MESSAGE_DEVICE_STUCK "e4243bc4548a41f39130997dd86bb31e"
/* Something on the host has the device open: VXM_DEVICE. */
#define MESSAGE_DEVICE_BUSY "16bfcd4520be4c54b20c54e18a27af0a"
/* The guest runs. */
#define MESSAGE_GUEST_STARTED "34b327b302244ae58a4a35a030ecac40"
/* The guest did not start, or ended in a way nobody asked for. */
#define MESSAGE_GUEST_FAILED "aa9606fa01034204b8bd5706e9e6c63d"
/* The guest was asked to power off. */
#define MESSAGE_GUEST_STOPPING "ac28c1c49861412eb154f1e769a743d1"
/* The guest ended as it should. */
#define MESSAGE_GUEST_ENDED "27a7b52af7a842529661171360d0cd8e"
/* The guest did not power off in time and was ended by force. */
#define MESSAGE_GUEST_FORCED_OFF "50137d7d00ee4b1c8dc28de0019b3a77"
/* Something happened in the guest that QEMU reports: VXM_EVENT. */
#define MESSAGE_GUEST_EVENT "965139a0ad604901901ef5d7b217149b"
/* A unit is stopped for the guest's life: VXM_UNIT. */
#define MESSAGE_UNIT_STOPPED "c6e20edc29bd423197dff79f20be0f57"
/* A unit that was stopped for a guest is started again: VXM_UNIT. */
#define MESSAGE_UNIT_STARTED "b03dd57df20d439e95ef21b52a590d9b"
/* A unit could not be stopped for a guest, or not be started again after it: VXM_UNIT. */
#define MESSAGE_UNIT_FAILED "14112bdf2b0d4cb29172c075490e93a4"
/* A disk may not be given to the guest: VXM_DISK. */
#define MESSAGE_DISK_REFUSED "401741a9b07c4f57a4a7aad161cc6ef8"
/* A disk's image was made: VXM_DISK. */
#define MESSAGE_DISK_MADE "f5c1cf24bd624ca680edd1738ad87170"
/* A block device belongs to the guest's user now: VXM_DISK. */
#define MESSAGE_DISK_GIVEN "c7d18d3a904d4681b5d1e3f833af34d2"
/* A block device's node is back with its owner. */
#define MESSAGE_DISK_RETURNED "b18a5e0660704aa5b0a61e1cf9e452bb"
/* A port of the host that a guest file forwards is taken. */
#define MESSAGE_PORT_TAKEN "d0a6b809cacb42c3aef46508d096ef54"
/* A network of a guest is there. */
#define MESSAGE_NETWORK_MADE "52124458452341808dc9975570f9245a"
/* A network of a guest could not be made, or not be taken down again. */
#define MESSAGE_NETWORK_FAILED "1fcd6420685e474ba945cd34a7f9f2bb"
/* The host's end of a guest's NETJACK is there. */
#define MESSAGE_NETJACK_READY "09ad381fcd8d486cbfea08b100d9a129"
/* Static binding could not be switched on or off; nothing has changed. */
#define MESSAGE_STATIC_FAILED "6c2239416624495bb66ad1946864daf3"
/* A guest's UEFI variables are of another firmware than it would get. */
#define MESSAGE_FIRMWARE_PINNED "c2f4e67b39514a4fa3f2bb6a1d0e8a57"
/* The state of a guest's TPM cannot be used. */
#define MESSAGE_TPM_STATE "5b0f7a9e2d164d09b8c3e1f64a7d2c98"
/* A device was bound to vfio-pci at boot: VXM_DEVICE, VXM_LAYER (initramfs, udev, unit, foreign). */
#define MESSAGE_STATIC_BOUND "03a1c62b1f97401c871f0391c87dd1c7"
/* A host driver was faster than static binding: VXM_DEVICE, VXM_DRIVER. */
#define MESSAGE_STATIC_LOST "5e768c43c3dd4eee9c2fad9092b50d9a"
/* A USB device may not be given to the guest, or has gone to another one: VXM_DEVICE. */
#define MESSAGE_USB_REFUSED "3d1b2f0c7a864f0f9c5e3ab7f1d4e692"
/* A USB device belongs to the guest now: VXM_DEVICE. */
#define MESSAGE_USB_GIVEN "8e4f6a15c2d34b7d8b0a91e6c57d3f28"
/* A USB device is back with the host: VXM_DEVICE. */
#define MESSAGE_USB_RETURNED "b5c70d92e18f46a3a4d7f20e6b93c84d"
/* A USB device could not be given to the guest, or not be taken back: VXM_DEVICE. */
#define MESSAGE_USB_FAILED "f07e5d3a9b6c4281b2e94c8d1a50f76b"
/* An input device may not be given to the guest, or has gone to another one: VXM_DEVICE. */
#define MESSAGE_INPUT_REFUSED "a61c0f4be7d94d5b8f3e92c7d04b1a85"
/* An input device is the guest's now: VXM_DEVICE. */
#define MESSAGE_INPUT_GIVEN "4d0b97e2f3184c6c9a5d1be8760f2c93"
/* An input device could not be given to the guest, or not be taken back: VXM_DEVICE. */
#define MESSAGE_INPUT_FAILED "e93b5ad8c1724f06b7c8204e6fd91a3b"
/* CPUs that the guest asks for are another guest's, or too few are left. */
#define MESSAGE_CPUS_BUSY "99be834d2e6541c3a71c18852eb88b72"
/* The host is fenced off a guest's CPUs, or has them back: VXM_CPUS. */
#define MESSAGE_CPUS_FENCED "ecf58144e6f845bca49abed7e70d115b"
/* The host could not be fenced off a guest's CPUs, or not get them back. */
#define MESSAGE_CPUS_FAILED "b730db8d866a4e79a948fa33c540ab45"
/* The guest was reset, by itself or by the host: VXM_EVENT. */
#define MESSAGE_GUEST_RESET "8de4eba4eab042cd9794d891f37b1eae"
/* The guest's CPUs stand still, on purpose or because of an error. */
#define MESSAGE_GUEST_PAUSED "5adec647063d4f1a807ef192e1f576ca"
/* The guest's system has panicked: VXM_EVENT. */
#define MESSAGE_GUEST_PANICKED "936f5bf76b6442ab88aa2387cb1754e8"
/* The guest has not fed its watchdog: VXM_EVENT. */
#define MESSAGE_GUEST_WATCHDOG "ebdd961a909b413182998b99f41abbd9"
/* QEMU does not answer any more, and is ended. */
#define MESSAGE_GUEST_HUNG "890d12bddeba40a2aea093afac8a9c40"
/* A disk of the guest has an error on the host: VXM_EVENT, VXM_DISK. */
#define MESSAGE_DISK_ERROR "9d329ae352fb4f559bb8ecbb06ecef21"
/* The host is kept from sleeping while the guest runs. */
#define MESSAGE_SLEEP_INHIBITED "255e4b56b96b48919fa58377927bb337"
/* The host cannot be kept from sleeping. */
#define MESSAGE_SLEEP_FREE "8f9fbdbce11b4722abd0a4ecebea82a9"
/* A file that a new guest needs cannot be had, or is not what was meant: VXM_URL. */
#define MESSAGE_DOWNLOAD_FAILED "bfd317721b574e0e98314bb1754df899"
