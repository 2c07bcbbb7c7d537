//! The names that one credential sees, and the search over them.
//!
//! What must always hold: the count of hits is exact; a name stands in an index once; a name goes only when a whole pass
//! over the registry's list didn't see it.

use super::names::Names;
use memchr::memmem::Finder;
use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

/// Below this many hits, names that only have the letters in this order are shown too.
const FEW: usize = 10;
/// At most so many of those.
const FUZZY: usize = 100;
/// Most descriptions that are kept in memory.
const ABOUTS: usize = 10_000;

/// The names of one credential.
#[derive(Default)]
pub(super) struct Index {
    /// Sorted.
    kept: Names,
    /// Found by the pass under way and not in `kept`.
    added: Names,
    abouts: HashMap<Box<str>, Box<str>>,
}

/// What the pass under way has seen.
pub(super) struct Marks {
    /// One for each of [`Index::kept`].
    kept: Vec<bool>,
    /// Hashes of the names in [`Index::added`]; the keys of the hash are this process's secret.
    added: HashSet<u64>,
    keys: RandomState,
}

impl Index {
    /// Of names in order, as the database has them.
    pub(super) fn of_sorted(kept: Names, abouts: Vec<(String, String)>) -> Self {
        let mut index = Self { kept, ..Self::default() };
        for (name, about) in abouts {
            index.describe(&name, Some(&about));
        }
        index
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len() + self.added.len()
    }

    fn get(&self, at: usize) -> &str {
        match at.checked_sub(self.kept.len()) {
            Some(at) => self.added.get(at),
            None => self.kept.get(at),
        }
    }

    pub(super) fn about(&self, name: &str) -> Option<&str> {
        self.abouts.get(name).map(|about| &**about)
    }

    /// Whether a name is there; what the pass under way found counts when it is over.
    pub(super) fn has(&self, name: &str) -> bool {
        self.kept.find_sorted(name).is_some()
    }

    fn describe(&mut self, name: &str, about: Option<&str>) {
        match about {
            Some(about) if self.abouts.len() < ABOUTS || self.abouts.contains_key(name) => {
                self.abouts.insert(name.into(), about.into());
            }
            _ => {
                self.abouts.remove(name);
            }
        }
    }

    /// Begins a pass: nothing is seen yet.
    pub(super) fn begin(&mut self) -> Marks {
        if self.added.len() > 0 {
            self.kept = Names::sorted(self.kept.iter().chain(self.added.iter()).collect());
            self.added = Names::default();
        }
        Marks { kept: vec![false; self.kept.len()], added: HashSet::new(), keys: RandomState::new() }
    }

    /// A name that the pass saw. False: it had seen it before.
    pub(super) fn see(&mut self, marks: &mut Marks, name: &str, about: Option<&str>) -> bool {
        self.describe(name, about);
        if let Some(at) = self.kept.find_sorted(name) {
            return marks.kept.get_mut(at).is_some_and(|seen| !std::mem::replace(seen, true));
        }
        marks.added.insert(marks.keys.hash_one(name)) && self.added.push(name)
    }

    /// The pass is over. `is_whole`: what it didn't see is gone.
    pub(super) fn finish(&mut self, marks: &Marks, is_whole: bool) {
        let seen = |at: usize| !is_whole || marks.kept.get(at).copied().unwrap_or_default();
        let kept = self.kept.iter().enumerate().filter(|(at, _)| seen(*at)).map(|(_, name)| name);
        self.kept = Names::sorted(kept.chain(self.added.iter()).collect());
        self.added = Names::default();
        if is_whole {
            let kept = &self.kept;
            self.abouts.retain(|name, _| kept.find_sorted(name).is_some());
        }
    }
}

/// A hit: the best ones have the smallest rank.
struct Match {
    rank: u32,
    index: usize,
    at: usize,
}

/// How well a word fits: the whole name, its beginning, a whole part, the beginning of a part, anywhere.
fn class(name: &[u8], word: &Finder<'_>) -> Option<u32> {
    let length = word.needle().len();
    let mut best = None;
    for start in word.find_iter(name) {
        let end = start + length;
        let begins = start == 0 || name.get(start - 1) == Some(&b'/');
        let ends = matches!(name.get(end), None | Some(b'/'));
        let found = match (start, begins, ends) {
            (0, _, true) if end == name.len() => return Some(0),
            (0, ..) => 1,
            (_, true, true) => 2,
            (_, true, false) => 3,
            _ => 4,
        };
        best = Some(best.map_or(found, |best: u32| best.min(found)));
    }
    best
}

