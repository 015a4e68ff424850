//! The sandbox `quota`: a control group of version 2 for each run, which bounds what all its processes take together and by
//! which they are ended at once.
//!
//! The shell has to have been given a group of its own to make others in; it moves into one below that first, since a group
//! that is divided holds no processes. Deliberately absent: control groups of version 1, and any group of somebody else's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the processes of a run may take together: bytes of memory and none of swap, processes and threads, and microseconds
/// of processor time in each tenth of a second.
const LIMITS: [(&str, &str); 4] =
    [("memory.max", "1073741824"), ("memory.oom.group", "1"), ("pids.max", "256"), ("cpu.max", "100000 100000")];
/// What there is only where the kernel counts swap.
const SWAP: (&str, &str) = ("memory.swap.max", "0");
/// What has to be divided among the groups.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];
/// The group of the shell itself.
const OWN: &str = "pipit-shell";
/// How the names of the groups of runs begin.
const RUN: &str = "pipit-run-";
/// How long a group may take to be empty after its processes were ended.
const LONGEST: Duration = Duration::from_secs(2);

/// The group in which those of runs are made.
#[derive(Debug)]
pub(super) struct Groups(PathBuf);

impl Groups {
    /// Gets ready to make groups; says what is missing otherwise.
    pub(super) fn ready() -> Result<Self, String> {
        let read = |file: &str| fs::read_to_string(file).map_err(|error| format!("{file}: {error}"));
        let own = place(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?)
            .ok_or("control groups of version 2, which are not mounted here")?;
        Self::within(&own)
    }

    fn within(own: &Path) -> Result<Self, String> {
        let shown = |folder: &Path| folder.display().to_string();
        // where the one that starts the shell has put it into such a group already
        let is_own = own.file_name().is_some_and(|name| name == OWN);
        let folder = own.parent().filter(|_| is_own).unwrap_or(own);
        let offered = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
        let missing: Vec<_> =
            CONTROLLERS.into_iter().filter(|one| !offered.split_whitespace().any(|has| has == *one)).collect();
        if !missing.is_empty() {
            return Err(format!("{} in the control group {}", missing.join(", "), shown(folder)));
        }
        let delegated = |error: io::Error| {
            format!(
                "a control group of its own, which {} is not ({error}): a service of systemd has one by Delegate=yes",
                shown(folder)
            )
        };
        // only the outermost group is without a type, and only that one may hold processes and be divided
        if !is_own && folder.join("cgroup.type").exists() {
            let inside = fs::read_to_string(folder.join("cgroup.procs")).map_err(delegated)?;
            let inside: Vec<&str> = inside.split_whitespace().collect();
            if inside.iter().any(|process| !is_ours(process)) {
                return Err(delegated(io::Error::other("others are in it")));
            }
            let shell = folder.join(OWN);
            fs::create_dir_all(&shell).map_err(delegated)?;
            for process in inside {
                fs::write(shell.join("cgroup.procs"), process).map_err(delegated)?;
            }
        }
        // those that a shell left behind that was killed; the kernel keeps the ones in which something runs
        for left in fs::read_dir(folder).into_iter().flatten().flatten() {
            if left.file_name().to_string_lossy().starts_with(RUN) {
                let _ = fs::remove_dir(left.path());
            }
        }
        let divided = CONTROLLERS.map(|one| format!("+{one}")).join(" ");
        fs::write(folder.join("cgroup.subtree_control"), divided).map_err(delegated)?;
        Ok(Self(folder.to_owned()))
    }

    /// Where the group of a run is to be.
    pub(super) fn of(&self, mark: &str) -> PathBuf {
        self.0.join(format!("{RUN}{mark}"))
    }
}

/// Whether a process is the shell or was started by it.
fn is_ours(process: &str) -> bool {
    let own = std::process::id();
    let parent = || {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse::<u32>().ok()
    };
    process.parse() == Ok(own) || parent() == Some(own)
}

