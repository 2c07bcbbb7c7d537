//! Names against registries that enforce their provider's rules: the check before a build, and builds that end at the name
//! or are refused before anything is fetched.

use super::enforcer::{Enforcer, Refusal, error};
use super::house::House;
use app::api::builds::BuildsApi as _;
use app::api::credentials::CredentialsApi as _;
use app::api::registries::RegistriesApi as _;
use app::error::{AppError, Problem};
use app::model::credential::CredentialForm;
use app::model::id::RegistryId;
use app::model::job::JobState;
use app::model::provider::Provider;
use app::model::push_name::{Named, Typed};
use app::model::registry::RegistryForm;
use app::model::secret::Secret;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A house whose builds go to a registry that enforces a rule.
struct World {
    house: House,
    enforcer: Enforcer,
    registry: RegistryId,
}

impl World {
    async fn with(
        provider: Provider,
        base: &str,
        rule: impl Fn(&str) -> Option<Refusal> + Send + Sync + 'static,
    ) -> Option<Self> {
        let house = House::empty().await?;
        let enforcer = Enforcer::start(&house.facts.lab.registry, rule).await;
        let registry = place(&house, &enforcer, provider, base).await;
        house.jobs.start(house.stop.clone());
        house.commit("One", &[("Dockerfile", "FROM scratch\nCOPY message /message\n"), ("message", "hello\n")]);
        Some(Self { house, enforcer, registry })
    }

    /// The check under another base path; empty: the registry's own.
    async fn check(&self, base: &str) -> Result<Named, AppError> {
        let house = &self.house;
        let typed = Typed {
            project: "Shop".into(),
            name: "Web".into(),
            registry: self.registry.to_string(),
            base_path: base.into(),
            repository: house.repo().to_string_lossy().into_owned(),
            service: Some(house.service.clone()),
        };
        house.builds.check_push(&house.actor, &typed).await
    }

    async fn passes(&self, base: &str, path: &str) {
        let named = self.check(base).await.unwrap_or_else(|error| panic!("{base:?}: {error}"));
        assert_eq!(named.reference.repository.as_str(), path);
        let repository = format!("/v2/{path}/blobs/uploads/");
        let writes = self.enforcer.writes();
        let opened = writes.iter().rposition(|write| *write == format!("POST {repository}")).expect("it was opened");
        assert!(writes[opened..].iter().any(|write| write.starts_with(&format!("DELETE {repository}"))), "{writes:?}");
    }

    async fn refused(&self, base: &str) -> Problem {
        match self.check(base).await {
            Err(AppError::Problem(problem)) => *problem,
            other => panic!("{base:?}: {other:?}"),
        }
    }

    /// Forbidden by a rule, without a request.
    async fn breaks(&self, base: &str, rule: &str) {
        let before = self.enforcer.writes().len();
        let problem = self.refused(base).await;
        assert_eq!(problem.code, format!("name.{rule}"));
        assert_eq!(self.enforcer.writes().len(), before, "the registry was asked");
    }

    /// A real build ends in the registry under exactly this path.
    async fn builds_to(&self, path: &str) {
        let house = &self.house;
        let id = house.start().await;
        let build = house.until(&id, JobState::Succeeded).await;
        let reference = build.reference.expect("a reference");
        let commit = build.commit.expect("a commit").to_string();
        assert_eq!(reference.to_string(), format!("{}/{path}:{commit}", self.enforcer.address));
        let found = house.oci.digest(&house.facts.lab.access(), &reference.repository, &commit).await;
        assert_eq!(found.expect("an answer"), build.digest, "the registry has it under that name");
        house.is_clean();
    }

    /// A build is refused before anything is fetched.
    async fn build_fails(&self, base: Option<&str>) -> Problem {
        let house = &self.house;
        house.change(|facts| {
            facts.source.base_path = base.map(|base| base.parse().expect("a path"));
            facts.source.registry = Some(self.registry.clone());
        });
        let id = house.start().await;
        let problem = house.fails(&id).await;
        assert!(!house.steps(&id).await.iter().any(|step| step.name == "checkout"), "something was fetched");
        house.change(|facts| facts.source.base_path = None);
        problem
    }

