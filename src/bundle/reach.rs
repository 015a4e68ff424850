//! What a bundle's programs may reach: the system's own programs and libraries, those that the manifest needs with the
//! folders they lie in, the paths it writes to, and the ports it names.
//!
//! Deliberately absent: holding them to it (`fence.rs`). The home of the shell is never among what is read, but for the
//! bundle's own folder.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ecow::EcoString;
use pipit_commands::{Error, ErrorKind};

use super::fence::{Fence, HOME, Reached, reached};
use super::gate::Endpoint;
use super::hold::Hold;
use super::loopback;
use super::manifest::{Manifest, Sandbox};
use super::process::Ready;
use super::runner::Runner;

/// Programs and libraries.
const SYSTEM: [&str; 9] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store"];
/// What programs look up about the machine. The rest of `/etc` holds secrets too.
const LOOKED_UP: [&str; 49] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/networks",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/os-release",
    "/etc/lsb-release",
    "/etc/debian_version",
    "/etc/redhat-release",
    "/etc/alpine-release",
    "/etc/locale.conf",
    "/etc/default/locale",
    "/etc/mime.types",
    "/etc/magic",
    "/etc/terminfo",
    "/etc/fonts",
    "/etc/perl",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/ca-trust/extracted",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/filesystems",
    "/proc/sys/kernel/random",
    "/proc/sys/net/core/somaxconn",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/kernel/mm/transparent_hugepage",
];
/// Devices that hold nothing.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// Folders in which things of many owners lie, so that a program in one of them says nothing about the rest.
const SHARED: [&str; 15] = [
    "/", "/root", "/home", "/tmp", "/var", "/var/tmp", "/var/lib", "/run", "/etc", "/mnt", "/srv", "/media", "/proc",
    "/sys", "/dev",
];
/// Folders of programs within the folder that is theirs.
const BINARIES: [&str; 4] = ["bin", "sbin", "libexec", "shims"];
/// Where the answers lie that are too long for a datagram.
const NAMES: u16 = 53;
/// How often a program may be started through another one.
const DEPTH: usize = 4;

/// Refuses a sandbox that this machine is known not to have; what only a try can tell, the start of the program says.
/// Never gives less than was asked for.
pub(super) fn had(bundle: &str, sandbox: Sandbox, reached: &Reached) -> Result<(), Error> {
    match (sandbox, reached) {
        (Sandbox::Basic, _) | (_, Reached::Restrict(_) | Reached::Offline(_)) => Ok(()),
        (Sandbox::Restrict | Sandbox::Isolate | Sandbox::Quota, Reached::Basic(missing)) => {
            let help = "without a fence around files and network: write `sandbox: basic` under needs in its manifest, \
                        raise its version, install it and enable it";
            Err(lacking(bundle, sandbox, missing, help))
        }
    }
}

const SMALLER: &str = "`status sandbox` says what this machine has; needs.sandbox of the manifest names what is needed";

fn lacking(bundle: &str, sandbox: Sandbox, missing: &str, help: &str) -> Error {
    let level = sandbox.name();
    let why = format!("the bundle {bundle} runs in the sandbox {level}, which this machine lacks: {missing}");
    Error::new(ErrorKind::Denied, why).help(help)
}

/// How a program is held, and where it may go when that is the shell's to say.
pub(super) struct Held {
    pub(super) hold: Hold,
    pub(super) endpoints: Vec<Endpoint>,
}

/// How a bundle's program is held. `path` is its `PATH`; the runner starts it for the run with this mark.
pub(super) fn hold(
    bundle: &Ready,
    program: &Path,
    path: &str,
    settings: &[(EcoString, EcoString)],
    (runner, mark): (&Runner, &str),
) -> Result<Held, Error> {
    let sandbox = bundle.manifest.needs.sandbox;
    if sandbox == Sandbox::Basic {
        return Ok(Held { hold: Hold::Basic, endpoints: Vec::new() });
    }
    let mut fence = fence(bundle, program, path, settings, runner.home())?;
    if !fence.ports.is_empty() && matches!(reached(), Reached::Offline(_)) {
        let why =
            format!("the bundle {} uses the network, and this machine cannot fence TCP ports", bundle.manifest.name);
        return Err(Error::new(ErrorKind::Denied, why)
            .help("Linux 6.7 and newer can; without a fence: `sandbox: basic` under needs in its manifest"));
    }
    if sandbox == Sandbox::Restrict {
        return Ok(Held { hold: Hold::Restrict(fence), endpoints: Vec::new() });
    }
    let endpoints = endpoints(&bundle.manifest, settings);
    if !fence.ports.is_empty() {
        fence.ports = vec![loopback::PORT];
    }
    let hold = match sandbox {
        Sandbox::Quota => {
            let name = &bundle.manifest.name;
            let group = runner.groups().map_err(|missing| lacking(name, sandbox, missing, SMALLER))?.of(mark);
            Hold::Quota(fence, group)
        }
        Sandbox::Basic | Sandbox::Restrict | Sandbox::Isolate => Hold::Isolate(fence),
    };
    Ok(Held { hold, endpoints })
}

