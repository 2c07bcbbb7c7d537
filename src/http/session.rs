//! Sessions in the database, by the hash of their id; and their cookie.
//!
//! What must always hold: a session that was ended stays ended (a late save never brings it back); the actor in it is
//! read from `accounts` each time; ids come from the cookie alone and are made here alone.

use crate::clock::Clock;
use crate::storage::{Db, StorageError, trouble};
use app::request::ACTOR_KEY;
use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;
use tower_sessions::session::{Expiry, Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Session, SessionStore};

/// The session's cookie. `__Host-`: only over TLS (or loopback), only this host, only by us.
pub const COOKIE: &str = "__Host-slipway";
/// The cookie of browsers that signed in before.
pub const DEVICE_COOKIE: &str = "__Host-slipway-device";
/// Unused for so long, a signed-in session ends.
pub const SIGNED_IN_IDLE_SECONDS: i64 = 12 * 60 * 60;
/// Unused for so long, one that only carries a form's errors ends.
const ANONYMOUS_IDLE_SECONDS: i64 = 60 * 60;
/// However much it is used, a session ends after that.
const ABSOLUTE_SECONDS: i64 = 7 * 24 * 60 * 60;
const DEVICE_SECONDS: i64 = 180 * 24 * 60 * 60;
/// How often "last used" is written.
const TOUCH_SECONDS: i64 = 60;
/// Sessions of people who aren't signed in, kept at most.
const ANONYMOUS_MAX: i64 = 5_000;
/// Sessions whose changes are kept in memory while the disk takes nothing, at most.
const UNSAVED_MAX: usize = 256;

type Data = HashMap<String, serde_json::Value>;

