//! Small drawings, made on the server: how often something went well, and how something grew.
//!
//! A drawing is one image with words for those who don't see it; heights carry what colours say. Figures stand in text or
//! a table beside it.

use super::table::{Column, Table, col};
use super::time::{Age, day};
use crate::model::registry::UptimeSlot;
use crate::model::text;
use leptos::prelude::*;

/// Share of probes that went well, in tenths of a per cent; None: there were none.
pub fn share(slots: &[UptimeSlot]) -> Option<(u64, u64, u64)> {
    let good: u64 = slots.iter().map(|slot| u64::from(slot.good)).sum();
    let all = good + slots.iter().map(|slot| u64::from(slot.bad)).sum::<u64>();
    (all > 0).then(|| (good, all, good * 1_000 / all))
}

/// The strip's height where all went well, some failed, all failed, and nobody looked.
const BARS: [(&str, u32); 4] = [("ok", 14), ("warn", 20), ("bad", 24), ("none", 3)];

fn bar(slot: &UptimeSlot) -> (&'static str, u32) {
    let [ok, warn, bad, none] = BARS;
    match (slot.good, slot.bad) {
        (0, 0) => none,
        (_, 0) => ok,
        (0, _) => bad,
        _ => warn,
    }
}

/// A strip of bars, oldest first.
#[component]
pub fn Uptime(
    /// Pieces of the same length.
    slots: Vec<UptimeSlot>,
) -> impl IntoView {
    let Some((good, all, share)) = share(&slots) else {
        return view! { <p class="muted">"There is no history yet: the first probe makes it."</p> }.into_any();
    };
    let words = format!(
        "{} of {} went well ({}.{} %).",
        text::figure(good),
        if all == 1 { "1 probe".to_owned() } else { format!("{} probes", text::figure(all)) },
        share / 10,
        share % 10
    );
    let width = slots.len().max(1) * 4;
    let bars = slots
        .iter()
        .enumerate()
        .map(|(index, slot)| {
            let (class, height) = bar(slot);
            view! { <rect class=class x=index * 4 y=24 - height width="3" height=height></rect> }
        })
        .collect_view();
    let first = slots.first().map(|slot| slot.from);
    view! {
        <svg class="uptime" viewBox=format!("0 0 {width} 24") preserveAspectRatio="none" role="img" aria-label=words.clone()>{bars}</svg>
        <p class="ends hint"><span>{first.map(|from| view! { <Age seconds=from/> })}</span><span>{words.clone()}</span><span>"now"</span></p>
        {failures(&slots)}
    }
    .into_any()
}

/// What went wrong in which piece, newest first.
fn failures(slots: &[UptimeSlot]) -> Option<impl IntoView + use<>> {
    let rows: Vec<_> = slots
        .iter()
        .rev()
        .filter(|slot| slot.bad > 0)
        .take(12)
        .map(|slot| {
            let of = u64::from(slot.good) + u64::from(slot.bad);
            let words = format!("{} of {} failed", slot.bad, text::count(of, "probe"));
            let first = slot.problem.clone().map(|problem| format!(", first: {problem}")).unwrap_or_default();
            view! { <li><Age seconds=slot.from/>" "{words}{first}</li> }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! { <details class="fold"><summary>"What failed, and when"</summary><ul class="users">{rows}</ul></details> }
    })
}

const WIDTH: u64 = 600;
const HEIGHT: u64 = 96;

/// Corners of a line through the points, in the drawing's own measures.
fn corners(points: &[(i64, u64)]) -> Vec<(u64, u64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let span = last.0.saturating_sub(first.0).max(1).unsigned_abs();
    let most = u128::from(points.iter().map(|point| point.1).max().unwrap_or(0).max(1));
    let place = |(at, bytes): &(i64, u64)| {
        let along = at.saturating_sub(first.0).max(0).unsigned_abs();
        let x = u128::from(along) * u128::from(WIDTH) / u128::from(span);
        let up = u128::from(*bytes) * u128::from(HEIGHT - 4) / most;
        (u64::try_from(x).unwrap_or(WIDTH).min(WIDTH), HEIGHT - u64::try_from(up).unwrap_or(0))
    };
    points.iter().map(place).collect()
}

/// Bytes over time, oldest first.
#[component]
pub fn Growth(
    /// When, in Unix seconds, and how many bytes.
    points: Vec<(i64, u64)>,
) -> impl IntoView {
    let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) else {
        return ().into_any();
    };
    if points.len() < 2 || first.0 == last.0 {
        return view! { <p class="hint">"How it grows is drawn from the second count on."</p> }.into_any();
    }
    let most = points.iter().map(|point| point.1).max().unwrap_or(0);
    let line: Vec<String> = corners(&points).into_iter().map(|(x, y)| format!("{x},{y}")).collect();
    let line = line.join(" ");
    let area = format!("0,{HEIGHT} {line} {WIDTH},{HEIGHT}");
    let words = format!(
        "Grew from {} on {} to {} on {}; at most {}.",
        text::bytes(first.1),
        day(first.0),
        text::bytes(last.1),
        day(last.0),
        text::bytes(most)
    );
    // A table of all would be long; the newest of each step tells the same.
    let step = points.len().div_ceil(20);
    let rows = points
        .iter()
        .rev()
        .step_by(step)
        .map(|(at, bytes)| view! { <tr><td>{day(*at)}</td><td class="num">{text::bytes(*bytes)}</td></tr> })
        .collect_view();
    let columns = vec![col("Day"), Column { name: "Size", class: "num" }];
    view! {
        <svg class="growth" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=words>
            <polygon points=area></polygon>
            <polyline points=line></polyline>
        </svg>
        <p class="ends hint"><span>{day(first.0)}</span><span>"at most "{text::bytes(most)}</span><span>{day(last.0)}</span></p>
        <details class="fold"><summary>"Figures"</summary><Table name="Growth" columns=columns>{rows}</Table></details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_inside_its_drawing() {
        let corners = corners(&[(100, 0), (150, 50), (200, 100)]);
        assert_eq!(corners, [(0, HEIGHT), (300, 50), (600, 4)]);
        // Clocks may go back, and sizes may be anything.
        for (x, y) in super::corners(&[(200, u64::MAX), (100, 1), (i64::MAX, u64::MAX)]) {
            assert!(x <= WIDTH && y <= HEIGHT, "{x},{y}");
        }
        assert!(super::corners(&[]).is_empty());
    }

    #[test]
    fn shares_are_rounded_down() {
        let slot = |good, bad| UptimeSlot { from: 0, good, bad, problem: None };
        assert_eq!(share(&[slot(999, 0), slot(999, 1)]), Some((1_998, 1_999, 999)), "never 100 % when one failed");
        assert_eq!(share(&[slot(0, 0)]), None);
        assert_eq!(
            [slot(1, 0), slot(1, 1), slot(0, 1), slot(0, 0)].map(|slot| bar(&slot).0),
            ["ok", "warn", "bad", "none"]
        );
    }
}
