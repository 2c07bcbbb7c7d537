//! From a tag to the digest behind it, so that what runs never changes by itself.

use super::record::{Record, Wanted};
use super::{Registries, store_managed};
use crate::jobs::{self, JobContext, JobError};
use crate::oci::Access;
use app::model::credential::RegistryUrl;
use app::model::image_ref::ImageRef;
use std::time::Duration;

/// Without a connection the wait is for nothing.
const LIMIT: Duration = Duration::from_secs(10);

impl Registries {
    /// The record with its image pinned, if the registry that the image comes from says so to anybody. Else the name stays as
    /// it is: the image may be on the nodes already.
    pub(super) async fn pin(&self, record: &Record, cx: &JobContext) -> Result<String, JobError> {
        let image = &record.wanted.image;
        let Some(pinned) = self.pinned(image, cx).await? else { return Ok(image.clone()) };
        let pinned = pinned.to_string();
        let wanted = Wanted { image: pinned.clone(), ..record.wanted.clone() };
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_managed::set_wanted(&mut tx, &record.id, &wanted, record.revision).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        Ok(pinned)
    }

    async fn pinned(&self, image: &str, cx: &JobContext) -> Result<Option<ImageRef>, JobError> {
        let Ok(mut image) = image.parse::<ImageRef>() else { return Ok(None) };
        let Some(tag) = image.tag.clone().filter(|_| image.digest.is_none()) else {
            cx.log(&format!("{image} is pinned already."));
            return Ok(None);
        };
        let access = Access::public(RegistryUrl { plain: image.host.is_loopback(), host: image.host.clone() });
        let asked = self.parts.oci.digest(&access, &image.repository, tag.as_str());
        let why = match cx.or_cancel(tokio::time::timeout(LIMIT, asked)).await? {
            Ok(Ok(Some(digest))) => {
                image.digest = Some(digest);
                cx.log(&format!("Pinned: {image}"));
                return Ok(Some(image));
            }
            Ok(Ok(None)) => format!("{} doesn't have it", image.host),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("{} didn't answer within 10 s", image.host),
        };
        cx.log(&format!("{image} can't be pinned: {why}. The nodes take it as it is called, or their own copy of it."));
        Ok(None)
    }
}
