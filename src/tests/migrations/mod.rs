//! Each migration on data: after each one rows are put in, so that the next runs on a full database.

use slipway::storage::{Db, StorageError};
use sqlx::migrate::{Migration, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::Path;

static ALL: Migrator = sqlx::migrate!("./migrations");

/// The rows that follow each migration; a new migration gets a new line here.
const DATA: &[(i64, &str)] = &[
    (1, include_str!("0001_accounts.sql")),
    (2, include_str!("0002_activity.sql")),
    (3, include_str!("0003_jobs.sql")),
    (4, include_str!("0004_credentials.sql")),
    (5, include_str!("0005_registries.sql")),
    (6, include_str!("0006_services.sql")),
    (7, include_str!("0007_credentials.sql")),
    (8, include_str!("0008_images.sql")),
    (9, include_str!("0009_image_services.sql")),
    (10, include_str!("0010_managed_registries.sql")),
    (11, include_str!("0011_tokens.sql")),
    (12, include_str!("0012_jobs_by_subject.sql")),
    (13, include_str!("0013_builds.sql")),
    (14, include_str!("0014_queue.sql")),
    (15, include_str!("0015_builders.sql")),
    (16, include_str!("0016_git_access.sql")),
    (17, include_str!("0017_triggers.sql")),
    (18, include_str!("0018_build_records.sql")),
    (19, include_str!("0019_keeping.sql")),
    (20, include_str!("0020_tag_watch.sql")),
    (21, include_str!("0021_ways_back.sql")),
    (22, include_str!("0022_retention.sql")),
    (23, include_str!("0023_trash.sql")),
    (24, include_str!("0024_garbage.sql")),
    (25, include_str!("0025_cleanup.sql")),
];

fn data(version: i64) -> &'static str {
    let found = DATA.iter().find(|(number, _)| *number == version);
    found.unwrap_or_else(|| panic!("migration {version} has no data; add a file and a line to DATA")).1
}

/// A database in `folder` as a Slipway with the first `count` migrations left it, full of rows.
async fn database_after(folder: &Path, count: usize) {
    let options =
        SqliteConnectOptions::new().filename(folder.join("state.db")).create_if_missing(true).foreign_keys(true);
    let mut connection = options.connect().await.expect("a connection");
    for index in 0..count {
        let upto: Vec<Migration> = ALL.iter().take(index + 1).cloned().collect();
        let version = upto[index].version;
        Migrator::with_migrations(upto).run(&mut connection).await.unwrap_or_else(|error| panic!("{version}: {error}"));
        sqlx::raw_sql(data(version))
            .execute(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{version}: {error}"));
    }
    connection.close().await.expect("closed");
}

async fn tables(db: &Db) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' \
               AND name NOT LIKE 'sqlite%' ORDER BY name";
    sqlx::query_scalar(sql).fetch_all(db.read()).await.expect("the tables")
}

async fn rows(db: &Db, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(db.read()).await.expect("a number")
}

#[tokio::test]
async fn every_version_comes_up_to_date_with_all_its_rows() {
    let count = ALL.iter().count();
    for start in 0..=count {
        let folder = tempfile::tempdir().expect("a folder");
        database_after(folder.path(), start).await;
        let db = Db::open(folder.path()).await.unwrap_or_else(|error| panic!("from {start}: {error}"));

        let faults: Vec<String> = sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check")
            .fetch_all(db.read())
            .await
            .expect("a check");
        assert_eq!(faults, Vec::<String>::new(), "from {start}");
        let verdict: String = sqlx::query_scalar("SELECT integrity_check FROM pragma_integrity_check")
            .fetch_one(db.read())
            .await
            .expect("a check");
        assert_eq!(verdict, "ok", "from {start}");
        if start == count {
            for table in tables(&db).await {
                assert!(rows(&db, &table).await > 0, "no data file fills {table}");
            }
        }
        if start > 0 {
            let name: String =
                sqlx::query_scalar("SELECT username FROM accounts").fetch_one(db.read()).await.expect("the first row");
            assert_eq!(name, "ada", "from {start}");
        }
        let copy = folder.path().join(format!("state.before-{start}.db"));
        assert_eq!(copy.exists(), (1..count).contains(&start), "a copy is made exactly when something is migrated");
        db.close().await;
        if copy.exists() {
            let mut old: SqliteConnection =
                SqliteConnectOptions::new().filename(&copy).read_only(true).connect().await.expect("the copy opens");
            let version: i64 = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
                .fetch_one(&mut old)
                .await
                .expect("a number");
            assert_eq!(usize::try_from(version).ok(), Some(start), "the copy is of before");
        }
    }
}

