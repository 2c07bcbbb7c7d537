//! A Dockerfile may name another frontend in its first lines (`# syntax=image`): a program that BuildKit fetches and lets
//! drive the build. Only Docker's own is accepted (HARDENING I9).
//!
//! The rules for finding that line are BuildKit's (`frontend/dockerfile/parser/directives.go`): a BOM and a `#!` line are
//! skipped; directives stand in comments with `#` or `//` before everything else; or the file is JSON.

use app::error::Problem;

const ALLOWED: [&str; 2] = ["docker/dockerfile", "docker.io/docker/dockerfile"];

/// Ok, or the refusal.
pub(super) fn check(dockerfile: &str) -> Result<(), Problem> {
    match named(dockerfile) {
        Some(frontend) if !is_allowed(&frontend) => Err(Problem::new(
            "build.frontend",
            format!("The Dockerfile wants to be built by {}, which isn't Docker's own frontend.", brief(&frontend)),
            "Remove the line \"# syntax=…\" or name docker/dockerfile in it, and build again.",
        )),
        _ => Ok(()),
    }
}

fn is_allowed(frontend: &str) -> bool {
    let image = frontend.split(['@', ':']).next().unwrap_or_default();
    ALLOWED.contains(&image)
}

/// The frontend that the first lines name.
pub(super) fn named(dockerfile: &str) -> Option<String> {
    let text = dockerfile.strip_prefix('\u{feff}').unwrap_or(dockerfile);
    if text.trim_start().starts_with('{') {
        return Some("a description in JSON".into());
    }
    let mut lines = text.lines().peekable();
    if lines.peek().is_some_and(|line| line.starts_with("#!")) {
        lines.next();
    }
    lines
        .map(|line| line.trim())
        .skip_while(|line| line.is_empty())
        .map_while(directive)
        .find(|(key, _)| key.eq_ignore_ascii_case("syntax"))
        // What follows the image on the line is an argument to it.
        .map(|(_, value)| value.split_whitespace().next().unwrap_or_default().to_owned())
}

fn directive(line: &str) -> Option<(&str, &str)> {
    let comment = line.strip_prefix('#').or_else(|| line.strip_prefix("//"))?;
    let (key, value) = comment.split_once('=')?;
    let key = key.trim();
    let fits =
        key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| (key, value.trim()))
}

fn brief(text: &str) -> String {
    text.chars().filter(|c| !app::model::text::is_hidden(*c)).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_frontends_are_refused() {
        for text in [
            "# syntax=evil/frontend:1\nFROM x",
            "#syntax=evil",
            "\u{feff}# syntax = evil",
            "#!/usr/bin/env docker\n# syntax=evil",
            "// syntax=evil\n",
            "# escape=`\n# SYNTAX=evil\nFROM x",
            "\n\n# syntax=evil",
            "{\"syntax\":\"evil\"}",
            "# syntax=docker/dockerfile.evil",
            "# syntax=docker/dockerfile-upstream:master",
            "# syntax=evil.example/docker/dockerfile:1",
            "#   syntax=   evil   args\r\nFROM x",
        ] {
            assert_eq!(check(text).map_err(|problem| problem.code), Err("build.frontend".into()), "{text:?}");
        }
    }

    #[test]
    fn ordinary_files_are_accepted() {
        for text in [
            "FROM x\n# syntax=evil",
            "# a comment\n# syntax=evil\nFROM x",
            "# syntax=docker/dockerfile:1\nFROM x",
            "# syntax=docker.io/docker/dockerfile:1.7@sha256:00\nFROM x",
            "# syntax=docker/dockerfile\nFROM x",
            "# escape=`\nFROM x",
            "",
        ] {
            assert_eq!(check(text), Ok(()), "{text:?}");
        }
    }
}
