//! Lists: the catalog of repositories and the tags of one (OCI distribution specification, "Content discovery"; the catalog
//! is CNCF distribution's).

use super::{Access, Client, OciError};
use app::model::image_ref::Repository;

/// A part of a list, and where it goes on: path and query on the registry's own origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// As the registry sent them; not checked.
    pub names: Vec<String>,
    /// Where it goes on; None: this was the last.
    pub next: Option<String>,
}

impl Client {
    /// Repositories, by `GET /v2/_catalog`; `next` is the one of the page before.
    pub async fn repositories(&self, access: &Access, next: Option<&str>) -> Result<Names, OciError> {
        let _ = (access, next);
        unimplemented!("helper oci")
    }

    /// Tags of a repository.
    pub async fn tags(&self, access: &Access, repository: &Repository, next: Option<&str>) -> Result<Names, OciError> {
        let _ = (access, repository, next);
        unimplemented!("helper oci")
    }
}
