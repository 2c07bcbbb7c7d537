//! The tags of one repository, as far as they are known.

use super::{PAGE, Purpose, asked, listing_words, look_now, offset, place, runs_in_links};
use crate::api::images::{Place, TagSearch};
use crate::error::AppError;
use crate::model::image::{Listing, TagLine, TagOrder, Tags};
use crate::model::text;
use crate::pages::{Page, PageResult};
use crate::ui::table::{Column, col, wide};
use crate::ui::{Age, Card, Empty, Icon, Name, PageHead, ProblemBox, Table, note, pager};
use crate::{paths, request};
use leptos::prelude::*;

/// How the order is named in the query.
const BY_DATE: &str = "date";

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let (place, purpose, offset) = (place()?, Purpose::asked(), offset());
    let text = asked("q");
    let by_date = request::query("order").as_deref() == Some(BY_DATE);
    let order = if by_date { TagOrder::Date } else { TagOrder::Version };
    let search = TagSearch { text: text.clone(), order, offset, limit: PAGE };
    let tags = match backend.images.tags(&actor, &place, &search, false).await {
        Err(AppError::NotFound(_)) => Ok(Tags { tags: Vec::new(), total: 0, listing: Listing::Never }),
        tags => tags,
    };
    let runs_in = backend.images.runs_in(&actor, &place.host, &place.repository).await?;
    let used = runs_in_links(&runs_in).map(|links| view! { <p>"Runs in " {links}</p> });
    let content = match tags {
        Ok(tags) => {
            let order_words = if by_date { BY_DATE } else { "" };
            let to = |from: &str| {
                paths::repository(&place, &[("q", &text), ("order", order_words), ("from", from), purpose.pair()])
            };
            let shown = u64::try_from(tags.tags.len()).unwrap_or(0);
            let pages = pager(PAGE, offset, shown, tags.total, to);
            let state = view! { <span class="muted">{listing_words(&tags.listing, text::tags)}</span> }.into_any();
            let problem = match &tags.listing {
                Listing::Failed { problem, .. } => Some(problem.clone()),
                _ => None,
            };
            let count =
                (!text.is_empty()).then(|| view! { <p class="foot muted">{text::tags(tags.total)} " found"</p> });
            let list = list(tags, &place, &text, purpose);
            view! {
                {problem.map(|problem| view! { <ProblemBox problem/> })}
                <Card title="Tags" flush=true actions=state>{list}{count}{pages}</Card>
            }
            .into_any()
        }
        Err(error) => note::explain(&error),
    };
    let all = view! { <span class="muted"><code>{place.host.to_string()}</code></span> }.into_any();
    let look = look_now(&place, "");
    let up = paths::images("", None, &[purpose.pair()]);
    Ok(Page::new(
        format!("{}, Images", place.repository),
        view! {
            <PageHead title=place.repository.to_string() under=(up, "Images".into()) badge=all>
                {look}
            </PageHead>
            {purpose.note()}
            {used}
            {filter_form(&place, &text, by_date, purpose)}
            {content}
        },
    ))
}

fn filter_form(place: &Place, text: &str, by_date: bool, purpose: Purpose) -> impl IntoView + use<> {
    let mut kept = paths::place_query(place).to_vec();
    let (name, value) = purpose.pair();
    kept.push((name, value.to_owned()));
    let kept = kept
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    view! {
        <form method="get" action=paths::REPOSITORY class="filter" role="search">
            {kept}
            <div class="field grow">
                <label for="q">"Tag"</label>
                <input class="input mono" type="search" id="q" name="q" value=text.to_owned() autocomplete="off" spellcheck="false"
                    autocapitalize="none"/>
            </div>
            <div class="field">
                <label for="order">"Order"</label>
                <select class="input" id="order" name="order">
                    <option value="">"Highest version first"</option>
                    <option value=BY_DATE selected=by_date>"Newest first"</option>
                </select>
            </div>
            <button class="button" type="submit"><Icon name=Name::Search/>"Filter"</button>
        </form>
    }
}

fn list(tags: Tags, place: &Place, text: &str, purpose: Purpose) -> AnyView {
    if tags.tags.is_empty() {
        let typed_tag = super::reference_at(place, text).map(|_| {
            let to = paths::image(place, text, &[purpose.pair()]);
            view! { <p><a href=to>{format!("Look up “{text}”")}</a></p> }
        });
        let (title, why) = match (&tags.listing, text.is_empty()) {
            (Listing::Never, _) => (
                "Not read yet",
                "Slipway reads the tags of a repository when somebody asks. “Look now” asks its registry.",
            ),
            (Listing::Reading { .. }, _) => ("Being read", "The first tags come in a moment; reload the page."),
            (Listing::CannotList { .. }, _) => {
                ("This registry can't list tags", "Type a whole tag into the field above; it will be checked.")
            }
            (Listing::Failed { .. }, true) => ("No tags known", "The last reading failed."),
            (Listing::Complete { .. }, true) => ("No tags", "The repository has none."),
            (_, false) => ("No tag fits", "A whole tag can be looked up even if no list has it."),
        };
        return view! { <Empty title=title why=why/><div class="empty-more">{typed_tag}</div> }.into_any();
    }
    let rows = tags.tags.into_iter().map(|tag| row(tag, place, purpose)).collect_view();
    let size = Column { name: "Size", class: "num wide" };
    let columns = vec![col("Tag"), wide("Digest"), col("Pushed"), size, wide("Runs in")];
    view! { <Table name="Tags" columns=columns>{rows}</Table> }.into_any()
}

fn row(line: TagLine, place: &Place, purpose: Purpose) -> impl IntoView + use<> {
    let TagLine { tag, digest, at, size, runs_in } = line;
    let to = paths::image(place, tag.as_str(), &[purpose.pair()]);
    view! {
        <tr>
            <td><a href=to><code>{tag.to_string()}</code></a></td>
            <td class="wide">{digest.map(|digest| view! { <code title=digest.to_string()>{digest.brief()}</code> })}</td>
            <td>{at.map(|at| view! { <Age seconds=at/> })}</td>
            <td class="num wide">{size.map(text::bytes)}</td>
            <td class="wide">{runs_in_links(&runs_in)}</td>
        </tr>
    }
}