/// What the language `jq` needs: the shell's own binary and its libraries.
pub(super) fn alone(own: &Path, home: &Path) -> Fence {
    let mut read: Vec<PathBuf> = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/nix/store"]
        .iter()
        .flat_map(|root| around(Path::new(root), home))
        .collect();
    read.extend(["/etc/ld.so.cache", "/proc/self"].map(PathBuf::from));
    read.push(own.to_owned());
    Fence { read, ..Fence::default() }
}

/// What a bundle's program reaches. `path` is its `PATH`, `home` the home of the shell.
pub(super) fn fence(
    bundle: &Ready,
    program: &Path,
    path: &str,
    settings: &[(EcoString, EcoString)],
    home: &Path,
) -> Result<Fence, Error> {
    let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    let mut read: Vec<PathBuf> = SYSTEM.iter().flat_map(|root| around(Path::new(root), &home)).collect();
    read.extend(LOOKED_UP.map(PathBuf::from));
    read.push(bundle.folder.clone());
    let mut search = Search { home: &home, path, read };
    for program in bundle.programs.values().map(PathBuf::as_path).chain([program]) {
        search.program(program, DEPTH);
    }
    Ok(Fence {
        read: search.read,
        devices: DEVICES.map(PathBuf::from).to_vec(),
        write: written(bundle, &home)?,
        home: Some(home.clone()),
        ports: ports(&bundle.manifest, settings),
        services: None,
    })
}

/// A folder without the home, when that lies in it: all that is beside the way there.
fn around(root: &Path, home: &Path) -> Vec<PathBuf> {
    if !home.starts_with(root) {
        return vec![root.to_owned()];
    }
    if home == root {
        return Vec::new();
    }
    let beside = fs::read_dir(root).map(|entries| entries.flatten().map(|entry| entry.path()));
    beside.into_iter().flatten().flat_map(|child| around(&child, home)).collect()
}

/// The paths of `needs.write`.
fn written(bundle: &Ready, home: &Path) -> Result<Vec<PathBuf>, Error> {
    let bad = |path: &str, why: &str| {
        let why = format!("{} may not write to {path:?}: {why}", bundle.manifest.name);
        Err(Error::new(ErrorKind::Denied, why).help("see needs.write of its manifest"))
    };
    let mut paths = Vec::new();
    for text in &bundle.manifest.needs.write {
        let path = Path::new(text.as_str());
        if !path.is_absolute() {
            return bad(text, "a path begins with /");
        }
        let Ok(real) = fs::canonicalize(path) else { return bad(text, "it is not there") };
        // who may write on the way could point the link elsewhere, and give this bundle what is there
        if real != path {
            return bad(text, &format!("it leads over a link or up again; name {}", real.display()));
        }
        if real.starts_with(home) || home.starts_with(&real) {
            return bad(text, HOME);
        }
        paths.push(real);
    }
    Ok(paths)
}

