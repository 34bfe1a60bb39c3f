// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/* ddc_monitor: monitors that speak DDC/CI, for tests, which build it inside the lab.
 *
 *     insmod ddc_monitor.ko device=0000:00:10.0,0000:00:10.0     two of them, at buses of that PCI function
 *
 * Each is an I2C adapter, /sys/bus/i2c/devices/i2c-N, with files that say how it is, and what has become of it:
 *
 *     edid            what it says it is, in hexadecimal digits; empty at first: it has none
 *     input           which input it shows, as a number
 *     feature source  which feature switches it, and which address it has to come from: 0x60 and 0x51
 *     asleep          how many transfers find nobody there
 *     garbled         1: its answers have wrong sums
 *     unreadable      1: it says that it has no such feature when asked for its input
 *     deaf            1: it takes orders, and goes on as before
 *     inputs          those it lists, such as "0F 11 12"; empty: it has no list
 *     orders          how often it was told to show an input
 *
 * Written after DDC/CI 1.1 (VESA): 0x37 takes packets, and 0x50 has the EDID. */

#include <linux/i2c.h>
#include <linux/module.h>
#include <linux/pci.h>

enum {
        MONITORS_MAX = 4,
        EDID_MAX = 512,
        ADDRESS_EDID = 0x50,
        ADDRESS_DDC = 0x37,
        GET = 0x01,
        GET_ANSWER = 0x02,
        SET = 0x03,
        LIST = 0xf3, /* the capabilities, from an offset on */
        LIST_ANSWER = 0xe3,
        LIST_PART = 32,
        TEXT_MAX = 256,
};

/* The numbers among the files above. */
enum number { INPUT, FEATURE, SOURCE, ASLEEP, GARBLED, UNREADABLE, DEAF, ORDERS, NUMBERS };

struct monitor {
        struct i2c_adapter adapter;
        struct mutex lock;
        struct pci_dev *card;
        unsigned int numbers[NUMBERS];
        u8 edid[EDID_MAX];
        size_t edid_size, edid_at;
        char inputs[TEXT_MAX];
        u8 answer[64];
        size_t answer_size;
        bool there;
};

static char *device[MONITORS_MAX];
static int devices;
module_param_array(device, charp, &devices, 0444);
MODULE_PARM_DESC(device, "for each monitor, the PCI function that it is plugged into");

static struct monitor monitors[MONITORS_MAX];

/* ---- what it answers ---- */

/* Of the body, the length and the sum around it. */
static void put_answer(struct monitor *m, const u8 *body, size_t size) {
        u8 sum = 0x50;

        m->answer[0] = ADDRESS_DDC << 1;
        m->answer[1] = 0x80 | size;
        memcpy(m->answer + 2, body, size);
        for (size_t i = 0; i < size + 2; i++)
                sum ^= m->answer[i];
        m->answer[size + 2] = m->numbers[GARBLED] ? ~sum : sum;
        m->answer_size = size + 3;
}

static void answer_feature(struct monitor *m, u8 feature) {
        u8 body[] = { GET_ANSWER, 0, feature, 0, 0, 0xff, 0, 0 };

        if (feature == 0x60 || feature == m->numbers[FEATURE]) {
                body[7] = m->numbers[INPUT];
                body[1] = m->numbers[UNREADABLE];
        } else if (feature == 0xdf) {
                body[6] = 2; /* version 2.1 of MCCS */
                body[7] = 1;
        } else if (feature == 0x10) {
                body[5] = 100;
                body[7] = 50;
        } else {
                body[1] = 1; /* no such feature */
        }
        put_answer(m, body, sizeof body);
}

static void answer_list(struct monitor *m, size_t offset) {
        static char text[TEXT_MAX * 2];
        u8 body[3 + LIST_PART] = { LIST_ANSWER, offset >> 8, offset };
        size_t size, n;

        size = scnprintf(text, sizeof text, "(prot(monitor)type(lcd)model(LAB)cmds(01 02 03 0C E3 F3)vcp(10%s%s%s DF)mccs_ver(2.1))",
                         m->inputs[0] ? " 60(" : "", m->inputs, m->inputs[0] ? ")" : "");
        n = offset >= size ? 0 : min_t(size_t, size - offset, LIST_PART);
        memcpy(body + 3, text + min(offset, size), n);
        put_answer(m, body, 3 + n);
}

