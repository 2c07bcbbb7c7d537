//! Why each tag of a registry stays, or that it goes: pure, from what is known.
//!
//! What must always hold: a tag goes only when there are rules, none of them keeps it, and nothing protects it. Registries
//! delete an image by its digest, with all its tags, so an image goes as a whole or not at all. Another rule, or a larger
//! number in one, never makes anything go that stayed.
//!
//! What protects, beside rules:
//! - A deployment that needs the digest, or that of something inside it, wherever it was pulled from: content is the same
//!   everywhere. What stands below a needed index stays too.
//! - An index that stays (tagged, or known without a tag) and leads to it.
//! - Not being known: an unread tag stays, and so does everything in its repository, since it may lead there. The same
//!   holds while a deployment or a build has a digest there that was never read.
//! - Having been pushed by somebody else: only a build's record (reference and digest) makes a tag ours.

use super::content::{Content, Mark};
use app::model::build_options::CACHE_TAG;
use app::model::id::ServiceId;
use app::model::image_ref::{Digest, Repository};
use app::model::retention::{Doomed, Judged, Policy, Preview, Why};
use std::collections::{BTreeMap, HashMap, HashSet};

/// All that is known of a registry.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    /// Unix seconds.
    pub now: i64,
    /// When the registry was looked at; none: never.
    pub as_of: Option<i64>,
    /// The registry's rules; none: nothing goes.
    pub policy: Option<Policy>,
    /// What services keep in addition.
    pub services: BTreeMap<ServiceId, Policy>,
    /// Its repositories, by name.
    pub repositories: Vec<Repo>,
    /// What deployments need, of this registry or any other.
    pub needs: Vec<Needed>,
}

/// A repository.
#[derive(Clone, Debug)]
pub(super) struct Repo {
    /// Its name.
    pub name: Repository,
    /// Why its tags couldn't be read.
    pub unread: Option<String>,
    /// The tags that were listed.
    pub tags: Vec<Listed>,
    /// What is known of images, tagged or not.
    pub images: HashMap<Mark, Known>,
    /// What builds pushed, or are pushing.
    pub pushes: Vec<Push>,
}

/// A tag as it was listed.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub tag: String,
    /// None: it couldn't be read.
    pub digest: Option<Digest>,
    /// When it was first seen with this digest, Unix seconds.
    pub first_seen: i64,
}

/// What is known of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// What it is made of.
    Content(Content),
    /// It isn't in the repository.
    Gone,
    /// It couldn't be read.
    Unread,
}

/// A build's push.
#[derive(Clone, Debug)]
pub(super) struct Push {
    pub tag: String,
    /// None: not pushed yet.
    pub mark: Option<Mark>,
    /// Unix seconds.
    pub at: i64,
    pub branch: Option<String>,
    pub service: ServiceId,
    /// It is under way, or ended after the registry was looked at.
    pub is_fresh: bool,
    /// It was pushed to another registry of Slipway at the same host, whose rules these aren't.
    pub is_others: bool,
}

/// What a deployment needs.
#[derive(Clone, Debug)]
pub(super) struct Needed {
    /// Where, when it is at this registry's host.
    pub repository: Option<Repository>,
    pub tag: Option<String>,
    pub mark: Option<Mark>,
    pub why: Why,
}

/// What is needed, to be looked up.
struct Needs<'a> {
    by_mark: HashMap<Mark, Vec<&'a Why>>,
    /// What stands below a needed index, wherever that is known.
    below: HashMap<Mark, Mark>,
    /// Those that are known by their tag alone.
    by_tag: Vec<&'a Needed>,
}

