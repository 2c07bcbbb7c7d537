//! Which addresses may be connected to. Pure.
//!
//! What must always hold: metadata services and the like are out of reach for everybody, and this machine and private
//! networks for everybody but the credentials that are marked as internal. An IPv4 address inside an IPv6 address is
//! judged as itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far away an address is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Anybody may connect there.
    Public,
    /// Only with `Trust::internal`.
    Internal(&'static str),
    /// Nobody may.
    Never(&'static str),
}

impl Reach {
    /// Whether a connection is allowed.
    pub fn is_open(self, internal: bool) -> bool {
        match self {
            Self::Public => true,
            Self::Internal(_) => internal,
            Self::Never(_) => false,
        }
    }

    /// What kind of address it is, with an article.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Internal(kind) | Self::Never(kind) => kind,
        }
    }
}

/// Addresses at which clouds give their machines' secrets away, outside the link-local ranges.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: [[u16; 8]; 2] = [[0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254], [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254]];

/// Judges an address (IANA's special-purpose address registries).
pub(super) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let octets = address.octets();
    if METADATA_V4.contains(&address) || address.is_link_local() {
        return Reach::Never("a link-local or metadata address");
    }
    match octets {
        [0, ..] => Reach::Never("an unspecified address"),
        [224..=239, ..] => Reach::Never("a multicast address"),
        [240..=255, ..] => Reach::Never("a reserved address"),
        [127, ..] => Reach::Internal("an address of this machine"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Reach::Internal("a private address"),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Reach::Internal("an address for special use")
        }
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let segments = address.segments();
    if METADATA_V6.contains(&segments) {
        return Reach::Never("a link-local or metadata address");
    }
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Never("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Internal("an address of this machine"),
        // Mapped (::ffff:a.b.c.d), translated (::ffff:0:a.b.c.d) and compatible (::a.b.c.d) addresses are that IPv4 address.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] => {
            reach_v4(inner(high, low))
        }
        // NAT64 and 6to4 lead to that IPv4 address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => reach_v4(inner(high, low)),
        // NAT64 with a prefix of one's own: with the usual length the IPv4 address stands at the end.
        [0x64, 0xff9b, 1, 0, 0, 0, high, low] => reach_v4(inner(high, low)).max(Reach::Internal("a private address")),
        // Teredo: the IPv4 address of the other side stands at the end, inverted.
        [0x2001, 0, _, _, _, _, high, low] => {
            reach_v4(inner(!high, !low)).max(Reach::Internal("an address for special use"))
        }
        [0xfe80..=0xfebf, ..] => Reach::Never("a link-local or metadata address"),
        [0xff00..=0xffff, ..] => Reach::Never("a multicast address"),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Reach::Internal("a private address"),
        // Protocol assignments, documentation, discard-only, segment routing.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x100, ..] | [0x5f00, ..] => {
            Reach::Internal("an address for special use")
        }
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never("a reserved address"),
    }
}

fn inner(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Want {
        Public,
        Internal,
        Never,
    }

    fn judged(address: &str) -> Want {
        match reach(address.parse().unwrap_or_else(|_| panic!("{address}"))) {
            Reach::Public => Want::Public,
            Reach::Internal(_) => Want::Internal,
            Reach::Never(_) => Want::Never,
        }
    }

    /// S4: every kind of address that isn't everybody's.
    #[test]
    fn each_range_is_kept_as_far_away_as_it_should_be() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "febf::1",
            "::ffff:169.254.169.254",
            "::ffff:0:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "2002:a9fe:a9fe::1",
            "2001:0:1:2:3:4:5601:5601",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "::ffff:0.0.0.0",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "4000::1",
        ] {
            assert_eq!(judged(address), Want::Never, "{address}");
        }
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.7",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "192.88.99.1",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:10.0.0.7",
            "64:ff9b::10.0.0.7",
            "64:ff9b:1::10.0.0.7",
            "2002:a00:7::1",
            "2001:0:1:2:3:4:f5ff:fff8",
            "fc00::1",
            "fd00::7",
            "fec0::1",
            "2001:db8::1",
            "2001:20::1",
            "3fff::1",
            "100::1",
            "5f00::1",
        ] {
            assert_eq!(judged(address), Want::Internal, "{address}");
        }
        for address in [
            "1.1.1.1",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "192.167.1.1",
            "11.0.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
        ] {
            assert_eq!(judged(address), Want::Public, "{address}");
        }
    }

    proptest::proptest! {
        /// However an IPv4 address is dressed up, it is never closer than it is.
        #[test]
        fn a_disguise_brings_nothing(bits in proptest::num::u32::ANY) {
            let plain = Ipv4Addr::from(bits);
            let ([a, b, c, d], own) = (plain.octets(), reach(plain.into()));
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            for dressed in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
            ] {
                let judged = reach(dressed.into());
                proptest::prop_assert!(!judged.is_open(false) || own.is_open(false), "{dressed}: {judged:?}");
                proptest::prop_assert!(!judged.is_open(true) || own.is_open(true), "{dressed}: {judged:?}");
            }
        }
    }
}