#[tokio::test]
async fn the_tables_refuse_what_must_not_be() {
    let folder = tempfile::tempdir().expect("a folder");
    database_after(folder.path(), ALL.iter().count()).await;
    let db = Db::open(folder.path()).await.expect("a database");
    for sql in [
        "UPDATE accounts SET role = 'visitor'",
        "UPDATE jobs SET state = 'lost'",
        "UPDATE jobs SET created = 'yesterday'",
        "INSERT INTO secrets SELECT * FROM secrets",
        "DELETE FROM credentials",
        "UPDATE registries SET is_default = 2",
        "UPDATE registries SET is_default = 1",
        "UPDATE credentials SET name = 'MAIN'",
        "DELETE FROM registries WHERE id = 'reg_000000000001'",
        "DELETE FROM services",
        "UPDATE builds SET number = 1",
        "UPDATE deployments SET from_build = 'bld_000000000001'",
        "UPDATE deployments SET from_build = 'bld_00000000none'",
        "UPDATE deployments SET number = 1",
        "UPDATE deployments SET commit_sha = 'c0ffee' WHERE id = 'dep_000000000003'",
        "UPDATE deployments SET credential_id = 'cred_00000000001' WHERE id = 'dep_000000000001'",
        "UPDATE services SET credential_id = 'cred_0000000none'",
        "UPDATE image_repositories SET credential_id = 'cred_00000000none'",
        "DELETE FROM git_accesses WHERE id = 'git_000000000001'",
        "UPDATE git_accesses SET name = 'SHOP' WHERE id = 'git_000000000002'",
        "UPDATE git_accesses SET public_key = NULL",
        "INSERT INTO triggers SELECT 'trg_000000000002', service_id, 1, 1, '[]', '[]', 0 FROM triggers",
        "INSERT INTO trigger_deliveries SELECT * FROM trigger_deliveries",
        "UPDATE trigger_deliveries SET outcome = 'lost'",
        "UPDATE tokens SET revoked_at = NULL",
        "UPDATE tokens SET scope = 'write'",
        "UPDATE tokens SET hash = x'00'",
        "UPDATE tokens SET account_id = 'acc_00000000none'",
        "INSERT INTO image_tags SELECT credential_id, 'shop/none', name, generation, digest, at, size FROM image_tags",
    ] {
        let mut tx = db.write().await.expect("a transaction");
        let outcome = sqlx::query(sql).execute(&mut *tx).await;
        assert!(outcome.is_err(), "{sql} was accepted");
    }
}

/// A newer Slipway's database isn't touched by an older one.
#[tokio::test]
async fn a_newer_database_is_refused_untouched() {
    let folder = tempfile::tempdir().expect("a folder");
    Db::open(folder.path()).await.expect("a database").close().await;
    let path = folder.path().join("state.db");
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.expect("a connection");
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', TRUE, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .expect("inserted");
    connection.close().await.expect("closed");
    let before = std::fs::read(&path).expect("the file");
    let error = Db::open(folder.path()).await.expect_err("refused");
    assert!(matches!(error, StorageError::Migrate(_)), "{error:?}");
    assert!(std::fs::read(&path).expect("the file") == before, "the refused database was changed");
}
