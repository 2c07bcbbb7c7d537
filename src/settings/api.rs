//! The use cases behind `app::api::settings`.

use super::{Settings, address};
use crate::docker::DockerError;
use crate::{activity, problems};
use app::api::settings::SettingsApi;
use app::error::{AppError, Problem};
use app::model::account::{Action, Actor};
use app::model::build_rules::{BuildRulesForm, RulesInForce};
use app::model::settings::{DockerState, Host};
use async_trait::async_trait;

const FIELD: &str = "advertise_address";

#[async_trait]
impl SettingsApi for Settings {
    async fn host(&self) -> Host {
        self.host_now()
    }

    async fn configuration(&self, actor: &Actor) -> Result<Vec<(String, String)>, AppError> {
        actor.may(Action::Read)?;
        let config = &self.inner.config;
        let list = |items: Vec<String>| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
        Ok([
            ("listen", config.listen.to_string()),
            ("data_dir", config.data_dir.display().to_string()),
            ("public_url", config.public_url.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)),
            ("docker_host", config.docker_host.clone()),
            ("master_key_file", config.master_key_file.display().to_string()),
            ("log_format", format!("{:?}", config.log_format).to_lowercase()),
            (
                "local_repositories",
                list(config.local_repositories.iter().map(|path| path.display().to_string()).collect()),
            ),
            ("trusted_proxies", list(config.trusted_proxies.iter().map(ToString::to_string).collect())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into())
    }

    async fn build_rules(&self, actor: &Actor) -> Result<RulesInForce, AppError> {
        actor.may(Action::Read)?;
        self.rules_in_force().await
    }

    async fn set_build_rules(&self, actor: &Actor, form: BuildRulesForm) -> Result<(), AppError> {
        self.change_rules(actor, &form).await
    }

    async fn start_swarm(&self, actor: &Actor, advertise_address: &str) -> Result<(), AppError> {
        actor.may(Action::ManageSettings)?;
        let advertise = address::advertise_address(FIELD, advertise_address).map_err(|error| vec![error])?;
        if let Err(error) = self.inner.docker.start_swarm(&advertise).await {
            return Err(self.not_started(error).await);
        }
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        activity::record(&mut tx, &self.inner.clock, &actor.username, "swarm.started", "swarm", &advertise)
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        self.look().await;
        Ok(())
    }
}

impl Settings {
    async fn not_started(&self, error: DockerError) -> AppError {
        let DockerError::Refused { message, .. } = &error else { return error.problem().into() };
        if message.contains("already part of a swarm") {
            let host = self.look().await;
            let remedy = match host.docker {
                DockerState::Ready => "There is nothing left to do.",
                _ => "Leave that Swarm with docker swarm leave first, or connect Slipway to one of its managers.",
            };
            return Problem::new("swarm.already", "Docker is part of a Swarm already.", remedy).into();
        }
        if ["address", "interface", "advertise"].iter().any(|word| message.contains(word)) {
            return AppError::field(
                FIELD,
                format!("Docker can't use this address: {message}. Give one of this machine's own addresses."),
            );
        }
        error.problem().into()
    }
}
