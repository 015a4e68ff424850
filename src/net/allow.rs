//! The hosts that a site lets its people reach beside the public internet. Names are compared whole, label by label.

use std::net::SocketAddr;

use serde::Deserialize;
use url::{Host, Url};

/// `[net]` of the configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Reach {
    /// Hosts that may be reached though their addresses are special: `10.1.2.3:8080`, `[fd00::1]:80`,
    /// `ci.example.internal`, `*.example.internal`; without a port every port of them.
    #[serde(default)]
    pub(crate) allow: Vec<Allowed>,
    /// The name servers that `dns` asks, as `192.0.2.1:53`; without any those of the machine.
    #[serde(default)]
    pub(crate) name_servers: Vec<SocketAddr>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Allowed {
    host: Host,
    /// The host stands for every name that ends with its labels, and not for itself.
    below: bool,
    port: Option<u16>,
}

impl TryFrom<String> for Allowed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |why: &str| format!("{text:?} is no host: {why}; write a name or an address, and :port behind it");
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let in_brackets = rest.starts_with('[');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !in_brackets || host.ends_with(']') => (host, Some(port)),
            Some(_) | None => (rest, None),
        };
        let port = port.map(|port| port.parse::<u16>().map_err(|_| wrong("its port is no number up to 65535")));
        let host = Host::parse(host).map_err(|error| wrong(&error.to_string()))?;
        if rest.contains('*') {
            return Err(wrong("* stands for whole labels, in front only"));
        }
        if below && !matches!(host, Host::Domain(_)) {
            return Err(wrong("an address has no names below it"));
        }
        Ok(Self { host, below, port: port.transpose()? })
    }
}

impl Reach {
    /// Whether the host and the port of an address are on the list.
    pub(super) fn has(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return false };
        self.leads(&host, port)
    }

    /// Whether a host with a port is on the list.
    pub(super) fn leads(&self, host: &Host<&str>, port: u16) -> bool {
        self.allow.iter().any(|allowed| allowed.has(host, port))
    }

    /// Whether a host is on the list, with whatever port.
    pub(super) fn names(&self, host: &Host<&str>) -> bool {
        self.allow.iter().any(|allowed| allowed.is(host))
    }
}

impl Allowed {
    fn has(&self, host: &Host<&str>, port: u16) -> bool {
        self.is(host) && self.port.is_none_or(|own| own == port)
    }

    fn is(&self, host: &Host<&str>) -> bool {
        match (&self.host, host) {
            (Host::Domain(own), Host::Domain(name)) if self.below => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name.strip_suffix(own.as_str()).is_some_and(|before| before.len() > 1 && before.ends_with('.'))
            }
            (Host::Domain(own), Host::Domain(name)) => name.strip_suffix('.').unwrap_or(name) == own,
            (Host::Ipv4(own), Host::Ipv4(address)) => own == address,
            (Host::Ipv6(own), Host::Ipv6(address)) => own == address,
            (Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::{Allowed, Reach};

    fn has(allowed: &str, url: &str) -> bool {
        let reach = Reach { allow: vec![Allowed::try_from(allowed.to_owned()).unwrap()], ..Reach::default() };
        reach.has(&url.parse().unwrap())
    }

    #[test]
    fn hosts_are_compared_whole() {
        assert!(has("ci.example.internal", "http://ci.example.internal/x"));
        assert!(has("ci.example.internal", "https://CI.example.internal.:8443/x"));
        assert!(!has("ci.example.internal", "http://ci.example.internal.evil.test/"));
        assert!(!has("ci.example.internal", "http://evilci.example.internal/"));
        assert!(!has("ci.example.internal", "http://a.ci.example.internal/"));
        assert!(has("*.example.internal", "http://a.b.example.internal/"));
        assert!(!has("*.example.internal", "http://example.internal/"));
        assert!(!has("*.example.internal", "http://evilexample.internal/"));
        assert!(has("10.1.2.3:8080", "http://10.1.2.3:8080/"));
        assert!(has("10.1.2.3:8080", "http://0x0a010203:8080/"));
        assert!(!has("10.1.2.3:8080", "http://10.1.2.3/"));
        assert!(!has("10.1.2.3:8080", "http://10.1.2.30:8080/"));
        assert!(has("127.0.0.1:443", "https://127.0.0.1/"));
        assert!(has("[::1]:80", "http://[0:0::1]/"));
        assert!(has("[::1]", "http://[::1]:9/"));
        assert!(!has("[::1]:80", "http://[::ffff:127.0.0.1]/"));
    }

    #[test]
    fn what_is_no_host_is_told() {
        for text in ["", "host:port", "host:70000", "a b", "*.10.0.0.1", "http://x", "[::1", "x/y", "*"] {
            assert!(Allowed::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
