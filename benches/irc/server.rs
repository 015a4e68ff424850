//! Real servers on free ports of the loopback, without TLS, their brakes off.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running server. Dropped, it is ended.
pub(crate) struct Server {
    pub(crate) port: u16,
    child: Child,
}

/// `InspIRCd`, which tells accounts with every message and takes a hundred thousand lines a second.
pub(crate) async fn inspircd(folder: &Path) -> Server {
    let (program, port) = (program("inspircd"), free_port());
    let file = written(folder, "inspircd.conf", &inspircd_config(folder, port));
    let mut command = Command::new(program);
    command.args(["--runasroot", "--nofork", "--config"]).arg(file);
    started(command, folder, port).await
}

/// `ngIRCd`, which lets a client in as soon as it has said its name; `InspIRCd` looks once a second.
pub(crate) async fn ngircd(folder: &Path) -> Server {
    let (program, port) = (program("ngircd"), free_port());
    let config = format!(
        "[Global]\nName = irc.bench.test\nInfo = bench\nListen = 127.0.0.1\nPorts = {port}\n\
         AdminEMail = none@bench.test\n[Limits]\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\n\
         [Options]\nDNS = no\nIdent = no\nPAM = no\n"
    );
    let file = written(folder, "ngircd.conf", &config);
    let mut command = Command::new(program);
    command.args(["--nodaemon", "--config"]).arg(file);
    started(command, folder, port).await
}

fn program(name: &str) -> PathBuf {
    let found =
        ["/usr/sbin", "/usr/bin"].into_iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not here; install it: apt-get install {name}"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder");
    let file = folder.join(name);
    fs::write(&file, text).expect("a configuration");
    file
}

/// Starts it and waits until it takes connections.
async fn started(mut command: Command, folder: &Path, port: u16) -> Server {
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().expect("the server starts");
    let server = Server { port, child };
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{command:?} does not listen");
}

fn inspircd_config(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        r#"<config format="xml">
<server name="irc.bench.test" description="bench" network="Bench">
<admin name="a" nick="a" email="none@bench.test">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="60" pingfreq="120" hardsendq="1M" softsendq="64K" recvq="64K"
         threshold="1000000" commandrate="1000000000" fakelag="no" localmax="1000" globalmax="1000"
         resolvehostnames="no" useident="no">
<performance netbuffersize="10240" somaxconn="128" quietbursts="yes">
<pid file="{folder}/inspircd.pid">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{folder}/inspircd.log">
<module name="cap">
<module name="ircv3">
<module name="ircv3_accounttag">
<module name="ircv3_batch">
<module name="ircv3_capnotify">
<module name="ircv3_ctctags">
<module name="ircv3_msgid">
<module name="ircv3_servertime">
<module name="services_account">
<module name="botmode">"#
    )
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
