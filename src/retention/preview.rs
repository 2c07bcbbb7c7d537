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

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::retention::Why;

    /// Of 120 tags in two repositories each third goes.
    fn preview() -> Preview {
        let tags = (0..120).map(|n| Judged {
            repository: if n < 60 { "team/shop" } else { "team/till" }.parse().expect("a repository"),
            tag: format!("Build-{n:03}"),
            digest: None,
            at: None,
            size: None,
            keeps: if n % 3 == 0 { Vec::new() } else { vec![Why::Foreign] },
        });
        Preview { tags: tags.collect(), frees: 7, unread: vec!["one".into()], as_of: Some(5), ..Preview::default() }
    }

    fn found(search: PreviewSearch) -> (u64, Vec<String>) {
        let page = part(preview(), &search);
        // What counts for all is the same on each page.
        assert_eq!((page.total, page.goes, page.frees, page.as_of), (120, 40, 7, Some(5)));
        assert_eq!(page.unread, ["one"]);
        (page.found, page.tags.into_iter().map(|tag| tag.tag).collect())
    }

    #[test]
    fn pages_follow_each_other() {
        let (all, first) = found(PreviewSearch::default());
        assert_eq!((all, first.len(), first[0].as_str(), first[49].as_str()), (120, 50, "Build-000", "Build-049"));
        let (_, last) = found(PreviewSearch { offset: 100, ..PreviewSearch::default() });
        assert_eq!((last.len(), last[0].as_str()), (20, "Build-100"));
        for offset in [120, u64::MAX] {
            assert_eq!(found(PreviewSearch { offset, ..PreviewSearch::default() }), (120, Vec::new()));
        }
        assert_eq!(found(PreviewSearch { limit: 7, ..PreviewSearch::default() }).1.len(), 7);
        assert_eq!(found(PreviewSearch { limit: u64::MAX, ..PreviewSearch::default() }).1.len(), 120);
    }

    #[test]
    fn fates_and_words_are_looked_for_together() {
        let count = |text: &str, fate| found(PreviewSearch { text: text.into(), fate, ..PreviewSearch::default() }).0;
        assert_eq!((count("", Fate::Goes), count("", Fate::Stays)), (40, 80));
        assert_eq!((count(" TILL ", Fate::Any), count("till", Fate::Goes)), (60, 20));
        assert_eq!((count("build-00", Fate::Any), count("build-00", Fate::Goes)), (10, 4));
        assert_eq!((count("shop:build-01", Fate::Any), count("till:build-01", Fate::Any)), (10, 0));
        assert_eq!(count("nothing", Fate::Any), 0);
    }

    #[test]
    fn no_page_has_more_than_its_most() {
        let tags = preview().tags;
        let many = Preview { tags: [tags.clone(), tags].concat(), ..Preview::default() };
        let page = part(many, &PreviewSearch { limit: 1_000, ..PreviewSearch::default() });
        assert_eq!((page.found, page.tags.len()), (240, 200));
    }
}
