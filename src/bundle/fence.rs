//! What a program reaches: files and TCP ports, held by the kernel's Landlock, and system calls (`calls.rs`). The shell
//! writes it down, and the process that becomes the program puts it around itself.
//!
//! Deliberately absent: what a bundle needs (`reach.rs`). Landlock knows no modes, owners and times of files, no UDP and,
//! before Linux 7.1, no sockets with a path; `docs/bundles.md` says so.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, NetPort,
    PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
    path_beneath_rules,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2, stat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::calls::{self, Sockets};

/// Without these rights there is no fence: files. Linux 5.19 has them.
const FILES: ABI = ABI::V2;
/// Without these no TCP port can be opened alone: then a program has the network or it has not. Linux 6.7 has them.
const PORTS: ABI = ABI::V4;
/// What is asked for when the kernel has it.
const MOST: ABI = ABI::V9;
/// The first with scopes for signals and for sockets with abstract names.
const SCOPES: i32 = 6;

/// What a program reaches. Its current folder is its own, to read, write and execute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fence {
    /// Files, and folders with all below, that it reads and executes. Those that are not there are left out.
    pub(super) read: Vec<PathBuf>,
    /// Devices that it reads and writes. Those that are not there are left out.
    pub(super) devices: Vec<PathBuf>,
    /// Files, and folders with all below, that it reads and writes. All must be there, and none lead over a link.
    pub(super) write: Vec<PathBuf>,
    /// The home of the shell, in and over which nothing is written; none where it cannot be reached.
    #[serde(default)]
    pub(super) home: Option<PathBuf>,
    /// TCP ports it connects to. With none it has no sockets to the network but TCP, which reaches nothing.
    pub(super) ports: Vec<u16>,
    /// The port of the shell's own services, to which it connects by TCP too; UDP is none of it.
    #[serde(default)]
    pub(super) services: Option<u16>,
}

impl Fence {
    /// Puts the calling thread, and all that it starts, inside. Nothing takes that back.
    pub(super) fn close(&self) -> Result<(), String> {
        if !self.ports.is_empty() {
            self.restrict(PORTS)?;
            return calls::refuse(Sockets::StreamAndDatagram);
        }
        if self.services.is_some() {
            // without a fence for ports there is no telling this one from others
            self.restrict(PORTS)?;
            return calls::refuse(Sockets::Stream);
        }
        self.offline().map(drop)
    }

    /// Closes files and the whole network; says what the kernel has, and whether it could open single ports.
    fn offline(&self) -> Result<(LandlockStatus, bool), String> {
        if let Ok(status) = self.restrict(PORTS) {
            calls::refuse(Sockets::Stream)?;
            return Ok((status, true));
        }
        let status = self.restrict(FILES)?;
        calls::refuse(Sockets::None)?;
        Ok((status, false))
    }

    /// Opens a path of `write` at the moment of its use. Another program of the bundle may have put a link there since it
    /// was written down, or be about to: no link is followed, and what was opened is what is looked at.
    pub(super) fn written(&self, path: &Path) -> Result<Written, String> {
        let refused = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let no_links = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let file = openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), no_links).map_err(|error| {
            refused(if error == Errno::LOOP { &"it leads over a link" } else { &error as &dyn std::fmt::Display })
        })?;
        let about = fstat(&file).map_err(|error| refused(&error))?;
        if let Some(home) = &self.home {
            let place = std::fs::read_link(opened(&file)).map_err(|error| refused(&error))?;
            let same =
                |above: &Path| stat(above).is_ok_and(|at| (at.st_dev, at.st_ino) == (about.st_dev, about.st_ino));
            if place.starts_with(home) || home.starts_with(&place) || home.ancestors().any(same) {
                return Err(refused(&HOME));
            }
        }
        Ok(Written { is_folder: FileType::from_raw_mode(about.st_mode) == FileType::Directory, file })
    }

    /// Closes files and ports; says what the kernel has.
    fn restrict(&self, least: ABI) -> Result<LandlockStatus, String> {
        let read = AccessFs::from_read(MOST);
        // a device that is made in the own folder would open what the fence closes
        let write = AccessFs::from_all(MOST) & !(AccessFs::MakeChar | AccessFs::MakeBlock);
        let devices = AccessFs::from_file(MOST) & !BitFlags::from(AccessFs::Execute);
        let mut ruleset = ruleset(least).map_err(|error| said(&error))?;
        let own = PathFd::new(".").map_err(|error| format!("the private folder: {error}"))?;
        ruleset = ruleset.add_rule(PathBeneath::new(own, write)).map_err(|error| said(&error))?;
        for path in &self.write {
            let written = self.written(path)?;
            let of_kind = if written.is_folder { write } else { write & AccessFs::from_file(MOST) };
            ruleset = ruleset.add_rule(PathBeneath::new(written.file, of_kind)).map_err(|error| said(&error))?;
        }
        let port = |port: &u16| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp));
        let status = ruleset
            .add_rules(path_beneath_rules(&self.read, read))
            .and_then(|ruleset| ruleset.add_rules(path_beneath_rules(&self.devices, devices)))
            .and_then(|ruleset| ruleset.add_rules(self.ports.iter().chain(&self.services).map(port)))
            .and_then(landlock::RulesetCreated::restrict_self)
            .map_err(|error| said(&error))?;
        match status.ruleset {
            RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(status.landlock),
            RulesetStatus::NotEnforced => Err("Landlock does not hold".into()),
        }
    }
}

