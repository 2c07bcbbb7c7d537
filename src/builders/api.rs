//! The use cases behind `app::api::builders`.

use super::{Builders, ENGINE_NAME, Record, clear, page, secret, store};
use crate::clock::random;
use crate::jobs::{Lane, NewJob};
use crate::storage::Tx;
use crate::{activity, problems};
use app::api::builders::BuildersApi;
use app::error::{AppError, Blocker, Link};
use app::model::account::{Action, Actor};
use app::model::builder::{
    Builder, BuilderForm, BuilderKind, BuilderState, Builds, Caps, NodeFields, NodeForm, WhichBuilder, limit,
};
use app::model::id::{BuilderId, JobId};
use app::model::secret::Secret;
use app::paths;
use async_trait::async_trait;

#[async_trait]
impl BuildersApi for Builders {
    async fn list(&self, actor: &Actor) -> Result<Vec<Builder>, AppError> {
        actor.may(Action::Read)?;
        let mut all = vec![self.engine().await?];
        let records = store::list(self.inner.parts.db.read()).await.map_err(problems::of)?;
        all.extend(records.into_iter().map(|record| self.shown(record)));
        Ok(all)
    }

    async fn get(&self, actor: &Actor, which: &WhichBuilder) -> Result<Builder, AppError> {
        actor.may(Action::Read)?;
        match which {
            WhichBuilder::Engine => self.engine().await,
            WhichBuilder::Added(id) => Ok(self.shown(self.record(id).await?)),
        }
    }

    async fn create(&self, actor: &Actor, form: BuilderForm) -> Result<BuilderId, AppError> {
        actor.may(Action::ManageSettings)?;
        let kind = match form.kind.parse() {
            Ok(BuilderKind::Remote) => BuilderKind::Remote,
            Ok(BuilderKind::Container) => BuilderKind::Container,
            _ => return Err(AppError::field("kind", "Choose a kind of builder.")),
        };
        let node = match kind {
            BuilderKind::Remote => Some(form.node().validated()),
            _ => None,
        };
        let (fields, node) = match (form.validated(), node.transpose()) {
            (Ok(fields), Ok(node)) => (fields, node),
            (fields, node) => {
                let errors = fields.err().into_iter().chain(node.err()).flatten().collect::<Vec<_>>();
                return Err(errors.into());
            }
        };
        let id = BuilderId::from_random(random());
        let now = self.inner.parts.clock.seconds();
        let mut tx = self.inner.parts.db.write().await.map_err(problems::of)?;
        if !store::insert(&mut tx, &id, kind, &fields, now).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        if let Some(node) = node {
            self.insert_node(&mut tx, &id, &node).await?;
        }
        let which = WhichBuilder::Added(id.clone());
        self.set_limit(&mut tx, &which, fields.limit).await?;
        self.note(&mut tx, actor, "created", &which, &fields.name).await?;
        tx.commit().await.map_err(problems::of)?;
        self.due(&which);
        Ok(id)
    }

    async fn update(
        &self,
        actor: &Actor,
        which: &WhichBuilder,
        version: i64,
        form: BuilderForm,
    ) -> Result<(), AppError> {
        actor.may(Action::ManageSettings)?;
        let WhichBuilder::Added(id) = which else {
            let most = limit(&form.limit)?;
            let mut tx = self.inner.parts.db.write().await.map_err(problems::of)?;
            self.set_limit(&mut tx, which, most).await?;
            self.note(&mut tx, actor, "changed", which, ENGINE_NAME).await?;
            tx.commit().await.map_err(problems::of)?;
            self.inner.parts.jobs.wake();
            return Ok(());
        };
        let fields = form.validated()?;
        let record = self.record(id).await?;
        let mut tx = self.inner.parts.db.write().await.map_err(problems::of)?;
        if record.version != version {
            return Err(stale(id));
        }
        if !store::update(&mut tx, id, &fields).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        self.set_limit(&mut tx, which, fields.limit).await?;
        self.note(&mut tx, actor, "changed", which, &fields.name).await?;
        tx.commit().await.map_err(problems::of)?;
        self.inner.parts.jobs.wake();
        self.due(which);
        Ok(())
    }

