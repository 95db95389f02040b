# SPDX-License-Identifier: GPL-2.0-or-later
"""The vCPU thread of the demo dump, as it was found by hand in the case that the demo shows."""

CALLEE_SAVED = ["rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15"]
STACK = 0xffff88003e5eb000
VCPU = 0xffff88043ea73280

# The case that the demo shows, as it was solved by hand: function, module, how it was found, and
# the registers; None is unknown. kvm's functions from vcpu_enter_guest on have no CFI: there rbp
# leads on, and the words that the prologues pushed are the registers.
FRAMES = [
    ("vmx_set_cr3", "kvm_intel", "note", [0xffffffffc07a21a8, STACK + 0xcd0, STACK + 0xd00, VCPU,
                                          0x5308000, 0, 0xffff8803e0e40000, 0xffff8800ab5e1700]),
    ("kvm_mmu_load", "kvm", "cfi", [0xffffffffc09a9833, STACK + 0xd10, STACK + 0xd48, 0,
                                    VCPU, 0, 0xffff8803e0e40000, 0xffff8800ab5e1700]),
    ("vcpu_enter_guest", "kvm", "cfi", [0xffffffffc09920fb, STACK + 0xd58, STACK + 0xdc8, VCPU,
                                        0, 1, 0, 1]),
    ("kvm_arch_vcpu_ioctl_run", "kvm", "fp", [0xffffffffc0999e1d, STACK + 0xdd8, STACK + 0xe10, VCPU,
                                               STACK + 0xfd8, 0xffff8803e0e40000,
                                               0xffff8803f9678048, 1]),
    ("kvm_vcpu_ioctl", "kvm", "fp", [0xffffffffc097f1f1, STACK + 0xe20, STACK + 0xea8, VCPU,
                                      0xffff8800ab5e1700, 0, 0xffff88017a2b2500,
                                      0xffff8803e0e40000]),
    ("do_vfs_ioctl", None, "fp", [0xffffffff812151cd, STACK + 0xeb8, STACK + 0xf28,
                                  0xffff88017a2b2500, 0, 0xffff88017fbeee40, 0, 1]),
]
# Where the second, third and fourth frame's registers were saved.
SAVED = {
    1: {"rip": 0xd08, "rbp": 0xd00, "rbx": 0xce8, "r12": 0xcf0, "r13": 0xcf8},
    2: {"rip": 0xd50, "rbp": 0xd48, "rbx": 0xd20, "r12": 0xd28, "r13": 0xd30, "r14": 0xd38,
        "r15": 0xd40},
    3: {"rip": 0xdd0, "rbp": 0xdc8, "rbx": 0xda0, "r12": 0xda8, "r13": 0xdb0, "r14": 0xdb8,
        "r15": 0xdc0},
}
