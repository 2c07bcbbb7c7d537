//! What somebody typed, as a question to the index: which host, which words.

use app::model::image_ref::RegistryHost;

/// Most words that count.
const WORDS: usize = 8;
/// Longest text that counts; a repository's name has at most 255 characters.
const LONGEST: usize = 512;

/// A question to the index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// Only there.
    pub host: Option<RegistryHost>,
    /// All of them have to occur. Lower case.
    pub words: Vec<String>,
}

impl Query {
    /// Of a typed or pasted text: words, a reference with host, tag and digest, a `docker pull` line, an address of
    /// Docker Hub's pages. A host narrows if it is one of `hosts`.
    pub(super) fn parse(text: &str, hosts: &[RegistryHost]) -> Self {
        let text: String = text.trim().chars().take(LONGEST).collect::<String>().to_lowercase();
        let mut text = text.as_str();
        for prefix in ["docker pull ", "podman pull ", "https://", "http://", "docker://"] {
            text = text.strip_prefix(prefix).unwrap_or(text).trim_start();
        }
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default();
        let (host, first) = split_host(first, hosts);
        let words = std::iter::once(first).chain(words).map(name_alone).filter(|word| !word.is_empty());
        let mut query = Self { host, words: words.map(str::to_owned).take(WORDS).collect() };
        query.words.dedup();
        query
    }

    /// The words as people would type them into a registry's own search.
    pub(super) fn text(&self) -> String {
        self.words.join(" ")
    }
}

fn split_host<'a>(word: &'a str, hosts: &[RegistryHost]) -> (Option<RegistryHost>, &'a str) {
    let known = |text: &str| text.parse::<RegistryHost>().ok().filter(|host| hosts.contains(host));
    for page in ["hub.docker.com/r/", "hub.docker.com/_/", "hub.docker.com/repository/docker/"] {
        if let Some(rest) = word.strip_prefix(page) {
            return (known("docker.io"), rest);
        }
    }
    match word.split_once('/') {
        Some((first, rest)) => match known(first) {
            Some(host) => (Some(host), rest),
            None => (None, word),
        },
        // A bare word like `node` is no host, even if a machine were called so.
        None if word.contains(['.', ':']) => match known(word) {
            Some(host) => (Some(host), ""),
            None => (None, word),
        },
        None => (None, word),
    }
}

/// Without slashes in front, tag and digest.
fn name_alone(word: &str) -> &str {
    let word = word.split('@').next().unwrap_or_default().trim_start_matches('/');
    let last = word.rfind('/').map_or(0, |slash| slash + 1);
    match word[last..].find(':') {
        Some(colon) => &word[..last + colon],
        None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_front_narrows_and_tags_dont_count() {
        let hosts = ["ghcr.io", "docker.io", "127.0.0.1:5000"].map(|host| host.parse().expect("a host"));
        for (text, host, words) in [
            ("", None, vec![]),
            ("Web", None, vec!["web"]),
            ("ghcr.io/acme/web:1.2", Some("ghcr.io"), vec!["acme/web"]),
            ("ghcr.io", Some("ghcr.io"), vec![]),
            ("ghcr.io/", Some("ghcr.io"), vec![]),
            ("ghcr.i", None, vec!["ghcr.i"]),
            ("index.docker.io/grafana/loki", Some("docker.io"), vec!["grafana/loki"]),
            ("https://hub.docker.com/r/grafana/loki", Some("docker.io"), vec!["grafana/loki"]),
            ("https://hub.docker.com/_/nginx", Some("docker.io"), vec!["nginx"]),
            ("docker pull 127.0.0.1:5000/a/b@sha256:12", Some("127.0.0.1:5000"), vec!["a/b"]),
            ("other.example/a", None, vec!["other.example/a"]),
            ("acme  web acme/", None, vec!["acme", "web", "acme/"]),
            ("/acme", None, vec!["acme"]),
            ("a/b:", None, vec!["a/b"]),
            ("ä@ö", None, vec!["ä"]),
        ] {
            let query = Query::parse(text, &hosts);
            assert_eq!(query.host.as_ref().map(RegistryHost::as_str), host, "{text}");
            assert_eq!(query.words, words, "{text}");
        }
        assert_eq!(Query::parse(&"a ".repeat(10_000), &hosts).words, ["a"]);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_is_a_question(text in ".{0,80}") {
            let query = Query::parse(&text, &[]);
            proptest::prop_assert!(query.words.len() <= WORDS && query.words.iter().all(|word| !word.is_empty()));
        }
    }
}
