//! moto, a server of AWS's interfaces on loopback, and the AWS command line to fill it with.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::home::{Beside, free_port, tool, until};

/// moto on a port of its own.
pub(crate) struct Moto {
    pub(crate) server: Beside,
    pub(crate) address: String,
}

impl Moto {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(tool("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdin(Stdio::null()).stdout(Stdio::null());
        let server = Beside::start(&mut command);
        until("moto_server", || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { server, address: format!("http://127.0.0.1:{port}") }
    }

    /// Makes something, by the AWS command line itself.
    pub(crate) fn make(&self, line: &str) -> Value {
        self.make_of(&line.split(' ').collect::<Vec<_>>())
    }

    /// The same by words that may hold blanks.
    pub(crate) fn make_of(&self, args: &[&str]) -> Value {
        let mut command = Command::new(tool("aws"));
        command.args(args).args(["--output", "json", "--endpoint-url", &self.address]);
        command
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", "eu-west-1");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}
