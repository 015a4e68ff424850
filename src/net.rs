//! The one way out to the network that somebody's words can steer: HTTP to the public internet, and to the hosts that the
//! site allows beside it, and questions to name servers.
//!
//! A name is resolved once; if any of its addresses is special the request is denied, else one of them is connected
//! to. Every redirect passes the same gate. Time, size and redirects are bounded. Deliberately absent: cookies, proxies,
//! connections that are kept, and what the words were.

use std::error::Error as _;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use pipit_commands::{Error, ErrorKind};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};
use url::{Host, Url};

use crate::limits::FETCH_TIME;

mod address;
mod allow;
mod dial;
mod dns;

pub(crate) use allow::Reach;
pub(crate) use dns::Said;

/// How long a request may take, redirects and body included.
const TIME: Duration = Duration::from_secs(10);
/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// The largest answer, in bytes, after it was unpacked.
const BODY: usize = 4 << 20;
/// The longest address, in bytes.
const ADDRESS: usize = 8 * 1024;

/// What is asked of a server.
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// As it was typed.
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<String>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// As the server calls it, in lower case; empty when it says nothing.
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// The way out. Costs nothing until it is used.
#[derive(Default)]
pub(crate) struct Net {
    reach: Reach,
    /// Refuses names that lead to special addresses.
    public: OnceLock<Client>,
    /// For hosts that the site allows, wherever they are.
    allowed: OnceLock<Client>,
    /// Asks name servers.
    resolver: OnceLock<TokioResolver>,
}

impl Net {
    /// With the hosts that the site allows.
    pub(crate) fn new(reach: Reach) -> Self {
        Self { reach, ..Self::default() }
    }

    /// What the site allows.
    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Asks a server and reads all of its answer, whatever its status. An error of [`ErrorKind::Denied`] says that the
    /// place may not be reached.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, Error> {
        within(TIME, self.follow(ask, BODY)).await
    }

    /// Gets a file of at most so many bytes; none when the server has none.
    pub(crate) async fn download(&self, url: &str, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let ask = Ask { method: Method::GET, url: url.to_owned(), headers: HeaderMap::new(), body: None };
        let answer = within(FETCH_TIME, self.follow(ask, most)).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(answer.body)),
            status => Err(Error::failed(format!("the server answered {status}"))),
        }
    }

    async fn follow(&self, mut ask: Ask, most: usize) -> Result<Answer, Error> {
        let mut url = read(&ask.url)?;
        for _ in 0..=REDIRECTS {
            let response = self.hop(&ask, &url).await?;
            let Some(next) = redirected(&ask.method, &response) else { return whole(response, most).await };
            let next =
                url.join(&next).map_err(|error| Error::failed(format!("it redirects to no address: {error}")))?;
            // what was typed for one server is not for another
            if next.origin() != url.origin() {
                ask.headers.clear();
            }
            url = next;
        }
        Err(Error::failed(format!("it redirects more than {REDIRECTS} times")))
    }

    async fn hop(&self, ask: &Ask, url: &Url) -> Result<Response, Error> {
        let client = self.client(url)?;
        let mut request = client.request(ask.method.clone(), url.clone()).headers(ask.headers.clone());
        if let Some(body) = &ask.body {
            request = request.body(body.clone());
        }
        request.send().await.map_err(|error| said(&error))
    }

    /// The gate: whether an address may be asked, and by which client.
    fn client(&self, url: &Url) -> Result<&Client, Error> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::failed(format!("{}: is not reached from here; http and https are", url.scheme())));
        }
        let allowed = self.reach.has(url);
        let host = url.host().ok_or_else(|| Error::failed("the address names no host"))?;
        if let Some(forbidden) = forbidden(&host).filter(|_| !allowed) {
            return Err(forbidden.denied());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::new(
                ErrorKind::Denied,
                "an address with a name or password before its host is not asked",
            )
            .help("give them as a header: --header='Authorization: …'"));
        }
        if allowed { made(&self.allowed, Arc::new(Everywhere)) } else { made(&self.public, Arc::new(Public)) }
    }
}

