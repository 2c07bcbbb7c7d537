//! What an image is made by: the repository's own Dockerfile, one that was typed, or one that serves a folder.
//!
//! A Dockerfile of ours lies in the build's private folder and not in the checkout, so that it hides no file and follows no
//! link of it.

use super::context::{self, Located};
use super::folder::{BuildFolder, private};
use super::frontend;
use crate::jobs::{JobError, internal};
use app::error::Problem;
use app::model::build_options::Recipe;
use app::model::service::GitSource;
use app::model::static_server::StaticServer;
use app::paths;
use std::path::PathBuf;

/// Dockerfile and context of a source that was checked out; `edit` adds where paths are corrected.
pub(super) fn locate(
    source: &GitSource,
    server: Option<&StaticServer>,
    folder: &BuildFolder,
    edit: impl Fn(Problem) -> Problem,
) -> Result<Located, JobError> {
    let checkout = folder.source();
    match &source.build.recipe {
        Recipe::Repository => {
            context::locate(&checkout, &source.dockerfile, &source.context).map_err(|problem| edit(problem).into())
        }
        Recipe::Typed { text } => {
            frontend::check(text).map_err(&edit)?;
            let context = context::folder(&checkout, &source.context, "build context").map_err(&edit)?;
            Ok(Located { dockerfile: written(folder, text)?, context })
        }
        Recipe::Static { folder: site } => {
            let server = server.ok_or_else(no_server)?;
            let context = context::folder(&checkout, site, "static site's folder").map_err(&edit)?;
            Ok(Located { dockerfile: written(folder, &dockerfile(server))?, context })
        }
    }
}

fn written(folder: &BuildFolder, text: &str) -> Result<PathBuf, JobError> {
    private(&folder.recipe()).map_err(internal)?;
    let path = folder.recipe().join("Dockerfile");
    std::fs::write(&path, text).map_err(internal)?;
    Ok(path)
}

/// Copies the folder to where the web server looks, and starts it where the image doesn't by itself.
fn dockerfile(server: &StaticServer) -> String {
    let list = |words: &[&str]| serde_json::Value::from(words.to_vec()).to_string();
    let folder = format!("{}/", server.folder.trim_end_matches('/'));
    let mut text = format!("FROM {}\nCOPY {}\n", server.image, list(&[".", &folder]));
    if !server.command.is_empty() {
        let command: Vec<_> = server.command.iter().map(String::as_str).collect();
        // A small server that is process 1 ignores the usual signal to stop, and has nothing to lose.
        text.push_str(&format!("STOPSIGNAL SIGKILL\nENTRYPOINT []\nCMD {}\n", list(&command)));
    }
    text
}

fn no_server() -> JobError {
    JobError::Fail(
        Problem::new(
            "build.static_image",
            "There is no web server image for static sites.",
            "Choose an image in Settings → Builds, and build again.",
        )
        .with_link(paths::BUILD_RULES, "Open the settings"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::build_options::BuildOptions;
    use app::model::id::BuildId;
    use std::os::unix::fs::symlink;

    fn source(recipe: Recipe, context: &str) -> GitSource {
        GitSource {
            repository: "https://git.example.com/a/b".parse().expect("an address"),
            branch: "main".parse().expect("a branch"),
            dockerfile: "Dockerfile".parse().expect("a path"),
            context: context.parse().expect("a path"),
            base_path: None,
            registry: None,
            access: None,
            build: BuildOptions { recipe, ..BuildOptions::default() },
        }
    }

    fn problem(error: JobError) -> Problem {
        match error {
            JobError::Fail(problem) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_typed_dockerfile_and_a_site_stay_inside_the_checkout() {
        let data = tempfile::tempdir().expect("a folder");
        let folder = BuildFolder::create(&data.path().join("builds"), &BuildId::from_random([5; 8]), 1).expect("made");
        std::fs::create_dir_all(folder.source().join("public")).expect("folders");
        symlink("/etc", folder.source().join("out")).expect("a link");
        let server: StaticServer = "nginx:1.27 /usr/share/nginx/html".parse().expect("a server");
        let locate = |recipe: Recipe, context: &str, server: Option<&StaticServer>| {
            super::locate(&source(recipe, context), server, &folder, |problem| problem)
        };
        let typed = |text: &str| Recipe::Typed { text: text.into() };
        let site = |folder: &str| Recipe::Static { folder: folder.parse().expect("a path") };

        let found = locate(typed("FROM x\n"), "public", None).expect("found");
        assert_eq!(std::fs::read_to_string(&found.dockerfile).expect("written"), "FROM x\n");
        assert!(!found.dockerfile.starts_with(folder.source().canonicalize().expect("a path")));
        assert_eq!(found.context, folder.source().join("public").canonicalize().expect("a path"));
        assert_eq!(
            problem(locate(typed("# syntax=evil\nFROM x"), "", None).expect_err("refused")).code,
            "build.frontend"
        );
        assert!(problem(locate(typed("FROM x"), "out", None).expect_err("refused")).cause.contains("leaves"));

        let found = locate(site("public"), "", Some(&server)).expect("found");
        let text = std::fs::read_to_string(&found.dockerfile).expect("written");
        assert_eq!(text, "FROM docker.io/library/nginx:1.27\nCOPY [\".\",\"/usr/share/nginx/html/\"]\n");
        assert_eq!(found.context, folder.source().join("public").canonicalize().expect("a path"));
        let missing = problem(locate(site("dist"), "", Some(&server)).expect_err("refused"));
        assert_eq!(missing.cause, "The static site's folder dist isn't in the repository.");
        assert!(problem(locate(site("out"), "", Some(&server)).expect_err("refused")).cause.contains("leaves"));
        assert_eq!(problem(locate(site("public"), "", None).expect_err("refused")).code, "build.static_image");
    }

    #[test]
    fn a_small_server_is_started_by_its_command() {
        let server: StaticServer = "busybox:1 /www httpd -f -p 8080 -h /www".parse().expect("a server");
        assert_eq!(
            dockerfile(&server),
            "FROM docker.io/library/busybox:1\nCOPY [\".\",\"/www/\"]\nSTOPSIGNAL SIGKILL\nENTRYPOINT []\n\
             CMD [\"httpd\",\"-f\",\"-p\",\"8080\",\"-h\",\"/www\"]\n"
        );
    }
}
