//! Creating and changing services: the rules that need the database or the configuration.

use super::store::{self, Project, Publisher, Record, Saved};
use super::{Services, build_settings, env, roll_back};
use crate::clock::random;
use crate::storage::Tx;
use crate::{activity, problems};
use app::api::images::ImagesApi as _;
use app::error::{AppError, Blocker, FieldError, Link};
use app::model::account::Actor;
use app::model::git_access::{self, AccessKind};
use app::model::id::{ProjectId, ServiceId};
use app::model::image_ref::{ImageRef, RegistryHost};
use app::model::service::{
    CredentialChoice, GitUrl, ImageSource, Mount, Port, ServiceFields, Settings, Source, SourceFields,
};
use app::model::service_settings;
use app::model::text;
use app::paths;

impl Services {
    pub(super) async fn insert(&self, actor: &Actor, mut fields: ServiceFields) -> Result<ServiceId, AppError> {
        let by = &actor.username;
        let source = self.source(actor, &fields).await?;
        let mut errors = self.repository_errors(&source).await;
        errors.extend(self.mount_errors(&fields.settings.mounts).await);
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let project = store::project_named(&mut tx, &fields.project).await.map_err(problems::of)?;
        let slug = match &project {
            Some(project) => self.named(&mut tx, &project.id, None, &fields.name, &mut errors).await?,
            None => text::slug(&fields.name),
        };
        self.common_errors(&mut tx, None, &source, &fields.settings, &mut errors).await?;
        if !errors.is_empty() {
            return Err(errors.into());
        }
        let project = match project {
            Some(project) => project,
            None => self.new_project(&mut tx, &fields.project).await?,
        };
        let id = ServiceId::from_random(random());
        self.seal_files(&mut tx, &id, &[], &mut fields.settings, &fields.values).await?;
        let settings = env::without_values(&fields.settings);
        let saved = self.saved(&fields, &slug, &source, &settings);
        store::insert(&mut tx, &id, &project.id, saved).await.map_err(problems::of)?;
        self.seal(&mut tx, &id, &fields.settings).await?;
        self.record(&mut tx, by, "service.created", &id, &fields.name).await?;
        tx.commit().await.map_err(problems::of)?;
        Ok(id)
    }

    pub(super) async fn change(
        &self,
        actor: &Actor,
        id: &ServiceId,
        version: i64,
        mut fields: ServiceFields,
    ) -> Result<(), AppError> {
        let by = &actor.username;
        let mut source = self.source(actor, &fields).await?;
        let mut errors = self.repository_errors(&source).await;
        errors.extend(self.mount_errors(&fields.settings.mounts).await);
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let before = self.locked(&mut tx, id).await?;
        build_settings::carry_over(&before.source, &mut source);
        if before.source.git().is_some() != source.git().is_some() {
            return Err(AppError::Blocked(vec![Blocker {
                reason:
                    "A service keeps its kind of source: from git, or an image. Create a new service for the other."
                        .into(),
                link: Some(Link { href: paths::NEW_SERVICE.into(), text: "Create a service".into() }),
            }]));
        }
        if !before.project_name.eq_ignore_ascii_case(&fields.project) {
            errors.push(FieldError::new(
                "project",
                format!(
                    "A service stays in its project, {}. Create a new service to have it elsewhere.",
                    before.project_name
                ),
            ));
        }
        let slug = self.named(&mut tx, &before.project, Some(id), &fields.name, &mut errors).await?;
        // A name that makes the same slug keeps the one it has, with its number.
        let slug = if text::slug(&before.name) == text::slug(&fields.name) { before.slug.clone() } else { slug };
        self.common_errors(&mut tx, Some(id), &source, &fields.settings, &mut errors).await?;
        if !errors.is_empty() {
            return Err(errors.into());
        }
        self.seal_files(&mut tx, id, &before.settings.secrets, &mut fields.settings, &fields.values).await?;
        let settings = env::without_values(&fields.settings);
        let saved = self.saved(&fields, &slug, &source, &settings);
        if !store::update(&mut tx, id, version, saved).await.map_err(problems::of)? {
            return Err(stale(id));
        }
        self.seal(&mut tx, id, &fields.settings).await?;
        self.record(&mut tx, by, "service.changed", id, &fields.name).await?;
        tx.commit().await.map_err(problems::of)
    }

