//! From what is stored to types. A value that isn't what it should be is an error that names it, never its text.

use super::StorageError;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::str::FromStr;

/// A stored text as its type; `what` names it in the error.
pub fn parsed<T: FromStr>(text: &str, what: &'static str) -> Result<T, StorageError> {
    text.parse().map_err(|_| StorageError::Unreadable { what })
}

/// A stored JSON text as its type.
pub fn from_json<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|_| StorageError::Unreadable { what })
}

/// The way there: a value as the JSON text that is stored.
pub fn to_json<T: serde::Serialize>(value: &T, what: &'static str) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|_| StorageError::Unreadable { what })
}

/// A column's text as its type.
pub fn column<T: FromStr>(row: &SqliteRow, name: &'static str) -> Result<T, StorageError> {
    parsed(row.try_get(name)?, name)
}

/// A column's text as its type; None: NULL.
pub fn maybe_column<T: FromStr>(row: &SqliteRow, name: &'static str) -> Result<Option<T>, StorageError> {
    let text: Option<&str> = row.try_get(name)?;
    text.map(|text| parsed(text, name)).transpose()
}

/// Whether a write failed because another row has this value already.
pub fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}
