//! Tokens with which programs use the API in the name of an account.

use super::id::TokenId;
use super::text;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// What every token's text begins with, so that people and scanners for leaked secrets know one.
pub const PREFIX: &str = "slw_";
/// Tokens of one account that are good at the same time.
pub const MOST: usize = 50;
/// The longest that one may be good for, in days.
pub const DAYS_MAX: u16 = 3_650;

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Looking only.
    Read,
    /// Whatever its account may do.
    Everything,
}

impl Scope {
    /// As stored and in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Everything => "everything",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Read, Self::Everything].into_iter().find(|scope| scope.as_str() == text);
        found.ok_or_else(|| format!("unknown scope {text:?}"))
    }
}

/// A token as its owner sees it. Its text isn't among what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// Created, Unix seconds.
    pub created_at: i64,
    /// No longer good from then on, Unix seconds; None: it doesn't expire.
    pub expires_at: Option<i64>,
    /// Last used, Unix seconds, exact to the minute.
    pub used_at: Option<i64>,
    /// Revoked, Unix seconds.
    pub revoked_at: Option<i64>,
}

/// Whether a token is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    /// It is.
    Good,
    /// Its time is over.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

impl Token {
    /// Whether it is accepted at this time.
    pub fn state(&self, now: i64) -> TokenState {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => TokenState::Revoked,
            (None, Some(expires_at)) if expires_at <= now => TokenState::Expired,
            (None, _) => TokenState::Good,
        }
    }
}

/// What the form and the command line send.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenForm {
    /// What its owner calls it.
    pub name: String,
    /// `read` or `everything`.
    pub scope: String,
    /// How many days it is good for; empty: it doesn't expire.
    pub days: String,
}

/// The fields, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFields {
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// How many days it is good for; None: it doesn't expire.
    pub days: Option<u16>,
}

impl TokenForm {
    /// All broken rules at once, or the fields.
    pub fn validated(self) -> Result<TokenFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = text::name("name", &self.name, 60).map_err(|error| errors.push(error)).unwrap_or_default();
        let scope = self.scope.parse().unwrap_or_else(|_| {
            errors.push(FieldError::new("scope", "Choose what the token may be used for."));
            Scope::Read
        });
        let days = match self.days.trim() {
            "" => None,
            days => {
                let days = days.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days));
                if days.is_none() {
                    let words = format!("Choose a number of days from 1 to {DAYS_MAX}, or none.");
                    errors.push(FieldError::new("days", words));
                }
                days
            }
        };
        if errors.is_empty() { Ok(TokenFields { name, scope, days }) } else { Err(errors) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_a_token_are_told_all_at_once() {
        let form = |name: &str, scope: &str, days: &str| TokenForm {
            name: name.into(),
            scope: scope.into(),
            days: days.into(),
        };
        let good = form(" ci ", "read", "90").validated();
        assert_eq!(good, Ok(TokenFields { name: "ci".into(), scope: Scope::Read, days: Some(90) }));
        assert_eq!(form("ci", "everything", "").validated().map(|fields| fields.days), Ok(None));
        let fields: Vec<_> = form("", "write", "0").validated().expect_err("three rules").into_iter().collect();
        assert_eq!(fields.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["name", "scope", "days"]);
        for days in ["-1", "3651", "90.5", "soon"] {
            assert!(form("ci", "read", days).validated().is_err(), "{days}");
        }
    }

    #[test]
    fn a_revoked_token_is_revoked_whenever_it_would_have_expired() {
        let mut token = Token {
            id: TokenId::from_random([1; 8]),
            name: "ci".into(),
            scope: Scope::Read,
            created_at: 0,
            expires_at: Some(100),
            used_at: None,
            revoked_at: None,
        };
        assert_eq!((token.state(99), token.state(100)), (TokenState::Good, TokenState::Expired));
        token.revoked_at = Some(50);
        assert_eq!((token.state(99), token.state(100)), (TokenState::Revoked, TokenState::Revoked));
    }
}
