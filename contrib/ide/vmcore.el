;; Linux, as vmcore-gdbserver serves it at localhost:1234.
;; For Emacs: M-x load-file, then M-x vmcore.
;; Where the source is elsewhere, replace /path/to/linux.
(require 'gdb-mi)
(defun vmcore ()
  "gdb on the dump."
  (interactive)
  (setq gdb-non-stop-setting nil)
  (gdb "gdb -i=mi -iex \"set index-cache enabled on\" -iex \"set substitute-path /folder/of/the/compiler /path/to/linux\" \"/path/to/vmlinux\"")
  (gud-basic-call "target remote localhost:1234"))
