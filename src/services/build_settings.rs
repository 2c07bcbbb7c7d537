//! How a service's images are built: kept with its source; the values of build secrets are sealed beside it.

use super::store::{self, Saved};
use super::{Services, save};
use crate::{activity, builds, problems};
use app::error::{AppError, Blocker, FieldError};
use app::model::account::Actor;
use app::model::build_form::BuildFields;
use app::model::build_options::BuildOptions;
use app::model::id::ServiceId;
use app::model::service::{GitSource, Source};

impl Services {
    /// All but the recipe, which the service's own form changes.
    pub(super) async fn save_build(
        &self,
        actor: &Actor,
        id: &ServiceId,
        version: i64,
        fields: BuildFields,
    ) -> Result<(), AppError> {
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let before = self.locked(&mut tx, id).await?;
        if before.version != version {
            return Err(save::stale(id));
        }
        let Source::Git(source) = before.source else {
            let reason = format!("{} runs an image that is there already: nothing of it is built.", before.name);
            return Err(AppError::Blocked(vec![Blocker { reason, link: None }]));
        };
        let BuildFields { options, values } = fields;
        let is_sealed =
            |name: &String| source.build.secrets.contains(name) || values.iter().any(|(new, _)| new == name);
        if let Some(name) = options.secrets.iter().find(|name| !is_sealed(name)) {
            return Err(FieldError::new("", format!("The secret {name} has no value. Add it anew.")).into());
        }
        let owner = builds::secrets_of(id);
        let vault = &self.inner.vault;
        for name in source.build.secrets.iter().filter(|name| !options.secrets.contains(name)) {
            vault.forget_one(&mut tx, &owner, name).await.map_err(problems::of)?;
        }
        for (name, value) in &values {
            vault.put(&mut tx, &self.inner.clock, &owner, name, value).await.map_err(problems::of)?;
        }
        let build = BuildOptions { recipe: source.build.recipe.clone(), ..options };
        let source = Source::Git(GitSource { build, ..source });
        let saved = Saved {
            name: &before.name,
            slug: &before.slug,
            source: &source,
            settings: &before.settings,
            watch: before.watch,
            now: self.inner.clock.millis(),
        };
        if !store::update(&mut tx, id, version, saved).await.map_err(problems::of)? {
            return Err(save::stale(id));
        }
        let (by, what) = (&actor.username, format!("{}: build settings", before.name));
        activity::record(&mut tx, &self.inner.clock, by, "service.changed", id.as_str(), &what)
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }
}

/// What the service form doesn't show stays as it was.
pub(super) fn carry_over(before: &Source, now: &mut Source) {
    if let (Source::Git(before), Source::Git(now)) = (before, now) {
        let recipe = std::mem::take(&mut now.build.recipe);
        now.build = BuildOptions { recipe, ..before.build.clone() };
    }
}
