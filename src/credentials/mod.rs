//! How to sign in at registry hosts.

use crate::oci::Login;
use app::error::AppError;
use app::model::credential::RegistryUrl;
use app::model::id::CredentialId;

/// Credentials: the use cases behind `app::api::credentials`.
#[derive(Clone, Debug)]
pub struct Credentials {}

impl Credentials {
    /// Address and login of a credential, for the parts of Slipway that talk to its registry.
    pub async fn open(&self, id: &CredentialId) -> Result<(RegistryUrl, Login), AppError> {
        let _ = id;
        unimplemented!()
    }
}
