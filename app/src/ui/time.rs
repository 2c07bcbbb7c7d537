//! Times: the age in words, the exact time in the title.

use crate::model::text;
use leptos::prelude::*;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const EXACT: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
const MACHINE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// `2026-11-24`, in UTC.
pub fn day(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(DAY).ok()).unwrap_or_default()
}

/// Now, in Unix seconds; only for words like "3 min ago".
#[expect(clippy::disallowed_methods, reason = "pages have no clock of their own, and only words depend on it")]
pub fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// `3 min ago`, with the exact time in the title.
#[component]
pub fn Age(
    /// Unix seconds.
    #[prop(optional)]
    seconds: Option<i64>,
    /// Unix milliseconds.
    #[prop(optional)]
    millis: Option<i64>,
) -> impl IntoView {
    let at = seconds.or(millis.map(|millis| millis / 1_000))?;
    let time = OffsetDateTime::from_unix_timestamp(at).ok()?;
    let (exact, machine) = (time.format(EXACT).ok()?, time.format(MACHINE).ok()?);
    Some(view! { <time datetime=machine title=exact>{text::age(at, now())}</time> })
}

/// How long something took. Unix milliseconds. What is under way has no figure, because it would be old at once; the steps
/// have one that grows.
pub fn took(started: Option<i64>, finished: Option<i64>) -> String {
    match (started, finished) {
        (Some(started), Some(finished)) => text::duration(finished - started),
        (Some(_), None) => "Under way".into(),
        (None, _) => "–".into(),
    }
}
