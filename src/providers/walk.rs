//! A walk over owners, page by page, where a registry lists by owner.
//!
//! What must always hold: the cursor alone says where the walk goes on, so that it survives a restart; it holds names and
//! page numbers, never a secret. And a whole walk that found nothing isn't "no images".

use super::{ListError, ListedRepository, Page};
use serde::{Deserialize, Serialize};

/// Where a walk is: in the first of the owners that are left, at one of its pages.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    left: Vec<String>,
    at: Option<String>,
    found: bool,
}

impl Walk {
    /// Where `cursor` says, or at the first of `owners`; None without any owner.
    pub(super) fn resume(cursor: Option<&str>, owners: Vec<String>) -> Option<Self> {
        // A cursor of an older version that can't be read starts over, which is slow and right.
        let kept = cursor.and_then(|cursor| serde_json::from_str(cursor).ok());
        let walk = kept.unwrap_or(Self { left: owners, at: None, found: false });
        (!walk.left.is_empty()).then_some(walk)
    }

    /// Whose list is read.
    pub(super) fn owner(&self) -> &str {
        self.left.first().map(String::as_str).unwrap_or_default()
    }

    /// Which kind of owner that turned out to be, and the page: `("org", 2)`; an empty kind and 1 at its beginning.
    pub(super) fn place(&self) -> (&str, u32) {
        let (kind, page) = self.at.as_deref().and_then(|at| at.split_once(':')).unwrap_or(("", "1"));
        (kind, page.parse().unwrap_or(1))
    }

    /// The provider's own mark of the page.
    pub(super) fn mark(&self) -> Option<&str> {
        self.at.as_deref()
    }

    /// The page that was read; `next` is where this owner's list goes on. `why`: what is said when the whole walk ends
    /// with nothing.
    pub(super) fn page(
        mut self,
        items: Vec<ListedRepository>,
        next: Option<String>,
        why: &str,
    ) -> Result<Page<ListedRepository>, ListError> {
        self.found |= !items.is_empty();
        self.at = next;
        if self.at.is_none() && !self.left.is_empty() {
            self.left.remove(0);
        }
        if self.left.is_empty() {
            return if self.found {
                Ok(Page { items, next: None })
            } else {
                Err(ListError::CannotList(why.to_owned()))
            };
        }
        let next = serde_json::to_string(&self).ok();
        Ok(Page { items, next })
    }
}

/// Who is listed: what the credential names, or else its user.
pub(super) fn owners(namespaces: &[String], username: Option<&str>) -> Vec<String> {
    if namespaces.is_empty() {
        username.filter(|name| !name.is_empty()).map(str::to_owned).into_iter().collect()
    } else {
        namespaces.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::ask::listed;

    #[test]
    fn a_walk_goes_on_where_its_cursor_says() {
        let owners = || vec!["a".to_owned(), "b".to_owned()];
        let walk = Walk::resume(None, owners()).expect("a walk");
        assert_eq!((walk.owner(), walk.place()), ("a", ("", 1)));
        let page = walk.page(Vec::new(), Some("org:2".into()), "nothing").expect("a page");
        let walk = Walk::resume(page.next.as_deref(), Vec::new()).expect("a walk");
        assert_eq!((walk.owner(), walk.place()), ("a", ("org", 2)));
        let page = walk.page(listed("a/x", None).into_iter().collect(), None, "nothing").expect("a page");
        let walk = Walk::resume(page.next.as_deref(), Vec::new()).expect("a walk");
        assert_eq!((walk.owner(), walk.place()), ("b", ("", 1)));
        assert_eq!(walk.page(Vec::new(), None, "nothing").expect("the end").next, None);
        assert_eq!(Walk::resume(Some("rubbish"), owners()).map(|walk| walk.owner().to_owned()), Some("a".into()));
    }

    #[test]
    fn a_walk_without_finds_is_not_empty() {
        let walk = Walk::resume(None, vec!["a".into()]).expect("a walk");
        assert!(matches!(walk.page(Vec::new(), None, "nothing"), Err(ListError::CannotList(why)) if why == "nothing"));
        assert_eq!(Walk::resume(None, Vec::new()), None);
    }
}
