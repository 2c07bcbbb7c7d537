//! Which images from elsewhere a Dockerfile is built from: all that BuildKit asks registries for.
//!
//! Read as BuildKit reads it (`frontend/dockerfile`), without running anything. It decides which logins a build gets and
//! nothing else: a place where both disagree costs a login, never a wrong image.

mod lines;
mod words;

use app::model::image_ref::ImageRef;
use app::model::platform::Platform;
use lines::Instruction;
use std::collections::{BTreeSet, HashMap};
use words::Values;

/// One `FROM` and what belongs to it.
#[derive(Default)]
struct Stage {
    name: Option<String>,
    /// What it starts from.
    base: Option<Base>,
    /// `COPY --from` and `RUN --mount=from`, as they stand there.
    others: Vec<String>,
}

/// What a stage starts from.
enum Base {
    Stage(usize),
    Image(String),
}

/// The images that the last stage needs, by whatever way; those of stages that nobody needs aren't fetched.
pub(super) fn images(text: &str, args: &[(String, String)], platform: &Platform) -> Vec<ImageRef> {
    let lines = lines::read(text);
    let stages = stages(&lines.instructions, lines.escape, args, platform);
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<usize> = stages.len().checked_sub(1).into_iter().collect();
    while let Some(index) = open.pop() {
        let Some(stage) = stages.get(index).filter(|_| seen.insert(index)) else { continue };
        match &stage.base {
            Some(Base::Stage(other)) => open.push(*other),
            Some(Base::Image(image)) => names.push(image.clone()),
            None => {}
        }
        for other in &stage.others {
            if let Ok(number) = other.parse::<usize>() {
                open.push(number);
            } else if let Some(found) = stage_named(&stages, other) {
                open.push(found);
            } else {
                names.push(other.clone());
            }
        }
    }
    let mut images: Vec<ImageRef> = Vec::new();
    for image in names.iter().filter(|name| *name != "scratch").filter_map(|name| name.parse().ok()) {
        if !images.contains(&image) {
            images.push(image);
        }
    }
    images
}

fn stages(instructions: &[Instruction], escape: char, args: &[(String, String)], platform: &Platform) -> Vec<Stage> {
    let given: HashMap<&str, &str> = args.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut values = of_platform(platform);
    let mut stages: Vec<Stage> = Vec::new();
    for Instruction { name, flags, rest } in instructions {
        match name.as_str() {
            // Those behind the first FROM count inside their stage alone.
            "ARG" if stages.is_empty() => {
                for word in words::split(rest, escape) {
                    let (name, default) = match word.split_once('=') {
                        Some((name, default)) => (name, words::expand(default, &values, escape)),
                        None => (word.as_str(), None),
                    };
                    let value = given.get(name).map(|value| (*value).to_owned()).or(default);
                    values.extend(value.map(|value| (name.to_owned(), value)));
                }
            }
            "FROM" => {
                let mut words = rest.split_whitespace();
                let base = words.next().and_then(|word| words::expand(word, &values, escape));
                let named = words.next().is_some_and(|word| word.eq_ignore_ascii_case("as"));
                let name = words.next().filter(|_| named).map(str::to_lowercase);
                let base = base.map(|base| match stage_named(&stages, &base) {
                    Some(found) => Base::Stage(found),
                    None => Base::Image(base),
                });
                stages.push(Stage { name, base, others: Vec::new() });
            }
            "COPY" | "RUN" => {
                let others = flags.iter().filter_map(|flag| match name.as_str() {
                    "COPY" => flag.strip_prefix("--from=").map(ToOwned::to_owned),
                    _ => flag.strip_prefix("--mount=").and_then(from_of_mount),
                });
                if let Some(stage) = stages.last_mut() {
                    stage.others.extend(others);
                }
            }
            _ => {}
        }
    }
    stages
}

/// The last one of that name, as later ones hide earlier ones.
fn stage_named(stages: &[Stage], name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    stages.iter().rposition(|stage| stage.name.as_ref() == Some(&name))
}

