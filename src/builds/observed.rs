//! What a running build tells that is kept: which steps ran and which came from the cache, how long the parts took, what the
//! linter found.
//!
//! Steps are told apart by their text, not by BuildKit's digests: those of all that stands on the context are new with each
//! build, because the session is part of them.

use super::progress::{Status, Vertex, Warning};
use app::model::build_record::{BuildPart, BuildRecord, BuildWarning, PartTime};
use app::model::text::{self, is_hidden};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};

/// Most steps, parts and warnings of one build that are kept; the rest isn't looked at.
const STEPS: usize = 5_000;
const PARTS: usize = 20_000;
const WARNINGS: usize = 100;
/// Characters of a warning, and of its address.
const TEXT: usize = 500;
const ADDRESS: usize = 300;
/// Instructions that make layers.
const MAKES_LAYERS: [&str; 4] = ["RUN", "COPY", "ADD", "WORKDIR"];

/// Gathers it.
#[derive(Debug, Default)]
pub(super) struct Observed {
    vertexes: HashMap<String, Seen>,
    pushes: Vec<(i64, i64)>,
    warnings: Vec<BuildWarning>,
}

/// A vertex, as far as it is known. BuildKit may start and end one several times.
#[derive(Debug)]
struct Seen {
    name: String,
    intervals: BTreeMap<i64, Option<i64>>,
    is_cached: bool,
    has_failed: bool,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) record: BuildRecord,
    /// Steps that ran, by the hash of their text, and for how many milliseconds.
    pub(super) ran: Vec<(String, i64)>,
    /// Steps that came from the cache, by the hash of their text.
    pub(super) cached: Vec<String>,
}

/// One instruction of the Dockerfile, of all platforms together.
#[derive(Debug, Default)]
struct Instruction {
    /// None of its platforms ran.
    is_cached: bool,
    /// The longest of its platforms, which run side by side.
    took: i64,
    has_failed: bool,
}

impl Observed {
    /// A piece of progress.
    pub(super) fn take(&mut self, status: &Status) {
        for vertex in &status.vertexes {
            self.vertex(vertex);
        }
        for part in &status.statuses {
            if part.id.starts_with("pushing ") && self.pushes.len() < PARTS {
                self.pushes.extend(part.interval());
            }
        }
        for warning in &status.warnings {
            self.warning(warning);
        }
    }

    fn vertex(&mut self, vertex: &Vertex) {
        if !self.vertexes.contains_key(&vertex.digest) && self.vertexes.len() >= STEPS {
            return;
        }
        let seen = self.vertexes.entry(vertex.digest.clone()).or_insert_with(|| Seen {
            name: vertex.name.clone(),
            intervals: BTreeMap::new(),
            is_cached: false,
            has_failed: false,
        });
        if let Some(started) = vertex.started() {
            let ended = seen.intervals.entry(started).or_default();
            *ended = vertex.completed().or(*ended);
        }
        seen.is_cached |= vertex.cached;
        seen.has_failed |= !vertex.error.is_empty();
    }