/// A file or folder that a program writes to, opened.
pub(super) struct Written {
    pub(super) file: OwnedFd,
    pub(super) is_folder: bool,
}

/// Why nothing is written there.
pub(super) const HOME: &str = "the home of the shell is its own";

/// Where something is that was opened, as long as it is open, whatever becomes of its path.
pub(super) fn opened(file: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// All that is forbidden before rules allow some of it.
fn ruleset(least: ABI) -> Result<landlock::RulesetCreated, RulesetError> {
    let files =
        Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::from_all(least))?;
    let ports = if least < PORTS { files } else { files.handle_access(AccessNet::from_all(least))? };
    ports
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(MOST))?
        .scope(Scope::from_all(MOST))?
        .create()
}

fn said(error: &RulesetError) -> String {
    match error {
        RulesetError::HandleAccesses(_) => {
            "Landlock, which Linux 5.19 and newer have where it is switched on (for TCP ports 6.7)".into()
        }
        _ => format!("Landlock, by which files and ports are fenced off, does not work here: {error}"),
    }
}

/// What of the level `restrict` this machine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// All of it, in words.
    Restrict(String),
    /// All of it for programs without network; no TCP port can be opened alone.
    Offline(String),
    /// Not enough; what is missing.
    Basic(String),
}

/// Tried once, on a thread that ends with it.
pub(crate) fn reached() -> &'static Reached {
    static REACHED: OnceLock<Reached> = OnceLock::new();
    REACHED.get_or_init(|| {
        let tried = std::thread::Builder::new().name("fence".into()).spawn(attempt);
        match tried.map(std::thread::JoinHandle::join) {
            Ok(Ok(Ok((words, true)))) => Reached::Restrict(words),
            Ok(Ok(Ok((words, false)))) => Reached::Offline(words),
            Ok(Ok(Err(missing))) => Reached::Basic(missing),
            Ok(Err(_)) | Err(_) => Reached::Basic("the thread that tries it does not run".into()),
        }
    })
}

fn attempt() -> Result<(String, bool), String> {
    let (status, ports) = Fence::default().offline()?;
    let abi = match status {
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => return Err("Landlock is not there".into()),
        LandlockStatus::Available { effective_abi, kernel_abi } => kernel_abi.unwrap_or(effective_abi as i32),
    };
    let lacking = if abi < SCOPES { ", but no fence for signals and abstract sockets: Linux 6.12 has it" } else { "" };
    Ok((format!("Landlock {abi} and seccomp{lacking}"), ports))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn without_ports_an_older_kernel_will_do() {
        let tried = std::thread::spawn(|| {
            Fence::default().restrict(FILES)?;
            calls::refuse(Sockets::None)?;
            let socket = std::net::TcpListener::bind("127.0.0.1:0").map(drop).map_err(|error| error.kind());
            let file = std::fs::File::create("/tmp/pipit-was-here").map(drop).map_err(|error| error.kind());
            Ok::<_, String>((socket, file))
        });
        let refused = Err(std::io::ErrorKind::PermissionDenied);
        assert_eq!(tried.join().ok(), Some(Ok((refused, refused))));
    }

    #[test]
    fn what_has_become_a_link_is_not_written_to() {
        let temporary = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(temporary.path()).unwrap();
        let (home, data) = (root.join("all/home"), root.join("data"));
        std::fs::create_dir_all(home.join("runs")).unwrap();
        std::fs::create_dir_all(data.join("real/below")).unwrap();
        std::fs::write(data.join("file"), "x").unwrap();
        symlink(&home, data.join("link")).unwrap();
        symlink(data.join("file"), data.join("file-link")).unwrap();
        let fence = Fence { home: Some(home.clone()), ..Fence::default() };
        let tried = |path: &Path| fence.written(path).map(|written| written.is_folder);
        let tail = |path: &Path| tried(path).map_err(|why| why.rsplit(": ").next().unwrap_or_default().to_owned());
        assert_eq!((tried(&data.join("real/below")), tried(&data.join("file"))), (Ok(true), Ok(false)));
        for link in ["link", "link/runs", "file-link"] {
            assert_eq!(tail(&data.join(link)), Err("it leads over a link".into()), "{link}");
        }
        for own in [&home, &home.join("runs"), &root.join("all"), &root] {
            assert_eq!(tail(own), Err(HOME.into()), "{}", own.display());
        }
        tried(&data.join("gone")).unwrap_err();
    }

    #[test]
    fn a_fence_survives_the_way_to_its_process() {
        let fence = Fence {
            read: vec!["/usr".into()],
            devices: vec!["/dev/null".into()],
            write: vec!["/srv/data".into()],
            home: Some("/srv/pipit".into()),
            ports: vec![443],
            services: Some(4002),
        };
        let text = serde_json::to_string(&Some(&fence)).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Option<Fence>>(&text).ok(), Some(Some(fence)));
        assert_eq!(serde_json::from_str::<Option<Fence>>("null").ok(), Some(None));
    }
}
