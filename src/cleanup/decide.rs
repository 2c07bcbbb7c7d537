//! Which images of a node are Slipway's, and which of those stay. Pure.
//!
//! An image is ours when its label names a service of ours, or when it is what a deployment of ours pulled by digest; and
//! only when every name it has is one that Slipway gave it. One name of somebody else makes it theirs.

use crate::docker::{EngineImage, ImagesInUse};
use crate::services::Kept;
use app::model::cleanup::{LocalImage, Stays};
use app::model::id::ServiceId;
use app::model::image_ref::ImageRef;
use app::model::retention::Need;
use std::collections::HashSet;

/// The label that builds give their images.
const LABEL: &str = "slipway.service";
/// So long after its build or deployment an image stays in any case: what needs it may not be written yet. Seconds.
const FRESH: i64 = 3_600;

/// An image that Slipway built or deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) service: ServiceId,
    /// The service's name.
    pub(super) name: String,
    /// Whether the service is still there.
    pub(super) is_live: bool,
    /// Without digest: a build that didn't get there.
    pub(super) image: ImageRef,
    /// Its place among the images that ran well, newest first, from 1; none: it never did.
    pub(super) place: Option<u32>,
    /// When it was last built or deployed, Unix seconds.
    pub(super) at: i64,
    /// Whether its job isn't over yet.
    pub(super) is_open: bool,
}

/// All that is known of what is ours and what is needed.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) versions: Vec<Version>,
    pub(super) kept: Vec<Kept>,
    /// Ids of all services there ever were.
    pub(super) services: HashSet<String>,
    pub(super) keep_last: u32,
    /// Unix seconds.
    pub(super) now: i64,
}

/// What an image is to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    /// The service's name; none: more than one.
    pub(super) service: Option<String>,
    /// When it was last built or deployed.
    pub(super) at: i64,
    /// Why it stays; none: it may go.
    pub(super) stays: Option<Stays>,
}

impl Facts {
    /// What an image is to us. None: it isn't ours at all.
    pub(super) fn judge(&self, image: &EngineImage, used: &ImagesInUse) -> Option<Judged> {
        let label = image.labels.get(LABEL);
        if label.is_some_and(|service| !self.services.contains(service)) {
            return None;
        }
        let digests = digests(image);
        let versions: Vec<&Version> = self.versions.iter().filter(|version| version.is(image, &digests)).collect();
        if label.is_none() && versions.is_empty() {
            return None;
        }
        let names: HashSet<&str> = versions.iter().map(|version| version.name.as_str()).collect();
        let service = match (names.len(), label) {
            (1, _) => names.into_iter().next().map(str::to_owned),
            (0, Some(id)) => {
                let known = self.versions.iter().find(|version| version.service.as_str() == id);
                known.map(|version| version.name.clone())
            }
            _ => None,
        };
        let at = versions.iter().map(|version| version.at).max().unwrap_or(image.created);
        Some(Judged { service, at, stays: self.stays(image, used, &digests, &versions, label.is_some()) })
    }

    fn stays(
        &self,
        image: &EngineImage,
        used: &ImagesInUse,
        digests: &HashSet<&str>,
        versions: &[&Version],
        is_labelled: bool,
    ) -> Option<Stays> {
        let kept =
            self.kept.iter().filter(|kept| has(digests, &kept.image) && kept.need != Need::Window).min_by_key(|kept| {
                match kept.need {
                    Need::Runs => 0,
                    Need::UnderWay => 1,
                    Need::Pinned | Need::Window => 2,
                }
            });
        if let Some(kept) = kept {
            return Some(Stays::Service { name: kept.name.clone(), need: kept.need });
        }
        if used.has(image) {
            return Some(Stays::InUse);
        }
        let in_window =
            |version: &&&Version| version.is_live && version.place.is_some_and(|place| place <= self.keep_last);
        if let Some(version) = versions.iter().find(in_window) {
            return Some(Stays::Service { name: version.name.clone(), need: Need::Window });
        }
        if versions.iter().any(|version| version.is_open || version.at > self.now - FRESH) {
            return Some(Stays::Fresh);
        }
        (!self.has_only_our_names(image, is_labelled)).then_some(Stays::Foreign)
    }

    fn has_only_our_names(&self, image: &EngineImage, is_labelled: bool) -> bool {
        let parsed: Option<Vec<ImageRef>> = image.names.iter().map(|name| name.parse().ok()).collect();
        let Some(names) = parsed else { return false };
        let is_ours = |name: &ImageRef| {
            self.versions.iter().any(|version| {
                let of = &version.image;
                of.host == name.host
                    && of.repository == name.repository
                    && match &name.digest {
                        Some(_) => of.digest == name.digest,
                        // What wasn't built here, and has a tag without a digest, was pulled by hand.
                        None => is_labelled && of.tag == name.tag,
                    }
            })
        };
        if !names.iter().all(is_ours) {
            return false;
        }
        // containerd's store makes these from the names; the older one keeps them by themselves.
        image.digests.iter().all(|text| {
            let Ok(digest) = text.parse::<ImageRef>() else { return false };
            is_ours(&digest)
                || names.iter().any(|name| name.host == digest.host && name.repository == digest.repository)
        })
    }
}

impl Version {
    fn is(&self, image: &EngineImage, digests: &HashSet<&str>) -> bool {
        if self.image.digest.is_some() {
            return has(digests, &self.image);
        }
        let name = self.image.to_string();
        image.names.contains(&name)
    }
}

fn has(digests: &HashSet<&str>, image: &ImageRef) -> bool {
    image.digest.as_ref().is_some_and(|digest| digests.contains(digest.as_str()))
}

/// All digests that lead to it.
fn digests(image: &EngineImage) -> HashSet<&str> {
    let named = image.names.iter().chain(&image.digests).filter_map(|name| name.split_once('@'));
    named.map(|(_, digest)| digest).chain(std::iter::once(image.id.as_str())).collect()
}

/// Lets those that may go stay while all together are within the budget, the newest first.
pub(super) fn within(images: &mut [LocalImage], budget: Option<u64>) {
    let Some(budget) = budget else { return };
    let mut total: u64 = images.iter().map(|image| image.frees).sum();
    let mut free: Vec<&mut LocalImage> = images.iter_mut().filter(|image| image.stays.is_none()).collect();
    free.sort_by_key(|image| image.at);
    for image in free {
        if total <= budget {
            image.stays = Some(Stays::Room);
        } else {
            total -= image.frees;
        }
    }
}

/// The names to take away, in order. One that names tag and digest takes its repository's others of that digest along, so
/// plain ones come first. An image without a name goes by its id.
pub(super) fn removals(image: &EngineImage) -> Vec<String> {
    let mut names = if image.names.is_empty() { image.digests.clone() } else { image.names.clone() };
    names.sort_by_key(|name| name.contains('@'));
    if names.is_empty() {
        names.push(image.id.clone());
    }
    names
}

#[cfg(test)]
mod tests;
