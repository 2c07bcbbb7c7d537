//! Rows for the image picker: a piece of HTML that its island asks for, one piece for each step of a choice.
//!
//! The island knows nothing of images. A row says what the text becomes when it is picked (`data-text`), and either what
//! to ask next (`data-query`; the new text begins with `data-prefix`, and what is typed behind it filters) or, without
//! that, that the choice is made and which credential goes with it (`data-credential`). The piece says what screen readers
//! hear (`data-said`), and whether asking again with `live` finds more (`data-live`).

use super::image::{fit_note, platform_words, size_words};
use super::typed::{Guess, Typed, guesses};
use super::{allowance_words, asked, is_scarce, listing_words, place, reference_at, runs_in_words};
use crate::api::Backend;
use crate::api::images::{Place, TagSearch};
use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::image::{Allowance, Fit, Hit, Image, Listing, Search, Source, TagLine, TagOrder};
use crate::model::image_ref::ImageRef;
use crate::model::text;
use crate::ui::{Age, note};
use crate::{paths, request};
use leptos::prelude::*;

/// Rows of a piece; whoever needs another one types on.
const ROWS: u64 = 40;

/// The piece.
pub async fn show() -> Result<AnyView, AppError> {
    let (actor, backend) = request::signed_in()?;
    let asker = Asker { actor, backend, is_live: request::query("live").is_some() };
    let piece = match asked("step").as_str() {
        "" | "repositories" => asker.repositories(&asked("q")).await?,
        "tags" => asker.tags(&place()?, &asked("q")).await?,
        "image" => asker.image(&place()?, &asked("reference"), &asked("tag")).await?,
        _ => return Err(AppError::NotFound("step".into())),
    };
    Ok(piece.render())
}

/// Who asks, and whether registries may be asked.
struct Asker {
    actor: Actor,
    backend: Backend,
    is_live: bool,
}

#[derive(Default)]
struct Piece {
    said: String,
    /// Asking again with `live` may find more.
    is_unsettled: bool,
    notes: Vec<AnyView>,
    rows: Vec<Row>,
}

struct Row {
    text: String,
    query: Option<String>,
    prefix: Option<String>,
    credential: Option<String>,
    main: AnyView,
    side: Vec<String>,
}

impl Piece {
    fn say(&mut self, words: &str) {
        if !self.said.is_empty() {
            self.said.push(' ');
        }
        self.said.push_str(words);
    }

    /// A line above the rows, which screen readers hear too.
    fn note(&mut self, words: String) {
        self.say(&words);
        self.notes.push(view! { <p class="hint">{words}</p> }.into_any());
    }

    fn failure(&mut self, error: &AppError) {
        self.say(&error.to_string());
        self.notes.push(note::explain(error));
    }

    fn render(self) -> AnyView {
        let rows = self
            .rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| {
                let Row { text, query, prefix, credential, main, side } = row;
                let id = format!("picker-{index}");
                let side =
                    side.into_iter().map(|words| view! { <span class="side-fact"><span class="visually-hidden">", "</span>{words}</span> }).collect_view();
                view! {
                    <div role="option" class="option" id=id aria-selected="false" data-text=text data-query=query
                        data-prefix=prefix data-credential=credential>
                        <span class="main-fact">{main}</span>
                        {side}
                    </div>
                }
            })
            .collect_view();
        let live = self.is_unsettled.then_some("");
        view! {
            <div data-said=self.said data-live=live>
                <div data-notes="">{self.notes}</div>
                <div data-rows="">{rows}</div>
            </div>
        }
        .into_any()
    }
}

fn query(step: &str, place: &Place, more: &[(&str, &str)]) -> String {
    let of_place = paths::place_query(place);
    let mut pairs = vec![("step", step)];
    pairs.extend(of_place.iter().map(|(name, value)| (*name, value.as_str())));
    pairs.extend(more);
    paths::query(&pairs)
}

fn full_name(place: &Place) -> String {
    format!("{}/{}", place.host, place.repository)
}

