//! Shows a running build: BuildKit's steps as sub-steps with their own times, their output as log lines, and the plain text
//! at the end, which also tells why a build failed.

use super::observed::Observed;
use super::progress::{Item, Parser, Status, Vertex};
use crate::jobs::{JobContext, LogStream};
use crate::process::{Output, Sink};
use app::model::job::{Step, StepState};
use app::model::text;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{HashMap, HashSet, VecDeque};

/// The step that BuildKit's steps are parts of.
pub(super) const STEP: &str = "build";
/// How many lines of plain text are kept to explain a failure.
const KEPT: usize = 40;

pub(super) struct Display {
    cx: JobContext,
    parser: Parser,
    begun: HashSet<String>,
    shown: HashMap<String, Step>,
    streams: HashMap<String, LogStream>,
    parts: HashSet<(String, String)>,
    last: VecDeque<String>,
    observed: Observed,
}

impl Display {
    pub(super) fn new(cx: &JobContext) -> Self {
        Self {
            cx: cx.clone(),
            parser: Parser::default(),
            begun: HashSet::new(),
            shown: HashMap::new(),
            streams: HashMap::new(),
            parts: HashSet::new(),
            last: VecDeque::new(),
            observed: Observed::default(),
        }
    }

    /// The end of the output; returns the last lines of plain text, masked, and what was seen.
    pub(super) async fn end(mut self) -> (String, Observed) {
        let rest = self.parser.end();
        self.show(rest).await;
        self.streams.clear();
        (Vec::from(self.last).join("\n"), self.observed)
    }

    async fn show(&mut self, items: Vec<Item>) {
        for item in items {
            match item {
                Item::Status(status) => self.status(status).await,
                Item::Text(line) => self.text(&String::from_utf8_lossy(&line)),
            }
        }
    }

    async fn status(&mut self, status: Status) {
        self.observed.take(&status);
        // What a step wrote may come together with its end, and stands before it in the log.
        for vertex in &status.vertexes {
            self.begin(vertex);
        }
        for part in status.statuses {
            if part.is_done() && self.parts.insert((part.vertex.clone(), part.id.clone())) {
                let size = u64::try_from(part.current).unwrap_or(0);
                let size = if size == 0 { String::new() } else { format!(" {}", text::bytes(size)) };
                self.cx.log_at(&step_name(&part.vertex), &format!("{}{size} done", part.id.trim_end_matches(':')));
            }
        }
        for log in status.logs {
            let Ok(bytes) = STANDARD.decode(&log.data) else { continue };
            let name = step_name(&log.vertex);
            let cx = &self.cx;
            self.streams.entry(log.vertex).or_insert_with(|| cx.stream(Some(&name))).write(&bytes);
        }
        for vertex in &status.vertexes {
            self.vertex(vertex).await;
        }
    }

    /// The line that a step's own lines come after.
    fn begin(&mut self, vertex: &Vertex) {
        if vertex.started().is_some() && self.begun.insert(vertex.digest.clone()) {
            let cached = if vertex.cached { "CACHED " } else { "" };
            self.cx.log_at(&step_name(&vertex.digest), &format!("=> {cached}{}", vertex.name));
        }
    }

    async fn vertex(&mut self, vertex: &Vertex) {
        let Some(started) = vertex.started() else { return };
        let step = Step {
            name: step_name(&vertex.digest),
            title: vertex.name.clone(),
            // BuildKit goes on without a cache; a registry has none before the first build.
            state: match (vertex.completed(), vertex.error.is_empty() || is_cache(&vertex.name)) {
                (None, _) => StepState::Running,
                (Some(_), true) => StepState::Done,
                (Some(_), false) => StepState::Failed,
            },
            started,
            finished: vertex.completed(),
            cached: vertex.cached,
        };
        let before = self.shown.get(&vertex.digest);
        if before == Some(&step) {
            return;
        }
        if step.finished.is_some() {
            // Writes what had no line end.
            self.streams.remove(&vertex.digest);
            if step.state == StepState::Failed && before.is_none_or(|before| before.state != StepState::Failed) {
                self.cx.log_at(&step.name, &format!("ERROR: {}", vertex.error));
            } else if !vertex.error.is_empty() && before.is_none_or(|before| before.finished.is_none()) {
                self.cx.log_at(&step.name, &format!("Goes on without it: {}", vertex.error));
            }
        }
        self.shown.insert(vertex.digest.clone(), step.clone());
        self.cx.sub_step(step).await;
    }

    fn text(&mut self, line: &str) {
        self.cx.log(line);
        self.last.push_back(self.cx.masked(line));
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
    }
}

#[async_trait]
impl Sink for Display {
    async fn take(&mut self, from: Output, piece: &[u8]) {
        match from {
            Output::Err => {
                let items = self.parser.push(piece);
                self.show(items).await;
            }
            // buildx writes nothing of interest there.
            Output::Out => {}
        }
    }
}

/// Whether a step reads or writes a cache elsewhere.
fn is_cache(name: &str) -> bool {
    name.starts_with("importing cache") || name.starts_with("exporting cache")
}

/// `build/<first 12 digits>`.
fn step_name(digest: &str) -> String {
    let hex = digest.rsplit(':').next().unwrap_or_default();
    format!("{STEP}/{}", hex.chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>())
}
