//! Who may do what. People are owners; a token for programs may be a reader.

use super::id::AccountId;
use super::secret::Secret;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// What somebody may be allowed to do. Every route and server function names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Look at pages and logs.
    Read,
    /// Create, change and delete credentials.
    ManageCredentials,
    /// Create, change and delete registries.
    ManageRegistries,
    /// Create, change, build, deploy, roll back and delete services.
    ManageServices,
    /// Start Swarm mode and change settings.
    ManageSettings,
    /// Sign out, change the own password.
    ManageOwnAccount,
}

/// What a person is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything.
    Owner,
    /// May look and change nothing: what a read-only token is, whoever it belongs to.
    Reader,
}

impl Role {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Reader => "reader",
        }
    }

    /// The table of who may do what.
    pub fn may(self, action: Action) -> bool {
        match (self, action) {
            (
                Self::Owner,
                Action::Read
                | Action::ManageCredentials
                | Action::ManageRegistries
                | Action::ManageServices
                | Action::ManageSettings
                | Action::ManageOwnAccount,
            )
            | (Self::Reader, Action::Read) => true,
            (Self::Reader, _) => false,
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Owner, Self::Reader].into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| format!("unknown role {text:?}"))
    }
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The account.
    pub account: AccountId,
    /// Its name, for the record.
    pub username: String,
    /// What they are here.
    pub role: Role,
}

#[cfg(feature = "ssr")]
impl Actor {
    /// Ok, or the refusal that names who may.
    pub fn may(&self, action: Action) -> Result<(), crate::error::AppError> {
        if self.role.may(action) {
            Ok(())
        } else {
            Err(crate::error::AppError::Forbidden { role_needed: "owner".into() })
        }
    }
}

/// Longest password, in bytes, that is hashed.
pub const PASSWORD_MAX: usize = 1_024;
/// Shortest password, in characters (ASVS 5.0 §6.2.1 asks for 8 at least and recommends 15).
pub const PASSWORD_MIN: usize = 12;

/// The first account: what `/setup` sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetupForm {
    /// The one-time token from the log.
    pub token: Secret,
    /// The owner's name.
    pub username: String,
    /// The owner's password.
    pub password: Secret,
    /// The same again.
    pub repeat: Secret,
}

/// What the sign-in page sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignInForm {
    /// The account's name.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// What the "Change password" form sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PasswordForm {
    /// The password that is valid now.
    pub current: Secret,
    /// The new one.
    pub password: Secret,
    /// The new one again.
    pub repeat: Secret,
}

/// The rules of a user name: 2–40 letters, digits, `.`, `_`, `-`; compared in lower case.
pub fn username(field: &str, text: &str) -> Result<String, FieldError> {
    let text = text.trim().to_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    if (2..=40).contains(&text.len()) && text.chars().all(fits) {
        Ok(text)
    } else {
        Err(FieldError::new(field, "Use 2 to 40 letters, digits, '.', '_' or '-'."))
    }
}

/// The rules of a new password: length only, as OWASP recommends.
pub fn new_password(field: &str, password: &Secret) -> Result<(), FieldError> {
    let text = password.expose("its length is checked");
    if text.len() > PASSWORD_MAX {
        return Err(FieldError::new(field, format!("Use at most {PASSWORD_MAX} bytes.")));
    }
    if text.chars().count() < PASSWORD_MIN {
        return Err(FieldError::new(
            field,
            format!("Use at least {PASSWORD_MIN} characters; a few random words are good."),
        ));
    }
    Ok(())
}

/// One signed-in browser, for the list in Settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Signed in, Unix seconds.
    pub since: i64,
    /// Last request, Unix seconds.
    pub seen: i64,
    /// Whether it is the one that asks.
    pub is_this: bool,
}