static void obey(struct monitor *m, u8 source, u8 feature, u8 value) {
        if (feature != m->numbers[FEATURE] || source != m->numbers[SOURCE])
                return;
        m->numbers[ORDERS]++;
        if (!m->numbers[DEAF])
                m->numbers[INPUT] = value;
}

/* SOURCE 0x80|LENGTH BODY… SUM. What is not whole is passed over, as by a real one. */
static void take_packet(struct monitor *m, const u8 *data, size_t size) {
        u8 sum = ADDRESS_DDC << 1;

        m->answer_size = 0;
        for (size_t i = 0; i < size; i++)
                sum ^= data[i];
        if (size < 4 || sum != 0 || data[1] != (0x80 | (size - 3)))
                return;
        if (data[2] == GET && size == 5)
                answer_feature(m, data[3]);
        else if (data[2] == SET && size == 7)
                obey(m, data[0], data[3], data[5]);
        else if (data[2] == LIST && size == 6)
                answer_list(m, data[3] << 8 | data[4]);
}

/* Nothing to say is a null message. Who reads less than there is does not get the rest. */
static void give_answer(struct monitor *m, u8 *data, size_t size) {
        if (m->answer_size == 0)
                put_answer(m, NULL, 0);
        memset(data, 0, size);
        memcpy(data, m->answer, min(size, m->answer_size));
        if (size > 1) /* one byte only asks whether somebody is there */
                m->answer_size = 0;
}

/* ---- the bus ---- */

static int transfer_edid(struct monitor *m, const struct i2c_msg *message) {
        if (m->edid_size == 0)
                return -ENXIO;
        if (!(message->flags & I2C_M_RD)) {
                m->edid_at = message->len > 0 ? message->buf[0] : m->edid_at;
                return 0;
        }
        for (size_t i = 0; i < message->len; i++)
                message->buf[i] = m->edid[m->edid_at++ % m->edid_size];
        return 0;
}

static int transfer_ddc(struct monitor *m, const struct i2c_msg *message) {
        if (m->numbers[ASLEEP] > 0) {
                m->numbers[ASLEEP]--;
                return -ENXIO;
        }
        if (message->flags & I2C_M_RD)
                give_answer(m, message->buf, message->len);
        else
                take_packet(m, message->buf, message->len);
        return 0;
}

static int transfer(struct i2c_adapter *adapter, struct i2c_msg *messages, int n) {
        struct monitor *m = i2c_get_adapdata(adapter);
        int r = 0;

        mutex_lock(&m->lock);
        for (int i = 0; r >= 0 && i < n; i++)
                r = messages[i].addr == ADDRESS_EDID   ? transfer_edid(m, &messages[i])
                    : messages[i].addr == ADDRESS_DDC ? transfer_ddc(m, &messages[i])
                                                       : -ENXIO;
        mutex_unlock(&m->lock);
        return r < 0 ? r : n;
}

