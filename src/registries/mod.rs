//! Places images are pushed to.

use crate::oci::Login;
use app::error::AppError;
use app::model::credential::RegistryUrl;
use app::model::id::RegistryId;
use app::model::image_ref::Repository;

/// All that a push or pull needs to know of a registry.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which registry.
    pub id: RegistryId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: RegistryUrl,
    /// How to sign in.
    pub login: Login,
    /// What comes before `<project>/<service>`.
    pub base_path: Option<Repository>,
}

/// Registries: the use cases behind `app::api::registries`.
#[derive(Clone, Debug)]
pub struct Registries {}

impl Registries {
    /// The registry that a service builds to: its own choice, or the default. None: there is none yet.
    pub async fn choose(&self, wanted: Option<&RegistryId>) -> Result<Option<RegistryId>, AppError> {
        let _ = wanted;
        unimplemented!()
    }

    /// Opens a registry for a push or pull. None: it was deleted.
    pub async fn target(&self, id: &RegistryId) -> Result<Option<Target>, AppError> {
        let _ = id;
        unimplemented!()
    }
}
