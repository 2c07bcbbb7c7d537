//! Builds that fail for real: each is explained with cause and remedy, and a line of its log tells why.

use super::house::House;
use app::api::jobs::JobsApi as _;
use app::model::id::BuildId;

/// The line of the log that tells.
async fn telling(house: &House, id: &BuildId) -> String {
    let build = house.get(id).await;
    let line = build.telling_line.unwrap_or_else(|| panic!("no line tells: {:?}", build.problem));
    let page = house.jobs.lines(&house.actor, &build.job, line, 1).await.expect("the log");
    assert!(page.total >= line);
    page.lines.into_iter().next().expect("the line").text
}

#[tokio::test]
async fn each_failure_is_explained_and_its_line_is_told() {
    let Some(house) = House::ready().await else { return };
    let none = format!("FROM {}/none-{}:1\n", house.facts.lab.registry, house.service.short());
    let on_base = |rest: &str| house.dockerfile(rest);
    for (dockerfile, code, line) in [
        (
            on_base("RUN echo hello; echo 'Error: cannot find module teapot' >&2; printf unterminated; exit 7"),
            "build.command",
            "Error: cannot find module teapot",
        ),
        (on_base("RUN seq 1 500; nosuchprogram --version"), "build.not_found", "/bin/sh: nosuchprogram: not found"),
        (on_base("COPY Dockerfile /plain\nRUN /plain"), "build.not_executable", "/bin/sh: /plain: Permission denied"),
        (on_base("RUN sh -c 'kill -9 $$'; exit $?"), "build.memory", "Killed"),
        (on_base("RUN wget http://files.invalid/x"), "build.dns", "wget: bad address 'files.invalid'"),
        (on_base("RUN printf 'no line end'; exit 3"), "build.command", "no line end"),
        (on_base("COPY missing.txt /x"), "build.copy", "\"/missing.txt\": not found"),
        (on_base("HEALTHCHECK"), "build.dockerfile", "HEALTHCHECK requires at least one argument"),
        (none, "base.missing", "not found"),
    ] {
        house.commit("Fail", &[("Dockerfile", &dockerfile)]);
        let id = house.start().await;
        let problem = house.fails(&id).await;
        assert_eq!(problem.code, code, "{dockerfile}\n{problem}\n{}", house.text(&id).await);
        let told = telling(&house, &id).await;
        assert!(told.contains(line), "{dockerfile}\ntold: {told}\n{}", house.text(&id).await);
    }
}

#[tokio::test]
async fn a_failed_fetch_points_at_gits_words() {
    let Some(house) = House::ready().await else { return };
    house.commit("One", &[("Dockerfile", &house.dockerfile(""))]);
    std::fs::remove_dir_all(house.repo().join(".git")).expect("removed");
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "git.not_found");
    assert!(problem.link.is_some_and(|link| link.href.ends_with("/edit")), "it leads to the service");
    assert!(telling(&house, &id).await.contains("does not appear to be a git repository"));
}