/// What a run would do.
pub(super) fn judge(world: &World) -> Preview {
    let needs = Needs::of(world);
    let mut preview = Preview { as_of: world.as_of, ..Preview::default() };
    let mut fates = Vec::with_capacity(world.repositories.len());
    for repo in &world.repositories {
        if let Some(why) = &repo.unread {
            preview.unread.push(format!("{}: {why}", repo.name));
        }
        let unread = repo.tags.iter().filter(|tag| repo.content(tag).is_none()).count();
        if unread > 0 && repo.unread.is_none() {
            let tags = app::model::text::tags(u64::try_from(unread).unwrap_or(u64::MAX));
            preview.unread.push(format!("{}: {tags} couldn't be read.", repo.name));
        }
        fates.push(repo.judge(world, &needs, &mut preview));
    }
    preview.frees = freed(world, &fates);
    preview
}

impl<'a> Needs<'a> {
    fn of(world: &'a World) -> Self {
        let mut by_mark: HashMap<Mark, Vec<&Why>> = HashMap::new();
        for need in &world.needs {
            if let Some(mark) = need.mark {
                by_mark.entry(mark).or_default().push(&need.why);
            }
        }
        let mut below = HashMap::new();
        for repo in &world.repositories {
            for mark in by_mark.keys() {
                if let Some(Known::Content(content)) = repo.images.get(mark) {
                    below.extend(content.below().map(|inner| (inner, *mark)));
                }
            }
        }
        let by_tag = world.needs.iter().filter(|need| need.mark.is_none()).collect();
        Self { by_mark, below, by_tag }
    }
}

impl Repo {
    fn content(&self, tag: &Listed) -> Option<&Content> {
        match self.images.get(&Mark::of(tag.digest.as_ref()?))? {
            Known::Content(content) => Some(content),
            Known::Gone | Known::Unread => None,
        }
    }

    /// Whether something here isn't known that may lead to anything.
    fn is_unsure(&self, world: &World) -> bool {
        let is_unknown = |mark: Mark, inner: &HashSet<Mark>| match self.images.get(&mark) {
            Some(Known::Content(_) | Known::Gone) => false,
            Some(Known::Unread) => true,
            None => !inner.contains(&mark),
        };
        if self.unread.is_some() || self.tags.iter().any(|tag| self.content(tag).is_none()) {
            return true;
        }
        let needs = world.needs.iter().filter(|need| need.repository.as_ref() == Some(&self.name));
        let mut marks = needs.filter_map(|need| need.mark).chain(self.pushes.iter().filter_map(|push| push.mark));
        let mut missing = marks.by_ref().filter(|mark| is_unknown(*mark, &HashSet::new())).peekable();
        if missing.peek().is_none() {
            return false;
        }
        let inner: HashSet<Mark> = self.contents().flat_map(|(_, content)| content.below()).collect();
        missing.any(|mark| is_unknown(mark, &inner))
    }

    fn contents(&self) -> impl Iterator<Item = (Mark, &Content)> {
        self.images.iter().filter_map(|(mark, known)| match known {
            Known::Content(content) => Some((*mark, content)),
            _ => None,
        })
    }