/// The class of the word that fits the worst, then the shorter name. None: a word doesn't occur.
fn rank(name: &str, words: &[Finder<'_>]) -> Option<u32> {
    let mut worst = 0;
    for word in words {
        worst = worst.max(class(name.as_bytes(), word)?);
    }
    Some(worst << 16 | length(name))
}

fn length(name: &str) -> u32 {
    u32::try_from(name.len()).unwrap_or(u32::MAX).min(0xff)
}

/// Whether a byte is the last of the letters, when they stand among the bytes in this order.
fn is_last_of<'w>(letters: impl Iterator<Item = &'w u8>) -> impl FnMut(&u8) -> bool {
    let mut left = letters.peekable();
    move |byte| left.next_if_eq(&byte).is_some() && left.peek().is_none()
}

/// How many characters the word's letters take in the name, if they stand there in this order and near each other.
fn spread(name: &[u8], word: &[u8]) -> Option<usize> {
    if word.is_empty() {
        return None;
    }
    let end = name.iter().position(is_last_of(word.iter()))?;
    // Back from the end: the nearest beginning.
    let start = name.get(..=end)?.iter().rposition(is_last_of(word.iter().rev()))?;
    Some(end + 1 - start).filter(|spread| *spread <= word.len() * 3)
}

/// Hits by their place among `indexes`, and how many there are in all.
pub(super) struct Hits {
    pub hits: Vec<(usize, String)>,
    pub total: usize,
}

/// The hits from `offset` on, the best first. No words: everything, in order.
pub(super) fn search(indexes: &[&Index], words: &[String], offset: usize, limit: usize) -> Hits {
    if words.is_empty() {
        let all = indexes.iter().enumerate().flat_map(|(index, names)| (0..names.len()).map(move |at| (index, at)));
        let total = indexes.iter().map(|index| index.len()).sum();
        let hits = all.skip(offset).take(limit).map(|(index, at)| (index, indexes[index].get(at).to_owned())).collect();
        return Hits { hits, total };
    }
    let mut finders: Vec<Finder<'_>> = words.iter().map(|word| Finder::new(word.as_bytes())).collect();
    // The longest word leaves the fewest names to look at.
    finders.sort_by_key(|finder| std::cmp::Reverse(finder.needle().len()));
    let mut matches = Vec::new();
    for (index, names) in indexes.iter().enumerate() {
        for (part, base) in [(&names.kept, 0), (&names.added, names.kept.len())] {
            part.scan(&finders[0], |at, name| {
                matches.extend(rank(name, &finders).map(|rank| Match { rank, index, at: base + at }));
            });
        }
    }
    if let [word] = words
        && word.len() >= 3
        && matches.len() < FEW
        && !word.contains(['.', ':'])
    {
        matches.extend(loose_matches(indexes, word, &finders[0]));
    }
    let total = matches.len();
    let name = |found: &Match| indexes[found.index].get(found.at);
    let order = |a: &Match, b: &Match| {
        a.rank.cmp(&b.rank).then_with(|| name(a).cmp(name(b))).then_with(|| a.index.cmp(&b.index))
    };
    let wanted = offset.saturating_add(limit);
    if wanted < matches.len() && wanted > 0 {
        matches.select_nth_unstable_by(wanted - 1, order);
        matches.truncate(wanted);
    }
    matches.sort_unstable_by(order);
    let hits = matches.iter().skip(offset).take(limit).map(|found| (found.index, name(found).to_owned())).collect();
    Hits { hits, total }
}

