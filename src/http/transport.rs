//! Where a request comes from and how it got here: peer, proxy, host, TLS; and whether a page of ours sent it.

use crate::config::Config;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The other end of the connection; the listener puts it into the extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Facts about how a request got here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    /// Who sent it, as far as trusted proxies tell.
    pub client: IpAddr,
    /// The scheme the browser sees.
    pub scheme: &'static str,
    /// Host and port the browser sees, in lower case.
    pub authority: String,
    /// Whether the browser keeps our cookies here: TLS, or this very machine.
    pub is_secure: bool,
}

/// Why a request isn't looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No usable `Host`.
    NoHost,
    /// A host that isn't ours (DNS rebinding, or `public-url` is wrong).
    OtherHost,
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// `host`, `host:80` and `host:443` without the port that the scheme implies.
fn plain_authority<'a>(authority: &'a str, scheme: &str) -> &'a str {
    let port = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

fn header<'p>(parts: &'p Parts, name: &str) -> Option<&'p str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// The client as the proxies in front tell it: the last address that isn't a trusted proxy.
fn client(parts: &Parts, peer: IpAddr, trusted: &[IpAddr]) -> IpAddr {
    let mut client = peer;
    let hops = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in hops.iter().rev() {
        if !trusted.contains(&client) {
            break;
        }
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        client = address.to_canonical();
    }
    client
}

/// Reads the facts. Forwarded headers count only when the peer is a trusted proxy.
pub fn read(config: &Config, parts: &Parts) -> Result<Transport, Refusal> {
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let peer = peer.to_canonical();
    let by_proxy = config.trusted_proxies.contains(&peer);
    let authority = match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => header(parts, HOST.as_str()).ok_or(Refusal::NoHost)?,
    };
    let authority: http::uri::Authority = authority.parse().map_err(|_| Refusal::NoHost)?;
    let host = authority.host().to_ascii_lowercase();
    let authority = authority.as_str().to_ascii_lowercase();
    if authority.contains('@') {
        return Err(Refusal::NoHost);
    }
    let is_here = is_loopback(&host);
    let public = config.public_url.as_ref().filter(|url| {
        let expected = url.host_str().map(|name| match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.to_owned(),
        });
        expected.as_deref() == Some(plain_authority(&authority, url.scheme()))
    });
    if config.public_url.is_some() && public.is_none() && !is_here {
        return Err(Refusal::OtherHost);
    }
    let forwarded = header(parts, "x-forwarded-proto").filter(|_| by_proxy);
    let scheme = match (forwarded, public) {
        (Some(scheme), _) if scheme.eq_ignore_ascii_case("https") => "https",
        (Some(_), _) => "http",
        (None, Some(url)) if url.scheme() == "https" => "https",
        (None, _) => "http",
    };
    Ok(Transport {
        client: client(parts, peer, &config.trusted_proxies),
        scheme,
        is_secure: scheme == "https" || is_here,
        authority,
    })
}

impl Transport {
    /// Whether a page of this very origin sent the request. Browsers say so by `Sec-Fetch-Site` or `Origin`; whoever says
    /// neither isn't believed.
    pub fn is_same_origin(&self, parts: &Parts) -> bool {
        let site = parts.headers.get("sec-fetch-site");
        let origin = parts.headers.get(ORIGIN);
        let site_fits = site.is_none_or(|site| site == "same-origin");
        let origin_fits = origin.is_none_or(|origin| origin.to_str().is_ok_and(|origin| self.is_own_origin(origin)));
        (site.is_some() || origin.is_some()) && site_fits && origin_fits
    }

    fn is_own_origin(&self, origin: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        scheme == self.scheme
            && plain_authority(&authority.to_ascii_lowercase(), scheme) == plain_authority(&self.authority, scheme)
    }
}

/// An address on this server, or none: `next` and `page` fields and the like come from outside.
pub fn local_path(text: &str) -> Option<String> {
    let is_local = text.starts_with('/')
        && !text.starts_with("//")
        && !text.contains('\\')
        && text.len() <= 2_048
        && text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    is_local.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(env: &[(&str, &str)]) -> Config {
        let find = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Config::resolve(|_| None, find, &toml::Table::new()).expect("settings")
    }

    fn parts(peer: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        parts.extensions.insert(Peer(SocketAddr::new(peer.parse().expect("an address"), 1)));
        parts
    }

    #[test]
    fn a13_forwarded_headers_count_only_from_trusted_proxies() {
        let proxied = config(&[("SLIPWAY_TRUSTED_PROXIES", "10.0.0.1, 10.0.0.2")]);
        let headers = [
            ("host", "slipway.example"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "1.1.1.1, 2.2.2.2, 10.0.0.2"),
        ];
        let seen = read(&proxied, &parts("10.0.0.1", &headers)).expect("read");
        assert_eq!((seen.client.to_string().as_str(), seen.scheme, seen.is_secure), ("2.2.2.2", "https", true));
        let seen = read(&proxied, &parts("10.0.0.9", &headers)).expect("read");
        assert_eq!((seen.client.to_string().as_str(), seen.scheme, seen.is_secure), ("10.0.0.9", "http", false));
    }

    #[test]
    fn c10_with_a_public_url_only_that_host_and_this_machine_are_answered() {
        let config = config(&[("SLIPWAY_PUBLIC_URL", "https://slipway.example")]);
        for (host, answer) in [
            ("slipway.example", Ok(true)),
            ("SLIPWAY.example:443", Ok(true)),
            ("slipway.example:7400", Err(Refusal::OtherHost)),
            ("attacker.test", Err(Refusal::OtherHost)),
            ("127.0.0.1:7400", Ok(true)),
            ("[::1]:7400", Ok(true)),
            ("slipway.example@attacker.test", Err(Refusal::NoHost)),
            ("", Err(Refusal::NoHost)),
        ] {
            let seen = read(&config, &parts("10.0.0.1", &[("host", host)])).map(|seen| seen.is_secure);
            assert_eq!(seen, answer, "{host}");
        }
        assert_eq!(read(&config, &parts("10.0.0.1", &[])), Err(Refusal::NoHost));
    }

    #[test]
    fn c1_c2_only_our_own_origin_passes() {
        let config = config(&[]);
        for (headers, passes) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:7400")], true),
            (&[("origin", "http://127.0.0.1:7400")], true),
            (&[], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:7400")], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], false),
            (&[("origin", "null")], false),
            (&[("origin", "http://127.0.0.1:7401")], false),
            (&[("origin", "http://127.0.0.1")], false),
            (&[("origin", "https://127.0.0.1:7400")], false),
            (&[("origin", "http://sub.127.0.0.1:7400")], false),
            (&[("origin", "http://evil.example")], false),
            (&[("origin", "127.0.0.1:7400")], false),
        ] {
            let mut all = vec![("host", "127.0.0.1:7400")];
            all.extend_from_slice(headers);
            let parts = parts("127.0.0.1", &all);
            assert_eq!(read(&config, &parts).expect("read").is_same_origin(&parts), passes, "{headers:?}");
        }
    }

    #[test]
    fn c4_only_local_paths_are_local() {
        for good in ["/", "/credentials/cred_1?tab=2", "/a//b", "/search?q=http://x"] {
            assert_eq!(local_path(good).as_deref(), Some(good));
        }
        for bad in ["", "//evil", "/\\evil", "\\evil", "https:evil", "https://evil", "evil", "/a\nb", "/\t/evil", " /a"]
        {
            assert_eq!(local_path(bad), None, "{bad:?}");
        }
    }
}
