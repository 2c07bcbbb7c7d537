//! The measurement of previews of retention, for `make bench`: 25 repositories with 2,000 tags each that builds pushed, and a
//! rival that judges by the same rules in the same database, tag by tag, with what images are made of in a table of its own.
#![allow(missing_docs, reason = "a program")]

use app::api::retention::RetentionApi as _;
use app::model::account::{Actor, Role};
use app::model::disk::Needs;
use app::model::id::{AccountId, BuildId, DeploymentId, JobId, RegistryId, ServiceId};
use app::model::image_ref::Digest;
use app::model::retention::{Fate, Policy, PolicyForm, PreviewSearch, Scope};
use sha2::Digest as _;
use slipway::clock::{Clock, random};
use slipway::config::{Config, LogFormat};
use slipway::process::Runner;
use slipway::start::Slipway;
use slipway::storage::{Db, Tx};
use sqlx::Row as _;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

const REPOSITORIES: usize = 25;
const TAGS: usize = 2_000;
const ROUNDS: usize = 11;
const RIVALS_ROUNDS: usize = 3;
/// Layers of an image for one platform.
const LAYERS: usize = 5;
/// One tag of so many is somebody else's.
const FOREIGN: usize = 50;
/// Of each repository these are pinned.
const PINNED: [usize; 2] = [710, 1_510];
const HOST: &str = "registry.example.com";

const HOUR: i64 = 3_600;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let (clock, runner) = (Clock::system(), Runner::new("slipway"));
    let slipway = Slipway::open(config(folder.path()), clock.clone(), runner).await.expect("Slipway opens");
    let registry = RegistryId::from_random(random());
    fill(&slipway.db, &registry, clock.seconds()).await;
    let actor = Actor { account: AccountId::from_random([1; 8]), username: "bench".into(), role: Role::Owner };
    let scope = Scope::Registry(registry.clone());
    let form = PolicyForm {
        keep_last: "10".into(),
        keep_days: "60".into(),
        keep_matching: "v*".into(),
        ..PolicyForm::default()
    };
    slipway.retention.set_policy(&actor, &scope, form).await.expect("rules");

    let (mut times, mut found) = (Vec::new(), (0, 0));
    for _ in 0..ROUNDS {
        let asked = Instant::now();
        let preview = slipway.retention.select(&registry).await.expect("a preview");
        times.push(asked.elapsed());
        assert_eq!(preview.tags.len(), REPOSITORIES * TAGS);
        found = (preview.tags.iter().filter(|tag| tag.goes()).count(), preview.frees);
    }
    row("a preview of 50,000 tags, first", &millis(times[0]));
    let whole = row_of("a preview of 50,000 tags", times);
    let mut times = Vec::new();
    for n in 0..ROUNDS {
        let search = PreviewSearch { text: format!("service-{n:02}"), fate: Fate::Goes, offset: 50, limit: 50 };
        let asked = Instant::now();
        let page = slipway.retention.preview(&actor, &registry, &search).await.expect("a page");
        times.push(asked.elapsed());
        assert_eq!((page.goes, page.tags.len()), (u64::try_from(found.0).expect("a number"), 50));
    }
    row_of("a page of it, of those that match", times);

    let rules = slipway.retention.policy(&actor, &scope).await.expect("rules").expect("there are rules");
    let mut times = Vec::new();
    for _ in 0..RIVALS_ROUNDS {
        let asked = Instant::now();
        let said = plain(&slipway.db, &registry, &rules, clock.seconds()).await;
        times.push(asked.elapsed());
        assert_eq!(said, found, "both say what goes and what comes free");
    }
    let rival = row_of("the same, tag by tag", times);
    row("tags that go, bytes that come free", &format!("{} of {}, {}", found.0, REPOSITORIES * TAGS, found.1));
    row("a preview to tag by tag", &format!("{:.3}", whole.as_secs_f64() / rival.as_secs_f64()));
    slipway.stop().await;
}

fn config(folder: &Path) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir: folder.join("data"),
        public_url: None,
        docker_host: format!("unix://{}", folder.join("docker.sock").display()),
        master_key_file: folder.join("master.key"),
        log_format: LogFormat::Text,
        local_repositories: Vec::new(),
        trusted_proxies: Vec::new(),
        registry_image: "registry:3".parse().expect("an image"),
        proxy_image: None,
        builds_need: Needs::default(),
    }
}