    /// Judges its tags into the preview; the images that go, by mark.
    fn judge(&self, world: &World, needs: &Needs<'_>, preview: &mut Preview) -> HashSet<Mark> {
        let is_unsure = self.is_unsure(world);
        let places = Places::of(self);
        let mut pushes: HashMap<&str, Vec<&Push>> = HashMap::new();
        for push in &self.pushes {
            pushes.entry(&push.tag).or_default().push(push);
        }
        let fresh: HashSet<Mark> =
            self.pushes.iter().filter(|push| push.is_fresh).filter_map(|push| push.mark).collect();
        let mut judged: Vec<Judged> = Vec::with_capacity(self.tags.len());
        for tag in &self.tags {
            let of_tag = pushes.get(tag.tag.as_str()).map(Vec::as_slice).unwrap_or_default();
            let mark = tag.digest.as_ref().map(Mark::of);
            let is_fresh = of_tag.iter().any(|push| push.is_fresh) || mark.is_some_and(|mark| fresh.contains(&mark));
            let ours: Vec<&Push> =
                of_tag.iter().filter(|push| push.mark.is_some() && push.mark == mark).copied().collect();
            let at = ours.iter().map(|push| push.at).max().unwrap_or(tag.first_seen);
            let content = self.content(tag);
            let mut keeps = self.protections(tag, mark, content, needs);
            if is_fresh {
                keeps.push(Why::Fresh);
            }
            match &world.policy {
                None => keeps.push(Why::NoRules),
                Some(policy) => {
                    let is_foreign = ours.is_empty() && !policy.foreign;
                    if is_foreign || of_tag.iter().any(|push| push.is_others) {
                        keeps.push(Why::Foreign);
                    }
                    rules(policy, &tag.tag, at, world.now, places.in_registry(&tag.tag, mark), &mut keeps);
                    for push in &ours {
                        if let Some(policy) = world.services.get(&push.service) {
                            let place = places.in_service(push);
                            rules(policy, &tag.tag, at, world.now, place, &mut keeps);
                        }
                    }
                }
            }
            if keeps.is_empty() && is_unsure {
                keeps.push(Why::Unsure);
            }
            judged.push(Judged {
                repository: self.name.clone(),
                tag: tag.tag.clone(),
                digest: tag.digest.clone(),
                at: Some(at),
                size: content.map(Content::size),
                keeps,
            });
        }
        let dying = self.settle(&mut judged, needs);
        preview.goes.extend(self.doomed(&judged, &dying, needs));
        judged.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.tag.cmp(&b.tag)));
        preview.tags.extend(judged);
        dying
    }

    /// What protects a tag, whatever the rules say.
    fn protections(&self, tag: &Listed, mark: Option<Mark>, content: Option<&Content>, needs: &Needs<'_>) -> Vec<Why> {
        let mut keeps: Vec<Why> = Vec::new();
        if content.is_none() {
            keeps.push(Why::Unknown);
        }
        if tag.tag == CACHE_TAG {
            keeps.push(Why::Cache);
        }
        let inside = content.into_iter().flat_map(Content::below);
        for whys in mark.into_iter().chain(inside).filter_map(|mark| needs.by_mark.get(&mark)) {
            for why in whys {
                if !keeps.contains(why) {
                    keeps.push((*why).clone());
                }
            }
        }
        // A deployment without a digest is only known by its tag.
        for need in &needs.by_tag {
            let is_it = need.repository.as_ref() == Some(&self.name) && need.tag.as_deref() == Some(&tag.tag);
            if is_it && !keeps.contains(&need.why) {
                keeps.push(need.why.clone());
            }
        }
        if let Some(index) = mark.and_then(|mark| needs.below.get(&mark)).and_then(|index| index.digest()) {
            keeps.push(Why::ChildOf { index });
        }
        keeps
    }

    /// Lets images stay as a whole, and with them what stands below or belongs to them; what goes.
    fn settle(&self, judged: &mut [Judged], needs: &Needs<'_>) -> HashSet<Mark> {
        let tagged: HashSet<Mark> = judged.iter().filter_map(|tag| tag.digest.as_ref().map(Mark::of)).collect();
        // What stays by now may keep more; without signatures and shared images the first round is the last.
        loop {
            let mut staying: HashMap<Mark, &str> = HashMap::new();
            for tag in judged.iter().filter(|tag| !tag.goes()) {
                if let Some(digest) = &tag.digest {
                    staying.entry(Mark::of(digest)).or_insert(&tag.tag);
                }
            }
            // What has no tag isn't deleted by anybody, so it stays too.
            let stays_whole = |mark: &Mark| staying.contains_key(mark) || !tagged.contains(mark);
            let mut below: HashMap<Mark, Mark> = HashMap::new();
            for (mark, content) in self.contents().filter(|(mark, _)| stays_whole(mark)) {
                below.extend(content.below().map(|inner| (inner, mark)));
            }
            let stays = |mark: &Mark| {
                below.contains_key(mark)
                    || needs.below.contains_key(mark)
                    || (stays_whole(mark) && self.images.contains_key(mark))
            };
            let mut spared = Vec::new();
            for (index, tag) in judged.iter().enumerate().filter(|(_, tag)| tag.goes()) {
                let Some(mark) = tag.digest.as_ref().map(Mark::of) else { continue };
                let why = if let Some(other) = staying.get(&mark) {
                    Some(Why::SameImage { tag: (*other).to_owned() })
                } else if let Some(index) = below.get(&mark).and_then(|index| index.digest()) {
                    Some(Why::ChildOf { index })
                } else {
                    let subject = subject(&tag.tag).filter(|subject| stays(&Mark::of(subject)));
                    subject.map(|subject| Why::About { subject })
                };
                spared.extend(why.map(|why| (index, why)));
            }
            if spared.is_empty() {
                let going = judged.iter().filter(|tag| tag.goes());
                return going.filter_map(|tag| tag.digest.as_ref().map(Mark::of)).collect();
            }
            for (index, why) in spared {
                judged[index].keeps.push(why);
            }
        }
    }

    /// The images that go, each with what is below it and nowhere else needed.
    fn doomed(&self, judged: &[Judged], dying: &HashSet<Mark>, needs: &Needs<'_>) -> Vec<Doomed> {
        let mut tags: BTreeMap<Mark, (Digest, Vec<String>)> = BTreeMap::new();
        for tag in judged.iter().filter(|tag| tag.goes()) {
            if let Some(digest) = &tag.digest {
                tags.entry(Mark::of(digest)).or_insert_with(|| (digest.clone(), Vec::new())).1.push(tag.tag.clone());
            }
        }
        let mut needed: HashSet<Mark> = HashSet::new();
        if !tags.is_empty() {
            for (mark, content) in self.contents().filter(|(mark, _)| !dying.contains(mark)) {
                needed.insert(mark);
                needed.extend(content.below());
            }
        }
        let stays =
            |mark: &Mark| needed.contains(mark) || needs.by_mark.contains_key(mark) || needs.below.contains_key(mark);
        let doomed = tags.into_iter().map(|(mark, (digest, mut tags))| {
            tags.sort();
            let content = match self.images.get(&mark) {
                Some(Known::Content(content)) => Some(content),
                _ => None,
            };
            let below = content.into_iter().flat_map(Content::below).filter(|mark| !stays(mark));
            Doomed { repository: self.name.clone(), digest, tags, below: below.filter_map(Mark::digest).collect() }
        });
        doomed.collect()
    }
}