    fn warning(&mut self, warning: &Warning) {
        let text = |encoded: &str| {
            let bytes = STANDARD.decode(encoded).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).take(TEXT).collect::<String>().trim().to_owned()
        };
        let sentences: Vec<_> = std::iter::once(&warning.short).chain(&warning.detail).map(|it| text(it)).collect();
        let sentences: Vec<_> = sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect();
        let is_address = |url: &&String| {
            url.starts_with("https://")
                && url.len() <= ADDRESS
                && !url.chars().any(|c| is_hidden(c) || c.is_whitespace())
        };
        let found = BuildWarning {
            text: sentences.join(". "),
            line: warning.line(),
            url: Some(&warning.url).filter(is_address).cloned(),
        };
        // Each platform finds the same.
        if !found.text.is_empty() && self.warnings.len() < WARNINGS && !self.warnings.contains(&found) {
            self.warnings.push(found);
        }
    }

    /// What was seen. `masked` takes secrets out of a text.
    pub(super) fn finish(self, masked: impl Fn(&str) -> String) -> Outcome {
        let mut by_place: BTreeMap<(&str, &str, &str), Instruction> = BTreeMap::new();
        for seen in self.vertexes.values().filter(|seen| seen.is_over()) {
            let Some(step) = step(&seen.name).filter(|step| step.makes_layer()) else { continue };
            let instruction = by_place
                .entry((step.stage, step.place, step.text))
                .or_insert(Instruction { is_cached: true, ..Instruction::default() });
            instruction.is_cached &= seen.is_cached;
            instruction.has_failed |= seen.has_failed;
            if !seen.is_cached {
                instruction.took = instruction.took.max(length(seen.ended()));
            }
        }
        let mut outcome = Outcome::default();
        for ((stage, _, text), instruction) in &by_place {
            let key = key(stage, text);
            if instruction.is_cached {
                outcome.cached.push(key);
            } else if !instruction.has_failed {
                outcome.ran.push((key, instruction.took));
            }
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        outcome.record = BuildRecord {
            steps: count(by_place.len()),
            cached: count(outcome.cached.len()),
            parts: self.parts(),
            warnings: self
                .warnings
                .iter()
                .map(|found| BuildWarning { text: masked(&found.text), ..found.clone() })
                .collect(),
            ..BuildRecord::default()
        };
        outcome
    }

    /// The time in which each part was under way, also where several things went on side by side.
    fn parts(&self) -> Vec<PartTime> {
        let mut times: BTreeMap<BuildPart, Vec<(i64, i64)>> = BTreeMap::new();
        for seen in self.vertexes.values() {
            if let Some(part) = part(&seen.name) {
                times.entry(part).or_default().extend(seen.ended());
            }
        }
        let mut pushing = self.pushes.clone();
        pushing.extend(times.remove(&BuildPart::Push).unwrap_or_default());
        let pushed = length(pushing.iter().copied());
        // BuildKit pushes within what it calls exporting.
        if let Some(exports) = times.get_mut(&BuildPart::Export) {
            let both = length(exports.iter().chain(&pushing).copied());
            *exports = vec![(0, both - pushed)];
        }
        times.insert(BuildPart::Push, vec![(0, pushed)]);
        let times = times.into_iter().map(|(part, times)| PartTime { part, millis: length(times) });
        times.filter(|time| time.millis > 0).collect()
    }
}

impl Seen {
    fn is_over(&self) -> bool {
        self.intervals.values().next_back().is_some_and(Option::is_some)
    }

    fn ended(&self) -> impl Iterator<Item = (i64, i64)> + use<'_> {
        self.intervals.iter().filter_map(|(from, to)| Some((*from, (*to)?)))
    }
}

/// A vertex that is a step of the Dockerfile: `[linux/arm64 build 2/3] RUN make`.
#[derive(Debug, PartialEq)]
struct DockerfileStep<'a> {
    /// Empty where there is one stage alone.
    stage: &'a str,
    /// `2/3`.
    place: &'a str,
    text: &'a str,
}

impl DockerfileStep<'_> {
    fn makes_layer(&self) -> bool {
        self.text.split_whitespace().next().is_some_and(|word| MAKES_LAYERS.contains(&word))
    }
}

fn step(name: &str) -> Option<DockerfileStep<'_>> {
    let (inner, text) = name.strip_prefix('[')?.split_once("] ")?;
    let mut words: Vec<&str> = inner.split_whitespace().collect();
    let place = words.pop()?;
    let (number, of) = place.split_once('/')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(number) || !is_number(of) {
        return None;
    }
    // A platform has slashes, a stage can't.
    words.retain(|word| !word.contains('/'));
    Some(DockerfileStep { stage: words.first().copied().unwrap_or_default(), place, text })
}