/// The hash under which an id or token is kept.
pub fn hash_id(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The store behind every [`Session`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    db: Db,
    clock: Clock,
    /// What couldn't be written because the disk is full, such as a form that is to be sent again: by the hash of the id.
    unsaved: Arc<Mutex<HashMap<[u8; 32], Data>>>,
}

fn backend(error: impl std::error::Error + 'static) -> Error {
    Error::Backend(crate::problems::chain(&error))
}

fn data_of(record: &Record) -> Result<(String, Option<String>)> {
    let account = record.data.get(ACTOR_KEY).and_then(|actor| actor.get("account")).and_then(|id| id.as_str());
    let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    Ok((data, account.map(str::to_owned)))
}

type Row = (String, i64, i64, Option<String>, Option<String>, Option<String>);

impl Sessions {
    /// The sessions of this database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, unsaved: Arc::default() }
    }

    /// The session of a request; `cookie` is its cookie's value.
    pub fn open(&self, cookie: Option<&str>) -> Session {
        let id = cookie.and_then(|text| text.parse::<Id>().ok());
        Session::new(id, Arc::new(self.clone()), Some(Expiry::OnSessionEnd))
    }

    /// Whether the session is still good and somebody's; open streams ask this every few seconds.
    pub async fn is_signed_in(&self, id: &str) -> bool {
        let now = self.clock.seconds();
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sessions WHERE id_hash = ? AND account_id IS NOT NULL
             AND expires_at > ? AND seen_at > ?)",
        )
        .bind(hash_id(id).as_slice())
        .bind(now)
        .bind(now - SIGNED_IN_IDLE_SECONDS)
        .fetch_one(self.db.read())
        .await
        .unwrap_or(false)
    }

    fn unsaved(&self) -> MutexGuard<'_, HashMap<[u8; 32], Data>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(
        &self,
        hash: &[u8; 32],
        data: String,
        account: Option<String>,
    ) -> std::result::Result<(), StorageError> {
        let mut tx = self.db.write().await?;
        // No row: the session was ended while the request ran, and stays so.
        sqlx::query("UPDATE sessions SET data = ?, account_id = ?, seen_at = ? WHERE id_hash = ?")
            .bind(data)
            .bind(account)
            .bind(self.clock.seconds())
            .bind(hash.as_slice())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn touch(&self, hash: &[u8; 32], now: i64) -> std::result::Result<(), StorageError> {
        let mut tx = self.db.write().await?;
        sqlx::query("UPDATE sessions SET seen_at = ? WHERE id_hash = ?")
            .bind(now)
            .bind(hash.as_slice())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Deletes what is over.
    pub async fn sweep(&self) -> std::result::Result<(), crate::storage::StorageError> {
        let now = self.clock.seconds();
        let mut tx = self.db.write().await?;
        sqlx::query(
            "DELETE FROM sessions WHERE expires_at <= ?
             OR seen_at <= ? - CASE WHEN account_id IS NULL THEN ? ELSE ? END",
        )
        .bind(now)
        .bind(now)
        .bind(ANONYMOUS_IDLE_SECONDS)
        .bind(SIGNED_IN_IDLE_SECONDS)
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM devices WHERE seen_at <= ?").bind(now - DEVICE_SECONDS).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let (data, account) = data_of(record)?;
        let now = self.clock.seconds();
        let mut tx = self.db.write().await.map_err(backend)?;
        if account.is_none() {
            // Whoever sends wrong forms without cookies must not fill the disk.
            sqlx::query(
                "DELETE FROM sessions WHERE id_hash IN (SELECT id_hash FROM sessions
                 WHERE account_id IS NULL ORDER BY seen_at DESC LIMIT -1 OFFSET ?)",
            )
            .bind(ANONYMOUS_MAX - 1)
            .execute(&mut *tx)
            .await
            .map_err(backend)?;
        }
        // 128 random bits: the primary key refuses the collision that won't happen.
        sqlx::query(
            "INSERT INTO sessions (id_hash, account_id, data, created_at, seen_at, expires_at)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(hash_id(&record.id.to_string()).as_slice())
        .bind(account)
        .bind(data)
        .bind(now)
        .bind(now)
        .bind(now + ABSOLUTE_SECONDS)
        .execute(&mut *tx)
        .await
        .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (data, account) = data_of(record)?;
        let hash = hash_id(&record.id.to_string());
        match self.write(&hash, data, account.clone()).await {
            Ok(()) => {
                self.unsaved().remove(&hash);
                Ok(())
            }
            // What somebody typed outlives a full disk. Who they are doesn't: that is in the row alone.
            Err(error) if trouble(&error).is_some() => {
                let mut unsaved = self.unsaved();
                if unsaved.len() >= UNSAVED_MAX && !unsaved.contains_key(&hash) {
                    return Err(backend(error));
                }
                unsaved.insert(hash, record.data.clone());
                Ok(())
            }
            Err(error) => Err(backend(error)),
        }
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let hash = hash_id(&id.to_string());
        let now = self.clock.seconds();
        let row: Option<Row> = sqlx::query_as(
            "SELECT s.data, s.seen_at, s.expires_at, a.id, a.username, a.role
             FROM sessions s LEFT JOIN accounts a ON a.id = s.account_id
             WHERE s.id_hash = ? AND s.expires_at > ?
             AND s.seen_at > ? - CASE WHEN s.account_id IS NULL THEN ? ELSE ? END",
        )
        .bind(hash.as_slice())
        .bind(now)
        .bind(now)
        .bind(ANONYMOUS_IDLE_SECONDS)
        .bind(SIGNED_IN_IDLE_SECONDS)
        .fetch_optional(self.db.read())
        .await
        .map_err(backend)?;
        let Some((data, seen_at, expires_at, account, username, role)) = row else { return Ok(None) };
        if now - seen_at >= TOUCH_SECONDS {
            match self.touch(&hash, now).await {
                // Reading goes on while the disk takes nothing.
                Err(error) if trouble(&error).is_some() => {}
                touched => touched.map_err(backend)?,
            }
        }
        let unsaved = self.unsaved().get(&hash).cloned();
        let mut data: Data = match unsaved {
            Some(data) => data,
            None => serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?,
        };
        match (account, username, role) {
            (Some(account), Some(username), Some(role)) => {
                let actor = serde_json::json!({ "account": account, "username": username, "role": role });
                data.insert(ACTOR_KEY.to_owned(), actor);
            }
            _ => {
                data.remove(ACTOR_KEY);
            }
        }
        let expiry_date = OffsetDateTime::from_unix_timestamp(expires_at)
            .map_err(|_| Error::Decode("a session's end isn't a time".to_owned()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.unsaved().remove(&hash_id(&id.to_string()));
        let mut tx = self.db.write().await.map_err(backend)?;
        sqlx::query("DELETE FROM sessions WHERE id_hash = ?")
            .bind(hash_id(&id.to_string()).as_slice())
            .execute(&mut *tx)
            .await
            .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }
}

/// Sets one of our cookies; `max_age` 0 removes it, none keeps it until the browser closes.
pub fn set_cookie(name: &str, value: &str, max_age: Option<i64>) -> Option<http::HeaderValue> {
    let age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}");
    http::HeaderValue::from_str(&text).ok()
}

/// The cookie of a browser that signed in.
pub fn set_device_cookie(token: &str) -> Option<http::HeaderValue> {
    set_cookie(DEVICE_COOKIE, token, Some(DEVICE_SECONDS))
}
