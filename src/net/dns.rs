//! What name servers say of a name. Names and answers that are not of the public internet are denied, as the places they
//! stand for are: whoever asks would learn how a network is made inside.
//!
//! Deliberately absent: the machine's own file of names, and domains that are tried behind a name.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use pipit_commands::Error;
use url::Host;

use super::{Forbidden, Net, address, forbidden};

/// How long name servers may take, all tries included.
const TIME: Duration = Duration::from_secs(10);
/// How long one of them may take for one try.
const TRY: Duration = Duration::from_secs(3);
/// How many records of an answer are given.
const RECORDS: usize = 200;

/// A record of a name.
pub(crate) struct Said {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// For how many seconds it holds.
    pub(crate) seconds: u32,
    pub(crate) value: String,
}

impl Net {
    /// The records of a name, or the names of an address when no kind is asked for. An error of
    /// [`pipit_commands::ErrorKind::Denied`] says that it is not of the public internet.
    pub(crate) async fn look_up(&self, name: &str, kind: Option<&str>) -> Result<Vec<Said>, Error> {
        let (asked, kind) = self.question(name, kind)?;
        let resolver = self.resolver()?;
        let looked = tokio::time::timeout(TIME, resolver.lookup(asked, kind)).await;
        let late = |_| Error::failed(format!("no name server has answered within {} s", TIME.as_secs()));
        let answer = match looked.map_err(late)? {
            Ok(answer) => answer,
            Err(error) if error.is_nx_domain() => {
                return Err(Error::failed(format!("there is no name {name}")));
            }
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(Error::failed(format!("the name cannot be looked up: {error}"))),
        };
        answer.answers().iter().take(RECORDS).map(|record| self.said(name, record)).collect()
    }

    /// What is asked, if it may be.
    fn question(&self, name: &str, kind: Option<&str>) -> Result<(Name, RecordType), Error> {
        let wrong = |why: &dyn Display| Error::failed(format!("{name:?} is no name: {why}"));
        let plain = name.trim_end_matches('.');
        if let Ok(address) = plain.parse::<IpAddr>() {
            self.public(&host(address))?;
            let kind = kind.map_or(Ok(RecordType::PTR), record_type)?;
            return Ok((Name::from(address), kind));
        }
        // names as the network has them, those of other alphabets too
        let mut asked = Name::from_utf8(plain).map_err(|error| wrong(&error))?;
        asked.set_fqdn(true);
        self.public(&Host::Domain(asked.to_ascii().trim_end_matches('.')))?;
        Ok((asked, kind.map_or(Ok(RecordType::A), record_type)?))
    }

    /// Refuses what is not of the public internet, unless the site allows it.
    fn public(&self, host: &Host<&str>) -> Result<(), Error> {
        match forbidden(host).filter(|_| !self.reach.names(host)) {
            Some(forbidden) => Err(forbidden.denied()),
            None => Ok(()),
        }
    }

    fn said(&self, name: &str, record: &Record) -> Result<Said, Error> {
        let address = match &record.data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        if let Some(address) = address
            && let Some(what) = address::special(address)
            && !self.reach.names(&Host::Domain(name.trim_end_matches('.')))
            && !self.reach.names(&host(address))
        {
            return Err(Forbidden { place: format!("{name} at {address}"), what }.denied());
        }
        Ok(Said {
            name: without_root(&record.name.to_utf8()).to_owned(),
            kind: record.record_type().to_string(),
            seconds: record.ttl,
            value: without_root(&record.data.to_string()).to_owned(),
        })
    }

    fn resolver(&self) -> Result<&TokioResolver, Error> {
        if let Some(resolver) = self.resolver.get() {
            return Ok(resolver);
        }
        let failed = |error: &dyn Display| Error::failed(format!("no name server can be asked: {error}"));
        let mut builder = if self.reach.name_servers.is_empty() {
            TokioResolver::builder_tokio().map_err(|error| failed(&error))?
        } else {
            let servers = self.reach.name_servers.iter().copied().map(server).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = TRY;
        options.cache_size = 0;
        let made = builder.build().map_err(|error| failed(&error))?;
        Ok(self.resolver.get_or_init(|| made))
    }
}

fn host(address: IpAddr) -> Host<&'static str> {
    match address {
        IpAddr::V4(address) => Host::Ipv4(address),
        IpAddr::V6(address) => Host::Ipv6(address),
    }
}

fn server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

fn record_type(kind: &str) -> Result<RecordType, Error> {
    kind.parse().map_err(|_| Error::failed(format!("there are no records {kind}")))
}

/// The dot at the end of a whole name, which nobody types.
fn without_root(text: &str) -> &str {
    text.strip_suffix('.').filter(|text| !text.is_empty()).unwrap_or(text)
}
