//! Many names in one piece of memory: one text with a line for each, and where each line ends.

/// Names of repositories, each once. 100,000 of them take about 3 MB.
#[derive(Clone, Default)]
pub(super) struct Names {
    /// Every name, each followed by a line feed. Repository names are lower case, so there is no second text for searching.
    text: String,
    /// Where each name ends: the place of its line feed.
    ends: Vec<u32>,
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The name at a place; empty behind the last one.
    pub(super) fn get(&self, at: usize) -> &str {
        let end = self.ends.get(at).copied().unwrap_or_default();
        self.text.get(self.start(at)..to_usize(end)).unwrap_or_default()
    }

    fn start(&self, at: usize) -> usize {
        match at.checked_sub(1).and_then(|before| self.ends.get(before)) {
            Some(end) => to_usize(*end) + 1,
            None => 0,
        }
    }

    /// False: there is no room for another (4 GB of names).
    pub(super) fn push(&mut self, name: &str) -> bool {
        let Ok(end) = u32::try_from(self.text.len() + name.len()) else { return false };
        self.text.push_str(name);
        self.text.push('\n');
        self.ends.push(end);
        true
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Where a name is. The names must be sorted.
    pub(super) fn find_sorted(&self, name: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle).cmp(name) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Calls `found` with the place of each name that contains the needle, once for each name.
    pub(super) fn scan(&self, needle: &memchr::memmem::Finder<'_>, mut found: impl FnMut(usize, &str)) {
        let bytes = self.text.as_bytes();
        let (mut at, mut from) = (0, 0);
        while let Some(offset) = bytes.get(from..).and_then(|rest| needle.find(rest)) {
            let position = from + offset;
            // Matches come in order, so all steps together pass over the ends once.
            while self.ends.get(at).is_some_and(|end| to_usize(*end) <= position) {
                at += 1;
            }
            let Some(end) = self.ends.get(at) else { return };
            found(at, self.get(at));
            from = to_usize(*end) + 1;
            at += 1;
        }
    }

    /// Sorted, in memory that fits.
    pub(super) fn sorted(mut names: Vec<&str>) -> Self {
        names.sort_unstable();
        let mut sorted = Self {
            text: String::with_capacity(names.iter().map(|name| name.len() + 1).sum()),
            ends: Vec::with_capacity(names.len()),
        };
        for name in names {
            sorted.push(name);
        }
        sorted
    }
}

fn to_usize(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_place_and_by_text() {
        let names = Names::sorted(vec!["b/web", "a", "c/website/x", "b"]);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["a", "b", "b/web", "c/website/x"]);
        assert_eq!(
            (names.find_sorted("b/web"), names.find_sorted("b/"), names.find_sorted("z")),
            (Some(2), None, None)
        );
        let found = |needle: &str| {
            let mut places = Vec::new();
            names.scan(&memchr::memmem::Finder::new(needle), |at, name| {
                assert_eq!(names.get(at), name);
                places.push(at);
            });
            places
        };
        assert_eq!(found("web"), [2, 3]);
        assert_eq!(found("b"), [1, 2, 3]);
        assert_eq!(found("x"), [3]);
        assert!(found("webx").is_empty());
        assert_eq!(names.get(9), "");
    }
}
