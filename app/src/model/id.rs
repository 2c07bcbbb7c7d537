//! One type per noun, so that an id of one thing can't name another.
//!
//! Shown as prefixed random text (`cred_7f3k…`); the part behind the prefix goes into push paths and Docker names.

use serde::{Deserialize, Serialize};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters behind the prefix: 60 random bits.
pub const SHORT_LEN: usize = 12;

/// An id that isn't one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl std::fmt::Display for NotAnId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("This is not an id of that kind.")
    }
}

impl std::error::Error for NotAnId {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What the text starts with.
            pub const PREFIX: &'static str = $prefix;

            /// The id of these random bits.
            pub fn from_random(bits: [u8; 8]) -> Self {
                let mut bits = u64::from_le_bytes(bits);
                let mut text = String::from($prefix);
                text.push('_');
                for _ in 0..SHORT_LEN {
                    text.push(char::from(ALPHABET[(bits & 31) as usize]));
                    bits >>= 5;
                }
                Self(text)
            }

            /// The whole text with prefix.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The part behind the prefix: `[0-9a-z]{12}`, safe in paths and names.
            pub fn short(&self) -> &str {
                &self.0[$prefix.len() + 1..]
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let short = text.strip_prefix($prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(NotAnId)?;
                if short.len() == SHORT_LEN && short.bytes().all(|byte| ALPHABET.contains(&byte)) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NotAnId)
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A person who may sign in.
    AccountId,
    "acc"
);
id!(
    /// A token for programs.
    TokenId,
    "tok"
);
id!(
    /// How to sign in at one registry host.
    CredentialId,
    "cred"
);
id!(
    /// Logins that were found in a text and wait to be imported.
    ImportId,
    "imp"
);
id!(
    /// A place images are pushed to.
    RegistryId,
    "reg"
);
id!(
    /// A folder of services.
    ProjectId,
    "prj"
);
id!(
    /// What runs in the Swarm.
    ServiceId,
    "srv"
);
id!(
    /// One run that turns a commit into an image digest.
    BuildId,
    "bld"
);
id!(
    /// What runs builds.
    BuilderId,
    "bdr"
);
id!(
    /// How to sign in at a git host.
    GitAccessId,
    "git"
);
id!(
    /// What may start a service's builds from outside.
    TriggerId,
    "trg"
);
id!(
    /// One version of a service.
    DeploymentId,
    "dep"
);
id!(
    /// A tag that was deleted and may come back.
    TrashId,
    "tra"
);
id!(
    /// A durable piece of work.
    JobId,
    "job"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_round_trips_and_refuses_another_nouns_text() {
        let id = ServiceId::from_random([7; 8]);
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert_eq!(id.short().len(), SHORT_LEN);
        assert_eq!(id.as_str().parse::<BuildId>(), Err(NotAnId));
        for text in ["", "srv", "srv_", "srv_../../../etc", "srv_0123456789AB", "srv_0123456789abc"] {
            assert_eq!(text.parse::<ServiceId>(), Err(NotAnId), "{text}");
        }
    }
}