    async fn add_node(&self, actor: &Actor, id: &BuilderId, form: NodeForm) -> Result<(), AppError> {
        actor.may(Action::ManageSettings)?;
        let fields = form.validated()?;
        let record = self.record(id).await?;
        if record.kind != BuilderKind::Remote {
            return Err(AppError::field("endpoint", "A container on this engine has no machines elsewhere."));
        }
        // buildx reaches all machines of one builder by one kind of driver.
        if record.nodes.iter().any(|node| node.endpoint.is_ssh() != fields.endpoint.is_ssh()) {
            let message = "All machines of one builder are reached in the same way; add another builder for this one.";
            return Err(AppError::field("endpoint", message));
        }
        let mut tx = self.inner.parts.db.write().await.map_err(problems::of)?;
        self.insert_node(&mut tx, id, &fields).await?;
        let which = WhichBuilder::Added(id.clone());
        self.note(&mut tx, actor, "machine_added", &which, &format!("{} {}", record.name, fields.endpoint)).await?;
        tx.commit().await.map_err(problems::of)?;
        self.due(&which);
        Ok(())
    }

    async fn remove_node(&self, actor: &Actor, id: &BuilderId, number: u32) -> Result<(), AppError> {
        actor.may(Action::ManageSettings)?;
        let record = self.record(id).await?;
        let Some(node) = record.nodes.iter().find(|node| node.number == number) else {
            return Err(AppError::NotFound("machine".into()));
        };
        if record.nodes.len() == 1 {
            return Err(AppError::Blocked(vec![Blocker {
                reason: "It is the builder's only machine: add another one first, or delete the builder.".into(),
                link: None,
            }]));
        }
        let mut tx = self.inner.parts.db.write().await.map_err(problems::of)?;
        store::delete_node(&mut tx, id, number).await.map_err(problems::of)?;
        for what in ["ca", "certificate", "key"] {
            self.inner
                .parts
                .vault
                .forget_one(&mut tx, id.as_str(), &secret(what, number))
                .await
                .map_err(problems::of)?;
        }
        let which = WhichBuilder::Added(id.clone());
        self.note(&mut tx, actor, "machine_removed", &which, &format!("{} {}", record.name, node.endpoint)).await?;
        tx.commit().await.map_err(problems::of)?;
        self.due(&which);
        Ok(())
    }

    async fn check(&self, actor: &Actor, which: &WhichBuilder) -> Result<(), AppError> {
        actor.may(Action::ManageSettings)?;
        if let WhichBuilder::Added(id) = which {
            self.record(id).await?;
        }
        self.due(which);
        Ok(())
    }

    async fn clear_cache(&self, actor: &Actor, which: &WhichBuilder) -> Result<JobId, AppError> {
        actor.may(Action::ManageSettings)?;
        let name = match which {
            WhichBuilder::Engine => ENGINE_NAME.to_owned(),
            WhichBuilder::Added(id) => self.record(id).await?.name,
        };
        let job = NewJob {
            kind: clear::KIND,
            payload: serde_json::json!({ "builder": which }),
            subject: which.resource(),
            key: Some(format!("{}:{which}", clear::KIND)),
            lane: Lane::Swarm,
            resource: None,
            asked_by: actor.username.clone(),
            max_attempts: 1,
        };
        let mut tx = self.inner.parts.db.write().await.map_err(problems::of)?;
        let job = self.inner.parts.jobs.enqueue(&mut tx, job).await.map_err(problems::of)?;
        self.note(&mut tx, actor, "cache_cleared", which, &name).await?;
        tx.commit().await.map_err(problems::of)?;
        self.inner.parts.jobs.wake();
        Ok(job)
    }

    async fn delete(&self, actor: &Actor, id: &BuilderId) -> Result<(), AppError> {
        actor.may(Action::ManageSettings)?;
        let record = self.record(id).await?;
        let which = WhichBuilder::Added(id.clone());
        let mut tx = self.inner.parts.db.write().await.map_err(problems::of)?;
        if store::running(&mut tx, &which.resource()).await.map_err(problems::of)? > 0 {
            return Err(AppError::Blocked(vec![Blocker {
                reason: format!("{} builds just now.", record.name),
                link: Some(Link { href: paths::BUILDS.into(), text: "See the builds".into() }),
            }]));
        }
        store::delete(&mut tx, id).await.map_err(problems::of)?;
        self.set_limit(&mut tx, &which, None).await?;
        self.inner.parts.vault.forget(&mut tx, id.as_str()).await.map_err(problems::of)?;
        self.note(&mut tx, actor, "deleted", &which, &record.name).await?;
        tx.commit().await.map_err(problems::of)?;
        // The watch takes it out of buildx, with its containers.
        self.inner.parts.jobs.wake();
        self.inner.wake.notify_one();
        Ok(())
    }
}