/// The value of `from=` among the fields of a mount, which are a line of CSV.
fn from_of_mount(fields: &str) -> Option<String> {
    let mut is_quoted = false;
    let fields = fields.split(move |c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    });
    let fields = fields.map(|field| field.trim_matches('"'));
    fields.filter_map(|field| field.split_once('=')).find_map(|(key, value)| {
        (key.trim().eq_ignore_ascii_case("from") && !value.is_empty()).then(|| value.to_owned())
    })
}

/// What BuildKit itself says before the first stage.
fn of_platform(platform: &Platform) -> Values {
    let mut parts = platform.as_str().splitn(3, '/');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let (os, architecture, variant) = (part(), part(), part());
    let mut values = Values::new();
    for whose in ["TARGET", "BUILD"] {
        values.insert(format!("{whose}PLATFORM"), platform.to_string());
        values.insert(format!("{whose}OS"), os.clone());
        values.insert(format!("{whose}ARCH"), architecture.clone());
        values.insert(format!("{whose}VARIANT"), variant.clone());
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Vec<String> {
        let args = [("BASE".to_owned(), "ghcr.io/acme/base:2".to_owned()), ("EMPTY".to_owned(), String::new())];
        let platform = "linux/amd64".parse().expect("a platform");
        images(text, &args, &platform).into_iter().map(|image| image.to_string().replace(":latest", "")).collect()
    }

    #[test]
    fn all_images_from_elsewhere_are_found_and_no_others() {
        let cases: &[(&str, &[&str])] = &[
            // FROM.
            ("FROM alpine", &["docker.io/library/alpine"]),
            ("FROM alpine:3", &["docker.io/library/alpine:3"]),
            ("from ghcr.io/acme/web:1", &["ghcr.io/acme/web:1"]),
            ("FROM localhost:5000/a/b", &["localhost:5000/a/b"]),
            ("FROM acme/web", &["docker.io/acme/web"]),
            ("FROM scratch\nCOPY a /", &[]),
            ("FROM --platform=linux/arm64 ghcr.io/a/b AS x", &["ghcr.io/a/b"]),
            ("FROM --platform=$BUILDPLATFORM ghcr.io/a/b", &["ghcr.io/a/b"]),
            ("FROM ghcr.io/a/b-$TARGETARCH", &["ghcr.io/a/b-amd64"]),
            ("FROM ghcr.io/a/b:${TARGETOS}", &["ghcr.io/a/b:linux"]),
            ("FROM \\\n  ghcr.io/a/b", &["ghcr.io/a/b"]),
            ("# escape=`\nFROM `\n  ghcr.io/a/b", &["ghcr.io/a/b"]),
            ("FROM \"ghcr.io/a/b\"", &["ghcr.io/a/b"]),
            ("FROM", &[]),
            ("", &[]),
            ("RUN x", &[]),
            ("FROM Not/An Image", &[]),
            // ARG in front.
            ("ARG X=ghcr.io/a/b\nFROM $X", &["ghcr.io/a/b"]),
            ("ARG X=ghcr.io/a/b\nFROM ${X}:1", &["ghcr.io/a/b:1"]),
            ("ARG BASE=alpine\nFROM $BASE", &["ghcr.io/acme/base:2"]),
            ("ARG BASE\nFROM ${BASE}", &["ghcr.io/acme/base:2"]),
            ("FROM ${BASE}", &[]),
            ("ARG NONE\nFROM ${NONE:-quay.io/a/b}", &["quay.io/a/b"]),
            ("ARG EMPTY=x\nFROM ${EMPTY:-quay.io/a/b}", &["quay.io/a/b"]),
            ("ARG BASE\nFROM ${BASE:+quay.io/a/c}", &["quay.io/a/c"]),
            ("ARG HOST=ghcr.io TAG=2\nFROM $HOST/a/b:$TAG", &["ghcr.io/a/b:2"]),
            ("ARG H=ghcr.io\nARG X=$H/a/b\nFROM $X", &["ghcr.io/a/b"]),
            ("ARG X=\"ghcr.io/a/b\"\nFROM $X", &["ghcr.io/a/b"]),
            ("FROM scratch AS one\nARG X=ghcr.io/a/b\nFROM ${X:-quay.io/a/b}", &["quay.io/a/b"]),
            // Stages.
            ("FROM ghcr.io/a/b AS build\nFROM build", &["ghcr.io/a/b"]),
            ("FROM ghcr.io/a/b as Build\nFROM bUILD", &["ghcr.io/a/b"]),
            ("FROM ghcr.io/a/b AS build\nFROM scratch\nCOPY --from=build /x /", &["ghcr.io/a/b"]),
            ("FROM ghcr.io/a/b\nFROM scratch\nCOPY --from=0 /x /", &["ghcr.io/a/b"]),
            ("FROM ghcr.io/a/unused\nFROM quay.io/a/b", &["quay.io/a/b"]),
            ("FROM ghcr.io/a/b AS ghcr.io\nFROM quay.io/a/b AS last", &["quay.io/a/b"]),
            (
                "FROM a.io/x/1 AS a\nFROM b.io/x/2 AS b\nCOPY --from=a / /\nFROM scratch\nCOPY --from=b / /",
                &["b.io/x/2", "a.io/x/1"],
            ),
            ("FROM a.io/x/1 AS x\nFROM x AS x\nFROM x", &["a.io/x/1"]),
            // COPY and RUN.
            ("FROM scratch\nCOPY --from=ghcr.io/a/b /x /", &["ghcr.io/a/b"]),
            ("FROM scratch\nCOPY --chown=1 --from=nginx:1 /x /", &["docker.io/library/nginx:1"]),
            ("FROM scratch\ncopy --link --from=\"ghcr.io/a/b\" /x /", &["ghcr.io/a/b"]),
            ("FROM scratch\nCOPY a --from=ghcr.io/a/b", &[]),
            ("FROM scratch\nRUN --mount=type=bind,from=ghcr.io/a/b,target=/m x", &["ghcr.io/a/b"]),
            ("FROM scratch\nRUN --mount=from=ghcr.io/a/b,target=/m --mount=type=cache,target=/c x", &["ghcr.io/a/b"]),
            ("FROM scratch\nRUN --mount=type=bind,\"from=ghcr.io/a/b\" x", &["ghcr.io/a/b"]),
            ("FROM scratch\nRUN --mount=type=secret,id=from x", &[]),
            ("FROM scratch\nRUN --network=none --mount=TYPE=bind,FROM=ghcr.io/a/b x", &["ghcr.io/a/b"]),
            ("FROM scratch AS s\nFROM scratch\nRUN --mount=from=s x", &[]),
            ("FROM scratch\nONBUILD COPY --from=ghcr.io/a/b / /", &[]),
            // What is no instruction.
            ("# FROM ghcr.io/a/b\nFROM scratch", &[]),
            ("FROM scratch\nRUN <<EOF\nFROM ghcr.io/a/b\nEOF", &[]),
            ("FROM scratch\nCOPY <<-'EOF' /x\nFROM ghcr.io/a/b\n\tEOF\nCOPY --from=quay.io/a/b / /", &["quay.io/a/b"]),
            ("FROM scratch\nRUN echo \\\n# a comment\nFROM ghcr.io/a/b", &[]),
            ("FROM ghcr.io/a/b\nCOPY --from=ghcr.io/a/b / /", &["ghcr.io/a/b"]),
            ("FROM scratch\nCOPY --from=$BASE / /", &[]),
            ("FROM ghcr.io/a/b:1@sha256:0\n", &[]),
        ];
        assert!(cases.len() >= 40);
        for (text, expected) in cases {
            assert_eq!(of(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn stages_that_need_each_other_end() {
        assert!(
            of("FROM scratch AS a\nCOPY --from=b / /\nFROM a AS b\nCOPY --from=a / /\nCOPY --from=9 / /").is_empty()
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in any::<String>()) {
            of(&text);
        }

        #[test]
        fn nothing_that_looks_like_a_dockerfile_makes_it_panic(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("FROM "), Just("ARG "), Just("COPY --from="), Just("RUN --mount="), Just("\n"), Just("\\\n"),
                    Just("$"), Just("${"), Just("}"), Just(":-"), Just("\""), Just("'"), Just("<<E"), Just("E"), Just("#"),
                    Just("# escape=`\n"), Just("`"), Just(" AS "), Just("ghcr.io/a/b"), Just(","), Just("from="), Just("é"),
                    Just("\u{feff}"), Just("=X"), Just(" "),
                ],
                0..60,
            ),
        ) {
            of(&parts.concat());
        }
    }
}