/// What a vertex is a part of.
fn part(name: &str) -> Option<BuildPart> {
    if let Some(step) = step(name) {
        return Some(if step.makes_layer() { BuildPart::Steps } else { BuildPart::Pull });
    }
    let table = [
        ("[internal] load metadata", BuildPart::Pull),
        ("resolve image config", BuildPart::Pull),
        ("[internal]", BuildPart::Load),
        ("exporting cache", BuildPart::Cache),
        ("importing cache", BuildPart::Cache),
        ("exporting", BuildPart::Export),
        ("pushing ", BuildPart::Push),
    ];
    table.into_iter().find(|(start, _)| name.starts_with(start)).map(|(_, part)| part)
}

/// What a step is known by from build to build: without its number, so that one that is put in before it changes nothing.
fn key(stage: &str, step: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(stage);
    hash.update([0]);
    hash.update(step);
    text::hex(&hash.finalize()[..16])
}

/// How many milliseconds of intervals are covered, each counted once.
fn length(intervals: impl IntoIterator<Item = (i64, i64)>) -> i64 {
    let mut sorted: Vec<_> = intervals.into_iter().filter(|(from, to)| to > from).collect();
    sorted.sort_unstable();
    let mut end = i64::MIN;
    let mut covered = 0;
    for (from, to) in sorted {
        if to > end {
            covered += to - from.max(end);
            end = to;
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::super::progress::{Item, Parser};
    use super::*;

    /// What buildx wrote in real runs.
    const TWO_STAGES: &str = include_str!("observed/two-stages.json");
    const TWO_STAGES_AGAIN: &str = include_str!("observed/two-stages-again.json");
    const TWO_PLATFORMS: &str = include_str!("observed/two-platforms.json");

    fn seen(written: &str) -> Outcome {
        let mut parser = Parser::default();
        let mut observed = Observed::default();
        let items = parser.push(written.as_bytes());
        for item in items.into_iter().chain(parser.end()) {
            if let Item::Status(status) = item {
                observed.take(&status);
            }
        }
        observed.finish(|text| text.replace("rec2", "•••"))
    }

    fn millis(outcome: &Outcome, part: BuildPart) -> i64 {
        outcome.record.parts.iter().find(|time| time.part == part).map_or(0, |time| time.millis)
    }

    #[test]
    fn steps_that_ran_and_cached_ones_are_counted() {
        let first = seen(TWO_STAGES);
        assert_eq!((first.record.steps, first.record.cached), (4, 0));
        assert_eq!((first.ran.len(), first.cached.len()), (4, 0));
        let run = key("one", "RUN sleep 1;   echo rec2 > /out");
        let took = first.ran.iter().find(|(step, _)| *step == run).expect("the RUN").1;
        assert_eq!(took, 1_272);

        // BuildKit's digests are others then; the texts are the same.
        let again = seen(TWO_STAGES_AGAIN);
        assert_eq!((again.record.steps, again.record.cached), (4, 4));
        let mut ran: Vec<_> = first.ran.into_iter().map(|(step, _)| step).collect();
        let mut cached = again.cached.clone();
        ran.sort();
        cached.sort();
        assert_eq!(ran, cached);
        assert!(again.ran.is_empty());
    }

    #[test]
    fn the_time_of_parts_is_told_apart() {
        let first = seen(TWO_STAGES);
        let all: Vec<_> = first.record.parts.iter().map(|time| time.part).collect();
        assert_eq!(all, BuildPart::ALL);
        // 1.27 s of RUN, and three COPY.
        assert!((1_400..1_600).contains(&millis(&first, BuildPart::Steps)), "{:?}", first.record.parts);
        // The push is within BuildKit's export, and once more what the engine does.
        assert!((280..340).contains(&millis(&first, BuildPart::Push)), "{:?}", first.record.parts);
        assert!((320..350).contains(&millis(&first, BuildPart::Export)), "{:?}", first.record.parts);
        assert!((400..420).contains(&millis(&first, BuildPart::Cache)), "{:?}", first.record.parts);
        // All came from the cache: no time for steps.
        assert_eq!(millis(&seen(TWO_STAGES_AGAIN), BuildPart::Steps), 0);
    }

    #[test]
    fn the_linters_words_are_kept_with_line_and_address_and_masked() {
        let first = seen(TWO_STAGES);
        assert_eq!(
            first.record.warnings,
            [BuildWarning {
                text:
                    "Empty continuation line found in: RUN sleep 1;   echo ••• > /out. Empty continuation lines will \
                       become errors in a future release"
                        .into(),
                line: Some(5),
                url: Some("https://github.com/moby/moby/pull/33719".into()),
            }]
        );
        // What newer ones write, twice for two platforms; an address that is none is left out.
        let warning = |url: &str| {
            let short = STANDARD.encode("FromAsCasing: 'as' and 'FROM' keywords' casing do not match\u{1b}[31m");
            format!(
                r#"{{"warnings":[{{"vertex":"sha256:1","level":1,"short":"{short}","detail":null,"url":"{url}","range":null}}]}}"#
            )
        };
        let other = seen(&[warning("javascript:x"), warning("javascript:x")].concat()).record.warnings;
        assert_eq!(other.len(), 1, "{other:?}");
        assert_eq!((other[0].line, other[0].url.as_deref()), (None, None));
        assert!(other[0].text.starts_with("FromAsCasing: ") && !other[0].text.contains('\u{1b}'));
    }

    #[test]
    fn platforms_count_once() {
        let outcome = seen(TWO_PLATFORMS);
        assert_eq!((outcome.record.steps, outcome.record.cached, outcome.ran.len()), (3, 0, 3));
        let vertex = |platform: &str, cached: bool, took: u32| {
            format!(
                r#"{{"vertexes":[{{"digest":"sha256:{platform}","name":"[{platform} build 2/3] RUN make","started":"2026-11-28T13:00:00Z","completed":"2026-11-28T13:00:{took:02}Z","cached":{cached}}}]}}"#
            )
        };
        // One of them ran: the step isn't cached, and what took longest counts.
        let both =
            [vertex("linux/amd64", true, 0), vertex("linux/amd64->arm64", false, 7), vertex("linux/arm64", false, 5)];
        let outcome = seen(&both.concat());
        assert_eq!((outcome.record.steps, outcome.record.cached), (1, 0));
        assert_eq!(outcome.ran, [(key("build", "RUN make"), 7_000)]);
        assert_eq!(outcome.cached, Vec::<String>::new());
    }

    #[test]
    fn only_instructions_are_steps() {
        let names = [
            ("[2/3] RUN printf '[x] y'", Some(("", "2/3", "RUN printf '[x] y'"))),
            ("[linux/arm/v7 web 12/13] COPY a /b", Some(("web", "12/13", "COPY a /b"))),
            ("[stage-1 1/2] FROM docker.io/library/x", Some(("stage-1", "1/2", "FROM docker.io/library/x"))),
            ("[internal] load build context", None),
            ("[auth] sharing credentials for x", None),
            ("exporting to image", None),
            ("[linux/amd64] x", None),
            ("[a/b] x", None),
            ("[]", None),
            ("", None),
        ];
        for (name, expected) in names {
            let found = step(name).map(|step| (step.stage, step.place, step.text));
            assert_eq!(found, expected, "{name}");
        }
        assert!(!step("[1/2] FROM x").expect("a step").makes_layer());
        assert_eq!(part("[1/2] FROM x"), Some(BuildPart::Pull));
        assert_eq!(part("[auth] sharing credentials for x"), None);
    }

    #[test]
    fn time_that_overlaps_counts_once() {
        assert_eq!(length([(0, 10), (5, 15), (20, 21), (20, 20), (9, 3)]), 16);
        assert_eq!(length([]), 0);
    }

    proptest::proptest! {
        #[test]
        fn no_name_breaks_it(name in "[\\[\\]/ 0-9a-zA-Z.>-]{0,30}") {
            let _ = (step(&name), part(&name));
        }
    }
}
