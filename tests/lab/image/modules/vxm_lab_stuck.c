// SPDX-License-Identifier: BSD-3-Clause
/* vxm_lab_stuck: makes the driver of one PCI function misbehave as drivers of real cards do at times.
 *
 *     modprobe vxm_lab_stuck device=0000:01:00.0
 *
 * That function has to have a driver then, whose probe and remove functions are wrapped. From then on, at any time:
 *
 *     echo 1 >/sys/module/vxm_lab_stuck/parameters/block_remove    its remove() waits, deaf to signals, until 0 is written
 *     echo 1 >/sys/module/vxm_lab_stuck/parameters/refuse_probe    its probe() fails with EBUSY
 *
 * Other functions of the same driver are left in peace. Nothing loads this module by itself, and it stays until the next
 * boot: a driver whose functions it has wrapped may call it at any time. */

#include <linux/module.h>
#include <linux/pci.h>
#include <linux/wait.h>

static char *device;
static bool block_remove, refuse_probe;
static struct pci_dev *victim;
static DECLARE_WAIT_QUEUE_HEAD(released);

static int (*driver_probe)(struct pci_dev *dev, const struct pci_device_id *id);
static void (*driver_remove)(struct pci_dev *dev);

static int stuck_probe(struct pci_dev *dev, const struct pci_device_id *id) {
        return dev == victim && READ_ONCE(refuse_probe) ? -EBUSY : driver_probe(dev, id);
}

static void stuck_remove(struct pci_dev *dev) {
        if (dev == victim)
                wait_event(released, !READ_ONCE(block_remove));
        driver_remove(dev);
}

static int __init vxm_lab_stuck_init(void) {
        unsigned int domain, bus, slot, function;
        struct pci_driver *driver;
        int r = -ENODEV;

        if (!device || sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
                return -EINVAL;
        victim = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
        if (!victim)
                return -ENODEV;

        device_lock(&victim->dev);
        if (victim->dev.driver) {
                driver = to_pci_driver(victim->dev.driver);
                driver_probe = driver->probe;
                driver_remove = driver->remove;
                driver->probe = stuck_probe;
                driver->remove = stuck_remove;
                r = 0;
        }
        device_unlock(&victim->dev);
        if (r < 0)
                pci_dev_put(victim);
        return r;
}

static int set_block(const char *value, const struct kernel_param *parameter) {
        int r = param_set_bool(value, parameter);

        wake_up_all(&released);
        return r;
}

static const struct kernel_param_ops block_ops = {
        .set = set_block,
        .get = param_get_bool,
};

module_init(vxm_lab_stuck_init);

module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "address of the function whose driver is to misbehave");
module_param_cb(block_remove, &block_ops, &block_remove, 0644);
MODULE_PARM_DESC(block_remove, "remove() waits as long as this is set");
module_param(refuse_probe, bool, 0644);
MODULE_PARM_DESC(refuse_probe, "probe() fails as long as this is set");
MODULE_DESCRIPTION("Makes the driver of one PCI function misbehave");
MODULE_LICENSE("Dual BSD/GPL");
