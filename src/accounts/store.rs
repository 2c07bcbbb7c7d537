//! The SQL of accounts, their devices, the set-up token, and the sessions as far as accounts end and list them.

use super::setup_token::Stored;
use crate::http::session::SIGNED_IN_IDLE_SECONDS;
use crate::storage::{StorageError, Tx, parsed};
use app::model::account::{Actor, SessionInfo};
use app::model::id::AccountId;
use sqlx::SqliteExecutor;

type Result<T> = std::result::Result<T, StorageError>;

/// Devices of one account that are remembered; the longest unseen go first.
const DEVICES: i64 = 20;

/// A row of `accounts`.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who it is.
    pub actor: Actor,
    /// A PHC string.
    pub password_hash: String,
}

type Row = (String, String, String, String);

fn account((id, username, role, password_hash): Row) -> Result<Account> {
    Ok(Account {
        actor: Actor { account: parsed(&id, "account id")?, username, role: parsed(&role, "role")? },
        password_hash,
    })
}

/// Whether anybody has an account.
pub async fn any_account<'e>(db: impl SqliteExecutor<'e>) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM accounts)").fetch_one(db).await?)
}

/// The account of that name; names are stored in lower case.
pub async fn find_by_name<'e>(db: impl SqliteExecutor<'e>, name: &str) -> Result<Option<Account>> {
    let row: Option<Row> = sqlx::query_as("SELECT id, username, role, password_hash FROM accounts WHERE username = ?")
        .bind(name)
        .fetch_optional(db)
        .await?;
    row.map(account).transpose()
}

/// The account of that id.
pub async fn get<'e>(db: impl SqliteExecutor<'e>, id: &AccountId) -> Result<Option<Account>> {
    let row: Option<Row> = sqlx::query_as("SELECT id, username, role, password_hash FROM accounts WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?;
    row.map(account).transpose()
}

/// Adds an account.
pub async fn insert(tx: &mut Tx, actor: &Actor, hash: &str, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO accounts (id, username, password_hash, role, created_at, password_changed_at)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(actor.account.as_str())
    .bind(&actor.username)
    .bind(hash)
    .bind(actor.role.as_str())
    .bind(now)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Sets a new password.
pub async fn set_password(tx: &mut Tx, id: &AccountId, hash: &str, now: i64) -> Result<()> {
    sqlx::query("UPDATE accounts SET password_hash = ?, password_changed_at = ? WHERE id = ?")
        .bind(hash)
        .bind(now)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The token that the set-up page asks for.
pub async fn setup_token<'e>(db: impl SqliteExecutor<'e>) -> Result<Option<Stored>> {
    let row: Option<(Vec<u8>, i64)> =
        sqlx::query_as("SELECT hash, expires_at FROM setup_token").fetch_optional(db).await?;
    Ok(row.map(|(hash, expires_at)| Stored { hash, expires_at }))
}

/// Replaces the set-up token.
pub async fn put_setup_token(tx: &mut Tx, hash: &[u8; 32], expires_at: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO setup_token (id, hash, expires_at) VALUES (1, ?, ?)
         ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at",
    )
    .bind(hash.as_slice())
    .bind(expires_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Uses the set-up token up.
pub async fn drop_setup_token(tx: &mut Tx) -> Result<()> {
    sqlx::query("DELETE FROM setup_token").execute(&mut **tx).await?;
    Ok(())
}

/// Whether this browser signed in to this account before.
pub async fn is_device_of<'e>(db: impl SqliteExecutor<'e>, hash: &[u8; 32], id: &AccountId) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM devices WHERE token_hash = ? AND account_id = ?)")
        .bind(hash.as_slice())
        .bind(id.as_str())
        .fetch_one(db)
        .await?)
}

/// Remembers a browser.
pub async fn remember_device(tx: &mut Tx, hash: &[u8; 32], id: &AccountId, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO devices (token_hash, account_id, seen_at) VALUES (?, ?, ?)
         ON CONFLICT (token_hash) DO UPDATE SET account_id = excluded.account_id, seen_at = excluded.seen_at",
    )
    .bind(hash.as_slice())
    .bind(id.as_str())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "DELETE FROM devices WHERE account_id = ? AND token_hash NOT IN
         (SELECT token_hash FROM devices WHERE account_id = ? ORDER BY seen_at DESC LIMIT ?)",
    )
    .bind(id.as_str())
    .bind(id.as_str())
    .bind(DEVICES)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets all browsers of an account.
pub async fn forget_devices(tx: &mut Tx, id: &AccountId) -> Result<()> {
    sqlx::query("DELETE FROM devices WHERE account_id = ?").bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// Ends all sessions of an account, but for one.
pub async fn end_sessions(tx: &mut Tx, id: &AccountId, but: Option<&[u8; 32]>) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE account_id = ? AND id_hash IS NOT ?")
        .bind(id.as_str())
        .bind(but.map(<[u8; 32]>::as_slice))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The sessions of an account that are still good, the latest used first.
pub async fn sessions<'e>(
    db: impl SqliteExecutor<'e>,
    id: &AccountId,
    this: &[u8; 32],
    now: i64,
) -> Result<Vec<SessionInfo>> {
    let rows: Vec<(i64, i64, bool)> = sqlx::query_as(
        "SELECT created_at, seen_at, id_hash = ? FROM sessions
         WHERE account_id = ? AND expires_at > ? AND seen_at > ? ORDER BY seen_at DESC",
    )
    .bind(this.as_slice())
    .bind(id.as_str())
    .bind(now)
    .bind(now - SIGNED_IN_IDLE_SECONDS)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(since, seen, is_this)| SessionInfo { since, seen, is_this }).collect())
}
