//! One thing at a time: what the doctor looks at before it signs in.

use super::{Access, Client, OciError};
use std::net::IpAddr;

impl Client {
    /// The addresses that the registry's name leads to and that may be reached. [`OciError::Dns`], or a forbidden address.
    pub async fn look_up(&self, access: &Access) -> Result<Vec<IpAddr>, OciError> {
        let _ = access;
        unimplemented!("helper oci")
    }

    /// Connects and shakes hands; for plain HTTP connects alone. What was agreed on, in words (`TLS 1.3, certificate until
    /// 2027-03-31`).
    pub async fn shake_hands(&self, access: &Access) -> Result<String, OciError> {
        let _ = access;
        unimplemented!("helper oci")
    }

    /// Asks `GET /v2/` without a password: whether a registry answers, and what sign-in it wants (`Bearer at auth.example`).
    pub async fn greet(&self, access: &Access) -> Result<String, OciError> {
        let _ = access;
        unimplemented!("helper oci")
    }
}