fn named(place: &Place, behind: &str) -> AnyView {
    view! { <span class="host">{place.host.to_string()}"/"</span><b>{place.repository.to_string()}</b>{behind.to_owned()} }
        .into_any()
}

/// A row that leads from a repository to its tags, or straight on when a whole tag or digest was typed by name.
fn onward(place: &Place, typed: &Typed, side: Vec<String>) -> Row {
    let name = full_name(place);
    let tag = typed.tag.clone().unwrap_or_default();
    if let Some(digest) = &typed.digest {
        let tag = reference_at(place, &tag).map(|_| tag).unwrap_or_default();
        let behind = if tag.is_empty() { format!("@{}", digest.brief()) } else { format!(":{tag}@{}", digest.brief()) };
        let colon = if tag.is_empty() { String::new() } else { format!(":{tag}") };
        return Row {
            text: format!("{name}{colon}@{digest}"),
            query: Some(query("image", place, &[("reference", digest.as_str()), ("tag", &tag)])),
            prefix: None,
            credential: None,
            main: named(place, &behind),
            side,
        };
    }
    Row {
        text: format!("{name}:{tag}"),
        query: Some(query("tags", place, &[])),
        prefix: Some(format!("{name}:")),
        credential: None,
        main: named(place, &if tag.is_empty() { String::new() } else { format!(":{tag}") }),
        side,
    }
}

/// What to know about the lists that were searched; complete ones go without saying.
fn source_notes(sources: &[Source]) -> Vec<String> {
    let mut notes: Vec<String> = sources
        .iter()
        .filter(|source| matches!(source.listing, Listing::Never | Listing::Reading { .. } | Listing::Failed { .. }))
        .map(|source| format!("{}: {}.", source.name, listing_words(&source.listing, text::repositories)))
        .collect();
    // Docker Hub as anybody is searched.
    let silent = sources
        .iter()
        .filter(|source| source.credential.is_some() && matches!(source.listing, Listing::CannotList { .. }))
        .map(|source| source.name.as_str())
        .collect::<Vec<_>>();
    if !silent.is_empty() {
        notes.push(format!("{} can't list: type a whole name and it will be checked.", silent.join(", ")));
    }
    notes
}

fn allowance_note(piece: &mut Piece, allowance: Option<&Allowance>) {
    let Some(allowance) = allowance else { return };
    let words = format!("Docker Hub: {}.", allowance_words(allowance));
    if is_scarce(allowance) {
        piece.say(&words);
    }
    let class = if is_scarce(allowance) { "hint scarce" } else { "hint" };
    piece.notes.push(view! { <p class=class>{words}</p> }.into_any());
}

impl Asker {
    /// Type: repositories over all credentials, ranked; then what the text may mean besides.
    async fn repositories(&self, text: &str) -> Result<Piece, AppError> {
        let typed = Typed::read(text);
        let search = Search {
            text: typed.name.clone(),
            credential: None,
            live: self.is_live && !typed.name.is_empty(),
            offset: 0,
            limit: ROWS,
        };
        let found = self.backend.images.search(&self.actor, &search).await?;
        let guesses = if typed.name.is_empty() {
            Vec::new()
        } else {
            guesses(&self.actor, &self.backend, &typed, &found.hits, &found.sources).await?
        };
        let mut piece = Piece { is_unsettled: !self.is_live && typed.name.len() > 1, ..Piece::default() };
        piece.say(&format!("{}.", text::repositories(found.total)));
        for words in source_notes(&found.sources) {
            // Seen above the rows; said once, not on every key.
            piece.notes.push(view! { <p class="hint">{words}</p> }.into_any());
        }
        let shown = u64::try_from(found.hits.len()).unwrap_or(0);
        piece.rows = found.hits.into_iter().map(|hit| of_hit(hit, &typed)).collect();
        let checks: Vec<Row> = guesses.into_iter().map(|guess| of_guess(guess, &typed)).collect();
        if !checks.is_empty() {
            piece.say("A typed name can be checked.");
        }
        // A whole reference is what was meant; half a name more likely belongs to a list.
        if typed.reference().is_some() && typed.has_host() {
            piece.rows.splice(0..0, checks);
        } else {
            piece.rows.extend(checks);
        }
        if found.total > shown && shown > 0 {
            piece.notes.push(view! { <p class="hint">{format!("The best {shown} of {}; type on to narrow.", text::figure(found.total))}</p> }.into_any());
        }
        if piece.rows.is_empty() && typed.name.is_empty() {
            piece.note("Type a part of a name, or a whole reference.".into());
        }
        Ok(piece)
    }

