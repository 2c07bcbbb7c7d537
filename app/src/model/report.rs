//! What the doctor found: one light for each thing that a credential has to be good for.

use serde::{Deserialize, Serialize};

/// What is looked at, in this order; each needs those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The name leads to an address that may be reached.
    Dns,
    /// A connection that can be trusted (or plain HTTP where that is allowed).
    Tls,
    /// A registry answers.
    Api,
    /// It accepts user name and password.
    Login,
    /// It tells which repositories there are.
    List,
    /// An image of it can be read.
    Pull,
    /// An image can be pushed to it: an upload session opens, and is cancelled.
    Push,
}

impl Check {
    /// All, in order.
    pub const ALL: [Self; 7] = [Self::Dns, Self::Tls, Self::Api, Self::Login, Self::List, Self::Pull, Self::Push];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "Name",
            Self::Tls => "Connection",
            Self::Api => "Registry",
            Self::Login => "Sign-in",
            Self::List => "List",
            Self::Pull => "Pull",
            Self::Push => "Push",
        }
    }
}

/// How one of them is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lamp {
    /// It works.
    Green,
    /// It doesn't, and that may be fine: a registry that can't list, a credential that may not push.
    Amber,
    /// It doesn't, and what comes after it can't either.
    Red,
    /// Wasn't looked at: something before it is red, or there is nothing to try it on.
    Dark,
}

/// One light.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Light {
    /// What was looked at.
    pub check: Check,
    /// How it is.
    pub lamp: Lamp,
    /// What was found, in one sentence.
    pub found: String,
    /// The registry's own words, sanitised.
    pub answer: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// How long it took, in milliseconds.
    pub millis: u32,
}

/// All lights of one examination, in the order of [`Check::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// One for each check.
    pub lights: Vec<Light>,
    /// When, Unix seconds.
    pub at: i64,
}
