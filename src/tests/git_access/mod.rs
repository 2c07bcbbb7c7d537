//! Private repositories, with real git: by https with a token, by ssh with a deploy key and a real sshd.

mod https;
mod ssh;

use crate::builds::house::House;
use app::error::{AppError, Problem};
use app::model::id::GitAccessId;
use std::path::PathBuf;

/// Everything that is kept in the data folder.
fn kept(house: &House) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![house.folder.path().join("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                files.push((entry.path(), std::fs::read(entry.path()).expect("a file")));
            }
        }
    }
    assert!(files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > 50_000, "there is something to look through");
    files
}

/// None of these texts is in a file of the data folder.
fn is_nowhere(house: &House, needles: &[&str]) {
    for (path, bytes) in kept(house) {
        for needle in needles {
            assert!(!bytes.windows(needle.len()).any(|part| part == needle.as_bytes()), "{}", path.display());
        }
    }
}

/// A small Dockerfile that is committed and leaves the branch ready to be built.
fn commit(house: &House) -> String {
    house.commit("Private", &[("Dockerfile", &house.dockerfile("COPY message /message")), ("message", "hello\n")])
}

/// It leads to the access, where the remedy starts.
fn leads_to(problem: &Problem, code: &str, access: &GitAccessId) {
    assert_eq!(problem.code, code, "{problem:?}");
    let link = problem.link.as_ref().map(|link| link.href.as_str());
    assert_eq!(link, Some(app::paths::git_access(access).as_str()), "{problem:?}");
}

fn problem(error: AppError) -> Problem {
    match error {
        AppError::Problem(problem) => *problem,
        other => panic!("{other:?}"),
    }
}