/// Places among the newest of a branch, by tag: in the repository, and among what one service pushed.
struct Places<'a> {
    registry: HashMap<(&'a str, Mark), Place<'a>>,
    service: HashMap<(&'a ServiceId, &'a str, Mark), Place<'a>>,
    /// Of what no build pushed.
    foreign: HashMap<&'a str, Place<'a>>,
}

/// A place, and of which branch.
type Place<'a> = (Option<&'a str>, u32);

impl<'a> Places<'a> {
    fn of(repo: &'a Repo) -> Self {
        let marks: HashMap<&str, Mark> =
            repo.tags.iter().filter_map(|tag| Some((tag.tag.as_str(), Mark::of(tag.digest.as_ref()?)))).collect();
        // Only what is still there takes a place; of several pushes of the same the newest counts.
        let mut pushes: Vec<(&Push, Mark)> = repo
            .pushes
            .iter()
            .filter_map(|push| Some((push, push.mark.filter(|mark| marks.get(push.tag.as_str()) == Some(mark))?)))
            .collect();
        pushes.sort_by(|(a, _), (b, _)| b.at.cmp(&a.at).then_with(|| b.tag.cmp(&a.tag)));
        let (mut registry, mut service) = (HashMap::new(), HashMap::new());
        let mut counts: HashMap<(Option<&ServiceId>, Option<&str>), u32> = HashMap::new();
        for (push, mark) in pushes {
            let branch = push.branch.as_deref();
            let mut next = |of| {
                let count = counts.entry((of, branch)).or_default();
                *count += 1;
                (branch, *count)
            };
            registry.entry((push.tag.as_str(), mark)).or_insert_with(|| next(None));
            let key = (&push.service, push.tag.as_str(), mark);
            service.entry(key).or_insert_with(|| next(Some(&push.service)));
        }
        let mut others: Vec<&Listed> = repo
            .tags
            .iter()
            .filter(|tag| {
                !marks.get(tag.tag.as_str()).is_some_and(|mark| registry.contains_key(&(tag.tag.as_str(), *mark)))
            })
            .collect();
        others.sort_by(|a, b| b.first_seen.cmp(&a.first_seen).then_with(|| b.tag.cmp(&a.tag)));
        let foreign = others.into_iter().zip(1..).map(|(tag, place)| (tag.tag.as_str(), (None, place))).collect();
        Self { registry, service, foreign }
    }