fn row(name: &str, value: &str) {
    println!("    {name:<40} {value}");
}

/// A row of times; the one in the middle.
fn row_of(name: &str, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let half = times[times.len() / 2];
    row(name, &format!("half within {}, all within {}", millis(half), millis(times[times.len() - 1])));
    half
}

fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1_000.0)
}

fn digest(of: &str) -> Digest {
    let bytes = sha2::Sha256::digest(of.as_bytes());
    format!("sha256:{}", app::model::text::hex(&bytes)).parse().expect("a digest")
}

/// A digest with its size.
type Part = (Digest, u64);

/// An image for two platforms: manifests with the index first, and blobs. Of a platform's layers one is its own, one of a few
/// versions', one of its repository's, the others of all.
fn image(repository: usize, n: usize) -> (Vec<Part>, Vec<Part>) {
    let mut manifests = vec![(digest(&format!("index {repository} {n}")), 1_200)];
    let mut blobs = BTreeSet::new();
    for platform in ["amd64", "arm64"] {
        manifests.push((digest(&format!("{platform} {repository} {n}")), 1_600));
        blobs.insert((digest(&format!("config {platform} {repository} {n}")), 4_000));
        for layer in 0..LAYERS {
            blobs.insert(match layer {
                0 => (digest(&format!("layer {platform} {repository} {n}")), 3_000_000),
                1 => (digest(&format!("modules {platform} {repository} {}", n / 20)), 40_000_000),
                2 => (digest(&format!("runtime {platform} {repository}")), 20_000_000),
                _ => (digest(&format!("base {platform} {layer}")), 30_000_000),
            });
        }
    }
    (manifests, blobs.into_iter().collect())
}

fn repository_name(repository: usize) -> String {
    format!("team-{:02}/service-{repository:02}", repository % 5)
}

fn tag_name(n: usize) -> String {
    if n.is_multiple_of(100) { format!("v1.{n}.0") } else { digest(&format!("commit {n}")).as_str()[7..19].to_owned() }
}

/// When the n-th newest was pushed, Unix seconds.
fn pushed_at(n: usize, now: i64) -> i64 {
    now - (1 + i64::try_from(n).expect("a number")) * 6 * HOUR
}

fn branch_name(n: usize) -> &'static str {
    ["main", "main", "main", "next"][n % 4]
}

/// What a look and builds leave behind.
async fn fill(db: &Db, registry: &RegistryId, now: i64) {
    let mut tx = db.write().await.expect("a transaction");
    for sql in [
        "INSERT INTO credentials (id, name, url, username, problem, checked_at, created_at)
         VALUES ('cred_000000000001', 'Main', 'https://registry.example.com', 'deploy', NULL, ?2, ?2)",
        "INSERT INTO registries (id, name, credential_id, base_path, is_default, created_at)
         VALUES (?1, 'Main', 'cred_000000000001', NULL, 1, ?2)",
        "INSERT INTO projects (id, name, slug, created_at) VALUES ('prj_000000000001', 'Shop', 'shop', ?2)",
        "INSERT INTO retention_looks (registry_id, generation, as_of) VALUES (?1, 1, ?2)",
        "CREATE TABLE rivals_parts (image TEXT NOT NULL, part TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (image, part))
         STRICT, WITHOUT ROWID",
    ] {
        sqlx::query(sql).bind(registry.as_str()).bind(now).execute(&mut *tx).await.expect("a row");
    }
    for repository in 0..REPOSITORIES {
        fill_repository(&mut tx, registry, repository, now).await;
    }
    // Slipway does without.
    sqlx::query("CREATE INDEX rivals_builds ON builds (reference)").execute(&mut *tx).await.expect("an index");
    tx.commit().await.expect("committed");
}