    fn id(&self) -> &str {
        self.house.service.short()
    }
}

async fn place(house: &House, enforcer: &Enforcer, provider: Provider, base: &str) -> RegistryId {
    let form = CredentialForm {
        name: provider.name().into(),
        url: format!("http://{}", enforcer.address),
        username: house.facts.lab.username.clone(),
        password: Secret::new(house.facts.lab.password.clone()),
        provider: provider.as_str().into(),
        internal: Some("on".into()),
        ..CredentialForm::default()
    };
    let credential = house.credentials.create(&house.actor, form).await.expect("a credential");
    let form = RegistryForm {
        name: provider.name().into(),
        credential: credential.to_string(),
        base_path: base.into(),
        is_default: None,
        platforms: String::new(),
    };
    house.registries.create(&house.actor, form).await.expect("a registry")
}

#[tokio::test]
async fn docker_hub_gets_two_parts() {
    let rule = |path: &str| match path.split('/').collect::<Vec<_>>()[..] {
        ["acme", _] => None,
        _ => error(403, "DENIED", "requested access to the resource is denied"),
    };
    let Some(mut world) = World::with(Provider::DockerHub, "acme/x", rule).await else { return };
    let path = format!("acme/x-shop-web-{}", world.id());
    world.passes("", &path).await;
    world.breaks("library", "docker-hub.official").await;
    world.builds_to(&path).await;
    let problem = world.refused("other").await;
    assert!(problem.remedy.contains("exactly two parts"), "{problem:?}");

    // Another kind of registry keeps its slashes, and this one refuses them.
    world.registry = place(&world.house, &world.enforcer, Provider::Generic, "acme/x").await;
    let problem = world.build_fails(None).await;
    assert_eq!(problem.code, "registry.denied");
    assert!(problem.details.is_some_and(|details| details.contains("requested access")), "its words are shown");
}

#[tokio::test]
async fn gitlab_gets_a_project_and_two_parts_below() {
    let rule = |path: &str| match path.split('/').collect::<Vec<_>>()[..] {
        ["acme", "shop"] | ["acme", "shop", _] | ["acme", "shop", _, _] => None,
        _ => error(403, "DENIED", "requested access to the resource is denied"),
    };
    let Some(world) = World::with(Provider::Gitlab, "acme/shop", rule).await else { return };
    let path = format!("acme/shop/shop/web-{}", world.id());
    world.passes("", &path).await;
    world.breaks("acme", "gitlab.project").await;
    world.builds_to(&path).await;
    for wrong in ["acme/nothing", "acme/shop/deep"] {
        let problem = world.refused(wrong).await;
        assert!(problem.remedy.contains("full path of an existing project"), "{problem:?}");
    }
    let problem = world.build_fails(Some("acme/nothing")).await;
    assert!(problem.remedy.contains("full path of an existing project"), "{problem:?}");
}

#[tokio::test]
async fn ghcr_gets_an_owner_in_lower_case() {
    let rule = |path: &str| {
        let is_owner = path.starts_with("acme/");
        if is_owner { None } else { error(403, "DENIED", "permission_denied: create_package") }
    };
    let Some(world) = World::with(Provider::Ghcr, "acme", rule).await else { return };
    world.passes("", &format!("acme/shop/web-{}", world.id())).await;
    world.breaks("Acme", "ghcr.owner-case").await;
    world.breaks("github.com/acme", "ghcr.owner-name").await;
    let problem = world.refused("jo").await;
    assert!(problem.remedy.contains("write:packages") && problem.remedy.contains("jo has to be"), "{problem:?}");
    let problem = world.build_fails(Some("jo")).await;
    assert!(problem.remedy.contains("write:packages"), "{problem:?}");
}