/// The folder of the process's own group, from what the kernel says of its mounts and its groups.
fn place(mounts: &str, groups: &str) -> Option<PathBuf> {
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (about, kind) = line.split_once(" - ")?;
        let mut about = about.split(' ').skip(3);
        let (root, at) = (about.next()?, about.next()?);
        let below = Path::new(own).strip_prefix(root).ok()?;
        kind.starts_with("cgroup2 ").then(|| Path::new(at).join(below).components().collect())
    })
}

/// The group of a run. Ends what is in it when it is dropped, but does not wait for that.
#[derive(Debug)]
pub(super) struct Group(PathBuf);

impl Group {
    /// Makes it and bounds it.
    pub(super) fn make(folder: &Path) -> io::Result<Self> {
        fs::create_dir(folder)?;
        let group = Self(folder.to_owned());
        for (file, limit) in LIMITS {
            fs::write(folder.join(file), limit)?;
        }
        match fs::write(folder.join(SWAP.0), SWAP.1) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(group),
        }
    }

    /// Ends what is in it and takes it away; whether it could.
    pub(super) async fn end(self) -> bool {
        let end = tokio::time::Instant::now() + LONGEST;
        loop {
            let _ = fs::write(self.0.join("cgroup.kill"), "1");
            match fs::remove_dir(&self.0) {
                Ok(()) => return true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return true,
                Err(_) if tokio::time::Instant::now() > end => return false,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
        let _ = fs::remove_dir(&self.0);
    }
}

/// Puts this process, and so all that it starts, into a group.
pub(super) fn join(folder: &Path) -> Result<(), String> {
    let joined = fs::write(folder.join("cgroup.procs"), "0");
    joined.map_err(|error| format!("the control group {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_own_group_is_found() {
        let one = "25 1 0:21 / /proc rw - proc proc rw\n30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
        let two = "31 23 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
                   32 23 0:28 / /sys/fs/cgroup/unified rw shared:3 - cgroup2 cgroup2 rw\n";
        let within = "40 23 0:26 /a/b /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        for (mounts, groups, wanted) in [
            (one, "0::/system.slice/pipit.service\n", Some("/sys/fs/cgroup/system.slice/pipit.service")),
            (two, "5:pids:/x\n0::/\n", Some("/sys/fs/cgroup/unified")),
            (within, "0::/a/b/c\n", Some("/sys/fs/cgroup/c")),
            (within, "0::/elsewhere\n", None),
            (two, "5:pids:/x\n", None),
            ("", "0::/\n", None),
        ] {
            assert_eq!(place(mounts, groups), wanted.map(PathBuf::from), "{groups}");
        }
    }

    /// A folder that looks like a group, without a kernel behind it.
    fn group(controllers: &str, processes: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in
            [("cgroup.controllers", controllers), ("cgroup.procs", processes), ("cgroup.type", "domain")]
        {
            fs::write(folder.path().join(file), text).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_missing_is_said() {
        for (controllers, processes, said) in [
            ("hugetlb", "", "cpu, memory, pids in the control group"),
            ("cpu memory", "", "pids in the control group"),
            ("cpu memory pids", "1\n", "others are in it"),
        ] {
            let folder = group(controllers, processes);
            let missing = Groups::within(folder.path()).unwrap_err();
            assert!(missing.contains(said), "{missing}");
            assert!(!folder.path().join(OWN).exists());
        }
    }

    #[test]
    fn the_shell_moves_aside_and_runs_are_bounded() {
        let own = std::process::id().to_string();
        let folder = group("cpuset cpu io memory pids", &format!("{own}\n"));
        let groups = Groups::within(folder.path()).unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!(read(&folder.path().join(OWN).join("cgroup.procs")), own);
        assert_eq!(read(&folder.path().join("cgroup.subtree_control")), "+cpu +memory +pids");
        // whoever starts it below a group of that name has done so already
        fs::write(folder.path().join(OWN).join("cgroup.controllers"), "").unwrap();
        assert_eq!(Groups::within(&folder.path().join(OWN)).unwrap().of("m"), groups.of("m"));
        let run = groups.of("m");
        let _group = Group::make(&run).unwrap();
        join(&run).unwrap();
        for (file, limit) in LIMITS.into_iter().chain([SWAP, ("cgroup.procs", "0")]) {
            assert_eq!(read(&run.join(file)), limit, "{file}");
        }
    }
}
