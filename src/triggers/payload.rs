//! What git hosts tell of a push, from the payloads that they document. What isn't understood is ignored with a reason.

use super::signature::Sender;
use app::api::triggers::Incoming;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Commits that GitHub puts into one payload at most.
const MOST_OF_GITHUB: usize = 2_048;

/// What a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The host tries the address out.
    Ping,
    /// Somebody pushed.
    Pushed(Vec<Push>),
    /// Something that starts nothing; why.
    Nothing(String),
}

/// A branch that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Push {
    pub branch: String,
    pub commit: String,
    /// Who pushed, as the host says.
    pub by: String,
    /// Paths that were changed; None: the host doesn't say, or not all of them.
    pub changed: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Commit {
    #[serde(default)]
    added: Vec<String>,
    #[serde(default)]
    removed: Vec<String>,
    #[serde(default)]
    modified: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Person {
    name: Option<String>,
    login: Option<String>,
    username: Option<String>,
    nickname: Option<String>,
    display_name: Option<String>,
    #[serde(rename = "displayName")]
    display: Option<String>,
}

impl Person {
    fn called(self) -> Option<String> {
        let names = [self.login, self.username, self.nickname, self.name, self.display_name, self.display];
        names.into_iter().flatten().find(|name| !name.is_empty())
    }
}

/// GitHub's push, and Gitea's and Forgejo's, which follow it.
#[derive(Deserialize)]
struct GitHubPush {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    forced: bool,
    #[serde(default)]
    commits: Vec<Commit>,
    /// Gitea alone.
    total_commits: Option<usize>,
    pusher: Option<Person>,
    sender: Option<Person>,
}

#[derive(Deserialize)]
struct GitLabPush {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
    #[serde(default)]
    commits: Vec<Commit>,
    total_commits_count: Option<usize>,
    user_username: Option<String>,
    user_name: Option<String>,
}

#[derive(Deserialize)]
struct BitbucketPush {
    actor: Option<Person>,
    push: BitbucketChanges,
}

#[derive(Deserialize)]
struct BitbucketChanges {
    #[serde(default)]
    changes: Vec<BitbucketChange>,
}

#[derive(Deserialize)]
struct BitbucketChange {
    new: Option<BitbucketRef>,
}

#[derive(Deserialize)]
struct BitbucketRef {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    target: BitbucketTarget,
}

#[derive(Deserialize)]
struct BitbucketTarget {
    hash: String,
}

/// What Bitbucket's Data Center edition sends.
#[derive(Deserialize)]
struct RefsChanged {
    actor: Option<Person>,
    #[serde(default)]
    changes: Vec<RefChange>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefChange {
    ref_id: String,
    to_hash: String,
}

/// Reads a delivery; the error says what isn't as it should be.
pub(super) fn read(sender: Sender, event: &str, incoming: &Incoming) -> Result<Told, String> {
    let body = json(incoming)?;
    match (sender, event) {
        (Sender::GitHub, "ping") | (Sender::Bitbucket, "diagnostics:ping") => Ok(Told::Ping),
        (Sender::GitHub | Sender::Gitea | Sender::Forgejo, "push") => parsed(&body).map(github),
        (Sender::GitLab, "Push Hook") => parsed(&body).map(gitlab),
        (Sender::GitLab, "Tag Push Hook") => Ok(Told::Nothing("A tag was pushed; only branches are built.".into())),
        (Sender::Bitbucket, "repo:push") => parsed(&body).map(bitbucket),
        (Sender::Bitbucket, "repo:refs_changed") => parsed(&body).map(refs_changed),
        _ => Ok(Told::Nothing("Only pushes start something; this is another event.".into())),
    }
}

/// The JSON text: the body itself, or GitHub's field `payload` of a form.
fn json(incoming: &Incoming) -> Result<Vec<u8>, String> {
    let kind = incoming.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Ok(incoming.body.clone());
    }
    let field = url::form_urlencoded::parse(&incoming.body).find(|(name, _)| name == "payload");
    field.map(|(_, value)| value.into_owned().into_bytes()).ok_or_else(|| "The form has no field payload.".into())
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(body))
        .map_err(|error| format!("The payload isn't one of a push: {error}."))
}

