//! Real servers, each on free ports of loopback and in a folder of its own, killed by its own id at the end.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::LIMIT;
use super::peer::Peer;

/// A port nobody listens on now.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running program, killed when it is dropped.
pub(super) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn run(program: &str, arguments: &[&str], dir: &Path) -> Running {
    // a core file of a server that crashes on its way out is of no use here
    let script = format!("ulimit -c 0; cd '{}' && exec \"$@\"", dir.display());
    let mut command = Command::new("sh");
    let installed =
        Command::new("sh").args(["-c", "command -v \"$0\"", program]).stdout(Stdio::null()).status().unwrap();
    assert!(installed.success(), "{program} is missing; install ngircd inspircd atheme-services: run tests/setup");
    command.args(["-c", &script, "sh", program]).args(arguments).stdin(Stdio::null());
    let log = fs::File::create(dir.join("output")).unwrap();
    command.stdout(log.try_clone().unwrap()).stderr(log);
    Running(command.spawn().unwrap())
}

async fn listens(port: u16, dir: &Path) {
    let up = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let up = tokio::time::timeout(LIMIT, up).await;
    assert!(up.is_ok(), "nothing listens on {port}: {}", fs::read_to_string(dir.join("output")).unwrap_or_default());
}

/// A folder that programs under another user may read and write.
fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    dir
}

/// A certificate for localhost and its key.
fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(dir.join("key.pem"))
        .arg("-out")
        .arg(dir.join("cert.pem"))
        .stderr(Stdio::null())
        .status();
    assert!(made.is_ok_and(|status| status.success()), "openssl is missing; install openssl: run tests/setup");
    Command::new("chmod").arg("644").arg(dir.join("key.pem")).status().unwrap();
}

/// How much a client may send: commands at once, then thousandths of a command a second; and whether one that sends more is
/// made to wait, or else thrown out.
pub(super) struct Pace(pub(super) u32, pub(super) u32, pub(super) bool);

/// `InspIRCd`, with every extension that it has.
pub(super) struct Inspircd {
    running: Option<Running>,
    dir: tempfile::TempDir,
    pub(super) port: u16,
    pub(super) tls_port: u16,
    link_port: u16,
}

impl Inspircd {
    pub(super) async fn start() -> Self {
        Self::paced(&Pace(1000, 1_000_000, false)).await
    }

    pub(super) async fn paced(pace: &Pace) -> Self {
        let dir = folder();
        certificate(dir.path());
        let (port, tls_port, link_port) = (free_port(), free_port(), free_port());
        let config = inspircd_config(dir.path(), port, tls_port, link_port, pace);
        fs::write(dir.path().join("inspircd.conf"), config).unwrap();
        let mut server = Self { running: None, dir, port, tls_port, link_port };
        server.up().await;
        server
    }

    pub(super) async fn up(&mut self) {
        let config = format!("--config={}", self.dir.path().join("inspircd.conf").display());
        let root = rustix::process::getuid().is_root().then_some("--runasroot");
        let args: Vec<&str> = root.into_iter().chain(["--nofork", &config]).collect();
        self.running = Some(run("inspircd", &args, self.dir.path()));
        listens(self.port, self.dir.path()).await;
    }

