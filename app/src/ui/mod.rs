//! The design system: components without data of their own and without behaviour.
//!
//! Their looks are in `style/main.css`, one block per component. Nothing here writes a `style` attribute, and nothing
//! writes markup from text.

pub mod badge;
pub mod card;
pub mod chart;
pub mod choice;
#[cfg(test)]
mod contrast;
pub mod facts;
pub mod field;
pub mod form;
pub mod icon;
pub mod job;
pub mod layout;
pub mod note;
pub mod pager;
pub mod table;
pub mod time;

pub use badge::{Badge, JobBadge, ManagedBadge, ServiceBadge, Tone};
pub use card::{Card, Empty, PageHead};
pub use choice::{Choice, Choices, More};
pub use facts::{Digest, Fact, Facts, Reference};
pub use field::{Checkbox, Field, FileField, SecretField, Select, TextArea};
pub use form::{Form, Submit};
pub use icon::{Icon, Name};
pub use note::{Note, ProblemBox};
pub use pager::pager;
pub use table::Table;
pub use time::Age;
