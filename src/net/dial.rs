//! Connections that programs ask the shell for. They pass the same gate as requests.

use std::time::Duration;

use pipit_commands::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Host;

use super::{Forbidden, Reach, address, forbidden, look_up};

/// How long it may take to connect, the name looked up included.
const TIME: Duration = Duration::from_secs(10);

impl Reach {
    /// Connects to a host, by its name or address, if it is public or the site allows it. An error of
    /// [`pipit_commands::ErrorKind::Denied`] says that it may not be reached.
    pub(crate) async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        let late = |_| Error::failed(format!("{host}:{port} did not answer within {} s", TIME.as_secs()));
        timeout(TIME, self.dial(host, port)).await.map_err(late)?
    }

    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let known = Host::parse(&bracketed).map_err(|error| Error::failed(format!("{host} is no host: {error}")))?;
        let known = match &known {
            Host::Domain(name) => Host::Domain(name.as_str()),
            Host::Ipv4(address) => Host::Ipv4(*address),
            Host::Ipv6(address) => Host::Ipv6(*address),
        };
        let allowed = self.leads(&known, port);
        if let Some(forbidden) = forbidden(&known).filter(|_| !allowed) {
            return Err(forbidden.denied());
        }
        let unreachable = |error: std::io::Error| Error::failed(format!("{host}:{port} cannot be reached: {error}"));
        let found = look_up(host).await.map_err(unreachable)?;
        let special = found.iter().find_map(|found| address::special(found.ip()).map(|what| (found.ip(), what)));
        if let Some((at, what)) = special.filter(|_| !allowed) {
            return Err(Forbidden { place: format!("{host} at {at}"), what }.denied());
        }
        // as it was looked up above: a second answer could be another one
        let mut last = std::io::Error::other("the name has no address");
        for mut at in found {
            at.set_port(port);
            match TcpStream::connect(at).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(unreachable(last))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use pipit_commands::ErrorKind;

    use super::*;

    #[tokio::test]
    async fn inner_places_take_the_word_of_the_site() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "::1", "169.254.169.254", "10.0.0.1", "0x7f000001"] {
            let error = Reach::default().connect(host, port).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Denied, "{host}: {error}");
        }
        let reach: Reach = toml::from_str(&format!("allow = ['127.0.0.1:{port}']")).unwrap();
        assert!(reach.connect("127.0.0.1", port).await.is_ok());
        assert_eq!(reach.connect("127.0.0.1", port ^ 1).await.unwrap_err().kind(), ErrorKind::Denied);
    }
}
