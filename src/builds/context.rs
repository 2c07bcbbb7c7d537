//! Finds Dockerfile and context in a checkout, which is hostile: links in it may point anywhere.
//!
//! Both are resolved by following all links, and must then lie beneath the checkout (HARDENING I7, I8). What buildx gets is
//! the resolved path, in which no link is left.

use super::frontend;
use app::error::Problem;
use app::model::service::InnerPath;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// How much of a Dockerfile is looked at; its directives come first.
const LOOKED_AT: u64 = 64 * 1_024;

/// What buildx is given; both absolute, without links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) dockerfile: PathBuf,
    pub(super) context: PathBuf,
}

/// The two paths, or what is wrong with them.
pub(super) fn locate(source: &Path, dockerfile: &InnerPath, context: &InnerPath) -> Result<Located, Problem> {
    let root = root_of(source)?;
    let dockerfile_name = if dockerfile.as_str().is_empty() { "Dockerfile" } else { dockerfile.as_str() };
    let dockerfile = beneath(&root, dockerfile_name, "Dockerfile")?;
    if !dockerfile.is_file() {
        return Err(not_in("Dockerfile", dockerfile_name, "isn't a file"));
    }
    let context_path = folder(source, context, "build context")?;
    check_ignore(&root, &with_suffix(&dockerfile, ".dockerignore"))?;
    let mut text = Vec::new();
    std::fs::File::open(&dockerfile)
        .and_then(|file| file.take(LOOKED_AT).read_to_end(&mut text))
        .map_err(|_| not_in("Dockerfile", dockerfile_name, "can't be read"))?;
    frontend::check(&String::from_utf8_lossy(&text))?;
    Ok(Located { dockerfile, context: context_path })
}

/// A folder that is sent to the builder, with what it ignores; or what is wrong with it.
pub(super) fn folder(source: &Path, inner: &InnerPath, what: &str) -> Result<PathBuf, Problem> {
    let root = root_of(source)?;
    let path = beneath(&root, inner.as_str(), what)?;
    if !path.is_dir() {
        return Err(not_in(what, inner.as_str(), "isn't a folder"));
    }
    check_ignore(&root, &path.join(".dockerignore"))?;
    Ok(path)
}

fn root_of(source: &Path) -> Result<PathBuf, Problem> {
    source.canonicalize().map_err(|_| Problem::new("build.checkout", "The checkout is gone.", "Build again."))
}

fn check_ignore(root: &Path, ignore: &Path) -> Result<(), Problem> {
    if std::fs::symlink_metadata(ignore).is_ok() && !ignore.canonicalize().is_ok_and(|path| path.starts_with(root)) {
        let name = ignore.strip_prefix(root).unwrap_or(ignore).to_string_lossy().into_owned();
        return Err(not_in("ignore file", &name, "is a link that leaves the repository or leads nowhere"));
    }
    Ok(())
}

fn beneath(root: &Path, inner: &str, what: &str) -> Result<PathBuf, Problem> {
    let path = root.join(inner);
    match path.canonicalize() {
        Ok(path) if path.starts_with(root) => Ok(path),
        Ok(_) => Err(not_in(what, inner, "is a link that leaves the repository")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(not_in(what, inner, "isn't in the repository"))
        }
        Err(_) => Err(not_in(what, inner, "can't be read")),
    }
}

fn not_in(what: &str, inner: &str, why: &str) -> Problem {
    let inner = if inner.is_empty() { "." } else { inner };
    Problem::new(
        "build.path",
        format!("The {what} {inner} {why}."),
        "Correct the path on the service, or the file in the repository, and build again.",
    )
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn inner(text: &str) -> InnerPath {
        text.parse().expect("an inner path")
    }

    fn cause(source: &Path, dockerfile: &str, context: &str) -> String {
        locate(source, &inner(dockerfile), &inner(context)).expect_err("refused").cause
    }

    #[test]
    fn files_and_links_inside_are_found() {
        let data = tempfile::tempdir().expect("a folder");
        let source = data.path().join("source");
        std::fs::create_dir_all(source.join("app/docker")).expect("folders");
        std::fs::write(source.join("app/docker/Dockerfile"), "FROM x\n").expect("a file");
        symlink("app/docker/Dockerfile", source.join("Dockerfile")).expect("a link");
        let root = source.canonicalize().expect("a path");
        let expected = Located { dockerfile: root.join("app/docker/Dockerfile"), context: root.clone() };
        assert_eq!(locate(&source, &inner("Dockerfile"), &inner("")), Ok(expected.clone()));
        assert_eq!(locate(&source, &inner(""), &inner(".")), Ok(expected.clone()));
        assert_eq!(
            locate(&source, &inner("app/docker/Dockerfile"), &inner("app")).map(|l| l.context),
            Ok(root.join("app"))
        );
    }

    #[test]
    fn nothing_outside_is_ever_taken() {
        let data = tempfile::tempdir().expect("a folder");
        let source = data.path().join("source");
        std::fs::create_dir_all(source.join("sub")).expect("folders");
        std::fs::write(data.path().join("secret"), "FROM secret\n").expect("a file");
        std::fs::write(source.join("Good"), "FROM x\n").expect("a file");
        symlink("../secret", source.join("Up")).expect("a link");
        symlink("/etc/passwd", source.join("Absolute")).expect("a link");
        symlink("..", source.join("out")).expect("a link");
        symlink("loop", source.join("loop")).expect("a link");
        assert_eq!(cause(&source, "Up", ""), "The Dockerfile Up is a link that leaves the repository.");
        assert_eq!(cause(&source, "Absolute", ""), "The Dockerfile Absolute is a link that leaves the repository.");
        assert!(cause(&source, "out/secret", "").contains("leaves the repository"));
        assert!(cause(&source, "Good", "out").contains("The build context out is a link that leaves"));
        assert!(cause(&source, "loop", "").contains("can't be read"));
        assert!(cause(&source, "sub", "").contains("isn't a file"));
        assert!(cause(&source, "Good", "Good").contains("isn't a folder"));
        assert!(cause(&source, "None", "").contains("isn't in the repository"));
        symlink("/etc/shadow", source.join(".dockerignore")).expect("a link");
        assert!(cause(&source, "Good", "").contains("The ignore file .dockerignore is a link"));
        std::fs::remove_file(source.join(".dockerignore")).expect("removed");
        assert!(locate(&source, &inner("Good"), &inner("")).is_ok());
        for text in ["../../etc/passwd", "/etc/passwd", "a/../../b", "%2e%2e/x", "a\\b", "a\0b"] {
            assert!(text.parse::<InnerPath>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn device_files_are_no_dockerfiles() {
        let data = tempfile::tempdir().expect("a folder");
        let fifo = data.path().join("Dockerfile");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        assert!(cause(data.path(), "Dockerfile", "").contains("isn't a file"));
    }
}
