//! A network with services, and a home whose shell is on it, over TLS and with an account of its own.

use futures_util::future::join_all;

use super::home::{Beside, Home, Said};
use super::peer::Peer;
use super::servers::{Inspircd, Ngircd, Services};

/// The rooms that the bot is in, in the order it enters them.
const ROOMS: [&str; 2] = ["#ops", "#other"];

/// The whole of it.
pub(crate) struct Site {
    pub(crate) server: Inspircd,
    _services: Services,
    pub(crate) home: Home,
}

impl Site {
    /// With these people's accounts, whose passwords are their names and `pw`.
    pub(crate) async fn with(accounts: &[&str]) -> Self {
        let server = Inspircd::start().await;
        let services = server.services().await;
        let register = |account: &&str| {
            let (account, server) = ((*account).to_owned(), &server);
            async move { server.account(&account, &format!("{account}pw")).await }
        };
        // a server takes a second to let somebody in
        join_all(["pipit"].iter().chain(accounts).map(register)).await;
        let home = Home::new();
        home.configure(&format!(
            "[[chat]]\nservice = 'irc'\nname = 'test'\nserver = 'localhost:{}'\nca-file = '{}'\nchannels = {ROOMS:?}\n\
             flood = {{ burst = 0 }}\nsasl = {{ account = 'pipit', password-file = '{}' }}\n",
            server.tls_port,
            server.ca().display(),
            server.password("pipitpw").display(),
        ));
        Self { server, _services: services, home }
    }

    /// Users of the shell whose accounts are linked already, by the operator.
    pub(crate) fn users(&self, names: &[&str]) {
        for name in names {
            self.home.setup(&[&format!("user create {name}"), &format!("user link {name} irc://test/{name}")]);
        }
    }

    /// Starts the shell, and waits until the bot is in its rooms.
    pub(crate) async fn serve(&self) -> Beside {
        serve(&self.home, self.server.port).await
    }
}

/// A network that proves nothing about anybody.
pub(crate) async fn bare() -> (Ngircd, Home) {
    let server = Ngircd::start().await;
    let home = Home::new();
    home.configure(&format!(
        "[[chat]]\nservice = 'irc'\nname = 'bare'\nserver = '127.0.0.1:{}'\ntls = false\nchannels = {ROOMS:?}\n\
         flood = {{ burst = 0 }}\n",
        server.port
    ));
    (server, home)
}

/// Starts the shell of a home, and waits until the bot is in its rooms on that server.
pub(crate) async fn serve(home: &Home, port: u16) -> Beside {
    let mut watcher = Peer::join(port, "watcher", ROOMS[0]).await;
    watcher.send(&format!("JOIN {}", ROOMS[1])).await;
    watcher.expect(" 366 ").await;
    let shell = Beside::start(&mut home.command(&["serve"]));
    for room in ROOMS {
        let joined = watcher.expect(":pipit!").await;
        assert!(joined.contains(" JOIN ") && joined.contains(room), "{joined}");
    }
    shell
}

/// What `pipit serve` says when it does not even start.
pub(crate) fn refused(home: &Home) -> Said {
    Said::of(&mut home.command(&["serve"]))
}
