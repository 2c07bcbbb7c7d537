//! Commit → image with exactly the name that was previewed, confirmed by the registry, handed over.

use super::house::House;
use app::model::job::{JobState, StepState};
use app::model::provider::Provider;
use app::model::push_name::{Wish, push_name, service_part};

#[tokio::test]
async fn a_commit_becomes_an_image_in_the_registry() {
    let Some(house) = House::ready().await else { return };
    let text =
        house.dockerfile("COPY message /message\nRUN echo built && printf '\\033[32mgreen\\033[0m\\n' && cat /message");
    let commit = house
        .commit("First <i>version</i>", &[("app/Dockerfile", &text), ("app/message", "hello from the repository\n")]);
    // Not what is built: another branch is ahead.
    house.change(|facts| {
        facts.source.dockerfile = "app/Dockerfile".parse().expect("a path");
        facts.source.context = "app".parse().expect("a path");
    });
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;

    // The preview calls the same function.
    let wish = Wish {
        provider: Provider::Generic,
        host: &house.facts.lab.registry.parse().expect("a host"),
        base: &format!("tests/{}", house.service.short()),
        own: "",
        repository: None,
        project: "shop",
        service: &service_part("web", &house.service),
        tag: &commit,
    };
    let expected = push_name(&wish).expect("a name");
    assert_eq!(build.reference.as_ref(), Some(&expected));
    assert_eq!(build.commit.map(String::from), Some(commit.clone()));
    assert_eq!(build.commit_subject.as_deref(), Some("First <i>version</i>"));
    assert_eq!(build.commit_author.as_deref(), Some("Ada L."));
    let digest = build.digest.expect("a digest");
    assert_eq!(house.in_registry(&commit).await, Some(digest.to_string()));

    let deployed = house.kept.deployed.lock().expect("a lock").clone();
    assert_eq!(deployed.len(), 1);
    assert_eq!(deployed[0].image.to_string(), format!("{expected}@{digest}"));
    assert_eq!((deployed[0].number, deployed[0].asked_by.as_str()), (1, "ada"));

    let steps = house.steps(&id).await;
    let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).filter(|name| !name.contains('/')).collect();
    assert_eq!(names, ["prepare", "resolve", "checkout", "build", "confirm", "hand_over"]);
    assert!(steps.iter().all(|step| step.state == StepState::Done && step.finished.is_some()), "{steps:?}");
    let run = steps.iter().find(|step| step.title.contains("RUN echo built")).expect("BuildKit's own step");
    assert!(run.name.starts_with("build/") && run.finished.is_some_and(|finished| finished >= run.started));
    let log = house.log(&id).await;
    assert!(log.iter().enumerate().all(|(index, line)| line.n == index as u64 + 1));
    let said =
        |text: &str| log.iter().find(|line| line.text == text).unwrap_or_else(|| panic!("no {text:?} in {log:#?}"));
    assert_eq!(said("hello from the repository").step, run.name);
    said("\x1b[32mgreen\x1b[0m");
    house.is_clean();

    // The same commit again: taken from the cache, the very same image.
    let again = house.start().await;
    let build = house.until(&again, JobState::Succeeded).await;
    assert_eq!((build.number, build.digest), (2, Some(digest)));
    assert!(house.steps(&again).await.iter().any(|step| step.cached && step.title.contains("RUN echo built")));
}

#[tokio::test]
async fn the_newest_commit_of_the_branch_is_built_and_git_itself_stays_outside() {
    let Some(house) = House::ready().await else { return };
    let text = house
        .dockerfile("COPY . /src\nRUN ls -A /src | sed 's/^/has: /' && stat -c 'mode: %a' /src/file && cat /src/file");
    house.commit("One", &[("Dockerfile", &text), ("file", "version 1")]);
    let newest = house.commit("Two", &[("file", "version 2")]);
    super::house::git(&house.repo(), &["checkout", "--quiet", "-b", "other"]);
    house.commit("Elsewhere", &[("file", "version 3")]);
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;
    assert_eq!(build.commit.map(String::from), Some(newest));
    let text = house.text(&id).await;
    assert!(text.contains("version 2") && !text.contains("has: .git\n"), "{text}");
    // Another user in the image has to be able to read it.
    assert!(text.contains("mode: 644"), "{text}");
}