    /// The tags of a repository, those that fit the text behind the colon.
    async fn tags(&self, place: &Place, filter: &str) -> Result<Piece, AppError> {
        let images = &self.backend.images;
        let search = TagSearch { text: filter.to_owned(), order: TagOrder::Version, offset: 0, limit: ROWS };
        let mut piece = Piece { is_unsettled: !self.is_live, ..Piece::default() };
        let mut found = images.tags(&self.actor, place, &search, self.is_live).await;
        if self.is_live
            && let Err(error) = &found
        {
            piece.failure(error);
            found = images.tags(&self.actor, place, &search, false).await;
        }
        let source = images.sources(&self.actor).await?.into_iter().find(|source| {
            source.host == place.host && (source.credential == place.credential || source.allowance.is_some())
        });
        if place.host.is_docker_hub() {
            allowance_note(&mut piece, source.and_then(|source| source.allowance).as_ref());
        }
        let mut is_exact = false;
        match found {
            Ok(found) => {
                match &found.listing {
                    Listing::Never if !self.is_live => piece.note(format!("Asking {}…", place.host)),
                    Listing::Complete { is_refreshing: false, .. } => {}
                    listing => piece.note(format!("{}.", listing_words(listing, text::tags))),
                }
                if found.total > 0 || self.is_live {
                    piece.say(&format!("{}.", text::tags(found.total)));
                }
                let mut tags = found.tags;
                // A tag that was typed in full comes first.
                if let Some(index) = tags.iter().position(|line| line.tag.as_str() == filter) {
                    is_exact = true;
                    tags[..=index].rotate_right(1);
                }
                piece.rows = tags.into_iter().map(|line| of_tag(line, place)).collect();
            }
            Err(_) if self.is_live => {}
            Err(_) => piece.note(format!("Asking {}…", place.host)),
        }
        if !is_exact && let Some(reference) = reference_at(place, filter) {
            let check = Row {
                text: reference.to_string(),
                query: Some(query("image", place, &[("reference", filter)])),
                prefix: None,
                credential: None,
                main: view! { "Check " <b>{filter.to_owned()}</b> }.into_any(),
                side: vec![format!("asks {}", place.host)],
            };
            piece.rows.push(check);
        }
        Ok(piece)
    }

    /// What a tag or digest leads to, and how the service shall name it.
    async fn image(&self, place: &Place, reference: &str, tag: &str) -> Result<Piece, AppError> {
        let missing = || AppError::NotFound("image".into());
        let asked = reference_at(place, reference).ok_or_else(missing)?;
        let mut piece = Piece { is_unsettled: !self.is_live, ..Piece::default() };
        let found = match self.backend.images.image(&self.actor, place, reference, self.is_live).await {
            Ok(found) => found,
            Err(error) => {
                if self.is_live {
                    piece.failure(&error);
                }
                None
            }
        };
        let credential = place.credential.as_ref().map(ToString::to_string).unwrap_or_default();
        let tagged = match tag.parse() {
            Ok(tag) => ImageRef { tag: Some(tag), digest: None, ..asked.clone() },
            Err(_) => asked.clone(),
        };
        let Some(image) = found else {
            if !self.is_live {
                piece.note(format!("Asking {}…", place.host));
            } else if piece.said.is_empty() {
                piece.note(format!(
                    "{} has no {} with “{reference}”, or doesn't show it to this credential.",
                    place.host, place.repository
                ));
            }
            return Ok(piece);
        };
        let fit = self.backend.images.fit(&self.actor, &image).await?;
        about(&mut piece, &image, &fit);
        if place.host.is_docker_hub() {
            let sources = self.backend.images.sources(&self.actor).await?;
            let of_hub = sources.into_iter().filter(|source| source.host.is_docker_hub());
            allowance_note(&mut piece, of_hub.filter_map(|source| source.allowance).next().as_ref());
        }
        let pinned = ImageRef { tag: tagged.tag.clone(), ..image.reference.clone() };
        let row = |chosen: &ImageRef, words: &'static str, side: String| Row {
            text: chosen.to_string(),
            query: None,
            prefix: None,
            credential: Some(credential.clone()),
            main: view! { <b>{words}</b> }.into_any(),
            side: vec![side],
        };
        if let Some(digest) = &pinned.digest {
            let brief = digest.brief();
            piece.rows.push(row(&pinned, "Pin this digest", format!("always {brief}")));
        }
        if let (Some(tag), None) = (&tagged.tag, &asked.digest) {
            piece.rows.push(row(&tagged, "Follow the tag", format!("whatever {tag} leads to when it is deployed")));
        }
        Ok(piece)
    }
}

