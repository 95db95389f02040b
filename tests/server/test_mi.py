# SPDX-License-Identifier: GPL-2.0-or-later
"""What front ends send to gdb on the demo dump: attach, look, step out, stop, without a dead end."""

import re
import tempfile

from mi import Mi
from program import Server
from rsp import Client
from tap import check, expect, expect_equal, expect_in, run_checks

VCPU_THREAD = 'thread-id="4"'


for VERSION in ("mi2", "mi3"):
    @check(f"{VERSION}: threads, stack, variables, memory, code and registers of the vCPU thread")
    def _(version=VERSION):
        with Server() as server, Mi(server.address, version) as mi:
            threads = mi.ask("-thread-info")
            expect_in('current-' + VCPU_THREAD, threads)
            expect_equal(len(re.findall(r'\{id="', threads)), 6, "threads")
            expect_in("CPU 0/KVM", threads)
            frames = re.findall(r'func="(\w+)"', mi.ask("-stack-list-frames --thread 4"))
            expect_equal(frames[:3], ["vmx_set_cr3", "kvm_mmu_load", "vcpu_enter_guest"], "functions")
            mi.ask("-stack-list-variables --thread 4 --frame 2 --simple-values")
            expect_in('"1"', mi.ask('-data-evaluate-expression --thread 4 --frame 2 '
                                    '"$rbx == 0xffff88043ea73280"'))
            expect_in('"87064576"', mi.ask('-data-evaluate-expression '
                                           '"((struct kvm_vcpu *)$kvm_vcpu)->arch.mmu.root_hpa"'))
            mi.ask('-var-create v * "*(struct kvm_vcpu *)0xffff88043ea73280"')
            expect_in('exp="arch"', mi.ask("-var-list-children --all-values v"))
            expect_in('exp="mmu"', mi.ask("-var-list-children --all-values v.arch"))
            expect_in('exp="root_hpa"', mi.ask("-var-list-children --all-values v.arch.mmu"))
            expect_in('contents="4c696e7578"', mi.ask("-data-read-memory-bytes 0xffffffff81800000 5"))
            expect_in("push", mi.ask('-data-disassemble -s "vmx_set_cr3" -e "vmx_set_cr3 + 16" -- 0'))
            expect_in('number="16"', mi.ask("-data-list-register-values --thread 4 x"))

    @check(f"{VERSION}: what would run is answered with a stop, at the thread of the last one")
    def _(version=VERSION):
        with Server() as server, Mi(server.address, version) as mi:
            mi.ask("-break-insert vmx_set_cr3")
            for command in ("-exec-continue", "-exec-finish", "-exec-step", "-exec-next-instruction",
                            "-exec-until *0xffffffffc09a9840"):
                # They show all threads, with frames, before the next button is pressed.
                mi.ask("-thread-info")
                mi.ask("-thread-select 4")
                expect_in(VCPU_THREAD, mi.resume(command))
            mi.ask("-thread-info")
            expect_in(VCPU_THREAD, mi.resume("-exec-continue"))
            mi.ask("-break-watch init_task.prio")
            expect_in(VCPU_THREAD, mi.resume("-exec-continue"))
            mi.answer("-exec-interrupt")
            expect_in('"120"', mi.ask('-data-evaluate-expression "init_task.prio"'))

    @check(f"{VERSION}: the Stop button ends the session, and nobody else's")
    def _(version=VERSION):
        with Server() as server, Client(server.address) as other, \
                Mi(server.address, version) as mi:
            for end in ("-interpreter-exec console kill", "-target-disconnect", "-target-detach"):
                mi.ask(end)
                expect_equal(other.ask("qC"), "QC6e", f"another client after {end}")
                mi.attach()
                expect_in('current-' + VCPU_THREAD, mi.ask("-thread-info"))


@check("what is not served ends in one sentence, and the session lives")
def _():
    # gdb removes the file of a core that it cannot make.
    with Server() as server, Mi(server.address) as mi, tempfile.TemporaryDirectory() as folder:
        for command in (f'-interpreter-exec console "generate-core-file {folder}/core"', "-exec-run",
                        '-exec-continue --reverse', '-data-evaluate-expression "init_task.prio = 3"',
                        '-interpreter-exec console "call (int)schedule()"'):
            kind, text = mi.answer(command)
            expect_equal(kind, "error", command)
            expect("msg=" in text and text.count("\\n") <= 1, f"{command}: {text}")
            expect_in('current-' + VCPU_THREAD, mi.ask("-thread-info"))


run_checks()
