//! Who did what, when. Rows are only added; never with a secret in them.

use crate::clock::Clock;
use crate::storage::Tx;

/// Writes one entry, in the transaction of the change it tells of. `actor` is a user name or `slipway`.
pub async fn record(
    tx: &mut Tx,
    clock: &Clock,
    actor: &str,
    verb: &str,
    subject: &str,
    detail: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO activity (at, actor, verb, subject, detail) VALUES (?, ?, ?, ?, ?)")
        .bind(clock.seconds())
        .bind(actor)
        .bind(verb)
        .bind(subject)
        .bind(detail)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