#[tokio::test]
async fn repositories_that_have_to_exist_are_asked_for_first() {
    let exists = Arc::new(AtomicBool::new(false));
    let there = Arc::clone(&exists);
    let rule = move |path: &str| match path.strip_prefix("my-project/apps/") {
        Some(_) if there.load(Ordering::SeqCst) => None,
        _ => error(404, "NAME_UNKNOWN", "Repository \"apps\" not found"),
    };
    let Some(world) = World::with(Provider::GoogleArtifact, "my-project/apps", rule).await else { return };
    world.breaks("my-project", "google-artifact.repository").await;
    let problem = world.refused("").await;
    assert!(problem.remedy.contains("Create the repository"), "{problem:?}");
    assert!(problem.remedy.contains("my-project/apps has to exist"), "{problem:?}");
    assert!(problem.link.is_some_and(|link| link.href.contains(world.registry.as_str())));
    let problem = world.build_fails(None).await;
    assert!(problem.remedy.contains("Create the repository"), "{problem:?}");

    exists.store(true, Ordering::SeqCst);
    let path = format!("my-project/apps/shop/web-{}", world.id());
    world.passes("", &path).await;
    world.builds_to(&path).await;
}

#[tokio::test]
async fn harbor_gets_a_project_that_exists() {
    let rule = |path: &str| match path.split_once('/') {
        Some(("shop", _)) => None,
        _ => error(401, "UNAUTHORIZED", "project nope not found"),
    };
    let Some(world) = World::with(Provider::Harbor, "shop", rule).await else { return };
    world.passes("", &format!("shop/shop/web-{}", world.id())).await;
    world.breaks("a__b", "harbor.project-name").await;
    let problem = world.refused("nope").await;
    assert!(problem.cause.contains("no such project") && problem.remedy.contains("existing one"), "{problem:?}");
    let problem = world.build_fails(Some("nope")).await;
    assert!(problem.remedy.contains("existing one"), "{problem:?}");
}

#[tokio::test]
async fn owners_and_namespaces_of_others_are_refused() {
    for (provider, status, code, message, part) in [
        (Provider::Quay, 403, "DENIED", "insufficient_scope", "Give the robot Write"),
        (Provider::Gitea, 401, "UNAUTHORIZED", "reqPackageAccess: unauthorized", "Start the path with your own name"),
        (Provider::DigitalOcean, 403, "DENIED", "denied", "Start the path with the registry's name"),
        (Provider::Acr, 403, "DENIED", "requested access to the resource is denied", "scope map"),
    ] {
        let rule = move |path: &str| if path.starts_with("acme/") { None } else { error(status, code, message) };
        let Some(world) = World::with(provider, "acme", rule).await else { return };
        world.passes("", &format!("acme/shop/web-{}", world.id())).await;
        let problem = world.refused("others").await;
        assert!(problem.remedy.contains(part), "{provider:?}: {problem:?}");
    }
}

#[tokio::test]
async fn any_registry_takes_any_depth_and_the_check_leaves_nothing() {
    let Some(world) = World::with(Provider::Generic, "", |_| None).await else { return };
    world.breaks("a//b", "path.characters").await;
    let deep = format!("a/b__c/d/{}", world.id());
    world.passes(&deep, &format!("{deep}/shop/web-{}", world.id())).await;
    let repository = format!("shop/web-{}", world.id());
    world.passes("", &repository).await;
    let access = world.house.facts.lab.access();
    let repository = repository.parse().expect("a repository");
    assert_eq!(world.house.oci.digest(&access, &repository, "latest").await.expect("an answer"), None);

    // It is no way to ask others' registries without end.
    let before = world.enforcer.writes().len();
    let mut asked = 0;
    let wait = loop {
        match world.check("").await {
            Ok(_) => asked += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(wait, AppError::Wait { .. }) && asked < 10, "{wait:?} after {asked}");
    assert_eq!(world.enforcer.writes().len(), before + 2 * asked);
}