fn of_hit(hit: Hit, typed: &Typed) -> Row {
    let Hit { credential, source, host, repository, about, runs_in } = hit;
    let side = [Some(source), runs_in_words(&runs_in), about].into_iter().flatten().collect();
    onward(&Place { credential, host, repository }, typed, side)
}

fn of_guess(guess: Guess, typed: &Typed) -> Row {
    let Guess { place, source } = guess;
    let source = source.unwrap_or_else(|| "without signing in".into());
    let mut row = onward(&place, typed, vec![source]);
    row.main = view! { "Check " {row.main} }.into_any();
    row
}

fn of_tag(line: TagLine, place: &Place) -> Row {
    let TagLine { tag, digest, at, size, runs_in } = line;
    let age = at.map(|at| text::age(at, crate::ui::time::now()));
    let side = [age, size.map(text::bytes), digest.map(|digest| digest.brief()), runs_in_words(&runs_in)];
    Row {
        text: format!("{}:{tag}", full_name(place)),
        query: Some(query("image", place, &[("reference", tag.as_str())])),
        prefix: None,
        credential: None,
        main: view! { <b>{tag.to_string()}</b> }.into_any(),
        side: side.into_iter().flatten().collect(),
    }
}

/// Platforms, size, age and digest, seen and said; loudest what doesn't fit.
fn about(piece: &mut Piece, image: &Image, fit: &Fit) {
    let names: Vec<_> =
        image.platforms.iter().filter_map(|one| one.platform.as_ref()).map(ToString::to_string).collect();
    let sizes: Vec<_> = image.platforms.iter().map(|one| one.size).collect();
    let created = image.platforms.iter().filter_map(|one| one.config.as_ref()?.created).max();
    match fit {
        Fit::None { .. } => piece.say("No node can run this image."),
        Fit::Some { .. } => piece.say("Not every node can run this image."),
        Fit::All | Fit::Unknown => {}
    }
    piece.say(&format!("{}, {}.", platform_words(&names), size_words(&sizes)));
    if let Some(created) = created {
        piece.say(&format!("Made {}.", text::age(created, crate::ui::time::now())));
    }
    let digest = image.reference.digest.as_ref().map(ToString::to_string);
    let attached = u64::try_from(image.attestations.len()).unwrap_or(0);
    piece.notes.extend(fit_note(fit));
    piece.notes.push(
        view! {
            <dl class="facts">
                <dt>"Platforms"</dt><dd>{platform_words(&names)}</dd>
                <dt>"Size"</dt><dd>{size_words(&sizes)}</dd>
                {created.map(|created| view! { <dt>"Made"</dt><dd><Age seconds=created/></dd> })}
                {digest.map(|digest| view! { <dt>"Digest"</dt><dd><code>{digest}</code></dd> })}
                {(attached > 0).then(|| view! { <dt>"Attached"</dt><dd>{text::count(attached, "attestation")}</dd> })}
            </dl>
        }
        .into_any(),
    );
}
