//! The system calls that a program inside a fence is refused, by seccomp: those that reach into other processes, that
//! change the machine, that make rooms with rules of their own, and sockets that the fence for TCP does not hold.
//!
//! Deliberately absent: a list of what is allowed. Programs come in any language, and each new version of one calls more.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// Which sockets of the network a program opens; what they reach is another matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sockets {
    /// None.
    None,
    /// TCP.
    Stream,
    /// And UDP, without which no name is looked up.
    StreamAndDatagram,
}

/// Refused whatever the arguments.
const NEVER: &[libc::c_long] = &[
    // other processes
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // memory, queues and semaphores that all processes of the user have in common, by number or by name
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    // keys of the user
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // wide and seldom needed parts of the kernel
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_fanotify_init,
    libc::SYS_open_by_handle_at,
    // mounts and rooms with rules of their own
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    // the machine
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
];

/// The same on all architectures; the library of constants has no name for it yet.
const OPEN_TREE_ATTR: libc::c_long = 467;
/// Refused for another process, which the first argument names.
const OWN_BY_ZERO: &[libc::c_long] = &[
    libc::SYS_prlimit64,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setaffinity,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
];
/// All processes of a user, for `setpriority`; libraries of C do not agree on its type.
const PRIO_USER: u64 = 2;
/// The same for `ioprio_set`.
const IOPRIO_WHO_USER: u64 = 3;
/// The bits of a socket's type that are no flags.
const TYPE: u64 = 0xf;
/// The types that Linux knows.
const TYPES: std::ops::RangeInclusive<u64> = 1..=10;
/// Asks `personality` what is set.
const QUERY: u64 = 0xffff_ffff;

/// Refuses them to the calling thread and all that it starts. Nothing takes that back.
pub(super) fn refuse(sockets: Sockets) -> Result<(), String> {
    let failed = |why: String| format!("seccomp, by which system calls are refused, does not work here: {why}");
    let filters = filters(sockets).map_err(|error| failed(error.to_string()))?;
    filters.iter().try_for_each(|filter| apply_filter(filter)).map_err(|error| failed(error.to_string()))
}

fn filters(sockets: Sockets) -> Result<Vec<BpfProgram>, BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = |rules, errno: i32| {
        let refused = SeccompAction::Errno(errno.unsigned_abs());
        SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?.try_into()
    };
    // its flags lie in memory, where no filter looks; whoever is told that it does not exist takes `clone`
    let absent = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let mut filters = vec![filter(absent, libc::ENOSYS)?, filter(rules(sockets)?, libc::EPERM)?];
    if cfg!(target_arch = "x86_64") {
        filters.push(no_second_numbers());
    }
    Ok(filters)
}

/// On `x86_64` every call has a second number, for the x32 interface, that rules by number would miss.
fn no_second_numbers() -> BpfProgram {
    const LOAD: u16 = 0x20;
    const AT_LEAST: u16 = 0x35;
    const GIVE: u16 = 0x06;
    const SECOND: u32 = 0x4000_0000;
    let step = |code, jt, jf, k| seccompiler::sock_filter { code, jt, jf, k };
    let refused = u32::from(SeccompAction::Errno(libc::ENOSYS.unsigned_abs()));
    vec![
        step(LOAD, 0, 0, 0),
        step(AT_LEAST, 0, 1, SECOND),
        step(GIVE, 0, 0, refused),
        step(GIVE, 0, 0, SeccompAction::Allow.into()),
    ]
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn rules(sockets: Sockets) -> Result<Rules, BackendError> {
    let mut rules: Rules = NEVER.iter().map(|call| (*call, Vec::new())).collect();
    let is = |at, is: Is, value| SeccompCondition::new(at, Width::Dword, is, value);
    let has = |at, bits: u64| is(at, Is::MaskedEq(bits), bits);
    let rule = SeccompRule::new;

    let rooms = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ];
    let rooms = rooms.iter().map(|room| rule(vec![has(0, u64::from(room.unsigned_abs()))?]));
    rules.insert(libc::SYS_clone, rooms.collect::<Result<_, _>>()?);

    let changes = vec![is(0, Is::Ne, 0)?, is(0, Is::Ne, QUERY)?];
    rules.insert(libc::SYS_personality, vec![rule(changes)?]);
    // limits, turn, processors and memory of another process: whoever means itself says 0
    for call in OWN_BY_ZERO {
        rules.insert(*call, vec![rule(vec![is(0, Is::Ne, 0)?])?]);
    }
    // the same where what is meant is said before; all processes of the user are never its own
    for (call, user) in [(libc::SYS_setpriority, PRIO_USER), (libc::SYS_ioprio_set, IOPRIO_WHO_USER)] {
        rules.insert(call, vec![rule(vec![is(1, Is::Ne, 0)?])?, rule(vec![is(0, Is::Eq, user)?])?]);
    }
    // where its own environment lies, by which it is found, and processors shared with another
    let process = [libc::PR_SET_MM, libc::PR_SCHED_CORE].map(|what| u64::from(what.unsigned_abs()));
    let process = process.iter().map(|what| rule(vec![is(0, Is::Eq, *what)?]));
    rules.insert(libc::SYS_prctl, process.collect::<Result<_, _>>()?);
    // keys typed for somebody else
    rules.insert(libc::SYS_ioctl, vec![rule(vec![is(1, Is::Eq, libc::TIOCSTI)?])?]);

    // a connection made by sending is not seen by the fence for TCP
    let fast = u64::from(libc::MSG_FASTOPEN.unsigned_abs());
    for (call, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
        rules.insert(call, vec![rule(vec![has(flags, fast)?])?]);
    }

    let number = |constant: i32| u64::from(constant.unsigned_abs());
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].map(number);
    let other = families.iter().map(|family| is(0, Is::Ne, *family)).collect::<Result<_, _>>()?;
    let mut refused = vec![rule(other)?];
    for family in [libc::AF_INET, libc::AF_INET6].map(number) {
        for kind in TYPES {
            let mut met = vec![is(0, Is::Eq, family)?, is(1, Is::MaskedEq(TYPE), kind)?];
            let own = match sockets {
                _ if kind == number(libc::SOCK_STREAM) => Some(libc::IPPROTO_TCP),
                Sockets::StreamAndDatagram if kind == number(libc::SOCK_DGRAM) => Some(libc::IPPROTO_UDP),
                Sockets::None | Sockets::Stream | Sockets::StreamAndDatagram => None,
            };
            // streams of other protocols are not seen by the fence for TCP
            if let Some(own) = own {
                met.extend([is(2, Is::Ne, 0)?, is(2, Is::Ne, number(own))?]);
            }
            refused.push(rule(met)?);
        }
    }
    if sockets == Sockets::None {
        refused.extend([rule(vec![is(0, Is::Eq, families[1])?])?, rule(vec![is(0, Is::Eq, families[2])?])?]);
        // the fence of such a kernel does not see it
        rules.insert(libc::SYS_truncate, Vec::new());
    }
    rules.insert(libc::SYS_socket, refused);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_fit_the_kernel() {
        for sockets in [Sockets::None, Sockets::Stream, Sockets::StreamAndDatagram] {
            let fit = |filter: &BpfProgram| !filter.is_empty() && filter.len() < 4096;
            assert!(filters(sockets).is_ok_and(|filters| filters.iter().all(fit)));
        }
    }
}
