//! What is known of a registry, put together for the judge; nobody is asked.

use super::content::Mark;
use super::judge::{Needed, Repo, World};
use super::{Retention, store};
use crate::problems;
use crate::services::Kept;
use app::error::AppError;
use app::model::id::RegistryId;
use app::model::image_ref::RegistryHost;
use app::model::registry::Registry;
use app::model::retention::{Scope, Why};
use std::collections::{BTreeMap, HashMap};

impl Retention {
    /// The world as it is known.
    pub(super) async fn gather(&self, registry: &RegistryId) -> Result<World, AppError> {
        let Registry { host, .. } = self.parts.registries.of(registry).await?;
        let db = self.parts.db.read();
        let as_of = store::as_of(db, registry).await.map_err(problems::of)?;
        let (policy, services, listed, tags, images, pushes, kept) = tokio::try_join!(
            async { store::policy(db, &Scope::Registry(registry.clone())).await.map_err(problems::of) },
            async { store::service_policies(db).await.map_err(problems::of) },
            async { store::repositories(db, registry).await.map_err(problems::of) },
            async { store::tags(db, registry).await.map_err(problems::of) },
            async { store::images(db, registry).await.map_err(problems::of) },
            async { store::pushes(db, registry, &host, as_of).await.map_err(problems::of) },
            self.parts.services.kept(),
        )?;
        let (mut tags, mut images) = (tags, images);
        let mut repositories: BTreeMap<String, Repo> = BTreeMap::new();
        for (name, unread) in listed {
            let key = name.as_str().to_owned();
            let tags = tags.remove(&key).unwrap_or_default();
            let images = images.remove(&key).unwrap_or_else(HashMap::new);
            repositories.insert(key, Repo { name, unread, tags, images, pushes: Vec::new() });
        }
        for pushed in pushes {
            if let Some(repo) = repositories.get_mut(&pushed.repository) {
                repo.pushes.push(pushed.push);
            }
        }
        Ok(World {
            now: self.parts.clock.seconds(),
            as_of,
            policy,
            services,
            repositories: repositories.into_values().collect(),
            needs: needs(kept, &host),
        })
    }
}

/// What deployments need, as the judge wants it.
fn needs(kept: Vec<Kept>, host: &RegistryHost) -> Vec<Needed> {
    kept.into_iter()
        .map(|kept| Needed {
            repository: (kept.image.host == *host).then_some(kept.image.repository),
            tag: kept.image.tag.map(String::from),
            mark: kept.image.digest.as_ref().map(Mark::of),
            why: Why::Deployment {
                service: kept.service,
                name: kept.name,
                deployment: kept.deployment,
                number: kept.number,
                need: kept.need,
            },
        })
        .collect()
}