async fn fill_repository(tx: &mut Tx, registry: &RegistryId, repository: usize, now: i64) {
    let (name, service) = (repository_name(repository), ServiceId::from_random(random()));
    sqlx::query(
        "INSERT INTO services (id, project_id, name, slug, source, settings, registry_id, created_at, changed)
         VALUES (?1, 'prj_000000000001', ?2, ?2, '{}', '{}', ?3, ?4, ?4)",
    )
    .bind(service.as_str())
    .bind(format!("service-{repository:02}"))
    .bind(registry.as_str())
    .bind(now)
    .execute(&mut **tx)
    .await
    .expect("a service");
    sqlx::query("INSERT INTO retention_repositories (registry_id, repository, generation) VALUES (?, ?, 1)")
        .bind(registry.as_str())
        .bind(&name)
        .execute(&mut **tx)
        .await
        .expect("a repository");
    // A look keeps images in the order of their digests.
    let mut images: Vec<_> = (0..TAGS).map(|n| (n, image(repository, n))).collect();
    images.sort_by(|(_, (a, _)), (_, (b, _))| a[0].0.cmp(&b[0].0));
    for (n, (manifests, blobs)) in images {
        let (digest, at) = (&manifests[0].0, pushed_at(n, now));
        sqlx::query(
            "INSERT INTO retention_images (registry_id, repository, digest, generation, state, content)
             VALUES (?, ?, ?, 1, 'known', ?)",
        )
        .bind(registry.as_str())
        .bind(&name)
        .bind(digest.as_str())
        .bind(slipway::retention::packed(&manifests, &blobs))
        .execute(&mut **tx)
        .await
        .expect("an image");
        let parts: Vec<&Part> = manifests.iter().chain(&blobs).collect();
        sqlx::query("INSERT INTO rivals_parts SELECT ?, value ->> 0, value ->> 1 FROM json_each(?)")
            .bind(digest.as_str())
            .bind(serde_json::to_string(&parts).expect("JSON"))
            .execute(&mut **tx)
            .await
            .expect("parts");
        sqlx::query(
            "INSERT INTO retention_tags (registry_id, repository, tag, generation, digest, first_seen)
             VALUES (?, ?, ?, 1, ?, ?)",
        )
        .bind(registry.as_str())
        .bind(&name)
        .bind(tag_name(n))
        .bind(digest.as_str())
        .bind(at)
        .execute(&mut **tx)
        .await
        .expect("a tag");
        if n % FOREIGN != 1 {
            build(tx, registry, &service, repository, n, at).await;
        }
        // Every tenth was deployed; rollback windows have the newest of these, and some are pinned.
        if n.is_multiple_of(10) {
            deployment(tx, registry, &service, repository, n, at).await;
        }
    }
}

async fn job(tx: &mut Tx, kind: &str, at: i64) -> JobId {
    let job = JobId::from_random(random());
    sqlx::query(
        "INSERT INTO jobs (id, kind, payload, subject, lane, run_after, state, asked_by, created, started, finished)
         VALUES (?1, ?2, '{}', 'bench', 'build', ?3, 'succeeded', 'bench', ?3, ?3, ?3)",
    )
    .bind(job.as_str())
    .bind(kind)
    .bind(at * 1_000)
    .execute(&mut **tx)
    .await
    .expect("a job");
    job
}

fn number(n: usize) -> i64 {
    i64::try_from(TAGS - n).expect("a number")
}

async fn build(tx: &mut Tx, registry: &RegistryId, service: &ServiceId, repository: usize, n: usize, at: i64) {
    let job = job(tx, "build_image", at).await;
    sqlx::query(
        "INSERT INTO builds (id, service_id, number, job_id, registry_id, deploys, reference, digest, commit_sha,
                             commit_subject, commit_author, branch, record, created)
         VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, 'Mends the till', 'Ada', ?, ?, ?)",
    )
    .bind(BuildId::from_random(random()).as_str())
    .bind(service.as_str())
    .bind(number(n))
    .bind(job.as_str())
    .bind(registry.as_str())
    .bind(format!("{HOST}/{}:{}", repository_name(repository), tag_name(n)))
    .bind(digest(&format!("index {repository} {n}")).as_str())
    .bind(&digest(&format!("commit {n}")).as_str()[7..47])
    .bind(branch_name(n))
    // Records are about as long.
    .bind(serde_json::json!({ "layers": "x".repeat(1_000) }).to_string())
    .bind(at * 1_000)
    .execute(&mut **tx)
    .await
    .expect("a build");
}

