//! What people read about deletions that don't happen.

use app::error::Problem;
use app::model::id::{JobId, RegistryId};
use app::model::image_ref::Tag;
use app::model::retention::Need;
use app::model::trash::TAG_TAKEN;
use app::paths;

/// This provider deletes no tag in a way that could be taken back.
pub(super) fn cannot(why: &str, remedy: &str) -> Problem {
    Problem::new("retention.cannot_delete", why, remedy)
}

/// Deletion of tags isn't known there.
pub(super) fn no_tags(host: &str) -> Problem {
    Problem::new(
        "retention.cannot_delete",
        format!("{host} can't delete tags through its interface without deleting the image."),
        "Delete tags there, by hand or by a rule of its own.",
    )
}

/// A registry of distribution that doesn't delete.
pub(super) fn deletion_is_off(host: &str) -> Problem {
    Problem::new(
        "retention.deletion_is_off",
        format!("{host} refuses all deletions: they are turned off in its configuration."),
        "Turn them on there (REGISTRY_STORAGE_DELETE_ENABLED=true, or storage.delete.enabled in config.yml) and start it \
         again. Nothing was deleted.",
    )
}

/// It says that it did, and it didn't.
pub(super) fn not_gone(host: &str, tag: &Tag) -> Problem {
    Problem::new(
        "retention.not_gone",
        format!("{host} says that it deleted the tag {tag}, and it is still there."),
        "Try again later; if it stays so, delete it there.",
    )
}

/// It lacks something.
pub(super) fn refused(host: &str, said: &str) -> Problem {
    Problem::new("retention.refused", format!("{host} refused."), "Look into the registry's own log.")
        .with_details(said)
}

/// Too many in a row.
pub(super) fn gave_up(last: &Problem) -> Problem {
    Problem::new(
        "retention.gave_up",
        format!("Several tags in a row couldn't be deleted, so the run stopped. The last: {}", last.cause),
        last.remedy.clone(),
    )
}

/// The registry isn't there any more.
pub(super) fn no_registry() -> Problem {
    Problem::new("retention.no_registry", "The registry was deleted meanwhile.", "There is nothing left to do.")
}

/// The tag leads to something else.
pub(super) fn tag_taken(tag: &Tag, now: &str, registry: &RegistryId) -> Problem {
    Problem::new(
        TAG_TAKEN,
        format!("The tag {tag} leads to another image by now ({now}), so it wasn't touched."),
        "Restore it over that one, if that may lose its tag; its image stays by its digest.",
    )
    .with_link(paths::trash(registry), "Open the trash")
}

/// What it is made of is gone.
pub(super) fn parts_are_gone(host: &str, said: &str) -> Problem {
    Problem::new(
        "trash.parts_are_gone",
        format!("{host} doesn't have all layers of this image any more, so it can't be brought back."),
        "Something else than Slipway cleaned up there. Build the image again.",
    )
    .with_details(said)
}

/// Its row is gone.
pub(super) fn not_in_trash() -> Problem {
    Problem::new(
        "trash.gone",
        "This tag isn't in the trash any more.",
        "It was brought back or thrown out already; the registry's runs say which.",
    )
}

/// It is deleted or thrown out right now.
pub(super) fn busy(registry: &RegistryId, job: &JobId) -> Problem {
    Problem::new(
        "trash.busy",
        "This tag is being deleted, or thrown out, right now.",
        "Wait until the run is over; a tag that is deleted by then can come back.",
    )
    .with_link(paths::retention_run(registry, job), "Open the run")
}

/// What a deployment needs an image for: goes on from "deployment 3".
pub(super) fn need(need: Need) -> &'static str {
    match need {
        Need::Runs => "runs it",
        Need::UnderWay => "is on its way with it",
        Need::Pinned => "is pinned",
        Need::Window => "can be gone back to",
    }
}
