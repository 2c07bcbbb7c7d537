//! What goes wrong is told with cause and remedy, and leaves nothing behind.

use super::house::House;
use super::proxy::Proxy;
use app::api::builds::BuildsApi as _;
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::job::{JobState, StepState};
use app::model::registry::DeleteForm;
use std::os::unix::fs::symlink;

#[tokio::test]
async fn without_a_registry_nothing_is_queued_or_cloned() {
    let Some(house) = House::empty().await else { return };
    house.jobs.start(house.stop.clone());
    house.commit("One", &[("Dockerfile", &house.dockerfile(""))]);
    let Err(AppError::Problem(problem)) = house.builds.start(&house.actor, &house.service, true, false).await else {
        panic!("it was accepted")
    };
    assert_eq!(problem.code, "registry.none");
    assert_eq!(
        (problem.cause.as_str(), problem.remedy.as_str()),
        ("There is no registry to push to.", "Create a registry first.")
    );
    assert_eq!(problem.link.map(|link| link.href), Some("/registries/new".into()));
    assert!(house.builds.list(&house.actor, None, 10).await.expect("a list").is_empty());
    let jobs: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs").fetch_one(house.db.read()).await.expect("a number");
    assert_eq!(jobs, 0);
    assert!(!house.builds_dir().exists());
}

#[tokio::test]
async fn a_command_that_fails_is_named_and_nothing_is_pushed() {
    let Some(house) = House::ready().await else { return };
    let commit = house.commit("One", &[("Dockerfile", &house.dockerfile("RUN echo about to fail; exit 7"))]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "build.command");
    assert!(problem.cause.contains("exit code 7") && problem.cause.contains("about to fail"), "{}", problem.cause);
    assert_eq!(house.in_registry(&commit).await, None);
    assert!(house.kept.deployed.lock().expect("a lock").is_empty());
    let steps = house.steps(&id).await;
    let states: Vec<_> = steps
        .iter()
        .filter(|step| !step.name.contains('/'))
        .map(|step| (step.name.as_str(), step.state == StepState::Failed))
        .collect();
    assert_eq!(states, [("prepare", false), ("resolve", false), ("checkout", false), ("build", true)]);
    assert!(steps.iter().any(|step| step.name.contains('/') && step.state == StepState::Failed));
    let text = house.text(&id).await;
    assert!(text.contains("about to fail\n") && text.contains("Failed: A command of the Dockerfile"), "{text}");
}

#[tokio::test]
async fn a_missing_branch_and_a_missing_repository_are_told_apart() {
    let Some(house) = House::ready().await else { return };
    house.commit("One", &[("Dockerfile", &house.dockerfile(""))]);
    // `ls-remote` matches by tail: this one must not be taken for main.
    super::house::git(&house.repo(), &["branch", "x/refs/heads/gone"]);
    house.change(|facts| facts.source.branch = "gone".parse().expect("a branch"));
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "git.branch");
    assert!(problem.cause.contains("gone"));

    std::fs::remove_dir_all(house.repo().join(".git")).expect("removed");
    let id = house.start().await;
    assert_eq!(house.fails(&id).await.code, "git.not_found");

    let outside = tempfile::tempdir().expect("a folder");
    house.change(|facts| facts.source.repository = outside.path().to_string_lossy().parse().expect("an address"));
    let id = house.start().await;
    assert_eq!(house.fails(&id).await.code, "git.local");
}

#[tokio::test]
async fn links_out_of_the_repository_are_refused_before_the_build() {
    let Some(house) = House::ready().await else { return };
    house.commit("One", &[("Dockerfile", &house.dockerfile(""))]);
    std::fs::remove_file(house.repo().join("Dockerfile")).expect("removed");
    symlink("/etc/passwd", house.repo().join("Dockerfile")).expect("a link");
    house.commit("A link", &[]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "build.path");
    assert!(problem.cause.contains("leaves the repository"), "{}", problem.cause);
    assert!(!house.text(&id).await.contains("root:"));
    assert!(!house.steps(&id).await.iter().any(|step| step.name.starts_with("build/")), "BuildKit was asked");
}

#[tokio::test]
async fn foreign_frontends_and_broken_dockerfiles_are_told() {
    let Some(house) = House::ready().await else { return };
    house.commit("One", &[("Dockerfile", &format!("# syntax=evil/frontend\n{}", house.dockerfile("")))]);
    let id = house.start().await;
    assert_eq!(house.fails(&id).await.code, "build.frontend");
    house.commit("Two", &[("Dockerfile", &house.dockerfile("RUNN x"))]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "build.dockerfile");
    assert!(problem.details.is_some_and(|details| details.contains("RUNN")));
    house.commit("Three", &[("Dockerfile", &house.dockerfile("COPY nothing /x"))]);
    let id = house.start().await;
    assert_eq!(house.fails(&id).await.code, "build.copy");
}

#[tokio::test]
async fn a_registry_that_goes_away_in_the_middle_fails_the_build_with_its_answer() {
    let Some(house) = House::empty().await else { return };
    let proxy = Proxy::start(&house.facts.lab.registry).await;
    house.registry(&format!("http://{}", proxy.address)).await;
    house.jobs.start(house.stop.clone());
    let base = house.facts.base.replace(&house.facts.lab.registry, &proxy.address);
    house.commit("One", &[("Dockerfile", &house.dockerfile_from(&base, "RUN echo the registry goes now; sleep 3"))]);
    let id = house.start().await;
    house.says(&id, "the registry goes now").await;
    proxy.stop();
    let problem = house.fails(&id).await;
    assert!(problem.cause.starts_with("The image was built, but the push failed."), "{}", problem.cause);
    assert!(problem.cause.contains("refuses connections"), "{}", problem.cause);

    // Gone before the build: nothing is fetched.
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "registry.refused");
    assert!(!house.steps(&id).await.iter().any(|step| step.name == "checkout"));
}

#[tokio::test]
async fn a_registry_or_service_that_is_deleted_meanwhile_is_told() {
    let Some(house) = House::empty().await else { return };
    let url = house.facts.lab.url().to_string();
    house.registry(&url).await;
    house.commit("One", &[("Dockerfile", &house.dockerfile("RUN true"))]);
    let first = house.start().await;
    let registry = house.get(&first).await.registry;
    house.registries.delete(&house.actor, &registry, DeleteForm::default()).await.expect("a build is no obstacle");
    house.jobs.start(house.stop.clone());
    let problem = house.fails(&first).await;
    assert_eq!(problem.code, "registry.deleted");
    assert!(!house.steps(&first).await.iter().any(|step| step.name == "checkout"), "nothing is fetched");

    house.change(|facts| facts.source.registry = Some(registry));
    let Err(AppError::Problem(problem)) = house.builds.start(&house.actor, &house.service, false, false).await else {
        panic!("it was accepted")
    };
    assert_eq!(problem.code, "registry.gone");
    *house.kept.facts.lock().expect("a lock") = None;
    assert!(matches!(house.builds.start(&house.actor, &house.service, false, false).await, Err(AppError::NotFound(_))));
    assert_eq!(house.get(&first).await.state, JobState::Failed);
}