    pub(super) async fn locked(&self, tx: &mut Tx, id: &ServiceId) -> Result<Record, AppError> {
        let found = store::find(&mut **tx, id).await.map_err(problems::of)?;
        found.filter(|record| !record.is_deleted).ok_or_else(|| AppError::NotFound("service".into()))
    }

    fn saved<'a>(
        &self,
        fields: &'a ServiceFields,
        slug: &'a str,
        source: &'a Source,
        settings: &'a Settings,
    ) -> Saved<'a> {
        let now = self.inner.clock.millis();
        Saved { name: &fields.name, slug, source, settings, watch: fields.watch, now }
    }

    /// What the form says, with the credential that it leaves to us.
    async fn source(&self, actor: &Actor, fields: &ServiceFields) -> Result<Source, AppError> {
        let (image, choice) = match &fields.source {
            SourceFields::Git(source) => return Ok(Source::Git(source.clone())),
            SourceFields::Image { image, credential } => (image.clone(), credential),
        };
        let credential = match choice {
            CredentialChoice::None => None,
            CredentialChoice::Of(id) => Some(id.clone()),
            CredentialChoice::Automatic => self.inner.images.credential_for(actor, &image).await?,
        };
        Ok(Source::Image(ImageSource { image, credential }))
    }

    async fn seal(&self, tx: &mut Tx, id: &ServiceId, settings: &Settings) -> Result<(), AppError> {
        env::keep(&self.inner.vault, &self.inner.clock, tx, id.as_str(), settings).await.map_err(problems::of)
    }

    async fn record(&self, tx: &mut Tx, by: &str, verb: &str, id: &ServiceId, name: &str) -> Result<(), AppError> {
        activity::record(tx, &self.inner.clock, by, verb, id.as_str(), name).await.map_err(problems::of)
    }

    async fn new_project(&self, tx: &mut Tx, name: &str) -> Result<Project, AppError> {
        let slugs = store::project_slugs(tx).await.map_err(problems::of)?;
        let slug = free_slug(&text::slug(name), slugs.iter().map(String::as_str));
        let project = Project { id: ProjectId::from_random(random()), slug };
        store::insert_project(tx, &project, name, self.inner.clock.seconds()).await.map_err(problems::of)?;
        Ok(project)
    }

    /// A slug that no other service of the project has, and an error when one has the name.
    async fn named(
        &self,
        tx: &mut Tx,
        project: &ProjectId,
        but: Option<&ServiceId>,
        name: &str,
        errors: &mut Vec<FieldError>,
    ) -> Result<String, AppError> {
        let others = store::names_in(tx, project, but).await.map_err(problems::of)?;
        if others.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            errors
                .push(FieldError::new("name", "A service of this project has this name already. Choose another one."));
        }
        Ok(free_slug(&text::slug(name), others.iter().map(|(_, slug)| slug.as_str())))
    }

    async fn common_errors(
        &self,
        tx: &mut Tx,
        but: Option<&ServiceId>,
        source: &Source,
        settings: &Settings,
        errors: &mut Vec<FieldError>,
    ) -> Result<(), AppError> {
        if let Some(registry) = source.git().and_then(|source| source.registry.as_ref())
            && !store::registry_exists(tx, registry).await.map_err(problems::of)?
        {
            errors.push(FieldError::new("registry", "This registry was deleted. Choose another one."));
        }
        if let Some(ImageSource { image, credential: Some(credential) }) = source.image() {
            let url = store::credential_url(tx, credential).await.map_err(problems::of)?;
            errors.extend(credential_error(image, url.map(|url| url.host).as_ref()));
        }
        if let Some(source) = source.git()
            && let Some(access) = &source.access
        {
            let found = store::git_access(tx, access).await.map_err(problems::of)?;
            errors.extend(access_error(&source.repository, found));
        }
        let others = store::publishers(tx, but).await.map_err(problems::of)?;
        errors.extend(port_error(&settings.ports, &others));
        Ok(())
    }

    /// No container gets what Slipway keeps, nor Docker's socket, wherever they are here; links are followed.
    async fn mount_errors(&self, mounts: &[Mount]) -> Vec<FieldError> {
        let config = &self.inner.config;
        let socket = config.docker_host.strip_prefix("unix://").map(std::path::PathBuf::from);
        let mut own = Vec::new();
        for path in [config.data_dir.clone(), config.master_key_file.clone()].into_iter().chain(socket) {
            own.extend(tokio::fs::canonicalize(&path).await);
            own.push(path);
        }
        let mut errors = Vec::new();
        for mount in mounts.iter().filter(|mount| mount.is_bind()) {
            let typed = std::path::PathBuf::from(&mount.source);
            let real = tokio::fs::canonicalize(&typed).await.unwrap_or_else(|_| typed.clone());
            let is_own = |path: &std::path::PathBuf| {
                [&typed, &real].iter().any(|folder| path.starts_with(folder) || folder.starts_with(path))
            };
            let why = if own.iter().any(is_own) {
                "holds Slipway's own data or Docker's socket, so no service gets it. Mount another folder."
            } else if real.to_str().is_none_or(|real| service_settings::refused(real).is_some()) {
                "is a link to what no service gets. Mount another folder."
            } else {
                continue;
            };
            errors.push(FieldError::new("mounts", format!("{} {why}", mount.source)));
        }
        errors
    }

    /// Local repositories are allowed only below the configured folders, links followed.
    async fn repository_errors(&self, source: &Source) -> Vec<FieldError> {
        let Some(repository) = source.git().map(|source| &source.repository).filter(|url| url.is_local()) else {
            return Vec::new();
        };
        let allowed = &self.inner.config.local_repositories;
        let refused = |why: &str| vec![FieldError::new("repository", why)];
        if !allowed.iter().any(|folder| std::path::Path::new(repository.as_str()).starts_with(folder)) {
            return refused(
                "Repositories on this server may only be built below the folders that the setting local_repositories \
                 names. Use https:// or ssh:// instead.",
            );
        }
        let Ok(real) = tokio::fs::canonicalize(repository.as_str()).await else {
            return refused("There is no such folder on this server.");
        };
        for folder in allowed {
            if tokio::fs::canonicalize(folder).await.is_ok_and(|folder| real.starts_with(folder)) {
                return Vec::new();
            }
        }
        refused("This folder is a link that leaves the folders of the setting local_repositories.")
    }
}