/// The ports of `needs.network`, and those of addresses that the site has set. The name servers' too when there are any.
fn ports(manifest: &Manifest, settings: &[(EcoString, EcoString)]) -> Vec<u16> {
    let declared = manifest.needs.network.iter().filter_map(|endpoint| endpoint.rsplit_once(':')?.1.parse().ok());
    let mut ports: Vec<u16> = declared.chain(addresses(manifest, settings).map(|(_, port)| port)).collect();
    if !ports.is_empty() {
        ports.push(NAMES);
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The same with their hosts.
fn endpoints(manifest: &Manifest, settings: &[(EcoString, EcoString)]) -> Vec<Endpoint> {
    let declared = manifest.needs.network.iter().filter_map(|endpoint| Endpoint::read(endpoint));
    let set = addresses(manifest, settings).filter_map(|(host, port)| Endpoint::read(&format!("{host}:{port}")));
    declared.chain(set).collect()
}

/// The hosts and ports of addresses that the site has set.
fn addresses<'a>(
    manifest: &'a Manifest,
    settings: &'a [(EcoString, EcoString)],
) -> impl Iterator<Item = (&'a str, u16)> {
    // what the bundle itself proposes is no word of the site's, and belongs under needs
    let proposed = |name: &str, url: &str| {
        manifest.config.iter().any(|one| one.name == name && one.default.as_deref() == Some(url))
    };
    let set = settings.iter().filter(move |(name, url)| name.ends_with("_URL") && !proposed(name, url));
    set.filter_map(|(_, url)| address(url))
}

/// The host and port of an address, `scheme://host:port`; without a port that of the scheme, where the scheme is known.
fn address(url: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let usual = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "dns" => Some(53),
        "ldap" => Some(389),
        "ldaps" => Some(636),
        "postgres" | "postgresql" => Some(5432),
        _ => None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // an address of version 6 holds colons itself
    let inner = host.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match host.get(inner..)?.rfind(':') {
        Some(colon) => (host.get(..inner + colon)?, host.get(inner + colon + 1..)?),
        None => (host, ""),
    };
    let port = if port.is_empty() { usual } else { port.parse().ok().filter(|port| *port > 0) };
    Some((host, port?))
}

/// Collects the folders in which programs lie, and those of the programs that run them.
struct Search<'a> {
    home: &'a Path,
    path: &'a str,
    read: Vec<PathBuf>,
}

impl Search<'_> {
    fn program(&mut self, file: &Path, depth: usize) {
        self.folder(file);
        let Ok(real) = fs::canonicalize(file) else { return };
        if real != file {
            self.folder(&real);
        }
        if depth == 0 {
            return;
        }
        for next in interpreter(&real, self.path) {
            self.program(&next, depth - 1);
        }
        // an environment of Python without links names the Python that it came from
        let base =
            file.parent().and_then(Path::parent).and_then(|root| fs::read_to_string(root.join("pyvenv.cfg")).ok());
        let base = base.as_deref().and_then(|text| {
            text.lines().find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == "home"))
        });
        if let Some((_, base)) = base {
            self.folder(&Path::new(base.trim()).join("python3"));
        }
    }

    /// The folder that a program came with: the one above its `bin`, else its own.
    fn folder(&mut self, file: &Path) {
        let Some(folder) = file.parent() else { return };
        let name = folder.file_name().and_then(|name| name.to_str());
        let above = folder.parent().filter(|_| name.is_some_and(|name| BINARIES.contains(&name)));
        match above {
            Some(above) if !self.shared(above) => self.add(above.to_owned()),
            Some(above) => {
                // no folder of its own: only what belongs to programs
                let parts = BINARIES.into_iter().chain(["lib", "lib64"]).map(|part| above.join(part));
                for part in parts.filter(|part| !self.shared(part)).collect::<Vec<_>>() {
                    self.add(part);
                }
            }
            None if !self.shared(folder) => self.add(folder.to_owned()),
            None => self.add(file.to_owned()),
        }
    }

    /// Whether more lies there than what belongs to a program: the home of a user, or of the shell.
    fn shared(&self, folder: &Path) -> bool {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let users = real.parent() == Some(Path::new("/home"))
            || std::env::var_os("HOME").is_some_and(|own| Path::new(&own) == real);
        users || SHARED.iter().any(|shared| Path::new(shared) == real) || self.home.starts_with(&real)
    }

    fn add(&mut self, path: PathBuf) {
        let inside = fs::canonicalize(&path).is_ok_and(|real| real.starts_with(self.home));
        if !inside && !self.read.iter().any(|known| path.starts_with(known)) {
            self.read.push(path);
        }
    }
}

/// What a script's first line starts: the interpreter, and the program that `env` finds.
fn interpreter(file: &Path, path: &str) -> Vec<PathBuf> {
    const LONGEST: u64 = 256;
    let mut head = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(LONGEST).read_to_end(&mut head));
    let line = head.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
    let Some(line) = line.filter(|_| read.is_ok()).and_then(|line| line.strip_prefix("#!")) else { return Vec::new() };
    let mut words = line.split_whitespace();
    let Some(first) = words.next().map(PathBuf::from).filter(|first| first.is_absolute()) else { return Vec::new() };
    let is_env = first.file_name().is_some_and(|name| name == "env");
    let named = words.find(|word| is_env && !word.starts_with('-') && !word.contains('='));
    let found =
        named.and_then(|name| path.split(':').map(|folder| Path::new(folder).join(name)).find(|at| at.is_file()));
    std::iter::once(first).chain(found).collect()
}

#[cfg(test)]
#[path = "reach/tests.rs"]
mod tests;
