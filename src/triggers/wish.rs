//! What a signed request asks for: builds, a deployment, or nothing and why.

use super::Triggers;
use super::payload::{self, Push, Told, clean};
use super::signature::Sender;
use crate::builds::Ask;
use crate::services::{ImageWish, Ready};
use app::api::triggers::{Incoming, Refusal};
use app::model::build::CommitSha;
use app::model::build_record;
use app::model::image_ref::{Digest, Tag};
use app::model::service::{Branch, Source};
use app::model::trigger::Trigger;
use serde::Deserialize;

/// Who asks, when it is the deploy hook.
const HOOK: &str = "deploy hook";

/// What is to be done.
pub(super) enum Wish {
    /// Nothing, and why.
    Nothing(String),
    /// Builds, and what they are of.
    Build { asks: Vec<Ask>, of: String },
    /// A deployment of an image, and which.
    Deploy { ready: Box<Ready>, by: String, of: String },
}

impl Wish {
    /// In words.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Nothing(reason) | Self::Build { of: reason, .. } | Self::Deploy { of: reason, .. } => reason,
        }
    }
}

/// What a deploy hook's body may say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    commit: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
}

impl Triggers {
    /// What a git host's delivery asks for.
    pub(super) async fn of_push(&self, trigger: &Trigger, incoming: &Incoming) -> Result<Wish, Refusal> {
        let Some((sender, event)) = Sender::of(incoming) else { return Err(Refusal::Unsigned) };
        let pushes = match payload::read(sender, event, incoming).map_err(Refusal::Malformed)? {
            Told::Ping => return Ok(Wish::Nothing("The host tried the address out. It works.".into())),
            Told::Nothing(reason) => return Ok(Wish::Nothing(reason)),
            Told::Pushed(pushes) => pushes,
        };
        let source = self.inner.services.source_of(&trigger.service).await.map_err(Refusal::Other)?;
        let Source::Git(source) = source else {
            let reason = "This service runs an image and builds nothing; the deploy hook is for it.";
            return Ok(Wish::Nothing(reason.into()));
        };
        let mut asks = Vec::new();
        let mut reasons = Vec::new();
        for push in pushes {
            match wanted(trigger, sender, source.branch.as_str(), push) {
                Ok((ask, of)) => {
                    asks.push(ask);
                    reasons.push(of);
                }
                Err(reason) if asks.is_empty() => reasons.push(reason),
                Err(_) => {}
            }
        }
        if asks.is_empty() {
            return Ok(Wish::Nothing(reasons.join(" ")));
        }
        Ok(Wish::Build { of: reasons.pop().unwrap_or_default(), asks })
    }

    /// What a deploy hook's body asks for.
    pub(super) async fn of_hook(&self, trigger: &Trigger, body: &[u8]) -> Result<Wish, Refusal> {
        let body: Body = serde_json::from_slice(body).map_err(|error| {
            Refusal::Malformed(format!("The body isn't a JSON object with commit, tag or digest: {error}."))
        })?;
        let source = self.inner.services.source_of(&trigger.service).await.map_err(Refusal::Other)?;
        match (source, body) {
            (Source::Git(source), Body { commit: Some(commit), tag: None, digest: None }) => {
                let commit: CommitSha = commit.parse().map_err(|_| {
                    Refusal::Malformed("The commit has to be the full id: 40 or 64 hex digits in lower case.".into())
                })?;
                let of = format!("Commit {}.", commit.brief());
                let ask = Ask {
                    service: trigger.service.clone(),
                    deploy: trigger.deploys,
                    trigger: build_record::Trigger::Hook,
                    no_cache: false,
                    commit: Some(commit),
                    branch: Some(source.branch),
                    asked_by: HOOK.into(),
                };
                Ok(Wish::Build { asks: vec![ask], of })
            }
            (Source::Git(_), _) => Err(Refusal::Malformed(
                "This service is built from git: the body has to be {\"commit\": \"<full id>\"} and nothing else.".into(),
            )),
            (Source::Image(_), Body { commit: None, tag: Some(tag), digest: None }) => {
                let wish = ImageWish::Tag(tag.parse::<Tag>().map_err(|error| Refusal::Malformed(error.to_string()))?);
                self.image(trigger, wish, format!("Tag {}.", clean(&tag))).await
            }
            (Source::Image(_), Body { commit: None, tag: None, digest: Some(digest) }) => {
                let digest: Digest = digest.parse().map_err(|_| {
                    Refusal::Malformed("The digest has to be sha256: and 64 hex digits in lower case.".into())
                })?;
                let of = format!("Digest {}.", digest.brief());
                self.image(trigger, ImageWish::Digest(digest), of).await
            }
            (Source::Image(_), _) => Err(Refusal::Malformed(
                "This service runs an image: the body has to be {\"tag\": \"<tag>\"} or {\"digest\": \"sha256:…\"} and nothing else."
                    .into(),
            )),
        }
    }

    async fn image(&self, trigger: &Trigger, wish: ImageWish, of: String) -> Result<Wish, Refusal> {
        let ready = self.inner.services.ready(&trigger.service, Some(wish)).await.map_err(Refusal::Other)?;
        Ok(Wish::Deploy { ready: Box::new(ready), by: HOOK.into(), of })
    }
}

/// The build of one push, or why there is none.
fn wanted(trigger: &Trigger, sender: Sender, own: &str, push: Push) -> Result<(Ask, String), String> {
    let Push { branch, commit, by, changed } = push;
    let shown = clean(&branch);
    let (Ok(branch), Ok(commit)) = (branch.parse::<Branch>(), commit.parse::<CommitSha>()) else {
        return Err(format!("The branch {shown} or its commit has a name that isn't taken."));
    };
    if !trigger.wants_branch(branch.as_str(), own) {
        return Err(format!("The branch {shown} isn't one that is built."));
    }
    if let Some(changed) = &changed
        && !trigger.wants_paths(changed.iter().map(String::as_str))
    {
        return Err(format!("Nothing that was pushed to {shown} is in a watched path."));
    }
    let of = format!("Commit {} of {shown}, pushed by {by}.", commit.brief());
    let host = sender.name();
    let ask = Ask {
        service: trigger.service.clone(),
        deploy: trigger.deploys,
        asked_by: format!("{by} ({host})"),
        trigger: build_record::Trigger::Push { host: host.into(), by },
        no_cache: false,
        commit: Some(commit),
        branch: Some(branch),
    };
    Ok((ask, of))
}
