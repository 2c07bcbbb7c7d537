//! Secrets of services as files: values sealed in the vault, given to tasks as Swarm secrets.
//!
//! What must always hold: a value never changes under its mark, so that a deployment, and the way back to it, has the very
//! values it was made with; the Swarm has no more of them than what runs needs.

use super::deploy::Plan;
use super::{Services, spec, store_deployments};
use crate::clock::random;
use crate::docker::GivenSecret;
use crate::jobs::{self, JobError};
use crate::problems;
use crate::storage::Tx;
use app::error::{AppError, FieldError};
use app::model::build_form::secret_field;
use app::model::id::ServiceId;
use app::model::secret::Secret;
use app::model::service::{SecretFile, Settings};
use app::model::text;

/// Label of a Swarm secret: which value it is.
const MARK: &str = "slipway.secret";

/// Whose secrets they are in the vault; another owner than the service itself, whose variables come and go.
pub(super) fn owner(service: &ServiceId) -> String {
    format!("{service}/files")
}

/// What the Swarm calls a value.
fn swarm_name(service: &ServiceId, mark: &str) -> String {
    format!("slipway-{}-{mark}", service.short())
}

impl Services {
    /// Puts marks on what the form named: new ones on new values, which are sealed; those of `before` on what is kept.
    pub(super) async fn seal_files(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
        before: &[SecretFile],
        settings: &mut Settings,
        values: &[(String, Secret)],
    ) -> Result<(), AppError> {
        let vault = &self.inner.vault;
        let mut errors = Vec::new();
        for (index, file) in settings.secrets.iter_mut().enumerate() {
            if let Some((_, value)) = values.iter().find(|(name, _)| *name == file.name) {
                file.mark = text::hex(&random::<12>());
                vault.put(tx, &self.inner.clock, &owner(service), &file.mark, value).await.map_err(problems::of)?;
            } else if let Some(kept) = before.iter().find(|kept| kept.name == file.name) {
                file.mark.clone_from(&kept.mark);
            } else {
                let why = format!("The secret {} has no value. Type it anew.", file.name);
                errors.push(FieldError::new(&secret_field(index, "secret"), why));
            }
        }
        if !errors.is_empty() {
            return Err(errors.into());
        }
        let gone = before.iter().filter(|file| !settings.secrets.iter().any(|kept| kept.mark == file.mark));
        for file in gone {
            // What a deployment was made with stays, for the way back.
            if !store_deployments::mentions(tx, service, &file.mark).await.map_err(problems::of)? {
                vault.forget_one(tx, &owner(service), &file.mark).await.map_err(problems::of)?;
            }
        }
        Ok(())
    }

    /// The values of a deployment's secrets, in their order.
    pub(super) async fn files_of(&self, service: &ServiceId, settings: &Settings) -> Result<Vec<Secret>, JobError> {
        let mut values = Vec::new();
        for file in &settings.secrets {
            let value = self.inner.vault.get(self.inner.db.read(), &owner(service), &file.mark).await;
            values.push(value.map_err(jobs::internal)?);
        }
        Ok(values)
    }

    /// The Swarm secrets of a deployment; those that the Swarm doesn't have are made. Idempotent.
    pub(super) async fn given_files(&self, plan: &Plan) -> Result<Vec<GivenSecret>, JobError> {
        let (id, files) = (&plan.service.id, &plan.deployment.settings.secrets);
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let there = self.inner.docker.secrets(&spec::service_filter(id)).await?;
        let mut given = Vec::new();
        for (file, value) in files.iter().zip(&plan.files) {
            let name = swarm_name(id, &file.mark);
            let swarm_id = match there.iter().find(|secret| secret.name == name) {
                Some(secret) => secret.id.clone(),
                None => {
                    let labels = [(spec::MANAGED, "true"), (spec::SERVICE, id.as_str()), (MARK, &file.mark)];
                    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
                    self.inner.docker.create_secret(&name, &labels, value).await?
                }
            };
            given.push(GivenSecret { id: swarm_id, name, file: file.name.clone() });
        }
        Ok(given)
    }

    /// Takes Swarm secrets away that `kept` doesn't name. One that is still in use stays until the next time.
    pub(super) async fn drop_files(&self, service: &ServiceId, kept: &[SecretFile]) {
        let Ok(there) = self.inner.docker.secrets(&spec::service_filter(service)).await else { return };
        for secret in there {
            let is_kept = kept.iter().any(|file| swarm_name(service, &file.mark) == secret.name);
            if !is_kept && let Err(error) = self.inner.docker.remove_secret(&secret.id).await {
                tracing::info!(service.id = %service, %error, "an old secret stays in the Swarm for now");
            }
        }
    }
}