    pub(super) fn down(&mut self) {
        self.running = None;
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn ca(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    /// A file with a password.
    pub(super) fn password(&self, password: &str) -> PathBuf {
        let path = self.dir.path().join(format!("password-{password}"));
        fs::write(&path, format!("{password}\n")).unwrap();
        path
    }

    /// Starts the services and waits until they take logins.
    pub(super) async fn services(&self) -> Services {
        let dir = folder();
        fs::write(dir.path().join("atheme.conf"), atheme_config(self.link_port)).unwrap();
        // the services refuse to be root; whoever else runs the tests may start them as they are
        let root = rustix::process::getuid().is_root();
        if root {
            let own = Command::new("chown").args(["-R", "nobody"]).arg(dir.path()).status().unwrap();
            assert!(own.success(), "the folder is given to nobody");
        }
        let path = |name: &str| dir.path().join(name).display().to_string();
        let (config, log, pid, folder) =
            (path("atheme.conf"), path("log"), path("pid"), dir.path().display().to_string());
        let program = ["atheme-services", "-n", "-c", &config, "-D", &folder, "-l", &log, "-p", &pid];
        let who = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let running = if root {
            run("setpriv", &[&who[..], &program[..]].concat(), dir.path())
        } else {
            run(program[0], &program[1..], dir.path())
        };
        let linked = async {
            loop {
                let mut peer = Peer::open(self.port).await;
                peer.send("CAP LS 302").await;
                if peer.expect(" LS ").await.contains("sasl") {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        let linked = tokio::time::timeout(LIMIT, linked).await;
        assert!(linked.is_ok(), "no link: {}", fs::read_to_string(dir.path().join("output")).unwrap_or_default());
        Services { _running: running, _dir: dir }
    }

    /// Registers an account.
    pub(super) async fn account(&self, name: &str, password: &str) {
        let mut peer = Peer::join(self.port, name, "#register").await;
        peer.send(&format!("PRIVMSG NickServ :REGISTER {password} {name}@test.invalid")).await;
        peer.expect("is now registered").await;
        peer.send("QUIT").await;
        peer.expect("ERROR").await;
    }
}

/// The services of a network.
pub(super) struct Services {
    _running: Running,
    _dir: tempfile::TempDir,
}

/// `ngIRCd`, which knows no extension.
pub(super) struct Ngircd {
    _running: Running,
    _dir: tempfile::TempDir,
    pub(super) port: u16,
}

impl Ngircd {
    /// One that lets everybody talk as fast as they like.
    pub(super) async fn start() -> Self {
        Self::limited("MaxPenaltyTime = 0\n").await
    }

    /// One that slows down who talks fast, as it does when nobody says otherwise.
    pub(super) async fn with_penalties() -> Self {
        Self::limited("").await
    }

    async fn limited(limits: &str) -> Self {
        let dir = folder();
        let port = free_port();
        let config = format!(
            "[Global]\nName = irc.ngircd.test\nInfo = test\nListen = 127.0.0.1\nPorts = {port}\nMotdPhrase = hello\n\
             ServerUID = nobody\nServerGID = nogroup\nAdminEMail = none@test.invalid\n\
             [Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxNickLength = 30\n{limits}\
             [Options]\nDNS = no\nIdent = no\nPAM = no\n"
        );
        let path = dir.path().join("ngircd.conf");
        fs::write(&path, config).unwrap();
        let running = run("ngircd", &["-n", "-f", &path.display().to_string()], dir.path());
        listens(port, dir.path()).await;
        Self { _running: running, _dir: dir, port }
    }
}

fn inspircd_config(dir: &Path, port: u16, tls: u16, link: u16, Pace(burst, rate, waits): &Pace) -> String {
    let (dir, waits) = (dir.display(), if *waits { "yes" } else { "no" });
    let modules = "cap ircv3 ircv3_accounttag ircv3_batch ircv3_capnotify ircv3_chghost ircv3_ctctags ircv3_echomessage \
                   ircv3_labeledresponse ircv3_msgid ircv3_servertime chanhistory services_account sslinfo ssl_gnutls \
                   sasl botmode spanningtree chghost";
    let modules: String = modules.split_whitespace().flat_map(|name| ["<module name=\"", name, "\">\n"]).collect();
    format!(
        r#"<config format="xml">
<server name="irc.insp.test" description="test" network="TestNet">
<admin name="a" nick="a" email="none@test.invalid">
<bind address="127.0.0.1" port="{port}" type="clients">
<bind address="127.0.0.1" port="{tls}" type="clients" sslprofile="Clients">
<bind address="127.0.0.1" port="{link}" type="servers">
<sslprofile name="Clients" provider="gnutls" certfile="{dir}/cert.pem" keyfile="{dir}/key.pem" hash="sha256">
<connect allow="*" timeout="60" pingfreq="120" hardsendq="16M" softsendq="8M" recvq="1M" threshold="{burst}"
         commandrate="{rate}" fakelag="{waits}" localmax="1000" globalmax="1000" resolvehostnames="no" useident="no">
<performance netbuffersize="65534" somaxconn="128" softlimit="12800" quietbursts="yes">
<limits maxnick="30" maxchan="64" maxline="512">
<pid file="{dir}/inspircd.pid">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{dir}/inspircd.log">
<class name="All" commands="*" privs="*" usermodes="*" chanmodes="*">
<type name="All" classes="All">
<oper name="root" password="oper" host="*@*" type="All">
{modules}<uline server="services.insp.test" silent="yes">
<sasl target="services.insp.test" requiressl="no">
<link name="services.insp.test" ipaddr="127.0.0.1" allowmask="127.0.0.1/32" port="{link}" sendpass="pw" recvpass="pw">
"#
    )
}

fn atheme_config(link: u16) -> String {
    let modules = "protocol/inspircd backend/opensex crypto/pbkdf2v2 nickserv/main nickserv/register nickserv/identify \
                   saslserv/main saslserv/plain operserv/main";
    let modules: String =
        modules.split_whitespace().flat_map(|name| ["loadmodule \"modules/", name, "\";\n"]).collect();
    let service = |block: &str, nick: &str, more: &str| {
        format!("{block} {{ nick = \"{nick}\"; user = \"s\"; host = \"services.insp.test\"; real = \"s\"; {more} }};\n")
    };
    let services = [
        service("nickserv", "NickServ", "maxnicks = 5; expire = 0;"),
        service("saslserv", "SaslServ", ""),
        service("operserv", "OperServ", ""),
    ];
    format!(
        r#"{modules}
serverinfo {{ name = "services.insp.test"; desc = "s"; numeric = "00A"; recontime = 1; netname = "TestNet";
  hidehostsuffix = "users.test"; adminname = "a"; adminemail = "a@test.invalid"; registeremail = "a@test.invalid";
  mta = "/bin/true"; loglevel = {{ error; }}; maxlogins = 50; maxusers = 50; maxnicks = 50; maxchans = 50; mdlimit = 30;
  emaillimit = 1000; emailtime = 300; auth = none; casemapping = rfc1459; }};
uplink "irc.insp.test" {{ host = "127.0.0.1"; port = {link}; send_password = "pw"; receive_password = "pw"; }};
{}general {{ default_clone_limit = 1000; uflags = {{ hidemail; }}; }};
"#,
        services.concat()
    )
}
