//! What goes into a build beside the checkout: arguments and secrets.

use super::Builds;
use super::folder::BuildFolder;
use crate::jobs::{JobContext, JobError};
use app::model::build::Build;
use app::model::build_options::BuildOptions;
use std::path::PathBuf;

/// Arguments, and files with secrets.
pub(super) struct Inputs {
    /// `--build-arg`.
    pub(super) args: Vec<(String, String)>,
    /// `--secret`: id and file.
    pub(super) secrets: Vec<(String, PathBuf)>,
}

impl Builds {
    /// All that the options name.
    pub(super) async fn inputs(
        &self,
        build: &Build,
        options: &BuildOptions,
        folder: &BuildFolder,
        cx: &JobContext,
    ) -> Result<Inputs, JobError> {
        let _ = (build, folder, cx);
        Ok(Inputs { args: options.args.clone(), secrets: Vec::new() })
    }
}
