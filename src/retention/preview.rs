//! What a run would do, whole or in parts.

use super::{Retention, judge, store, survey};
use crate::problems;
use app::error::AppError;
use app::model::id::RegistryId;
use app::model::retention::{Fate, Judged, Preview, PreviewPage, PreviewSearch};

/// Most tags of a page.
const MOST: u64 = 200;

impl Retention {
    /// What a run at a registry would do, from what is known; the registry isn't asked, so look first
    /// ([`Retention::look`]) when something is to be deleted. Without rules, or without a look, nothing goes.
    ///
    /// `Preview::goes` has what to delete: images by digest, which takes all their tags, and below each the manifests that
    /// nothing else leads to. Between this and the deletion somebody may deploy or push: ask again right before it.
    pub async fn select(&self, registry: &RegistryId) -> Result<Preview, AppError> {
        let world = self.gather(registry).await?;
        // Tens of thousands of tags take a while; other requests go on meanwhile.
        tokio::task::spawn_blocking(move || judge::judge(&world)).await.map_err(problems::of)
    }

    /// A part of it.
    pub(super) async fn page(&self, registry: &RegistryId, search: &PreviewSearch) -> Result<PreviewPage, AppError> {
        let preview = self.select(registry).await?;
        let subject = survey::subject(registry);
        let looking = store::unfinished(self.parts.db.read(), survey::KIND, &subject).await.map_err(problems::of)?;
        Ok(PreviewPage { looking, ..part(preview, search) })
    }
}

fn part(preview: Preview, search: &PreviewSearch) -> PreviewPage {
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let total = number(preview.tags.len());
    let goes = number(preview.tags.iter().filter(|tag| tag.goes()).count());
    let text = search.text.trim().to_lowercase();
    let fits = |tag: &Judged| {
        let is_wanted = match search.fate {
            Fate::Any => true,
            Fate::Goes => tag.goes(),
            Fate::Stays => !tag.goes(),
        };
        is_wanted
            && (text.is_empty()
                || tag.tag.to_lowercase().contains(&text)
                || tag.repository.as_str().contains(&text)
                || format!("{}:{}", tag.repository, tag.tag).to_lowercase().contains(&text))
    };
    let found: Vec<Judged> = preview.tags.into_iter().filter(fits).collect();
    let limit = if search.limit == 0 { 50 } else { search.limit.min(MOST) };
    PreviewPage {
        found: number(found.len()),
        tags: found
            .into_iter()
            .skip(usize::try_from(search.offset).unwrap_or(usize::MAX))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect(),
        total,
        goes,
        frees: preview.frees,
        unread: preview.unread,
        as_of: preview.as_of,
        looking: None,
    }
}
