//! What somebody typed to find an image, and which places it may mean that no list shows.

use crate::api::Backend;
use crate::api::images::Place;
use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::image::{Hit, Listing, Source};
use crate::model::image_ref::{Digest, ImageRef, Repository, Tag};

/// Registries that can't list for which a place is guessed; more would only be in the way.
const GUESSES: usize = 3;

/// A typed text, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// With or without host: what is searched for.
    pub name: String,
    /// What stands behind the colon, and may be half a tag.
    pub tag: Option<String>,
    /// What stands behind the @, when it is whole.
    pub digest: Option<Digest>,
}

impl Typed {
    /// Takes a text apart: a name, a reference, an address, or a pasted `docker pull …`.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let text = ["docker pull ", "docker://", "https://", "http://"]
            .iter()
            .find_map(|start| text.strip_prefix(start))
            .unwrap_or(text)
            .trim();
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, digest.parse().ok()),
            None => (text, None),
        };
        // In the first part of a path a colon may be a port's.
        let (path, last) = rest.rsplit_once('/').map_or(("", rest), |(path, last)| (path, last));
        let (name, tag) = match last.split_once(':') {
            Some((name, port)) if path.is_empty() && (name == "localhost" || name.contains('.') && is_port(port)) => {
                (rest.to_owned(), None)
            }
            Some((last, tag)) if path.is_empty() => (last.to_owned(), Some(tag.to_owned())),
            Some((last, tag)) => (format!("{path}/{last}"), Some(tag.to_owned())),
            None => (rest.to_owned(), None),
        };
        Self { name, tag, digest }
    }

    /// Whether the text says on which host.
    pub fn has_host(&self) -> bool {
        self.name.split_once('/').is_some_and(|(first, _)| first == "localhost" || first.contains(['.', ':']))
    }

    /// The tag or digest, when there is a whole one.
    pub fn reference(&self) -> Option<String> {
        let tag = || self.tag.as_deref().filter(|tag| tag.parse::<Tag>().is_ok()).map(str::to_owned);
        self.digest.as_ref().map(ToString::to_string).or_else(tag)
    }
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A place that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// Where.
    pub place: Place,
    /// The credential's name; None: as anybody.
    pub source: Option<String>,
}

/// Places that the text may mean and that aren't among the hits: what it says by Docker's rules, then the same name at
/// registries that can't list.
pub async fn guesses(
    actor: &Actor,
    backend: &Backend,
    typed: &Typed,
    hits: &[Hit],
    sources: &[Source],
) -> Result<Vec<Guess>, AppError> {
    let mut guesses: Vec<Guess> = Vec::new();
    let is_hit = |place: &Place| hits.iter().any(|hit| hit.host == place.host && hit.repository == place.repository);
    if let Ok(reference) = typed.name.parse::<ImageRef>() {
        let credential = backend.images.credential_for(actor, &reference).await?;
        let source = sources.iter().find(|source| credential.is_some() && source.credential == credential);
        let place = Place { credential, host: reference.host, repository: reference.repository };
        if !is_hit(&place) {
            guesses.push(Guess { place, source: source.map(|source| source.name.clone()) });
        }
    }
    if !typed.has_host()
        && let Ok(repository) = typed.name.parse::<Repository>()
    {
        let silent = sources.iter().filter(|source| matches!(source.listing, Listing::CannotList { .. }));
        let mut places =
            silent.filter(|source| source.credential.is_some() && !source.host.is_docker_hub()).map(|source| {
                let place = Place {
                    credential: source.credential.clone(),
                    host: source.host.clone(),
                    repository: repository.clone(),
                };
                Guess { place, source: Some(source.name.clone()) }
            });
        let mut fresh: Vec<Guess> = places.by_ref().filter(|guess| !is_hit(&guess.place)).take(GUESSES).collect();
        // A registry of one's own is likelier than an image of anybody's.
        fresh.append(&mut guesses);
        guesses = fresh;
    }
    Ok(guesses)
}

#[cfg(test)]
mod tests {
    use super::Typed;

    #[test]
    fn typed_texts_are_taken_apart() {
        let hex = "a".repeat(64);
        for (text, name, tag, has_digest) in [
            ("web", "web", None, false),
            (" shop/web ", "shop/web", None, false),
            ("shop/web:", "shop/web", Some(""), false),
            ("nginx:1.2", "nginx", Some("1.2"), false),
            ("localhost:5000", "localhost:5000", None, false),
            ("127.0.0.1:5600", "127.0.0.1:5600", None, false),
            ("127.0.0.1:5600/shop/web:1", "127.0.0.1:5600/shop/web", Some("1"), false),
            ("https://ghcr.io/acme/web", "ghcr.io/acme/web", None, false),
            ("docker pull ghcr.io/acme/web:2", "ghcr.io/acme/web", Some("2"), false),
            (&format!("a/b:1@sha256:{hex}"), "a/b", Some("1"), true),
            ("a/b@sha256:12", "a/b", None, false),
            ("", "", None, false),
        ] {
            let typed = Typed::read(text);
            assert_eq!(
                (typed.name.as_str(), typed.tag.as_deref(), typed.digest.is_some()),
                (name, tag, has_digest),
                "{text}"
            );
        }
        assert_eq!(Typed::read("a:tä").reference(), None);
        assert_eq!(Typed::read("a:1").reference().as_deref(), Some("1"));
        assert!(Typed::read("ghcr.io/a").has_host() && !Typed::read("acme/a").has_host());
    }
}
