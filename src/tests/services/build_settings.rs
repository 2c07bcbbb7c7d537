//! How a service is built: what the form changes, what stays, and where the secrets are. No Docker needed.

use super::world::{World, form};
use app::api::services::ServicesApi as _;
use app::error::AppError;
use app::model::build_form::{BuildForm, SecretInput};
use app::model::build_options::{BuildOptions, CacheKind, Recipe};
use app::model::id::ServiceId;
use app::model::secret::Secret;
use app::model::service::ServiceForm;
use slipway::builds::secrets_of;
use slipway::vault::Vault;

async fn world() -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), "unix:///nowhere/docker.sock").await;
    (folder, world)
}

fn new(name: &str, value: &str) -> SecretInput {
    SecretInput { name: name.into(), secret: Secret::new(value.into()), ..SecretInput::default() }
}

fn kept(name: &str) -> SecretInput {
    SecretInput { kept: Some("yes".into()), ..new(name, "") }
}

impl World {
    async fn options(&self, id: &ServiceId) -> (BuildOptions, i64) {
        let service = self.services.get(&self.actor, id).await.expect("there");
        (service.source.git().expect("from git").build.clone(), service.version)
    }

    async fn set(&self, id: &ServiceId, form: BuildForm) -> Result<(), AppError> {
        let version = self.options(id).await.1;
        self.services.change_build(&self.actor, id, version, form).await
    }

    /// Name and value of all that is sealed for its builds.
    async fn sealed(&self, folder: &tempfile::TempDir, id: &ServiceId) -> Vec<(String, String)> {
        let vault = Vault::open(&folder.path().join("master.key"), false).expect("a vault");
        let owner = secrets_of(id);
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM secrets WHERE owner = ? ORDER BY name")
            .bind(&owner)
            .fetch_all(self.db.read())
            .await
            .expect("asked");
        let mut found = Vec::new();
        for name in names {
            let value = vault.get(self.db.read(), &owner, &name).await.expect("it opens");
            found.push((name, value.expose("the test compares it").to_owned()));
        }
        found
    }
}

#[tokio::test]
async fn secrets_are_kept_replaced_and_removed_and_the_service_form_leaves_them_alone() {
    let (folder, world) = world().await;
    let typed = ServiceForm { recipe: "typed".into(), dockerfile_text: "FROM x".into(), ..form("Shop", "Web") };
    let id = world.create(typed.clone()).await.expect("created");
    let first = BuildForm {
        args: "A=1".into(),
        cache: "off".into(),
        provenance: Some("on".into()),
        sealed: vec![new("one", "first"), new("two", "second\r\nline")],
        ..BuildForm::default()
    };
    world.set(&id, first).await.expect("saved");
    let (options, version) = world.options(&id).await;
    assert_eq!(options.recipe, Recipe::Typed { text: "FROM x".into() }, "the recipe is the other form's");
    assert_eq!((options.cache, options.provenance, options.secrets.len()), (CacheKind::Off, true, 2));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(world.sealed(&folder, &id).await, [pair("one", "first"), pair("two", "second\nline")]);

    // The service's own form, also one that empties the environment.
    let changed = ServiceForm { recipe: "static".into(), static_folder: "public".into(), env: String::new(), ..typed };
    world.services.update(&world.actor, &id, version, changed).await.expect("changed");
    let (after, _) = world.options(&id).await;
    assert_eq!(after.recipe, Recipe::Static { folder: "public".parse().expect("a path") });
    assert_eq!(BuildOptions { recipe: options.recipe.clone(), ..after }, options, "all else is as it was");
    assert_eq!(world.sealed(&folder, &id).await.len(), 2);

    let gone = SecretInput { remove: Some("on".into()), ..kept("one") };
    let replaced = SecretInput { kept: Some("yes".into()), ..new("two", "third") };
    world.set(&id, BuildForm { sealed: vec![gone, replaced], ..BuildForm::default() }).await.expect("saved");
    assert_eq!(world.sealed(&folder, &id).await, [pair("two", "third")]);
    world.set(&id, BuildForm { sealed: vec![kept("two")], ..BuildForm::default() }).await.expect("saved");
    assert_eq!(world.sealed(&folder, &id).await, [pair("two", "third")], "what isn't typed stays");
    let stored: String = sqlx::query_scalar("SELECT source FROM services WHERE id = ?")
        .bind(id.as_str())
        .fetch_one(world.db.read())
        .await
        .expect("a row");
    assert!(stored.contains("two") && !stored.contains("third"), "{stored}");
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let (folder, world) = world().await;
    let id = world.create(form("Shop", "Web")).await.expect("created");
    let refused = world.set(&id, BuildForm { sealed: vec![kept("ghost")], ..BuildForm::default() }).await;
    assert!(matches!(refused, Err(AppError::Invalid(_))), "{refused:?}");
    let stale = world.services.change_build(&world.actor, &id, 99, BuildForm::default()).await;
    assert!(matches!(stale, Err(AppError::Blocked(_))), "{stale:?}");
    assert!(world.sealed(&folder, &id).await.is_empty());
    let image = ServiceForm {
        kind: "image".into(),
        project: "Shop".into(),
        name: "Image".into(),
        image: "ghcr.io/a/b:1".into(),
        credential: "none".into(),
        ..ServiceForm::default()
    };
    let image = world.create(image).await.expect("created");
    let version = world.services.get(&world.actor, &image).await.expect("there").version;
    let refused = world.services.change_build(&world.actor, &image, version, BuildForm::default()).await;
    assert!(matches!(refused, Err(AppError::Blocked(_))), "{refused:?}");
}
