//! The SQL of tokens.

use crate::storage::{StorageError, Tx, column, is_taken, parsed};
use app::model::account::{Actor, Role};
use app::model::id::{AccountId, TokenId};
use app::model::token::{Token, TokenFields};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

type Result<T> = std::result::Result<T, StorageError>;

/// A token that was found by its hash, with its owner.
pub(super) struct Found {
    pub token: Token,
    /// What it was found by, as stored.
    pub hash: Vec<u8>,
    /// Its owner.
    pub owner: Actor,
}

fn token(row: &SqliteRow) -> Result<Token> {
    Ok(Token {
        id: column(row, "id")?,
        name: row.try_get("name")?,
        scope: column(row, "scope")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        used_at: row.try_get("used_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}

/// An account's tokens: those that aren't revoked by name, then the others, newest first.
pub(super) async fn list<'e>(db: impl SqliteExecutor<'e>, account: &AccountId) -> Result<Vec<Token>> {
    let rows = sqlx::query(
        "SELECT id, name, scope, created_at, expires_at, used_at, revoked_at FROM tokens WHERE account_id = ?
         ORDER BY revoked_at IS NOT NULL, revoked_at DESC, name COLLATE NOCASE, id",
    )
    .bind(account.as_str())
    .fetch_all(db)
    .await?;
    rows.iter().map(token).collect()
}

/// The token of this hash.
pub(super) async fn find<'e>(db: impl SqliteExecutor<'e>, hash: &[u8; 32]) -> Result<Option<Found>> {
    let row = sqlx::query(
        "SELECT t.id, t.name, t.scope, t.created_at, t.expires_at, t.used_at, t.revoked_at, t.hash,
                a.id AS account, a.username, a.role
         FROM tokens t JOIN accounts a ON a.id = t.account_id WHERE t.hash = ?",
    )
    .bind(hash.as_slice())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let role: Role = parsed(row.try_get("role")?, "role")?;
    let owner = Actor { account: column(&row, "account")?, username: row.try_get("username")?, role };
    Ok(Some(Found { token: token(&row)?, hash: row.try_get("hash")?, owner }))
}

/// Whether a token is still accepted.
pub(super) async fn is_good<'e>(db: impl SqliteExecutor<'e>, id: &TokenId, now: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ? AND revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > ?))",
    )
    .bind(id.as_str())
    .bind(now)
    .fetch_one(db)
    .await?)
}

/// How many of an account aren't revoked.
pub(super) async fn count(tx: &mut Tx, account: &AccountId) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM tokens WHERE account_id = ? AND revoked_at IS NULL")
        .bind(account.as_str())
        .fetch_one(&mut **tx)
        .await?)
}

/// Adds one. False: the account has one of this name.
pub(super) async fn insert(
    tx: &mut Tx,
    id: &TokenId,
    account: &AccountId,
    fields: &TokenFields,
    hash: &[u8; 32],
    now: i64,
) -> Result<bool> {
    let inserted = sqlx::query(
        "INSERT INTO tokens (id, account_id, name, hash, scope, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.as_str())
    .bind(account.as_str())
    .bind(&fields.name)
    .bind(hash.as_slice())
    .bind(fields.scope.as_str())
    .bind(now)
    .bind(fields.days.map(|days| now + i64::from(days) * 86_400))
    .execute(&mut **tx)
    .await;
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Takes note that it was used.
pub(super) async fn touch(tx: &mut Tx, id: &TokenId, now: i64) -> Result<()> {
    sqlx::query("UPDATE tokens SET used_at = ? WHERE id = ?").bind(now).bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// Revokes one; its name, or None: the account has no such token, or it is revoked already.
pub(super) async fn revoke(tx: &mut Tx, account: &AccountId, id: &TokenId, now: i64) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "UPDATE tokens SET revoked_at = ? WHERE id = ? AND account_id = ? AND revoked_at IS NULL RETURNING name",
    )
    .bind(now)
    .bind(id.as_str())
    .bind(account.as_str())
    .fetch_optional(&mut **tx)
    .await?)
}

/// Forgets what was revoked or expired before a time.
pub(super) async fn forget(tx: &mut Tx, before: i64) -> Result<()> {
    sqlx::query("DELETE FROM tokens WHERE revoked_at < ? OR expires_at < ?")
        .bind(before)
        .bind(before)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
