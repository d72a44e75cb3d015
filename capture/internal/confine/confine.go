// Package confine takes from a decoder process what it does not need: files,
// network, other processes, and more memory than its job allows. Each step is done
// as far as the kernel can; [Apply] says what took hold.
package confine

/*
#define _GNU_SOURCE
#include <pthread.h>

// Threads that libraries start get this much stack: eight megabytes, as is usual,
// count against the limit of memory.
static int pw_small_stacks(size_t bytes) {
#ifdef __GLIBC__
  pthread_attr_t a;
  int err = pthread_attr_init(&a);
  if (err == 0) err = pthread_attr_setstacksize(&a, bytes);
  if (err == 0) err = pthread_setattr_default_np(&a);
  return err;
#else
  return 0;
#endif
}
*/
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// Rights are what a decoder may do.
type Rights struct {
	Path   string // the only file that it may open; empty: none
	Device bool   // Path is a device, which is written to as well
	Memory int64  // bytes that it may take from now on
}

// stackBytes is the stack of a library's thread.
const stackBytes = 1 << 20

// Apply confines this process, for good, and returns what took hold, in words.
func Apply(r Rights) string {
	var done, failed []string
	now, memoryErr := privateMemory() // while /proc can be read
	step := func(name string, err error) {
		if err != nil {
			failed = append(failed, fmt.Sprintf("%s (%v)", name, err))
			return
		}
		done = append(done, name)
	}
	step("first to go when memory runs out", os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0))
	step("no core dumps", unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
	step("not to be traced", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
	step("no new privileges", seccomp.SetNoNewPrivs())
	step("Landlock", fence(r))
	step("seccomp", filter())
	if errno := C.pw_small_stacks(stackBytes); errno != 0 {
		step("small stacks", unix.Errno(errno))
	}
	if memoryErr == nil {
		limit := uint64(now + r.Memory)
		memoryErr = unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit})
	}
	step(fmt.Sprintf("%d MiB of memory", r.Memory>>20), memoryErr)
	text := strings.Join(done, ", ")
	if len(failed) > 0 {
		text += "; without " + strings.Join(failed, ", ")
	}
	return text
}

// fence leaves nothing of the file system but the one path, and no network.
func fence(r Rights) error {
	var rules []landlock.Rule
	switch {
	case r.Path == "":
	case r.Device:
		rules = append(rules, landlock.RWFiles(r.Path).WithIoctlDev())
	default:
		rules = append(rules, landlock.ROFiles(r.Path))
	}
	if v, err := landlockVersion(); err != nil {
		return err
	} else if v < 1 {
		return unix.ENOSYS
	}
	return landlock.V6.BestEffort().Restrict(rules...)
}

// landlockVersion asks the kernel: go-landlock's best effort is content with
// nothing, and does not say so.
func landlockVersion() (int, error) {
	const createRulesetVersion = 1
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, createRulesetVersion)
	if errno != 0 {
		return 0, errno
	}
	return int(v), nil
}

// denied are the system calls that no decoder makes: new programs, connections,
// other processes, mounts, keys, and doors that were often broken.
var denied = []string{
	"execve", "execveat", "fork", "vfork",
	"socket", "socketpair", "socketcall", "connect", "bind", "listen", "accept", "accept4",
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kcmp", "kill", "tkill",
	"rt_sigqueueinfo", "rt_tgsigqueueinfo",
	"mount", "umount", "umount2", "pivot_root", "chroot", "unshare", "setns", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick",
	"mount_setattr", "swapon", "swapoff", "quotactl", "quotactl_fd",
	"add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd", "fanotify_init", "name_to_handle_at", "open_by_handle_at",
	"io_uring_setup", "io_uring_enter", "io_uring_register", "io_setup",
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "syslog", "acct", "iopl", "ioperm",
	"sethostname", "setdomainname", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "stime",
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlink", "symlinkat", "mknod", "mknodat",
	"chmod", "fchmodat", "chown", "fchownat", "lchown", "truncate", "setxattr", "lsetxattr", "fsetxattr", "creat",
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid", "capset",
	"shmget", "shmat", "msgget", "semget", "mq_open", "vhangup", "personality",
}

// filter refuses those calls with EPERM: a library that tries one lives on.
func filter() error {
	info, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	var names []string
	for _, name := range denied {
		if _, known := info.SyscallNames[name]; known { // no processor has all of them
			names = append(names, name)
		}
	}
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync, // all threads
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls:      []seccomp.SyscallGroup{{Names: names, Action: seccomp.ActionErrno}},
		},
	})
}

// privateMemory is what the process and its libraries have taken so far, in bytes,
// counted as RLIMIT_DATA does: private memory when it is asked for and not when it is
// used. The memory that is shared with the unit does not count.
func privateMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmData:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseInt(kib, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("VmData: %w", err)
	}
	return n << 10, nil
}
