//! Addresses at which other nodes reach this one.

use app::error::FieldError;
use std::net::{IpAddr, SocketAddr};

/// An IP address of the machine or a network interface's name, as Docker takes them.
pub(super) fn advertise_address(field: &str, text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    let bad = || {
        FieldError::new(
            field,
            "Give an IP address of this machine, like 192.168.1.10, or the name of a network interface, like eth0.",
        )
    };
    if let Ok(address) = text.parse::<IpAddr>() {
        return if address.is_unspecified() || address.is_multicast() { Err(bad()) } else { Ok(text.to_owned()) };
    }
    // Linux: at most 15 bytes, no slash, no white space.
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@');
    let is_name = (1..=15).contains(&text.len())
        && text.bytes().all(fits)
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with('.');
    if is_name { Ok(text.to_owned()) } else { Err(bad()) }
}

/// What the machine itself would use to reach the outside; the loopback address when it has no way out.
pub(super) async fn suggested(docker_host: &str) -> String {
    if let Some(address) = docker_host.strip_prefix("tcp://").and_then(|rest| rest.parse::<SocketAddr>().ok())
        && !address.ip().is_loopback()
    {
        return address.ip().to_string();
    }
    // Connecting a UDP socket sends nothing; it only asks the routing table. 192.0.2.1 is for documentation (RFC 5737).
    let own = async {
        let socket = tokio::net::UdpSocket::bind("0.0.0.0:0").await?;
        socket.connect("192.0.2.1:9").await?;
        socket.local_addr()
    };
    own.await.map_or_else(|_| "127.0.0.1".into(), |address| address.ip().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_interface_names_are_taken() {
        for text in ["192.168.1.10", " 10.0.0.1 ", "fd00::1", "eth0", "enp3s0.100", "br-lan"] {
            assert_eq!(advertise_address("advertise_address", text).as_deref(), Ok(text.trim()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_an_error_at_its_field() {
        for text in
            ["", "0.0.0.0", "224.0.0.1", "1.2.3", "host.example.com.", "a b", "--x", "eth0;reboot", "a/b", "a\nb"]
        {
            let result = advertise_address("advertise_address", text);
            assert_eq!(result.map_err(|error| error.field), Err("advertise_address".to_owned()), "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_remote_engine_is_suggested_at_its_own_address() {
        assert_eq!(suggested("tcp://10.1.2.3:2375").await, "10.1.2.3");
        assert!(suggested("unix:///x").await.parse::<IpAddr>().is_ok());
    }
}
