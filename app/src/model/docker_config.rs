//! What people have from Docker's tools: a `config.json`, or a `docker login` command line. Read, never executed: neither
//! the command, nor what is inside of it, nor a credential helper that the file names.

mod command;
mod file;

use super::credential::RegistryUrl;
use super::image_ref::Malformed;
use super::secret::Secret;

/// Longest text that is read.
pub const TEXT_MAX: usize = 256 * 1024;
/// Most logins that are taken from one text.
pub const LOGINS_MAX: usize = 50;

/// A login that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLogin {
    /// Where it is for.
    pub url: RegistryUrl,
    /// The user.
    pub username: String,
    /// The password or token.
    pub password: Secret,
}

/// One thing that stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A login.
    Login(FoundLogin),
    /// Something that can't be imported: what it is, and why.
    Skipped {
        /// As it stands there; sanitised, short.
        what: String,
        /// In plain words.
        why: String,
    },
}

impl Entry {
    fn skipped(what: &str, why: impl Into<String>) -> Self {
        Self::Skipped { what: shown(what), why: why.into() }
    }
}

/// The user name by which Docker's tools mark an identity token.
pub const IDENTITY_TOKEN: &str = "<token>";

/// All that stands in the text, in its order.
pub fn parse(text: &str) -> Result<Vec<Entry>, Malformed> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(Malformed("Paste a docker login command or a config.json.".into()));
    }
    if text.len() > TEXT_MAX {
        return Err(Malformed("This is too long: 256 KiB is the limit.".into()));
    }
    let entries = if text.starts_with('{') { file::parse(text)? } else { command::parse(text)? };
    if entries.len() > LOGINS_MAX {
        return Err(Malformed(format!(
            "This holds more than {LOGINS_MAX} logins. Leave out those that you don't need."
        )));
    }
    Ok(entries)
}

/// The address, the user and the password, if they can be one login.
fn login(server: &str, username: &str, password: String) -> Entry {
    let url = match server.parse::<RegistryUrl>() {
        Ok(url) => url,
        Err(error) => return Entry::skipped(server, error.0),
    };
    let password = Secret::new(password);
    if username.is_empty()
        || username.contains(':')
        || username.chars().any(super::text::is_hidden)
        || username.len() > 255
    {
        return Entry::skipped(server, "Its user name can't be used.");
    }
    if password.is_empty() {
        return Entry::skipped(server, "Its password is empty.");
    }
    Entry::Login(FoundLogin { url, username: username.to_owned(), password })
}

/// Short, and without characters that can't be seen.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !super::text::is_hidden(*c)).take(100).collect()
}