    fn in_registry(&self, tag: &str, mark: Option<Mark>) -> Option<Place<'a>> {
        let ours = mark.and_then(|mark| self.registry.get(&(tag, mark)));
        ours.or_else(|| self.foreign.get(tag)).copied()
    }

    fn in_service(&self, push: &Push) -> Option<Place<'a>> {
        self.service.get(&(&push.service, push.tag.as_str(), push.mark?)).copied()
    }
}

/// What the rules keep.
fn rules(policy: &Policy, tag: &str, at: i64, now: i64, place: Option<Place<'_>>, keeps: &mut Vec<Why>) {
    let mut keep = |why: Why| {
        if !keeps.contains(&why) {
            keeps.push(why);
        }
    };
    if let (Some(last), Some((branch, place))) = (policy.keep_last, place)
        && place <= last
    {
        keep(Why::Newest { branch: branch.map(str::to_owned), place });
    }
    if let Some(days) = policy.keep_days {
        let age = now.saturating_sub(at).max(0) / 86_400;
        if age < i64::from(days) {
            keep(Why::Young { days: u32::try_from(age).unwrap_or(u32::MAX) });
        }
    }
    if let Some(pattern) = policy.matching(tag) {
        keep(Why::Matches { pattern: pattern.to_owned() });
    }
}

/// What a signature, attestation or the like is about, by the tag that the specification gives it.
fn subject(tag: &str) -> Option<Digest> {
    let digits = tag.strip_prefix("sha256-")?.get(..64)?;
    format!("sha256:{digits}").parse().ok()
}

/// Bytes that only what goes leads to: marked from what goes, and taken away again by all that stays. A registry keeps a
/// blob once for all its repositories.
fn freed(world: &World, dying: &[HashSet<Mark>]) -> u64 {
    let entries = world.repositories.iter().zip(dying).map(|(repo, dying)| {
        let going = repo.contents().filter(|(mark, _)| dying.contains(mark));
        going.map(|(_, content)| content.all().count()).sum::<usize>()
    });
    // Room for all at once, so that it needn't grow again and again.
    let mut free: HashMap<Mark, u64> = HashMap::with_capacity(entries.sum());
    for (repo, dying) in world.repositories.iter().zip(dying) {
        for (_, content) in repo.contents().filter(|(mark, _)| dying.contains(mark)) {
            free.extend(content.all());
        }
    }
    if free.is_empty() {
        return 0;
    }
    for (repo, dying) in world.repositories.iter().zip(dying) {
        for (_, content) in repo.contents().filter(|(mark, _)| !dying.contains(mark)) {
            for (mark, _) in content.all() {
                free.remove(&mark);
            }
        }
    }
    free.values().fold(0, |sum, size| sum.saturating_add(*size))
}

#[cfg(test)]
mod tests;
