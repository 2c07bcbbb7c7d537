//! The SQL of settings.

use crate::storage::{StorageError, Tx, from_json, to_json};
use app::model::build_rules::BuildRules;
use sqlx::SqliteExecutor;

/// The rules of builds; the usual ones while nobody has set any.
pub(super) async fn build_rules<'e>(db: impl SqliteExecutor<'e>) -> Result<BuildRules, StorageError> {
    let rules: Option<String> = sqlx::query_scalar("SELECT rules FROM build_rules").fetch_optional(db).await?;
    Ok(rules.map(|rules| from_json(&rules, "rules of builds")).transpose()?.unwrap_or_default())
}

/// Writes them; `now` in Unix milliseconds.
pub(super) async fn set_build_rules(tx: &mut Tx, rules: &BuildRules, by: &str, now: i64) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO build_rules (id, rules, changed, changed_by) VALUES (1, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET rules = excluded.rules, changed = excluded.changed, changed_by = excluded.changed_by",
    )
    .bind(to_json(rules, "rules of builds")?)
    .bind(now)
    .bind(by)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
