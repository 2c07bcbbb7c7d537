//! The measurements of the index of images, for `make bench`: a registry with 100,000 repositories and 50,000 tags (its own
//! process, 20 ms before each answer, 1 % errors), Slipway's index, and a rival that walks `_catalog` for each search.
#![allow(clippy::disallowed_methods, reason = "a measurement starts its registry as a process of its own")]
#![allow(missing_docs, reason = "a program")]

#[allow(dead_code, reason = "tests use the rest")]
mod crowd;

use app::api::credentials::CredentialsApi as _;
use app::api::images::{ImagesApi as _, Place, TagSearch};
use app::model::account::{Actor, Role};
use app::model::credential::{CredentialForm, RegistryUrl, Trust};
use app::model::id::{AccountId, CredentialId};
use app::model::image::{Listing, Search, TagOrder};
use app::model::secret::Secret;
use crowd::Crowd;
use slipway::clock::{Clock, random};
use slipway::credentials::Credentials;
use slipway::images::Images;
use slipway::oci::{Access, Client, Login};
use slipway::providers::{Endpoints, Providers};
use slipway::storage::Db;
use slipway::vault::Vault;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    if std::env::args().nth(1).as_deref() == Some("crowd") {
        serve().await;
        return;
    }
    let mut crowd = Command::new(std::env::current_exe().expect("this program"))
        .arg("crowd")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the registry starts");
    let mut said = BufReader::new(crowd.stdout.take().expect("its output")).lines();
    let url = said.next().expect("its address").expect("a line");
    measure(&url).await;
    end(&mut crowd);
    row("requests in flight at the registry", &format!("at most {}", said.next().expect("a number").expect("a line")));
}

/// The registry, until its input ends.
async fn serve() {
    let crowd = Crowd::large().await;
    println!("{}", crowd.url());
    let read = || std::io::stdin().lock().lines().count();
    tokio::task::spawn_blocking(read).await.expect("the input ends");
    println!("{}", crowd.counts().most.load(Ordering::SeqCst));
}

fn end(crowd: &mut Child) {
    drop(crowd.stdin.take());
    crowd.wait().expect("it ends");
}

fn row(name: &str, value: &str) {
    println!("    {name:<40} {value}");
}

async fn measure(url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open(folder.path()).await.expect("a database");
    let vault = Vault::open(&folder.path().join("master.key"), true).expect("a vault");
    let (clock, oci) = (Clock::system(), Client::new().expect("a client"));
    let providers = Providers::new(oci.clone(), Endpoints::default());
    let credentials = Credentials::new(db.clone(), vault, clock.clone(), oci.clone(), providers.clone());
    let images = Images::new(db.clone(), clock, credentials.clone(), providers, oci.clone());
    let actor = Actor { account: AccountId::from_random(random()), username: "bench".into(), role: Role::Owner };
    let form = CredentialForm {
        name: "Crowd".into(),
        url: url.into(),
        username: "deploy".into(),
        password: Secret::new("secret".into()),
        internal: Some("on".into()),
        provider: "generic".into(),
        ..CredentialForm::default()
    };
    let id = credentials.create(&actor, form).await.expect("a credential");
    search(&images, &actor, "warm").await;
    let memory = kibibytes("VmRSS");

    let (stop, begun) = (CancellationToken::new(), Instant::now());
    let watch = tokio::spawn({
        let (images, stop) = (images.clone(), stop.clone());
        async move { images.watch(stop).await }
    });
    let mut first = None;
    while !matches!(listing(&images, &actor).await, Listing::Complete { .. }) {
        if first.is_none() && search(&images, &actor, "service").await > 0 {
            first = Some(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let whole = begun.elapsed();
    let place = place(url, &id);
    let tags = TagSearch { limit: 50, ..TagSearch::default() };
    let asked = Instant::now();
    images.tags(&actor, &place, &tags, true).await.expect("an answer");
    let first_tags = asked.elapsed();
    while !matches!(
        images.tags(&actor, &place, &tags, false).await.expect("an answer").listing,
        Listing::Complete { .. }
    ) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    row("100,000 repositories, first rows", &millis(first.unwrap_or(whole)));
    row("100,000 repositories, all", &millis(whole));
    row("50,000 tags, first rows", &millis(first_tags));
    row("50,000 tags, all", &millis(asked.elapsed()));

    let words: Vec<String> =
        ["s", "se", "serv", "service-0", "team-07 ledger", "identity", "01234", "nowhere", "gtwsrv", "a"]
            .into_iter()
            .map(str::to_owned)
            .chain((0..40).map(|n| format!("service-{n:02}")))
            .collect();
    let mut times = Vec::new();
    for word in words.iter().cycle().take(500) {
        let asked = Instant::now();
        search(&images, &actor, word).await;
        times.push(asked.elapsed());
    }
    row("a search in 100,000 names", &quantiles(times));
    let mut times = Vec::new();
    for n in 0..500_u64 {
        let order = if n % 2 == 0 { TagOrder::Version } else { TagOrder::Date };
        let search = TagSearch { text: format!("{}.", n % 20), order, offset: n, limit: 50 };
        let asked = Instant::now();
        images.tags(&actor, &place, &search, false).await.expect("an answer");
        times.push(asked.elapsed());
    }
    row("a filter in 50,000 tags", &quantiles(times));
    row("memory, growth", &format!("{:.1} MiB", (kibibytes("VmRSS") - memory) / 1024.0));
    stop.cancel();
    watch.await.expect("it stops");

    let access = Access {
        url: url.parse::<RegistryUrl>().expect("an address"),
        login: Some(Login { username: "deploy".into(), password: Secret::new("secret".into()) }),
        trust: Trust { internal: true, ..Trust::default() },
    };
    let asked = Instant::now();
    let found = walk(&oci, &access, "service-01").await;
    row("the same search, walking _catalog", &format!("{} ({found} hits)", millis(asked.elapsed())));
    db.close().await;
}

fn place(url: &str, id: &CredentialId) -> Place {
    Place {
        credential: Some(id.clone()),
        host: url.trim_start_matches("http://").parse().expect("a host"),
        repository: "team-00/huge".parse().expect("a repository"),
    }
}

async fn search(images: &Images, actor: &Actor, text: &str) -> u64 {
    let search = Search { text: text.into(), limit: 50, ..Search::default() };
    images.search(actor, &search).await.expect("an answer").total
}

async fn listing(images: &Images, actor: &Actor) -> Listing {
    images.sources(actor).await.expect("sources").swap_remove(0).listing
}

/// What everybody else does: page after page, for each search.
async fn walk(oci: &Client, access: &Access, text: &str) -> usize {
    let (mut found, mut next) = (0, None);
    loop {
        match oci.repositories(access, next.as_deref()).await {
            Ok(page) => {
                found += page.names.iter().filter(|name| name.contains(text)).count();
                next = page.next;
                if next.is_none() {
                    return found;
                }
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1_000.0)
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0;
    format!("half within {:.1} ms, 95 % within {:.1} ms, all within {:.1} ms", at(50), at(95), at(100))
}

fn kibibytes(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|number| number.parse().ok());
    number.unwrap_or_default()
}
