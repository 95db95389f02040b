# SPDX-License-Identifier: GPL-2.0-or-later
# Virtual machines: on the demo, and on the newer test kernel with KVM's structures in it.
if HAVE_CMOCKA
if MAKES_X86_64
kvm_tests_kernel = tests/kvm/modern
kvm_tests_guests = tests/kvm/guests.c tests/kvm/guests.h
tests/kvm/newer.o: tests/kvm/newer.c tests/kvm/basics.h
	$(AM_V_CC)$(MKDIR_P) tests/kvm && $(kernel_tests_cc) $(srcdir)/tests/kvm/newer.c
tests/kvm/modern: tests/kernel/modern.o tests/kvm/newer.o tests/kernel/modern.lds
	$(AM_V_CCLD)$(kernel_tests_ld) --defsym PERCPU=0xffffffff81600000 tests/kernel/modern.o \
		tests/kvm/newer.o
tests/kvm/older/newer.o: tests/kvm/newer.c tests/kvm/basics.h
	$(AM_V_CC)$(MKDIR_P) tests/kvm/older && $(kernel_tests_cc) -DOLDER_ENTRY \
		$(srcdir)/tests/kvm/newer.c
tests/kvm/older/modern: tests/kernel/modern.o tests/kvm/older/newer.o tests/kernel/modern.lds
	$(AM_V_CCLD)$(kernel_tests_ld) --defsym PERCPU=0xffffffff81600000 tests/kernel/modern.o \
		tests/kvm/older/newer.o
CLEANFILES += tests/kvm/newer.o tests/kvm/modern tests/kvm/older/newer.o tests/kvm/older/modern
# KVM's structures as kernels had them through the years
kvm_shapes = tests/kvm/shape-404 tests/kvm/shape-504 tests/kvm/shape-515 tests/kvm/shape-601 tests/kvm/shape-612 tests/kvm/shape-703
$(kvm_shapes): tests/kernel/modern.o tests/kvm/generations.c tests/kvm/basics.h tests/kernel/modern.lds
	$(AM_V_CC)$(MKDIR_P) tests/kvm && $(CC) $(demo_cflags) -c -o $@.o -DSHAPE=`echo $@ | sed 's/.*-//'` \
		$(srcdir)/tests/kvm/generations.c
	$(AM_V_CCLD)$(kernel_tests_ld) --defsym PERCPU=0xffffffff81600000 tests/kernel/modern.o $@.o
check_DATA += $(kvm_shapes)
CLEANFILES += $(kvm_shapes) $(kvm_shapes:=.o)
check_PROGRAMS += \
	tests/kvm/test_guest_linux \
	tests/kvm/test_guest_notes \
	tests/kvm/test_guest_regs \
	tests/kvm/test_host_entry \
	tests/kvm/test_kvm
tests_kvm_test_guest_linux_SOURCES = tests/kvm/test_guest_linux.c tests/kvm/linux_guest.h $(kvm_tests_guests)
EXTRA_tests_kvm_test_guest_linux_DEPENDENCIES = $(kvm_tests_kernel)
tests_kvm_test_guest_notes_SOURCES = tests/kvm/test_guest_notes.c $(kvm_tests_guests)
EXTRA_tests_kvm_test_guest_notes_DEPENDENCIES = $(kvm_tests_kernel)
tests_kvm_test_guest_regs_SOURCES = tests/kvm/test_guest_regs.c $(kvm_tests_guests)
EXTRA_tests_kvm_test_guest_regs_DEPENDENCIES = contrib/demo/vmlinux $(kvm_tests_kernel)
tests_kvm_test_host_entry_SOURCES = tests/kvm/test_host_entry.c $(kvm_tests_guests)
EXTRA_tests_kvm_test_host_entry_DEPENDENCIES = $(kvm_tests_kernel) tests/kvm/older/modern
tests_kvm_test_kvm_SOURCES = tests/kvm/test_kvm.c $(kvm_tests_guests)
EXTRA_tests_kvm_test_kvm_DEPENDENCIES = contrib/demo/vmlinux $(kvm_tests_kernel)
endif
endif
EXTRA_DIST += tests/kvm/basics.h tests/kvm/generations.c tests/kvm/newer.c tests/kvm/newer.recipe
