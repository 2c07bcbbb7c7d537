//! Where the time of a build went.

use crate::model::build::Build;
use crate::model::build_record::{BuildPart, PartTime};
use crate::model::job::Step;
use crate::model::text;
use crate::ui::Card;
use crate::ui::table::{Column, Table, col, wide};
use leptos::prelude::*;

/// The step whose parts the record knows.
const BUILD: &str = "build";

/// A row: its words, whether it is a part of the row before, and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    words: String,
    is_part: bool,
    millis: i64,
}

/// The card, for a build that is over.
pub fn card(build: &Build, steps: &[Step]) -> Option<impl IntoView + use<>> {
    let rows = rows(build, steps);
    if !build.state.is_final() || rows.is_empty() {
        return None;
    }
    let longest = rows.iter().map(|row| row.millis).max().unwrap_or(0).max(1);
    let has_parts = rows.iter().any(|row| row.is_part);
    let rows = rows
        .into_iter()
        .map(|Row { words, is_part, millis }| {
            let width = millis.max(0) * 1_000 / longest;
            view! {
                <tr class=is_part.then_some("part")>
                    <td class="phase">{words}</td>
                    <td class="wide">
                        <svg class="share" viewBox="0 0 1000 1" preserveAspectRatio="none" aria-hidden="true"><rect width=width height="1"></rect></svg>
                    </td>
                    <td class="num">{text::duration(millis)}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![col("Phase"), wide("Share"), Column { name: "Took", class: "num" }];
    Some(view! {
        <Card title="Time" flush=true>
            <Table name="Time" columns=columns>{rows}</Table>
            {has_parts.then(|| view! { <p class="foot muted">"Parts of the build go on side by side, so they can be more than the whole."</p> })}
        </Card>
    })
}

fn rows(build: &Build, steps: &[Step]) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(started) = build.started {
        rows.push(Row { words: "Waited for its turn".into(), is_part: false, millis: started - build.created });
    }
    let parts = build.record.as_ref().map(|record| record.parts.as_slice()).unwrap_or_default();
    for step in steps.iter().filter(|step| !step.name.contains('/')) {
        let Some(finished) = step.finished else { continue };
        rows.push(Row { words: step.title.clone(), is_part: false, millis: finished - step.started });
        if step.name == BUILD {
            let part = |PartTime { part, millis }: &PartTime| Row {
                words: part_words(*part).into(),
                is_part: true,
                millis: *millis,
            };
            rows.extend(parts.iter().map(part));
        }
    }
    rows
}

fn part_words(part: BuildPart) -> &'static str {
    match part {
        BuildPart::Load => "Read Dockerfile and context",
        BuildPart::Pull => "Get base images",
        BuildPart::Steps => "Run the Dockerfile's steps",
        BuildPart::Export => "Make layers and manifests",
        BuildPart::Push => "Push",
        BuildPart::Cache => "Read and write the cache",
    }
}
