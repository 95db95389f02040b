# SPDX-License-Identifier: GPL-2.0-or-later
# Benchmarks: `make bench BENCH_DUMP=... BENCH_VMLINUX=...`, beside gdbserver
EXTRA_PROGRAMS += tests/bench/rsp_bench tests/bench/bench_process tests/bench/cold_bench
tests_bench_rsp_bench_LDADD =
tests_bench_cold_bench_LDADD = -lkdumpfile
tests_bench_bench_process_LDADD = -lpthread
EXTRA_DIST += tests/bench/bench_common.py tests/bench/big_guest.py tests/bench/big_kdump.py \
	tests/bench/clients_bench.py tests/bench/disk_bench.py \
	tests/bench/drgn_frames.py tests/bench/drgn_what.py tests/bench/image_bench.py tests/bench/kvm_bench.py \
	tests/bench/live_bench.py tests/bench/many_tasks.py tests/bench/many_vms.py tests/bench/packet_cost.py tests/bench/run.py
# crash and drgn over the server and of the file: `make bench-clients BENCH_DUMP=... BENCH_VMLINUX=...`
.PHONY: bench bench-clients bench-packets
bench-clients: all
	python3 $(srcdir)/tests/bench/clients_bench.py --build . --vmlinux $(BENCH_VMLINUX) $(BENCH_DUMP)
# Reads of what nobody has read before, and a disk that is slow: `make bench-disk BENCH_DUMP=...`
.PHONY: bench-disk
bench-disk: all tests/bench/cold_bench$(EXEEXT)
	python3 $(srcdir)/tests/bench/disk_bench.py --build . $(BENCH_OPTIONS) $(BENCH_DUMP)
# What packets cost, counted by valgrind: `make bench-packets`
bench-packets: all
	python3 $(srcdir)/tests/bench/packet_cost.py --build .
bench: all tests/bench/rsp_bench$(EXEEXT) tests/bench/bench_process$(EXEEXT)
	python3 $(srcdir)/tests/bench/run.py --build . --source $(srcdir) \
		$(if $(BENCH_DUMP),--dump $(BENCH_DUMP)) $(if $(BENCH_VMLINUX),--vmlinux $(BENCH_VMLINUX))
