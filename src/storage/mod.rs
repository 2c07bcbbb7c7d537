//! The SQLite handle: one writer, several readers, migrations.
//!
//! WAL, foreign keys, `synchronous=FULL`, `secure_delete`: what was acknowledged survives a power cut, what was deleted
//! can't be read from free pages.

mod read;
mod trouble;

pub use read::{column, from_json, is_taken, maybe_column, parsed, to_json};
pub use trouble::{Trouble, trouble};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Sqlite, Transaction};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// SQLite said no.
    #[error("the database failed")]
    Sqlite(#[from] sqlx::Error),
    /// The schema couldn't be brought up to date.
    #[error("the database couldn't be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The copy before a migration couldn't be made.
    #[error("the copy of the database before the migration couldn't be written to {path}")]
    Copy {
        /// Where it should have gone.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A stored value isn't what it should be.
    #[error("the database holds an unreadable {what}")]
    Unreadable {
        /// Which value.
        what: &'static str,
    },
    /// The library has the WAL-reset defect of SQLite 3.7.0 to 3.51.2.
    #[error("SQLite {0} can corrupt databases; 3.51.3 or newer is needed")]
    Version(String),
}

/// A write transaction.
pub type Tx = Transaction<'static, Sqlite>;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The database.
#[derive(Clone, Debug)]
pub struct Db {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Db {
    /// Opens (or creates) `state.db` in the data folder and brings its schema up to date. A database that has to be
    /// migrated is copied beside itself first.
    pub async fn open(data_dir: &Path) -> Result<Self, StorageError> {
        let path = data_dir.join("state.db");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("secure_delete", "ON")
            .pragma("mmap_size", "0");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // On a full disk SQLite may end a transaction by itself. The library then takes it for open, for ever: such a
            // connection is thrown away, and the next write gets a new one.
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options.clone())
            .await?;
        let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&writer).await?;
        if parts(&version) < parts("3.51.3") {
            return Err(StorageError::Version(version));
        }
        copy_before_migration(&writer, data_dir).await?;
        MIGRATOR.run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        Ok(Self { writer, readers })
    }

    /// Starts a write; there is one at a time. Keep it short, and never wait for anything but the database in it.
    pub async fn write(&self) -> Result<Tx, StorageError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// For reading.
    pub fn read(&self) -> &SqlitePool {
        &self.readers
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StorageError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// Closes all connections; the last one folds the log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn parts(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|part| part.parse().ok()).collect()
}

async fn copy_before_migration(writer: &SqlitePool, data_dir: &Path) -> Result<(), StorageError> {
    let has_schema: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')")
            .fetch_one(writer)
            .await?;
    if !has_schema {
        return Ok(());
    }
    let applied: i64 =
        sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations").fetch_one(writer).await?;
    if MIGRATOR.iter().all(|migration| migration.version <= applied) {
        return Ok(());
    }
    let path = data_dir.join(format!("state.before-{applied}.db"));
    if let Err(source) = std::fs::remove_file(&path)
        && source.kind() != std::io::ErrorKind::NotFound
    {
        return Err(StorageError::Copy { path, source });
    }
    sqlx::query("VACUUM INTO ?").bind(path.to_string_lossy().into_owned()).execute(writer).await?;
    Ok(())
}
