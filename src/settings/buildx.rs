//! Whether `docker buildx` is there; Debian's docker CLI comes without it.

use crate::process::{Invocation, ProcessError, Program, Runner};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const REMEDY: &str = "Install it: docker-buildx-plugin from Docker's packages, or docker-buildx from Debian's.";

/// Its version, or why it can't be run and what to do.
pub(super) async fn version(runner: &Runner) -> Result<String, String> {
    let question = Invocation::new(Program::Docker).args(["buildx", "version"]).within(Duration::from_secs(10));
    let asked = runner.capture(question, &CancellationToken::new()).await;
    match asked {
        Ok(said) if said.ended.is_success() => Ok(brief(&said.out)),
        Ok(_) => Err(format!("The docker command has no buildx plugin. {REMEDY}")),
        Err(ProcessError::NotInstalled(_)) => {
            Err("The docker command isn't installed. Install docker-cli and docker-buildx.".into())
        }
        Err(error) => Err(format!("docker buildx can't be run: {error}.")),
    }
}

/// `github.com/docker/buildx 0.13.1 0.13.1-1` → `0.13.1`.
fn brief(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.get(1).or(words.first()).map_or_else(|| "unknown version".into(), |word| word.trim_start_matches('v').into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_second_word() {
        assert_eq!(brief("github.com/docker/buildx 0.13.1 0.13.1-1\n"), "0.13.1");
        assert_eq!(brief("github.com/docker/buildx v0.29.1 a1b2c3\n"), "0.29.1");
        assert_eq!(brief(""), "unknown version");
    }
}