impl Builders {
    async fn engine(&self) -> Result<Builder, AppError> {
        let resource = WhichBuilder::Engine.resource();
        let limit = store::limit(self.inner.parts.db.read(), &resource).await.map_err(problems::of)?;
        let builder = Builder {
            which: WhichBuilder::Engine,
            name: ENGINE_NAME.into(),
            kind: BuilderKind::Engine,
            image: None,
            caps: Caps::default(),
            nodes: Vec::new(),
            limit,
            state: BuilderState::Unknown,
            is_looking: false,
            platforms: Vec::new(),
            makes_several: false,
            disk: None,
            looked_at: 0,
            version: 0,
        };
        Ok(self.with_seen(builder))
    }

    fn shown(&self, record: Record) -> Builder {
        self.with_seen(Builder {
            which: WhichBuilder::Added(record.id),
            name: record.name,
            kind: record.kind,
            image: Some(record.image),
            caps: record.caps,
            nodes: record.nodes,
            limit: record.limit,
            state: BuilderState::Unknown,
            is_looking: false,
            platforms: Vec::new(),
            makes_several: true,
            disk: None,
            looked_at: 0,
            version: record.version,
        })
    }

    fn with_seen(&self, builder: Builder) -> Builder {
        let one = self.inner.seen.one(&builder.which);
        let state = match one.problem {
            _ if one.at == 0 => BuilderState::Unknown,
            None => BuilderState::Works,
            Some(problem) => BuilderState::Fails(problem),
        };
        let as_builds = |is_native: bool| move |platform| Builds { platform, is_native };
        Builder {
            state,
            is_looking: one.is_looking || one.is_due,
            platforms: one
                .native
                .into_iter()
                .map(as_builds(true))
                .chain(one.emulated.into_iter().map(as_builds(false)))
                .collect(),
            makes_several: one.at == 0 && builder.makes_several || one.makes_several,
            disk: one.disk,
            looked_at: one.at,
            ..builder
        }
    }

    async fn set_limit(&self, tx: &mut Tx, which: &WhichBuilder, most: Option<u32>) -> Result<(), AppError> {
        let (jobs, resource) = (&self.inner.parts.jobs, which.resource());
        match most {
            Some(most) => jobs.set_limit(tx, &resource, most).await.map_err(problems::of),
            None => jobs.remove_limit(tx, &resource).await.map_err(problems::of),
        }
    }

    /// A machine with its keys, sealed.
    async fn insert_node(&self, tx: &mut Tx, id: &BuilderId, fields: &NodeFields) -> Result<(), AppError> {
        let number = store::insert_node(tx, id, fields).await.map_err(problems::of)?;
        let number =
            number.ok_or_else(|| AppError::field("platform", "This builder has a machine for that platform."))?;
        let Some(tls) = &fields.tls else { return Ok(()) };
        let (ca, certificate) = (Secret::new(tls.ca.clone()), Secret::new(tls.certificate.clone()));
        let (vault, clock) = (&self.inner.parts.vault, &self.inner.parts.clock);
        for (what, value) in [("ca", &ca), ("certificate", &certificate), ("key", &tls.key)] {
            vault.put(tx, clock, id.as_str(), &secret(what, number), value).await.map_err(problems::of)?;
        }
        Ok(())
    }

    async fn note(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        verb: &str,
        which: &WhichBuilder,
        detail: &str,
    ) -> Result<(), AppError> {
        let (verb, subject) = (format!("builder.{verb}"), which.to_string());
        activity::record(tx, &self.inner.parts.clock, &actor.username, &verb, &subject, detail)
            .await
            .map_err(problems::of)
    }
}

fn name_is_taken() -> AppError {
    AppError::field("name", "Another builder has this name.")
}

fn stale(id: &BuilderId) -> AppError {
    AppError::Blocked(vec![Blocker {
        reason: "The builder was changed meanwhile.".into(),
        link: Some(Link { href: page(id), text: "Load it again".into() }),
    }])
}
