# SPDX-License-Identifier: GPL-2.0-or-later
# For gdb on QEMU's own stub, with CPU 1 inside its guest: steps to the host's first instruction
# after it, where the host's rip and rsp are back and the guest's other registers still in place.
# It is reached by a timer interrupt, which QEMU keeps from single steps unless told otherwise.
maintenance packet Qqemu.sstep=1
thread 2
set $steps = 0
while $steps < 20000 && ((unsigned long) $rip >> 63) == 0
    stepi
    set $steps = $steps + 1
end