static u32 functionality(struct i2c_adapter *adapter) {
        return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm algorithm = {
        .master_xfer = transfer,
        .functionality = functionality,
};

/* ---- its files ---- */

static struct monitor *monitor_of(struct device *dev) {
        return i2c_get_adapdata(to_i2c_adapter(dev));
}

struct number_attribute {
        struct device_attribute attribute;
        enum number number;
};

static enum number number_of(struct device_attribute *attribute) {
        return container_of(attribute, struct number_attribute, attribute)->number;
}

static ssize_t show_number(struct device *dev, struct device_attribute *attribute, char *text) {
        return sysfs_emit(text, "%u\n", monitor_of(dev)->numbers[number_of(attribute)]);
}

static ssize_t store_number(struct device *dev, struct device_attribute *attribute, const char *text, size_t size) {
        struct monitor *m = monitor_of(dev);
        unsigned int value;
        int r = kstrtouint(text, 0, &value);

        if (r < 0)
                return r;
        mutex_lock(&m->lock);
        m->numbers[number_of(attribute)] = value;
        mutex_unlock(&m->lock);
        return size;
}

#define NUMBER(name, number) \
        static struct number_attribute attribute_##name = { __ATTR(name, 0644, show_number, store_number), number }

NUMBER(input, INPUT);
NUMBER(feature, FEATURE);
NUMBER(source, SOURCE);
NUMBER(asleep, ASLEEP);
NUMBER(garbled, GARBLED);
NUMBER(unreadable, UNREADABLE);
NUMBER(deaf, DEAF);
NUMBER(orders, ORDERS);

static ssize_t edid_store(struct device *dev, struct device_attribute *attribute, const char *text, size_t size) {
        struct monitor *m = monitor_of(dev);
        size_t n = min_t(size_t, strcspn(text, "\n") / 2, EDID_MAX);
        int r;

        mutex_lock(&m->lock);
        r = hex2bin(m->edid, text, n);
        m->edid_size = r < 0 ? 0 : n;
        mutex_unlock(&m->lock);
        return r < 0 ? r : size;
}
static DEVICE_ATTR_WO(edid);

static ssize_t inputs_store(struct device *dev, struct device_attribute *attribute, const char *text, size_t size) {
        struct monitor *m = monitor_of(dev);

        mutex_lock(&m->lock);
        strscpy(m->inputs, text, sizeof m->inputs);
        m->inputs[strcspn(m->inputs, "\n")] = '\0';
        mutex_unlock(&m->lock);
        return size;
}
static DEVICE_ATTR_WO(inputs);

static struct attribute *attributes[] = {
        &attribute_input.attribute.attr,      &attribute_feature.attribute.attr,    &attribute_source.attribute.attr,
        &attribute_asleep.attribute.attr,     &attribute_garbled.attribute.attr,    &attribute_unreadable.attribute.attr,
        &attribute_deaf.attribute.attr,       &attribute_orders.attribute.attr,     &dev_attr_edid.attr,
        &dev_attr_inputs.attr,                NULL,
};

static const struct attribute_group group = { .attrs = attributes };
static const struct attribute_group *groups[] = { &group, NULL };

/* ---- coming and going ---- */

static int add_monitor(struct monitor *m, const char *address) {
        unsigned int domain, bus, slot, function;
        int r;

        if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
                return -EINVAL;
        m->card = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
        if (!m->card)
                return -ENODEV;
        mutex_init(&m->lock);
        m->numbers[INPUT] = 0x0f;
        m->numbers[FEATURE] = 0x60;
        m->numbers[SOURCE] = 0x51;
        strscpy(m->inputs, "0F 11 12", sizeof m->inputs);
        m->adapter.owner = THIS_MODULE;
        m->adapter.algo = &algorithm;
        m->adapter.dev.parent = &m->card->dev;
        m->adapter.dev.groups = groups;
        snprintf(m->adapter.name, sizeof m->adapter.name, "lab monitor %d", (int) (m - monitors));
        i2c_set_adapdata(&m->adapter, m);
        r = i2c_add_adapter(&m->adapter);
        m->there = r >= 0;
        return r;
}

static void remove_monitors(void) {
        for (size_t i = 0; i < ARRAY_SIZE(monitors); i++) {
                if (monitors[i].there)
                        i2c_del_adapter(&monitors[i].adapter);
                pci_dev_put(monitors[i].card);
        }
}

static int __init ddc_monitor_init(void) {
        int r = devices > 0 ? 0 : -EINVAL;

        for (int i = 0; r >= 0 && i < devices; i++)
                r = add_monitor(&monitors[i], device[i]);
        if (r < 0)
                remove_monitors();
        return r;
}

static void __exit ddc_monitor_exit(void) {
        remove_monitors();
}

module_init(ddc_monitor_init);
module_exit(ddc_monitor_exit);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("monitors that speak DDC/CI, for vxm's tests");