/// The slug, or the slug with the first number that makes it free.
fn free_slug<'a>(slug: &str, taken: impl Iterator<Item = &'a str> + Clone) -> String {
    let is_free = |candidate: &str| !taken.clone().any(|other| other == candidate);
    if is_free(slug) {
        return slug.to_owned();
    }
    (2_u32..).map(|number| format!("{slug}-{number}")).find(|candidate| is_free(candidate)).unwrap_or_default()
}

/// Somebody changed it since `version` was read.
pub(super) fn stale(id: &ServiceId) -> AppError {
    AppError::Blocked(vec![Blocker {
        reason: "Somebody changed this service meanwhile. Look at it as it is now, then repeat what you did.".into(),
        link: Some(Link { href: paths::edit_service(id), text: "Open the form anew".into() }),
    }])
}

/// A password goes to the host that it is for, and nowhere else.
fn credential_error(image: &ImageRef, host: Option<&RegistryHost>) -> Option<FieldError> {
    let message = match host {
        Some(host) if *host == image.host => return None,
        Some(host) => {
            format!("This credential is for {host}; the image lies at {}. Choose one of that host.", image.host)
        }
        None => "This credential was deleted. Choose another one.".to_owned(),
    };
    Some(FieldError::new("credential", message))
}

/// A token or key goes to the host that it is for, and nowhere else.
fn access_error(repository: &GitUrl, found: Option<(AccessKind, RegistryHost)>) -> Option<FieldError> {
    let message = match found {
        Some((kind, host)) if git_access::fits(kind, &host, repository) => return None,
        Some((kind, host)) => {
            format!("This access is for {host} by {}; choose one that fits the repository.", kind.protocol())
        }
        None => "This access was deleted. Choose another one.".to_owned(),
    };
    Some(FieldError::new("access", message))
}

fn port_error(ports: &[Port], others: &[Publisher]) -> Option<FieldError> {
    let taken: Vec<String> = roll_back::taken(ports, others)
        .into_iter()
        .map(|(port, by)| format!("Port {} is published by {} in {} already.", port.published, by.name, by.project))
        .collect();
    (!taken.is_empty()).then(|| FieldError::new("ports", format!("{} Choose another one.", taken.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_slug_gets_a_number() {
        assert_eq!(free_slug("shop", ["web"].into_iter()), "shop");
        assert_eq!(free_slug("shop", ["shop", "shop-2"].into_iter()), "shop-3");
    }
}
