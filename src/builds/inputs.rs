//! What goes into a build beside the checkout: arguments, and secrets that BuildKit reads from files.

use super::Builds;
use super::folder::BuildFolder;
use super::memory::SecretFolder;
use crate::jobs::{JobContext, JobError, internal};
use crate::vault::VaultError;
use app::error::Problem;
use app::model::build::Build;
use app::model::build_form::{is_argument, is_secret_name};
use app::model::build_options::BuildOptions;
use app::model::id::ServiceId;
use app::model::secret::Secret;
use app::paths;
use std::path::PathBuf;

/// Who owns the secrets of a service's builds in the vault. Not the service itself: its environment is kept there.
pub fn secrets_of(service: &ServiceId) -> String {
    format!("{service}:build")
}

/// Secrets by name, opened.
pub(super) type Opened = Vec<(String, Secret)>;

/// Arguments, and files with secrets, which go with it.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// `--build-arg`.
    pub(super) args: Vec<(String, String)>,
    /// `--secret`: id and file.
    pub(super) secrets: Vec<(String, PathBuf)>,
    /// The files' folder.
    _folder: Option<SecretFolder>,
}

impl Builds {
    /// Opens the secrets that the options name. From here on the log shows none of them, nor a line of one.
    pub(super) async fn open_secrets(
        &self,
        build: &Build,
        options: &BuildOptions,
        cx: &JobContext,
    ) -> Result<Opened, JobError> {
        let owner = secrets_of(&build.service);
        let mut opened = Vec::with_capacity(options.secrets.len());
        for name in &options.secrets {
            let value = match self.inner.vault.get(self.inner.db.read(), &owner, name).await {
                Ok(value) => value,
                Err(error @ (VaultError::Sealed { .. } | VaultError::NotThere { .. })) => {
                    tracing::error!(build.id = %build.id, %error, "a build secret can't be opened");
                    return Err(JobError::Fail(closed(build, name)));
                }
                Err(error) => return Err(internal(error)),
            };
            mask(&value, cx);
            opened.push((name.clone(), value));
        }
        Ok(opened)
    }

    /// Writes the secrets to files, and lays the arguments out.
    pub(super) fn inputs(
        &self,
        build: &Build,
        options: &BuildOptions,
        opened: &Opened,
        folder: &BuildFolder,
        attempt: i64,
    ) -> Result<Inputs, JobError> {
        // Checked when they were typed; what stands in the database is checked once more before it becomes an argument.
        let args = options.args.iter().filter(|(name, _)| is_argument(name)).cloned().collect();
        if opened.is_empty() {
            return Ok(Inputs { args, ..Inputs::default() });
        }
        let data = &self.inner.config.data_dir;
        let files = SecretFolder::create(data, &build.id, attempt, &folder.home()).map_err(internal)?;
        let mut secrets = Vec::with_capacity(opened.len());
        for (index, (name, value)) in opened.iter().enumerate().filter(|(_, (name, _))| is_secret_name(name)) {
            secrets.push((name.clone(), files.write(index, value).map_err(internal)?));
        }
        Ok(Inputs { args, secrets, _folder: Some(files) })
    }
}

/// Also line by line: a command that prints a key prints it so, and encodes lines by themselves.
fn mask(value: &Secret, cx: &JobContext) {
    cx.mask(value);
    let text = value.expose("its lines are masked");
    let trimmed = text.trim();
    if trimmed != text && !trimmed.is_empty() {
        cx.mask(&Secret::new(trimmed.to_owned()));
    }
    for line in text.lines().map(str::trim).filter(|line| line.len() >= 4 && *line != trimmed) {
        cx.mask(&Secret::new(line.to_owned()));
    }
}

fn closed(build: &Build, name: &str) -> Problem {
    Problem::new(
        "build.secret",
        format!("The build secret {name} has no value that can be opened."),
        "Type it again in the build settings; if others can't be opened either, put the right master key file back.",
    )
    .with_link(paths::build_settings(&build.service), "Open the build settings")
}