/// The branch that a full reference names, or why it is none.
fn branch(reference: &str) -> Result<String, Told> {
    match (reference.strip_prefix("refs/heads/"), reference.starts_with("refs/tags/")) {
        (Some(branch), _) => Ok(branch.to_owned()),
        (None, true) => Err(Told::Nothing("A tag was pushed; only branches are built.".into())),
        (None, false) => Err(Told::Nothing("Something else than a branch was pushed.".into())),
    }
}

/// Hosts name no commit by zeros.
fn is_none(commit: &str) -> bool {
    commit.bytes().all(|byte| byte == b'0')
}

fn deleted(branch: &str) -> Told {
    Told::Nothing(format!("The branch {} was deleted.", clean(branch)))
}

/// All changed paths; None when some may be missing.
fn changed(commits: Vec<Commit>, all_are_there: bool) -> Option<Vec<String>> {
    if commits.is_empty() || !all_are_there {
        return None;
    }
    let paths = commits.into_iter().flat_map(|commit| [commit.added, commit.removed, commit.modified]).flatten();
    let paths: Vec<String> = paths.collect();
    // Commits without any path may be merges, or of a host that doesn't list them.
    (!paths.is_empty()).then_some(paths)
}

fn github(push: GitHubPush) -> Told {
    let branch = match branch(&push.reference) {
        Ok(branch) => branch,
        Err(told) => return told,
    };
    if push.deleted || is_none(&push.after) {
        return deleted(&branch);
    }
    // A forced push also takes commits away, and they aren't listed.
    let all = !push.forced
        && push.commits.len() < MOST_OF_GITHUB
        && push.total_commits.is_none_or(|total| total <= push.commits.len());
    let by = push.pusher.and_then(Person::called).or_else(|| push.sender.and_then(Person::called));
    Told::Pushed(vec![Push { branch, commit: push.after, by: somebody(by), changed: changed(push.commits, all) }])
}

fn gitlab(push: GitLabPush) -> Told {
    let branch = match branch(&push.reference) {
        Ok(branch) => branch,
        Err(told) => return told,
    };
    if is_none(&push.after) {
        return deleted(&branch);
    }
    let all = push.total_commits_count.is_some_and(|total| total <= push.commits.len());
    let by = somebody(push.user_username.or(push.user_name));
    Told::Pushed(vec![Push { branch, commit: push.after, by, changed: changed(push.commits, all) }])
}

fn bitbucket(told: BitbucketPush) -> Told {
    let by = somebody(told.actor.and_then(Person::called));
    let news: Vec<_> = told.push.changes.into_iter().filter_map(|change| change.new).collect();
    if news.is_empty() {
        return Told::Nothing("A branch or tag was deleted.".into());
    }
    let branches = news.into_iter().filter(|new| matches!(new.kind.as_str(), "branch" | "named_branch"));
    let pushes = branches.map(|new| Push { branch: new.name, commit: new.target.hash, by: by.clone(), changed: None });
    pushed(pushes.collect())
}

fn refs_changed(told: RefsChanged) -> Told {
    let by = somebody(told.actor.and_then(Person::called));
    if !told.changes.is_empty() && told.changes.iter().all(|change| is_none(&change.to_hash)) {
        return Told::Nothing("A branch or tag was deleted.".into());
    }
    let pushes = told.changes.into_iter().filter(|change| !is_none(&change.to_hash)).filter_map(|change| {
        let branch = branch(&change.ref_id).ok()?;
        Some(Push { branch, commit: change.to_hash, by: by.clone(), changed: None })
    });
    pushed(pushes.collect())
}

fn pushed(pushes: Vec<Push>) -> Told {
    if pushes.is_empty() {
        return Told::Nothing("A tag was pushed; only branches are built.".into());
    }
    Told::Pushed(pushes)
}

fn somebody(name: Option<String>) -> String {
    let name = clean(&name.unwrap_or_default());
    if name.is_empty() { "somebody".into() } else { name }
}

/// Text of a stranger: one line, not long, without hidden characters.
pub(super) fn clean(text: &str) -> String {
    text.chars().filter(|c| !app::model::text::is_hidden(*c)).take(60).collect::<String>().trim().to_owned()
}