/// Names that have the word's letters in this order, without those that have the word itself.
fn loose_matches(indexes: &[&Index], word: &str, finder: &Finder<'_>) -> Vec<Match> {
    let mut matches = Vec::new();
    for (index, names) in indexes.iter().enumerate() {
        for at in 0..names.len() {
            let name = names.get(at);
            let Some(spread) = spread(name.as_bytes(), word.as_bytes()) else { continue };
            if finder.find(name.as_bytes()).is_none() {
                let spread = u32::try_from(spread).unwrap_or(u32::MAX).min(0xff);
                matches.push(Match { rank: 5 << 16 | spread << 8 | length(name), index, at });
            }
        }
    }
    matches.sort_unstable_by_key(|found| found.rank);
    matches.truncate(FUZZY);
    matches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(names: &[&str]) -> Index {
        let mut index = Index::default();
        let mut marks = index.begin();
        for name in names {
            assert!(index.see(&mut marks, name, None));
        }
        index.finish(&marks, true);
        index
    }

    fn found(index: &Index, words: &str) -> Vec<String> {
        let words: Vec<String> = words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let hits = search(&[index], &words, 0, 50);
        assert_eq!(hits.total, hits.hits.len());
        hits.hits.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn the_best_hits_come_first() {
        let index = index(&[
            "acme/webhooks",
            "cobweb",
            "web",
            "website/x",
            "acme/web",
            "acme/web/cache",
            "shop/cobweb",
            "wide-elbow",
            "other",
        ]);
        assert_eq!(
            found(&index, "web"),
            ["web", "website/x", "acme/web", "acme/web/cache", "acme/webhooks", "cobweb", "shop/cobweb", "wide-elbow"]
        );
        assert_eq!(found(&index, "acme/web"), ["acme/web", "acme/webhooks", "acme/web/cache"]);
        assert_eq!(found(&index, "acme cache"), ["acme/web/cache"]);
        assert_eq!(found(&index, "acme nothing"), Vec::<String>::new());
        assert_eq!(found(&index, "").len(), 9);
    }

    #[test]
    fn pages_are_parts_of_the_same_order_and_the_count_is_exact() {
        let names: Vec<String> = (0..500).map(|n| format!("team-{}/service-{n}", n % 7)).collect();
        let one = index(&names.iter().step_by(2).map(String::as_str).collect::<Vec<_>>());
        let two = index(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for words in [vec![], vec!["service".to_owned()], vec!["service-1".to_owned(), "team".to_owned()]] {
            let all = search(&[&one, &two], &words, 0, 10_000);
            assert_eq!(all.hits.len(), all.total);
            let mut pages = Vec::new();
            while pages.len() < all.total {
                let page = search(&[&one, &two], &words, pages.len(), 17);
                assert_eq!(page.total, all.total);
                pages.extend(page.hits);
            }
            assert_eq!(pages, all.hits);
        }
        assert!(search(&[&one], &["service".to_owned()], 9_999, 10).hits.is_empty());
        assert!(search(&[&one], &["service".to_owned()], 0, 0).hits.is_empty());
    }

    #[test]
    fn a_name_goes_after_a_whole_pass_alone() {
        let mut index = index(&["a", "b", "c"]);
        let mut marks = index.begin();
        assert!(index.see(&mut marks, "d", Some("new")));
        assert!(index.see(&mut marks, "b", None));
        assert!(!index.see(&mut marks, "b", None) && !index.see(&mut marks, "d", Some("new")), "seen before");
        assert_eq!(found(&index, ""), ["a", "b", "c", "d"], "shown at once, with the old ones");
        // The pass breaks off; the next one begins anew.
        let mut marks = index.begin();
        assert!(index.see(&mut marks, "d", Some("new")) && index.see(&mut marks, "a", None));
        index.finish(&marks, false);
        assert_eq!(found(&index, ""), ["a", "b", "c", "d"]);
        let mut marks = index.begin();
        assert!(index.see(&mut marks, "d", Some("newer")));
        index.finish(&marks, true);
        assert_eq!(found(&index, ""), ["d"]);
        assert_eq!(
            (index.about("d"), index.about("a"), index.has("d"), index.has("a")),
            (Some("newer"), None, true, false)
        );
    }

    #[test]
    fn letters_in_order_are_near_each_other() {
        assert_eq!(spread(b"payment-gateway", b"pgw"), None);
        assert_eq!(spread(b"pay-gw", b"pgw"), Some(6));
        assert_eq!(spread(b"ppp-gw", b"pgw"), Some(4));
        assert_eq!(spread(b"abc", b"acb"), None);
        assert_eq!(spread(b"abc", b""), None);
    }
}