async fn deployment(tx: &mut Tx, registry: &RegistryId, service: &ServiceId, repository: usize, n: usize, at: i64) {
    let job = job(tx, "deploy", at).await;
    sqlx::query(
        "INSERT INTO deployments (id, service_id, number, job_id, image, registry_id, commit_sha, settings, origin, asked_by,
                                  created, pinned_at, pinned_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '{}', '{}', 'bench', ?8, ?9, CASE WHEN ?9 IS NULL THEN NULL ELSE 'bench' END)",
    )
    .bind(DeploymentId::from_random(random()).as_str())
    .bind(service.as_str())
    .bind(number(n))
    .bind(job.as_str())
    .bind(format!("{HOST}/{}@{}", repository_name(repository), digest(&format!("index {repository} {n}"))))
    .bind(registry.as_str())
    .bind(&digest(&format!("commit {n}")).as_str()[7..47])
    .bind(at * 1_000)
    .bind(PINNED.contains(&n).then_some(at))
    .execute(&mut **tx)
    .await
    .expect("a deployment");
}

/// A tag, for the rival.
struct Found {
    branch: Option<String>,
    /// Unix seconds.
    at: i64,
    is_ours: bool,
    tag: String,
    digest: String,
    parts: Vec<(String, i64)>,
}

/// What scripts do, and products that list a repository's artifacts and look each of them up: two questions for each tag, its
/// build and its parts. The tags that go, the bytes that come free.
async fn plain(db: &Db, registry: &RegistryId, rules: &Policy, now: i64) -> (usize, u64) {
    let db = db.read();
    let needed: Vec<String> = sqlx::query_scalar(
        "SELECT substr(image, instr(image, '@') + 1) FROM (
             SELECT d.image, d.pinned_at, s.keep,
                    row_number() OVER (PARTITION BY d.service_id ORDER BY d.number DESC) AS place
               FROM deployments d JOIN services s ON s.id = d.service_id
         ) WHERE pinned_at IS NOT NULL OR place <= keep",
    )
    .fetch_all(db)
    .await
    .expect("what is needed");
    let needed: HashSet<String> = needed.into_iter().collect();
    let names: Vec<String> =
        sqlx::query_scalar("SELECT repository FROM retention_repositories WHERE registry_id = ? ORDER BY repository")
            .bind(registry.as_str())
            .fetch_all(db)
            .await
            .expect("repositories");
    let (mut goes, mut frees, mut stays) = (0, HashMap::new(), HashSet::new());
    for name in names {
        let sql = "SELECT tag, digest, first_seen FROM retention_tags WHERE registry_id = ? AND repository = ?";
        let rows = sqlx::query(sql).bind(registry.as_str()).bind(&name).fetch_all(db).await.expect("tags");
        let mut tags = Vec::with_capacity(rows.len());
        for row in rows {
            let (tag, digest): (String, String) = (row.get("tag"), row.get("digest"));
            let build: Option<(Option<String>, Option<i64>)> = sqlx::query_as(
                "SELECT b.branch, j.finished FROM builds b JOIN jobs j ON j.id = b.job_id
                  WHERE b.reference = ? AND b.digest = ?",
            )
            .bind(format!("{HOST}/{name}:{tag}"))
            .bind(&digest)
            .fetch_optional(db)
            .await
            .expect("a build");
            let parts = sqlx::query_as("SELECT part, size FROM rivals_parts WHERE image = ?");
            let parts: Vec<(String, i64)> = parts.bind(&digest).fetch_all(db).await.expect("parts");
            let is_ours = build.is_some();
            let (branch, at) = build.unwrap_or_default();
            let at = at.map_or_else(|| row.get("first_seen"), |at| at / 1_000);
            tags.push(Found { branch, at, is_ours, tag, digest, parts });
        }
        tags.sort_by_key(|tag| std::cmp::Reverse(tag.at));
        let mut places: HashMap<Option<String>, u32> = HashMap::new();
        for tag in tags {
            let place = places.entry(tag.branch).or_default();
            *place += 1;
            let is_kept = !tag.is_ours
                || rules.keep_last.is_some_and(|last| *place <= last)
                || rules.keep_days.is_some_and(|days| (now - tag.at) / 86_400 < i64::from(days))
                || rules.matching(&tag.tag).is_some()
                || needed.contains(&tag.digest)
                || tag.parts.iter().any(|(part, _)| needed.contains(part));
            if is_kept {
                stays.extend(tag.parts.into_iter().map(|(part, _)| part));
            } else {
                goes += 1;
                frees.extend(tag.parts);
            }
        }
    }
    frees.retain(|part, _| !stays.contains(part));
    (goes, frees.values().map(|size| u64::try_from(*size).expect("a size")).sum())
}
