//! What buildx keeps of builders, made and repaired from the database: deleting its folder, or a builder in it, is healed.
//!
//! Beside each of buildx's own files lies what it was made from; another definition, and it is made anew.

use super::buildx::{self, Definition, Place};
use super::{Builders, causes};
use crate::process::Invocation;
use app::error::Problem;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

impl Builders {
    /// Sees to it that buildx has the builder as it is defined. One at a time: buildx writes whole files.
    pub(super) async fn repair(&self, of: &Definition, stop: &CancellationToken) -> Result<(), Problem> {
        let _alone = self.inner.repairing.lock().await;
        let place = &self.inner.place;
        private(&place.folder).map_err(|error| folder(&error))?;
        if is_made(place, of) {
            return Ok(());
        }
        self.take_out(&of.name, false, stop).await?;
        for part in 0..of.parts() {
            let done = self.buildx(buildx::create(place, of, part), stop).await?;
            if let Err(written) = done {
                // Half of it would pass for the whole.
                self.take_out(&of.name, false, stop).await?;
                return Err(causes::of(&written, of));
            }
        }
        std::fs::write(made_from(place, &of.name), fingerprint(of)).map_err(|error| folder(&error))
    }

    /// Forgets what buildx has of a builder; with its containers, if their machines answer.
    pub(super) async fn take_out(&self, name: &str, with_cache: bool, stop: &CancellationToken) -> Result<(), Problem> {
        let place = &self.inner.place;
        let instance = buildx::instance(&place.folder, name);
        if instance.exists()
            && let Err(written) = self.buildx(buildx::remove(place, name, with_cache), stop).await?
        {
            tracing::warn!(name, written, "a builder's containers can't be removed");
            if let Err(written) = self.buildx(buildx::forget(place, name), stop).await? {
                tracing::debug!(name, written, "buildx doesn't know the builder");
            }
        }
        for file in [instance, made_from(place, name)] {
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(folder(&error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Forgets builders of ours that the database doesn't have.
    pub(super) async fn sweep(&self, names: &[String], stop: &CancellationToken) -> Result<(), Problem> {
        let _alone = self.inner.repairing.lock().await;
        let Ok(entries) = std::fs::read_dir(self.inner.place.folder.join("instances")) else { return Ok(()) };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with(super::PREFIX) && !names.contains(&name) {
                self.take_out(&name, true, stop).await?;
            }
        }
        Ok(())
    }

    /// Runs buildx; the inner error is what it wrote when it failed.
    pub(super) async fn buildx(
        &self,
        call: Invocation,
        stop: &CancellationToken,
    ) -> Result<Result<String, String>, Problem> {
        let done = self.inner.parts.runner.capture(call, stop).await.map_err(|error| causes::of_process(&error))?;
        Ok(if done.ended.is_success() { Ok(done.out) } else { Err(format!("{}\n{}", done.out, done.err)) })
    }
}

fn made_from(place: &Place, name: &str) -> PathBuf {
    place.folder.join("made").join(name)
}

/// All that buildx was told, as one text.
fn fingerprint(of: &Definition) -> String {
    format!("{of:?}")
}

/// Whether buildx has the builder, whole, and made from this definition.
fn is_made(place: &Place, of: &Definition) -> bool {
    if std::fs::read_to_string(made_from(place, &of.name)).ok() != Some(fingerprint(of)) {
        return false;
    }
    let Ok(text) = std::fs::read(buildx::instance(&place.folder, &of.name)) else { return false };
    let instance: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    instance["Nodes"].as_array().is_some_and(|nodes| nodes.len() == of.parts())
}

/// buildx's folder, for us alone.
fn private(folder: &Path) -> io::Result<()> {
    for path in [folder.to_owned(), folder.join("home"), folder.join("made")] {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The folder can't be used.
pub(super) fn folder(error: &io::Error) -> Problem {
    Problem::new(
        "builder.folder",
        format!("The folder buildx in Slipway's data folder can't be used: {error}."),
        "See whether the disk is full, and whom the folder belongs to.",
    )
}
