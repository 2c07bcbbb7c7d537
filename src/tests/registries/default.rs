//! As soon as there is a registry, exactly one is the default.

use super::{house, registry};
use crate::credentials::{CANARY, House};
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::id::RegistryId;

async fn defaults(house: &House) -> Vec<String> {
    let all = house.registries.list(&house.actor).await.expect("a list");
    all.into_iter().filter(|registry| registry.is_default).map(|registry| registry.name).collect()
}

#[tokio::test]
async fn the_first_is_the_default_and_the_place_moves_whole() {
    let (house, _liar, credential) = house().await;
    assert_eq!(house.registries.choose(None).await, Ok(None), "without a registry there is nothing to choose");
    let first = house.registries.create(&house.actor, registry("B first", &credential, false)).await.expect("created");
    assert_eq!(defaults(&house).await, ["B first"]);
    let second =
        house.registries.create(&house.actor, registry("A second", &credential, false)).await.expect("created");
    assert_eq!(defaults(&house).await, ["B first"]);
    assert_eq!(house.registries.choose(None).await, Ok(Some(first.clone())));
    assert_eq!(house.registries.choose(Some(&second)).await, Ok(Some(second.clone())));
    let gone = RegistryId::from_random([9; 8]);
    assert_eq!(
        house.registries.choose(Some(&gone)).await,
        Err(AppError::NotFound("registry".into())),
        "a choice that is gone isn't replaced by the default"
    );

    house.registries.make_default(&house.actor, &second).await.expect("moved");
    house.registries.make_default(&house.actor, &second).await.expect("twice is no mistake");
    assert_eq!(defaults(&house).await, ["A second"]);
    house.registries.create(&house.actor, registry("C third", &credential, true)).await.expect("created");
    assert_eq!(defaults(&house).await, ["C third"]);
    let names: Vec<_> =
        house.registries.list(&house.actor).await.expect("a list").into_iter().map(|r| r.name).collect();
    assert_eq!(names, ["C third", "A second", "B first"], "the default first, then by name");
    assert_eq!(house.registries.make_default(&house.actor, &gone).await, Err(AppError::NotFound("registry".into())));
    assert_eq!(defaults(&house).await, ["C third"], "a failed move leaves the default where it was");
}

#[tokio::test]
async fn many_at_once_make_one_default() {
    for _ in 0..5 {
        let (house, _liar, credential) = house().await;
        let names: Vec<_> = (0..6).map(|index| format!("Registry {index}")).collect();
        let creates = names
            .iter()
            .enumerate()
            .map(|(index, name)| house.registries.create(&house.actor, registry(name, &credential, index % 2 == 0)));
        let ids: Vec<_> = futures::future::join_all(creates).await.into_iter().map(|id| id.expect("created")).collect();
        assert_eq!(defaults(&house).await.len(), 1);
        let moves = ids.iter().map(|id| house.registries.make_default(&house.actor, id));
        for outcome in futures::future::join_all(moves).await {
            outcome.expect("moved");
        }
        assert_eq!(defaults(&house).await.len(), 1);
    }
}

#[tokio::test]
async fn a_target_has_all_that_a_push_needs() {
    let (house, liar, credential) = house().await;
    let mut form = registry("Main", &credential, false);
    form.base_path = "/team/images/".into();
    let id = house.registries.create(&house.actor, form).await.expect("created");
    let target = house.registries.target(&id).await.expect("an answer").expect("is there");
    assert_eq!((target.id, target.name.as_str(), target.access.url.clone()), (id, "Main", liar.url()));
    assert_eq!(target.base_path.map(|path| path.to_string()).as_deref(), Some("team/images"));
    let login = target.access.login.expect("a login");
    assert_eq!(login.username, "deploy");
    assert_eq!(login.password.expose("the test compares it"), CANARY);
    assert!(house.registries.target(&RegistryId::from_random([9; 8])).await.expect("an answer").is_none());
}
