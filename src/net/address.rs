//! Which addresses and names are of the public internet. All others (this machine, private and special networks, what
//! is reserved or carries an address of another kind) are told by what they are.
//!
//! Deliberately absent: looking names up, and what a site allows of its own (`allow.rs`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of version 4 that are special, with the length of their prefix. From the registry of special-purpose
/// addresses, and the address by which one cloud tells its machines their secrets.
const SPECIAL_4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::UNSPECIFIED, 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private network"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "a provider's own network"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "this machine"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud's metadata"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local, as a cloud's metadata is"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private network"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a relay to IPv6"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private network"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for measurements"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// The only network of version 6 that is public.
const PUBLIC_6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks within it that are special.
const SPECIAL_6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved for protocols"),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32, "for documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "a tunnel to IPv4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation"),
];

/// The network whose last 32 bits are an address of version 4 that a gateway translates to.
const TRANSLATED: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Names that never stand for a public host, nor do those below them, whatever a name server says.
const NAMES: &[(&str, &str)] = &[
    ("localhost", "this machine"),
    ("local", "the local network"),
    ("internal", "a private network"),
    ("home.arpa", "a private network"),
];

/// What a name stands for that is never public; none for names that have to be looked up.
pub(crate) fn special_name(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let within = |own: &str| name.strip_suffix(own).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    NAMES.iter().find(|(own, _)| within(own)).map(|(_, what)| *what)
}

/// What an address is that is not of the public internet; none for those that are.
pub(crate) fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_4(address),
        IpAddr::V6(address) => special_6(address),
    }
}

fn special_4(address: Ipv4Addr) -> Option<&'static str> {
    let within = |(network, length, _): &&(Ipv4Addr, u32, &str)| {
        (address.to_bits() ^ network.to_bits()).leading_zeros() >= *length
    };
    SPECIAL_4.iter().find(within).map(|(_, _, what)| *what)
}

fn special_6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return special_4(mapped);
    }
    if within_6(address, TRANSLATED) {
        let [.., high, low] = address.segments();
        return special_4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    }
    if !within_6(address, PUBLIC_6) {
        return Some(match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => "this machine",
            [0xfe80..=0xfebf, ..] => "link-local",
            [0xfc00..=0xfdff, ..] => "a private network",
            [0xff00..=0xffff, ..] => "multicast",
            _ => "not public",
        });
    }
    SPECIAL_6.iter().find(|(network, length, _)| within_6(address, (*network, *length))).map(|(_, _, what)| *what)
}

fn within_6(address: Ipv6Addr, (network, length): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::{special, special_name};

    /// Written down once more, as texts, so that a slip in the table is seen.
    const PREFIXES: &[(&str, u32)] = &[
        ("0.0.0.0", 8),
        ("10.0.0.0", 8),
        ("100.64.0.0", 10),
        ("127.0.0.0", 8),
        ("168.63.129.16", 32),
        ("169.254.0.0", 16),
        ("172.16.0.0", 12),
        ("192.0.0.0", 24),
        ("192.0.2.0", 24),
        ("192.88.99.0", 24),
        ("192.168.0.0", 16),
        ("198.18.0.0", 15),
        ("198.51.100.0", 24),
        ("203.0.113.0", 24),
        ("224.0.0.0", 4),
        ("240.0.0.0", 4),
        ("::", 96),
        ("64:ff9b:1::", 48),
        ("100::", 64),
        ("2001::", 32),
        ("2001:2::", 48),
        ("2001:10::", 28),
        ("2001:20::", 28),
        ("2001:db8::", 32),
        ("2002::", 16),
        ("3fff::", 20),
        ("5f00::", 16),
        ("fc00::", 7),
        ("fe80::", 10),
        ("fec0::", 10),
        ("ff00::", 8),
    ];

    fn inside(prefix: &str, length: u32, bits: u128) -> IpAddr {
        match prefix.parse().unwrap() {
            IpAddr::V4(network) => {
                let host = u32::try_from(bits >> 96).unwrap().checked_shr(length).unwrap_or(0);
                Ipv4Addr::from_bits(network.to_bits() | host).into()
            }
            IpAddr::V6(network) => Ipv6Addr::from_bits(network.to_bits() | bits >> length).into(),
        }
    }

    proptest! {
        #[test]
        fn every_special_network_is_refused_in_every_form(at in 0..PREFIXES.len(), bits: u128) {
            let (prefix, length) = PREFIXES[at];
            let address = inside(prefix, length, bits);
            prop_assert!(special(address).is_some(), "{address} of {prefix}/{length}");
            if let IpAddr::V4(address) = address {
                let mapped = address.to_ipv6_mapped();
                prop_assert!(special(mapped.into()).is_some(), "{mapped}");
                for form in [format!("64:ff9b::{address}"), format!("::{address}")] {
                    let form: Ipv6Addr = form.parse().unwrap();
                    prop_assert!(special(form.into()).is_some(), "{form}");
                }
                let [a, b, c, d] = address.octets();
                let tunnel: Ipv6Addr = format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1").parse().unwrap();
                prop_assert!(special(tunnel.into()).is_some(), "{tunnel}");
            }
        }

        #[test]
        fn what_is_outside_of_them_is_public(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let refused = PREFIXES.iter().filter(|(prefix, _)| !prefix.contains(':')).any(|(prefix, length)| {
                let network: Ipv4Addr = prefix.parse().unwrap();
                (network.to_bits() ^ bits).leading_zeros() >= *length
            });
            prop_assert_eq!(special(address.into()).is_some(), refused, "{}", address);
            prop_assert_eq!(special(address.to_ipv6_mapped().into()).is_some(), refused, "{}", address);
        }
    }

    #[test]
    fn names() {
        for name in ["localhost", "localhost.", "a.localhost", "printer.local", "metadata.google.internal"] {
            assert!(special_name(name).is_some(), "{name}");
        }
        for name in ["example.com", "notlocalhost", "localhost.example.com", "internal.example.com", "arpa"] {
            assert_eq!(special_name(name), None, "{name}");
        }
    }

    #[test]
    fn public_ones() {
        for address in
            ["8.8.8.8", "1.1.1.1", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "2a00::1", "64:ff9b::808:808"]
        {
            assert_eq!(special(address.parse().unwrap()), None, "{address}");
        }
    }
}