fn made<R: Resolve + 'static>(client: &OnceLock<Client>, resolver: Arc<R>) -> Result<&Client, Error> {
    if let Some(client) = client.get() {
        return Ok(client);
    }
    let made = Client::builder()
        .user_agent(concat!("pipit/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .pool_max_idle_per_host(0)
        .dns_resolver(resolver)
        .build()
        .map_err(|error| Error::failed(format!("nothing can be asked of servers: {}", deepest(&error))))?;
    Ok(client.get_or_init(|| made))
}

/// Reads an address as it was typed.
fn read(text: &str) -> Result<Url, Error> {
    if text.len() > ADDRESS {
        return Err(Error::failed(format!("the address is longer than {} KiB", ADDRESS / 1024)));
    }
    let url = Url::parse(text).map_err(|error| Error::failed(format!("this is no address: {error}")))?;
    // a reader of addresses passes over them in silence
    if text.contains(|c: char| c.is_control()) {
        let special = url.host().is_some_and(|host| forbidden(&host).is_some());
        let kind = if special { ErrorKind::Denied } else { ErrorKind::Failed };
        return Err(Error::new(kind, "the address holds a control character, such as an end of line"));
    }
    Ok(url)
}

/// Where an answer sends the reader. What changes something is not said twice: only a GET follows.
fn redirected(method: &Method, response: &Response) -> Option<String> {
    let moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    (moved && *method == Method::GET).then(|| location.to_owned())
}

/// What is asked, if it does not take too long.
async fn within(time: Duration, asked: impl Future<Output = Result<Answer, Error>>) -> Result<Answer, Error> {
    let late = |_| Error::failed(format!("the server took longer than {} s to answer", time.as_secs()));
    tokio::time::timeout(time, asked).await.map_err(late)?
}

/// The answer with its body, if that is not too large.
async fn whole(mut response: Response, most: usize) -> Result<Answer, Error> {
    let large = || Error::failed(format!("the answer is larger than {} MiB", most >> 20));
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(large());
    }
    let status = response.status();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| said(&error))? {
        if body.len() + part.len() > most {
            return Err(large());
        }
        body.extend_from_slice(&part);
    }
    Ok(Answer { status, content_type, body })
}

/// What went wrong, without the address: whoever asked knows it.
fn said(error: &reqwest::Error) -> Error {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(forbidden) = cause.downcast_ref::<Forbidden>() {
            return forbidden.denied();
        }
        next = cause.source();
    }
    let what =
        if error.is_connect() { "the server cannot be reached" } else { "the server did not answer as it should" };
    Error::failed(format!("{what}: {}", deepest(error)))
}

fn deepest(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// A place that is not of the public internet.
#[derive(Debug)]
struct Forbidden {
    place: String,
    what: &'static str,
}

impl Forbidden {
    fn denied(&self) -> Error {
        Error::new(ErrorKind::Denied, self.to_string())
            .help("who runs the shell can allow a host by its name or address: allow under [net] in pipit.toml")
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) may not be reached from here", self.place, self.what)
    }
}

impl std::error::Error for Forbidden {}

/// Whether a host is no public one, as far as can be seen without looking it up.
fn forbidden(host: &Host<&str>) -> Option<Forbidden> {
    let (place, what) = match host {
        Host::Domain(name) => (name.to_string(), address::special_name(name)?),
        Host::Ipv4(address) => (address.to_string(), address::special((*address).into())?),
        Host::Ipv6(address) => (address.to_string(), address::special((*address).into())?),
    };
    Some(Forbidden { place, what })
}

/// Names to public addresses. One special address among those of a name refuses it: a name that mixes them is no
/// accident.
struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = look_up(name.as_str()).await?;
            for address in found.iter().map(SocketAddr::ip) {
                if let Some(what) = address::special(address) {
                    return Err(Forbidden { place: format!("{} at {address}", name.as_str()), what }.into());
                }
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Names to any address.
struct Everywhere;

impl Resolve for Everywhere {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move { Ok(Box::new(look_up(name.as_str()).await?.into_iter()) as Addrs) })
    }
}

async fn look_up(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
    if found.is_empty() { Err(std::io::Error::other("the name has no address")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

    use super::*;

    /// Past the gate that knows the name: what a name server says is judged by where it leads.
    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_denied() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/", server.local_addr().unwrap().port());
        let client = OnceLock::new();
        let asked = made(&client, Arc::new(Public)).unwrap().get(&url).send().await;
        let error = said(&asked.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
        assert!(error.message().contains("localhost at "), "{error}");
        let called = tokio::time::timeout(Duration::from_millis(50), server.accept()).await;
        assert!(called.is_err(), "the server was connected to");
    }

    #[test]
    fn nothing_is_made_before_it_is_used() {
        let net = Net::new(Reach::default());
        assert!(net.public.get().is_none() && net.allowed.get().is_none());
        assert_eq!(net.client(&"http://10.0.0.1/".parse().unwrap()).unwrap_err().kind(), ErrorKind::Denied);
        assert!(net.public.get().is_none());
    }
}
