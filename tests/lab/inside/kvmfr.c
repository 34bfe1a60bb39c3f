// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/* kvmfr: what vxm and QEMU see of Looking Glass's module of that name, for tests, which build it inside the lab.
 *
 *     insmod kvmfr.ko static_size_mb=16,32     makes /dev/kvmfr0 and /dev/kvmfr1, of 16 and 32 MiB
 *
 * A node can be mapped, is not seekable, and tells its size by an ioctl. There are no DMA buffers. */

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define KVMFR_GET_SIZE _IO('u', 0x44)

enum { NODES_MAX = 8 };

struct node {
        struct cdev cdev;
        void *memory;
        unsigned long size;
};

static int static_size_mb[NODES_MAX], static_count;
module_param_array(static_size_mb, int, &static_count, 0000);
MODULE_PARM_DESC(static_size_mb, "MiB of each node");

static struct node nodes[NODES_MAX];
static struct class *class;
static dev_t first;

static int node_open(struct inode *inode, struct file *file) {
        file->private_data = container_of(inode->i_cdev, struct node, cdev);
        return stream_open(inode, file);
}

static long node_ioctl(struct file *file, unsigned int request, unsigned long argument) {
        struct node *node = file->private_data;

        return request == KVMFR_GET_SIZE ? (long) node->size : -ENOTTY;
}

static int node_mmap(struct file *file, struct vm_area_struct *area) {
        struct node *node = file->private_data;

        return remap_vmalloc_range(area, node->memory, area->vm_pgoff);
}

static const struct file_operations operations = {
        .owner = THIS_MODULE,
        .open = node_open,
        .unlocked_ioctl = node_ioctl,
        .mmap = node_mmap,
};

static void remove_nodes(void) {
        for (int i = 0; i < static_count; i++) {
                if (!nodes[i].memory)
                        continue;
                device_destroy(class, MKDEV(MAJOR(first), i));
                cdev_del(&nodes[i].cdev);
                vfree(nodes[i].memory);
        }
        if (class)
                class_destroy(class);
        unregister_chrdev_region(first, NODES_MAX);
}

static int add_node(int i) {
        struct device *device;
        int r;

        nodes[i].size = (unsigned long) static_size_mb[i] << 20;
        nodes[i].memory = vmalloc_user(nodes[i].size);
        if (!nodes[i].memory)
                return -ENOMEM;
        cdev_init(&nodes[i].cdev, &operations);
        r = cdev_add(&nodes[i].cdev, MKDEV(MAJOR(first), i), 1);
        if (r < 0)
                return r;
        device = device_create(class, NULL, MKDEV(MAJOR(first), i), NULL, "kvmfr%d", i);
        return PTR_ERR_OR_ZERO(device);
}

static int __init kvmfr_init(void) {
        int r = alloc_chrdev_region(&first, 0, NODES_MAX, "kvmfr");

        if (r < 0)
                return r;
        class = class_create("kvmfr");
        r = PTR_ERR_OR_ZERO(class);
        if (r < 0)
                class = NULL;
        for (int i = 0; r >= 0 && i < static_count; i++)
                r = add_node(i);
        if (r < 0)
                remove_nodes();
        return r;
}

static void __exit kvmfr_exit(void) {
        remove_nodes();
}

module_init(kvmfr_init);
module_exit(kvmfr_exit);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("stands in for Looking Glass's module in vxm's tests");
