//! A backend that answers with samples, one of each state that a page can show. It changes nothing.

#[path = "builders.rs"]
mod builders;
#[path = "cleanup.rs"]
mod cleanup;
#[path = "disk.rs"]
mod disk;
#[path = "garbage.rs"]
mod garbage;
#[path = "managed.rs"]
mod managed;
#[path = "outside.rs"]
mod outside;
#[path = "retention.rs"]
mod retention;
#[path = "standing.rs"]
mod standing;
#[path = "trash.rs"]
mod trash;

use app::api::Backend;
use app::api::accounts::{AccountsApi, Client};
use app::api::builds::BuildsApi;
use app::api::credentials::CredentialsApi;
use app::api::images::{ImagesApi, Place, TagSearch};
use app::api::jobs::JobsApi;
use app::api::registries::{LogLines, RegistriesApi};
use app::api::services::ServicesApi;
use app::api::settings::SettingsApi;
use app::api::tokens::{Bearer, TokenRefusal, TokensApi};
use app::error::{AppError, Problem};
use app::model::account::{Actor, PasswordForm, Role, SessionInfo, SetupForm, SignInForm};
use app::model::build::Build;
use app::model::build_form::BuildForm;
use app::model::build_options::{BuildOptions, CacheKind, Recipe};
use app::model::build_record::{self, BuildPart, BuildRecord, BuildWarning, PartTime, RecipeKind, Trigger};
use app::model::build_rules::{BuildRules, BuildRulesForm, CapsHold, RulesInForce};
use app::model::credential::{
    Credential, CredentialForm, CredentialState, ImportLine, ImportPick, ImportState, ImportText,
};
use app::model::diff::{Change, changes};
use app::model::id::{
    AccountId, BuildId, CredentialId, DeploymentId, ImportId, JobId, ProjectId, RegistryId, ServiceId, TokenId,
};
use app::model::image::{
    Allowance, Attestation, Fit, Found, Hit, Image, ImageConfig, Layer, Listing, PlatformImage, RunsIn, Search, Source,
    TagLine, Tags,
};
use app::model::image_ref::{Digest, ImageRef, RegistryHost, Repository};
use app::model::job::{Job, JobState, LogLine, LogPage, Step, StepState};
use app::model::platform::Platform;
use app::model::provider::Provider;
use app::model::push_name::{Named, Typed};
use app::model::queue::{Move, QueuedBuild, Waiting, WaitsFor};
use app::model::registry::{
    DeleteForm, Garbage, GarbageForm, LogEntry, LogView, ManagedForm, ManagedStatus, Registry, RegistryForm,
    RegistryUser, Suggestions,
};
use app::model::report::{Check, Lamp, Light, Report};
use app::model::secret::Secret;
use app::model::service::{
    self, Deployment, GitSource, HealthCheck, ImageSource, Mount, Origin, Port, Resources, SecretFile, Service,
    ServiceForm, ServiceState, ServiceSummary, Settings, Task,
};
use app::model::settings::{DockerState, Host};
use app::model::standing::{Back, Readiness, Standing};
use app::model::tag_watch::{News, TagWatch, Waits, WatchMode};
use app::model::token::{Scope, Token, TokenForm};
use async_trait::async_trait;
use std::sync::Arc;

/// What kind of world the samples show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Everything has entries.
    Full,
    /// Signed in for the first time.
    Empty,
    /// As full, and Docker can't be reached.
    NoDocker,
    /// As empty, and Docker isn't in Swarm mode.
    NoSwarm,
    /// Nobody has an account.
    New,
}

/// The samples.
#[derive(Clone)]
pub struct Samples(pub World);

/// A backend of samples.
pub fn backend(world: World) -> Backend {
    let samples = Arc::new(Samples(world));
    Backend {
        accounts: samples.clone(),
        tokens: samples.clone(),
        credentials: samples.clone(),
        registries: samples.clone(),
        images: samples.clone(),
        git_accesses: samples.clone(),
        triggers: samples.clone(),
        builders: samples.clone(),
        builds: samples.clone(),
        services: samples.clone(),
        retention: samples.clone(),
        trash: samples.clone(),
        cleanup: samples.clone(),
        disk: samples.clone(),
        jobs: samples.clone(),
        settings: samples,
    }
}

/// Somebody who is signed in.
pub fn actor() -> Actor {
    Actor { account: AccountId::from_random([1; 8]), username: "ada".into(), role: Role::Owner }
}

fn bits(n: u8) -> [u8; 8] {
    [n, 0x5a, n.wrapping_mul(31), 0x17, n.wrapping_mul(7), 0xc3, n, 0x2b]
}

fn now() -> i64 {
    app::ui::time::now()
}

fn parsed<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("a bad sample: {text}"))
}

#[cfg_attr(not(test), expect(dead_code, reason = "the tests of all pages use it"))]
/// Addresses with ids, of samples that exist.
pub fn paths() -> Vec<String> {
    let service = ServiceId::from_random(bits(1));
    let build = |n| BuildId::from_random(bits(n));
    let deployment = |n| DeploymentId::from_random(bits(n));
    let job = |n| JobId::from_random(bits(n));
    let credential = CredentialId::from_random(bits(1));
    let registry = RegistryId::from_random(bits(1));
    let mut paths: Vec<String> = [
        "/",
        "/services",
        "/services/new",
        "/services/new?kind=image&image=ghcr.io/acme/web:1.4&credential=none",
        "/builds",
        "/registries",
        "/registries/new",
        "/registries/new?kind=external",
        "/credentials",
        "/credentials/new",
        "/images",
        "/images?q=web&for=service",
        "/images/repository?host=ghcr.io&name=acme/web",
        "/images/repository?host=ghcr.io&name=acme/ledger&q=1.0",
        "/images/image?host=ghcr.io&name=acme/web&reference=1.10.0&for=service",
        "/images/image?host=ghcr.io&name=acme/web&reference=edge",
        "/credentials/new?provider=generic",
        "/credentials/new?provider=ghcr",
        "/credentials/new?provider=gitlab",
        "/credentials/new?provider=google-artifact",
        "/credentials/import",
        "/jobs",
        "/settings",
        "/settings/builds",
        "/settings/builders",
        "/settings/builders/engine",
        "/settings/builders/new",
        "/settings/builders/new?kind=container",
        "/settings/builders/new?kind=remote",
        "/settings/tokens",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.extend([
        format!("/services/{service}"),
        format!("/services/{service}/edit"),
        format!("/services/{service}/build"),
        format!("/services/{}/edit", ServiceId::from_random(bits(2))),
        format!("/services/{}/build", ServiceId::from_random(bits(2))),
        format!("/services/{service}/delete"),
        format!("/services/{}", ServiceId::from_random(bits(3))),
        format!("/services/{}/edit", ServiceId::from_random(bits(3))),
        format!("/credentials/{credential}"),
        format!("/credentials/{}", CredentialId::from_random(bits(2))),
        format!("/credentials/{}", CredentialId::from_random(bits(3))),
        format!("/credentials/{}", CredentialId::from_random(bits(4))),
        format!("/credentials/import/{}", ImportId::from_random(bits(1))),
        format!("/credentials/{credential}/delete"),
        format!("/registries/{registry}"),
        format!("/registries/{registry}/delete"),
        format!("/credentials/{}", CredentialId::from_random(bits(managed::FIRST))),
        format!("/credentials/{}/delete", CredentialId::from_random(bits(managed::FIRST))),
        format!("/builds/{}", build(1)),
        format!("/builds/{}", build(2)),
        format!("/builds/{}", build(3)),
        format!("/builds/{}", build(12)),
        format!("/jobs/{}", job(12)),
        format!("/builds/{}/attestations/0", build(2)),
        format!("/builds/{}/attestations/1", build(2)),
        format!("/deployments/{}", deployment(1)),
        format!("/deployments/{}", deployment(2)),
        format!("/deployments/{}", deployment(5)),
        format!("/jobs/{}", job(1)),
        format!("/settings/tokens?new={}", TokenId::from_random(bits(1))),
    ]);
    paths.extend(outside::paths());
    paths.extend(retention::paths());
    paths.extend(trash::paths());
    paths.extend(cleanup::paths());
    paths.extend(disk::paths());
    paths.extend(standing::paths());
    paths.extend(builders::paths());
    for id in managed::ids() {
        paths.push(format!("/registries/{id}"));
        paths.extend(["edit", "logs", "garbage", "password", "delete"].map(|page| format!("/registries/{id}/{page}")));
    }
    paths.push(format!("/registries/{}/logs?filter=none&severity=error&since=1h&tail=500&own=1", managed::ids()[0]));
    paths
}

impl Samples {
    fn is_empty(&self) -> bool {
        matches!(self.0, World::Empty | World::NoSwarm | World::New)
    }

    fn some<T>(&self, items: Vec<T>) -> Vec<T> {
        if self.is_empty() { Vec::new() } else { items }
    }
}

fn refused() -> AppError {
    Problem::new("sample", "Samples can't be changed.", "Look, don't touch.").into()
}

fn credentials() -> Vec<Credential> {
    let credential = |n, name: &str, url: &str, state, used_by: &[&str]| Credential {
        id: CredentialId::from_random(bits(n)),
        name: name.into(),
        url: parsed(url),
        username: "slipway".into(),
        state,
        checked_at: now() - 240,
        password_set_at: now() - 900_000,
        used_by: used_by.iter().map(|name| (*name).to_owned()).collect(),
        services: Vec::new(),
        provider: app::model::provider::Provider::of_host(&parsed::<app::model::credential::RegistryUrl>(url).host),
        namespaces: Vec::new(),
        trust: app::model::credential::Trust::default(),
        expires_on: None,
        report: None,
        owned_by: None,
        version: 3,
    };
    let refused = Problem::new(
        "registry.denied",
        "The registry ghcr.io refused user name and password.",
        "Make a new token with the right write:packages and save it here.",
    )
    .with_details(
        "401 Unauthorized: {\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required\"}]}",
    );
    let mut failing = credential(2, "GHCR push", "https://ghcr.io", CredentialState::Fails(refused.clone()), &[]);
    failing.report = Some(report(&[
        (Lamp::Green, "ghcr.io leads to 140.82.121.33.", None, None),
        (Lamp::Green, "TLS 1.3, certificate until 2027-03-31.", None, None),
        (Lamp::Green, "A registry answers, and wants Bearer at ghcr.io.", None, None),
        (Lamp::Red, &refused.cause, refused.details.as_deref(), Some(&refused.remedy)),
        (Lamp::Dark, "Not looked at: first Sign-in has to be put right.", None, None),
        (Lamp::Dark, "Not looked at: first Sign-in has to be put right.", None, None),
        (Lamp::Dark, "Not looked at: first Sign-in has to be put right.", None, None),
    ]));
    failing.namespaces = vec!["acme".into(), "acme-labs".into()];
    let mut limited = credential(3, "Hub pull", "https://docker.io", CredentialState::Works, &[]);
    limited.report = Some(report(&[
        (Lamp::Green, "registry-1.docker.io leads to 3.94.224.37, 2600:1f18::1.", None, None),
        (Lamp::Green, "TLS 1.3, certificate until 2027-01-02.", None, None),
        (Lamp::Green, "A registry answers, and wants Bearer at auth.docker.io.", None, None),
        (Lamp::Green, "registry-1.docker.io accepts slipway.", None, None),
        (Lamp::Green, "It shows 12 repositories.", None, None),
        (Lamp::Green, "slipway/web:1.4.2 can be read.", None, None),
        (
            Lamp::Amber,
            "It may not push to slipway/web. That is fine for pulling.",
            Some("403 Forbidden: DENIED: requested access to the resource is denied <script>pwned()</script>"),
            Some("To push, give the token or account the right to, then test again."),
        ),
    ]));
    limited.services = vec![(ServiceId::from_random(bits(1)), "web".into())];
    limited.expires_on = day_in(9);
    let mut kept = credential(1, "Internal push", "127.0.0.1:5600", CredentialState::Works, &["internal"]);
    kept.trust.internal = true;
    let mut trusting = credential(4, "Old harbor", "https://harbor.example.com", CredentialState::Works, &[]);
    trusting.provider = Provider::Harbor;
    trusting.trust.ca = Some("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----".into());
    trusting.trust.realm = Some("https://auth.example.com".into());
    trusting.expires_on = day_in(-2);
    let owned = managed::owned(&kept);
    vec![failing, limited, kept, trusting, owned]
}

fn day_in(days: i64) -> Option<time::Date> {
    time::OffsetDateTime::from_unix_timestamp(now() + days * 86_400).ok().map(time::OffsetDateTime::date)
}

/// Lamp, what was found, the registry's words, the remedy.
type Said<'a> = (Lamp, &'a str, Option<&'a str>, Option<&'a str>);

/// Lights in the order of the checks.
fn report(lights: &[Said<'_>]) -> Report {
    let light = |(check, (lamp, found, answer, remedy)): (Check, &Said<'_>)| Light {
        check,
        lamp: *lamp,
        found: (*found).to_owned(),
        answer: answer.map(str::to_owned),
        remedy: remedy.map(str::to_owned),
        millis: if *lamp == Lamp::Dark { 0 } else { 42 },
    };
    Report { lights: Check::ALL.into_iter().zip(lights).map(light).collect(), at: now() - 240 }
}

fn import_lines() -> Vec<ImportLine> {
    let line = |url: &str, username: &str, state| ImportLine {
        what: url.into(),
        url: url.parse().ok(),
        username: username.into(),
        name: url.trim_start_matches("https://").into(),
        wants_internal: url.starts_with("http://"),
        looks_like: url.contains("ghrc").then(|| "ghcr.io".into()),
        state,
    };
    let there = ImportState::There(CredentialId::from_random(bits(3)), "Hub pull".into());
    vec![
        line("https://quay.io", "acme+ci", ImportState::Waiting),
        line("http://127.0.0.1:5000", "ada", ImportState::Waiting),
        line("https://ghrc.io", "ada", ImportState::Refused("ghrc.io can't be resolved. Check its spelling.".into())),
        line("https://r.example.com", "ada", ImportState::Imported(CredentialId::from_random(bits(1)))),
        line("https://docker.io", "slipway", there),
        line("https://quay.io", "acme+ci", ImportState::Duplicate),
        line("<img src=x>", "", ImportState::Skipped("The credential helper <b>desktop</b> has its password.".into())),
    ]
}

fn registries() -> Vec<Registry> {
    let registry = |n, credential, name: &str, host: &str, base: Option<&str>, works, is_default| Registry {
        id: RegistryId::from_random(bits(n)),
        name: name.into(),
        host: parsed(host),
        provider: Provider::of_host(&parsed(host)),
        credential: CredentialId::from_random(bits(credential)),
        credential_name: if credential == 1 { "Internal push".into() } else { "GHCR push".into() },
        credential_works: works,
        base_path: base.map(parsed),
        is_default,
        platforms: Vec::new(),
        managed: None,
        created_at: now() - 90_000,
        version: 1,
    };
    let mut all = vec![
        registry(1, 1, "internal", "127.0.0.1:5600", None, true, true),
        registry(2, 2, "GitHub", "ghcr.io", Some("acme/containers"), false, false),
    ];
    all.extend(managed::registries());
    all
}

fn settings() -> Settings {
    Settings {
        env: vec![("GREETING".into(), "hello </textarea><b> & co".into()), ("LOG_LEVEL".into(), "info".into())],
        ports: vec![Port { published: 8080, target: 80, udp: false }],
        replicas: 2,
        health: Some(HealthCheck {
            command: ["wget", "-q", "-O", "-", "http://127.0.0.1/"].map(str::to_owned).to_vec(),
            interval: 5,
            retries: 3,
            start_period: 10,
            timeout: 5,
        }),
        ..Settings::default()
    }
}

fn service(n: u8, name: &str) -> Service {
    Service {
        id: ServiceId::from_random(bits(n)),
        name: name.into(),
        slug: app::model::text::slug(name),
        project: ProjectId::from_random(bits(1)),
        project_name: "Shop".into(),
        project_slug: "shop".into(),
        source: service::Source::Git(GitSource {
            repository: parsed("https://git.example.com/shop/web.git"),
            branch: parsed("main"),
            dockerfile: parsed("Dockerfile"),
            context: parsed(""),
            base_path: None,
            registry: None,
            access: None,
            build: build_options(n),
        }),
        settings: settings(),
        watch: WatchMode::Off,
        current: Some(DeploymentId::from_random(bits(2))),
        version: 4,
    }
}

/// The first has a bit of everything, the second serves a folder.
fn build_options(n: u8) -> BuildOptions {
    match n {
        1 => BuildOptions {
            args: vec![("RUST_VERSION".into(), "1.94".into()), ("FEATURES".into(), "</textarea>&quot;".into())],
            secrets: vec!["NPM_TOKEN".into(), "deploy-key.pem".into()],
            platforms: vec![parsed("linux/amd64"), parsed("linux/arm64")],
            cache: CacheKind::Registry,
            sbom: true,
            ..BuildOptions::default()
        },
        2 => BuildOptions { recipe: Recipe::Static { folder: parsed("public") }, ..BuildOptions::default() },
        _ => BuildOptions::default(),
    }
}

/// A service whose image is there already.
fn image_service() -> Service {
    let image = ImageSource { image: parsed(IMAGE), credential: Some(CredentialId::from_random(bits(2))) };
    Service {
        source: service::Source::Image(image),
        watch: WatchMode::Deploy,
        settings: Settings {
            command: vec!["/gateway".into(), "--config".into(), "a file & more".into()],
            resources: Resources { memory: Some(64 << 20), millicpus: Some(500), ..Resources::default() },
            constraints: vec!["node.labels.disk==ssd".into()],
            mounts: vec![Mount { source: "data".into(), target: "/data".into(), read_only: true }],
            networks: vec!["edge".into()],
            secrets: vec![SecretFile { name: "api-key".into(), mark: "0a".into() }],
            ..settings()
        },
        current: Some(DeploymentId::from_random(bits(5))),
        ..service(3, "gateway")
    }
}

/// What its tag leads to.
fn news() -> News {
    News { digest: parsed(DIGESTS[0]), waits: Waits::Failed { number: 1 } }
}

/// Its deployment.
fn image_deployment() -> Deployment {
    Deployment {
        id: DeploymentId::from_random(bits(5)),
        number: 1,
        service: ServiceId::from_random(bits(3)),
        image: parsed(&format!("{IMAGE}@{}", DIGESTS[3])),
        commit: None,
        commit_subject: None,
        origin: Origin::Image,
        ..deployment(2)
    }
}

const IMAGE: &str = "ghcr.io/acme/gateway:1.4.2";
const DIGESTS: [&str; 4] = [
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "sha256:fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13",
    "sha256:a4e624d686e03ed2767c0abd85c14426b0b1157d2ce81d27bb4fe4f6f01d688a",
];
const COMMITS: [&str; 4] = [
    "3f9a1b2c4d5e6f708192a3b4c5d6e7f8091a2b3c",
    "b1946ac92492d2347c6235b4d2611184aa00ff01",
    "591785b794601e212b260e25925636fd0aa11b2c",
    "e1fe9bc0a64c9e1b2f3d4c5b6a79880716253441",
];
const SUBJECTS: [&str; 4] = [
    "Show prices with and without tax",
    "Make <b>bold</b> claims & keep them",
    "A first line that goes on and on, as first lines of commit messages should never do but sometimes happen to",
    "Start the shop",
];

fn reference(n: usize) -> ImageRef {
    parsed(&format!("127.0.0.1:5600/shop/web-{}:{}", ServiceId::from_random(bits(1)).short(), COMMITS[n]))
}

fn build(n: u8) -> Build {
    let index = usize::from(n) - 1;
    let state = [JobState::Running, JobState::Succeeded, JobState::Failed, JobState::Superseded][index];
    let done = state == JobState::Succeeded;
    let started = (now() - 60 * i64::from(n) * i64::from(n)) * 1_000;
    Build {
        id: BuildId::from_random(bits(n)),
        number: 5 - i64::from(n),
        service: ServiceId::from_random(bits(1)),
        service_name: "web".into(),
        job: JobId::from_random(bits(n)),
        state,
        problem: (state == JobState::Failed).then(|| {
            Problem::new(
                "build.failed",
                "The Dockerfile's step “RUN make” failed with exit code 2.",
                "Look at the last lines of the log; the build runs in the repository's Dockerfile, so fix it there and push.",
            )
            .with_details("process \"/bin/sh -c make\" did not complete successfully: exit code: 2")
        }),
        registry: RegistryId::from_random(bits(1)),
        reference: (state != JobState::Superseded).then(|| reference(index)),
        commit: (state != JobState::Superseded).then(|| parsed(COMMITS[index])),
        branch: (state != JobState::Superseded).then(|| parsed("main")),
        commit_subject: Some(SUBJECTS[index].into()),
        commit_author: Some("Ada Example".into()),
        digest: done.then(|| parsed(DIGESTS[index])),
        deploys: true,
        deployment: done.then(|| DeploymentId::from_random(bits(2))),
        asked_by: "ada".into(),
        trigger: [
            Trigger::Hand,
            Trigger::Push { host: "GitHub".into(), by: "ada".into() },
            Trigger::Retry { of: BuildId::from_random(bits(2)), number: 3 },
            Trigger::Hook,
        ][index]
            .clone(),
        no_cache: n == 3,
        builder: (state != JobState::Superseded).then(|| "This engine".into()),
        telling_line: None,
        record: (state != JobState::Superseded).then(|| record(state)),
        created: started - 400,
        started: (state != JobState::Superseded).then_some(started),
        finished: state.is_final().then_some(started + 9_400 * i64::from(n)),
    }
}

fn record(state: JobState) -> BuildRecord {
    let planned = BuildRecord {
        recipe: if state == JobState::Running { RecipeKind::Typed } else { RecipeKind::Repository },
        emulated: vec![parsed("linux/arm64")],
        ..BuildRecord::default()
    };
    if state == JobState::Running {
        return planned;
    }
    let warning =
        |text: &str, line, url: Option<&str>| BuildWarning { text: text.into(), line, url: url.map(Into::into) };
    let warnings = vec![
        warning(
            "FromAsCasing: 'as' and 'FROM' keywords' casing do not match",
            Some(1),
            Some("https://docs.docker.com/go/dockerfile/rule/from-as-casing/"),
        ),
        warning("<script>pwned()</script> MaintainerDeprecated: Maintainer instruction is deprecated", None, None),
    ];
    let part = |part, millis| PartTime { part, millis };
    let parts = vec![
        part(BuildPart::Load, 120),
        part(BuildPart::Pull, 800),
        part(BuildPart::Steps, 4_900),
        part(BuildPart::Export, 420),
        part(BuildPart::Push, 610),
    ];
    let ran = BuildRecord { steps: 7, cached: 5, timed: 5, saved: Some(41_300), warnings, parts, ..planned };
    if state == JobState::Failed {
        return ran;
    }
    let image = |platform: &str, digest: usize, bytes| build_record::PlatformImage {
        platform: parsed(platform),
        digest: parsed(DIGESTS[digest]),
        bytes,
    };
    let attestation = |platform: &str, predicate: &str, bytes| build_record::Attestation {
        platform: parsed(platform),
        predicate: predicate.into(),
        digest: parsed(DIGESTS[0]),
        bytes,
    };
    BuildRecord {
        platforms: vec![image("linux/amd64", 2, 48_300_000), image("linux/arm64", 3, 46_900_000)],
        attestations: vec![
            attestation("linux/amd64", "https://slsa.dev/provenance/v0.2", 4_276),
            attestation("linux/arm64", "https://spdx.dev/Document", 3_400_000),
        ],
        ..ran
    }
}

fn deployment(n: u8) -> Deployment {
    let index = usize::from(n) - 1;
    let state = [JobState::Running, JobState::Succeeded, JobState::Failed, JobState::Succeeded][index];
    let mut image = reference(index);
    image.digest = Some(parsed::<Digest>(DIGESTS[index]));
    let created = (now() - 50 * i64::from(n) * i64::from(n) * i64::from(n)) * 1_000;
    Deployment {
        id: DeploymentId::from_random(bits(n)),
        number: 5 - i64::from(n),
        service: ServiceId::from_random(bits(1)),
        image,
        commit: Some(parsed(COMMITS[index])),
        commit_subject: Some(SUBJECTS[index].into()),
        settings: Settings { replicas: u32::from(n), ..settings() },
        origin: if n == 1 {
            Origin::RollBack { to: DeploymentId::from_random(bits(4)), number: 1, what: Back::Image }
        } else {
            Origin::Build { build: BuildId::from_random(bits(n)), number: 5 - i64::from(n) }
        },
        state,
        problem: (state == JobState::Failed).then(|| {
            Problem::new(
                "deploy.unhealthy",
                "The new tasks never became healthy.",
                "Look at the health check; what ran before was restored.",
            )
        }),
        is_current: n == 2,
        job: JobId::from_random(bits(n)),
        asked_by: "ada".into(),
        created,
        finished: state.is_final().then_some(created + 8_200),
    }
}

/// Builds that wait, each for something else.
fn queue() -> Vec<QueuedBuild> {
    let waits_for = [
        WaitsFor::Other { job: JobId::from_random(bits(1)) },
        WaitsFor::Resource { most: 1 },
        WaitsFor::Lane { most: 2 },
        WaitsFor::Turn,
    ];
    let triggers = [
        Trigger::Hand,
        Trigger::Retry { of: BuildId::from_random(bits(3)), number: 2 },
        Trigger::Push { host: "GitHub".into(), by: "ada".into() },
        Trigger::Hook,
    ];
    let count = u32::try_from(waits_for.len()).unwrap_or_default();
    waits_for
        .into_iter()
        .zip(triggers)
        .zip(1_u8..)
        .map(|((waits_for, trigger), n)| {
            let waiting =
                Waiting { job: JobId::from_random(bits(n + 10)), position: n.into(), queued: count, waits_for };
            let build = Build {
                id: BuildId::from_random(bits(n + 10)),
                job: waiting.job.clone(),
                number: i64::from(n) + 4,
                service_name: if n == 4 { "A name that is longer than most of them".into() } else { "web".into() },
                state: JobState::Queued,
                commit: None,
                commit_subject: None,
                trigger,
                builder: Some("arm-1".into()),
                started: None,
                ..build(1)
            };
            let commit = (n == 2).then(|| parsed(COMMITS[1]));
            QueuedBuild { build, waiting, branch: Some(parsed("main")), commit }
        })
        .collect()
}

fn queued_job(queued: &QueuedBuild) -> Job {
    Job {
        id: queued.waiting.job.clone(),
        state: JobState::Queued,
        problem: None,
        attempt: 0,
        started: None,
        finished: None,
        ..job(1)
    }
}

fn job(n: u8) -> Job {
    let index = usize::from(n) - 1;
    let build = build(n);
    Job {
        id: JobId::from_random(bits(n)),
        kind: ["build_image", "deploy", "build_image", "deploy"][index].into(),
        subject: format!("service:{}", ServiceId::from_random(bits(1))),
        state: build.state,
        problem: build.problem,
        attempt: 1,
        asked_by: "ada".into(),
        created: build.created,
        started: build.started,
        finished: build.finished,
    }
}

fn steps(job: &Job) -> Vec<Step> {
    let Some(mut at) = job.started else { return Vec::new() };
    let mut step = |name: &str, title: &str, took: i64, cached: bool| {
        let started = at;
        if !name.contains('/') {
            at += took;
        }
        Step {
            name: name.into(),
            title: title.into(),
            state: StepState::Done,
            started,
            finished: Some(started + took),
            cached,
        }
    };
    let mut steps = vec![
        step("prepare", "Prove the push right", 220, false),
        step("clone", "Check out the commit", 1_240, false),
        step("build", "Build and push", 6_100, false),
        step("build/1", "[internal] load build definition from Dockerfile", 20, false),
        step("build/2", "[1/3] FROM 127.0.0.1:5600/base:1@sha256:2d4a6b8c0e1f", 0, true),
        step("build/3", "[2/3] COPY www /www", 140, false),
        step("build/4", "[3/3] RUN make", 4_800, false),
        step("confirm", "Confirm the digest in the registry", 90, false),
    ];
    match job.state {
        JobState::Running => {
            steps.truncate(7);
            for index in [2, 6] {
                steps[index].state = StepState::Running;
                steps[index].finished = None;
            }
        }
        JobState::Failed => {
            steps.truncate(7);
            for index in [2, 6] {
                steps[index].state = StepState::Failed;
            }
        }
        _ => {}
    }
    steps
}

/// The job that the running build's page follows.
#[cfg_attr(test, expect(dead_code, reason = "the gallery's event stream uses it"))]
pub fn running_job() -> Job {
    job(1)
}

/// Its steps.
#[cfg_attr(test, expect(dead_code, reason = "the gallery's event stream uses it"))]
pub fn running_steps() -> Vec<Step> {
    steps(&job(1))
}

/// A line that a registry prints while somebody looks.
#[cfg_attr(test, expect(dead_code, reason = "the gallery's event stream uses it"))]
pub fn live_line(n: u64) -> LogEntry {
    let mut line = managed::log().remove(usize::try_from(n % 5).unwrap_or_default());
    line.at = now() * 1_000;
    line.text = format!("{} (live, {n})", line.text);
    line
}

fn lines(job: &Job) -> Vec<LogLine> {
    let mut lines: Vec<(&str, String)> = vec![
        ("prepare", "The registry 127.0.0.1:5600 accepts pushes to shop/web.".into()),
        ("clone", "Branch main is at 3f9a1b2c: Show prices with and without tax".into()),
        ("clone", "Cloning into '/var/lib/slipway/builds/job/source'...".into()),
        ("build", "\u{1b}[34m#1 [internal] load build definition from Dockerfile\u{1b}[0m".into()),
        ("build", "#2 [1/3] FROM 127.0.0.1:5600/base:1@sha256:2d4a6b8c0e1f".into()),
        ("build", "\u{1b}[32m#2 CACHED\u{1b}[0m".into()),
        ("build/4", "=> [3/3] RUN make".into()),
        ("build", "#4 0.412 \u{1b}[1;33mwarning:\u{1b}[0m unused variable \u{1b}[36m`total`\u{1b}[0m".into()),
        (
            "build",
            "#4 0.500 <script>pwned()</script> \u{202e}txt.exe\u{1b}]8;;javascript:alert(1)\u{7}link\u{1b}]8;;\u{7}"
                .into(),
        ),
        ("build", "#4 0.610 password=••••••••".into()),
    ];
    for n in 0..40 {
        lines.push(("build", format!("#4 {n}.700 compiling unit {n} of 40 with a line that is rather long so that it has to be wrapped on a narrow screen, as lines of compilers are")));
    }
    if job.state == JobState::Failed {
        lines.push((
            "build",
            "\u{1b}[31m#4 ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 2\u{1b}[0m"
                .into(),
        ));
    }
    let at = job.started.unwrap_or(0);
    lines
        .into_iter()
        .zip(1_u64..)
        .map(|((step, text), n)| LogLine { n, at: at + 10, step: step.into(), text })
        .collect()
}

fn find<T>(items: Vec<T>, matches: impl Fn(&T) -> bool, what: &str) -> Result<T, AppError> {
    items.into_iter().find(matches).ok_or_else(|| AppError::NotFound(what.into()))
}

#[async_trait]
impl AccountsApi for Samples {
    async fn needs_setup(&self) -> Result<bool, AppError> {
        Ok(self.0 == World::New)
    }
    async fn set_up(&self, _: &Client, _: SetupForm) -> Result<Actor, AppError> {
        Err(refused())
    }
    async fn sign_in(&self, _: &Client, _: SignInForm) -> Result<Actor, AppError> {
        Err(refused())
    }
    async fn change_password(&self, _: &Actor, _: &str, _: PasswordForm) -> Result<(), AppError> {
        Err(refused())
    }
    async fn sessions(&self, _: &Actor, _: &str) -> Result<Vec<SessionInfo>, AppError> {
        Ok(vec![
            SessionInfo { since: now() - 4_000, seen: now(), is_this: true },
            SessionInfo { since: now() - 90_000, seen: now() - 7_000, is_this: false },
        ])
    }
    async fn sign_out_everywhere(&self, _: &Actor) -> Result<(), AppError> {
        Err(refused())
    }
}

#[async_trait]
impl TokensApi for Samples {
    async fn list(&self, _: &Actor) -> Result<Vec<Token>, AppError> {
        let token = |n, name: &str, scope, expires: Option<i64>, revoked_at| Token {
            id: TokenId::from_random(bits(n)),
            name: name.into(),
            scope,
            created_at: now() - 900_000,
            expires_at: expires.map(|days| now() + days * 86_400),
            used_at: (n == 1).then(|| now() - 300),
            revoked_at,
        };
        Ok(self.some(vec![
            token(1, "ci", Scope::Everything, Some(80), None),
            token(2, "<b>monitoring</b>", Scope::Read, None, None),
            token(3, "last year", Scope::Read, Some(-3), None),
            token(4, "lost laptop", Scope::Everything, None, Some(now() - 4_000)),
        ]))
    }
    async fn create(&self, _: &Actor, _: TokenForm) -> Result<(TokenId, Secret), AppError> {
        Err(refused())
    }
    async fn show_once(&self, _: &Actor, _: &TokenId, _: Secret) {}
    async fn take_shown(&self, _: &Actor, id: &TokenId) -> Option<Secret> {
        (*id == TokenId::from_random(bits(1))).then(|| Secret::new(format!("slw_{}", "7Qm".repeat(14))))
    }
    async fn revoke(&self, _: &Actor, _: &TokenId) -> Result<(), AppError> {
        Err(refused())
    }
    async fn authenticate(&self, _: std::net::IpAddr, _: &Secret) -> Result<Bearer, TokenRefusal> {
        Err(TokenRefusal::Unknown)
    }
    async fn is_good(&self, _: &TokenId) -> Result<bool, AppError> {
        Ok(false)
    }
}

#[async_trait]
impl CredentialsApi for Samples {
    async fn list(&self, _: &Actor) -> Result<Vec<Credential>, AppError> {
        Ok(self.some(credentials()))
    }
    async fn get(&self, _: &Actor, id: &CredentialId) -> Result<Credential, AppError> {
        find(credentials(), |credential| credential.id == *id, "credential")
    }
    async fn create(&self, _: &Actor, _: CredentialForm) -> Result<CredentialId, AppError> {
        Err(refused())
    }
    async fn update(&self, _: &Actor, _: &CredentialId, _: i64, _: CredentialForm) -> Result<(), AppError> {
        Err(refused())
    }
    async fn check(&self, _: &Actor, _: &CredentialId) -> Result<Credential, AppError> {
        Err(refused())
    }
    async fn delete(&self, _: &Actor, _: &CredentialId) -> Result<(), AppError> {
        Err(refused())
    }
    async fn read_logins(&self, _: &Actor, _: ImportText) -> Result<ImportId, AppError> {
        Err(refused())
    }
    async fn found_logins(&self, _: &Actor, _: &ImportId) -> Result<Vec<ImportLine>, AppError> {
        Ok(import_lines())
    }
    async fn import_logins(&self, _: &Actor, _: &ImportId, _: Vec<ImportPick>) -> Result<usize, AppError> {
        Err(refused())
    }
}

#[async_trait]
impl RegistriesApi for Samples {
    async fn list(&self, _: &Actor) -> Result<Vec<Registry>, AppError> {
        Ok(self.some(registries()))
    }
    async fn get(&self, _: &Actor, id: &RegistryId) -> Result<Registry, AppError> {
        find(registries(), |registry| registry.id == *id, "registry")
    }
    async fn create(&self, _: &Actor, _: RegistryForm) -> Result<RegistryId, AppError> {
        Err(refused())
    }
    async fn update(&self, _: &Actor, _: &RegistryId, _: i64, _: RegistryForm) -> Result<(), AppError> {
        Err(refused())
    }
    async fn make_default(&self, _: &Actor, _: &RegistryId) -> Result<(), AppError> {
        Err(refused())
    }
    async fn delete(&self, _: &Actor, _: &RegistryId, _: DeleteForm) -> Result<Option<JobId>, AppError> {
        Err(refused())
    }
    async fn users(&self, _: &Actor, id: &RegistryId) -> Result<Vec<RegistryUser>, AppError> {
        Ok(managed::users(id))
    }
    async fn suggestions(&self, _: &Actor) -> Result<Suggestions, AppError> {
        Ok(managed::suggestions(self.is_empty()))
    }
    async fn create_managed(&self, _: &Actor, _: ManagedForm) -> Result<(RegistryId, JobId), AppError> {
        Err(refused())
    }
    async fn update_managed(
        &self,
        _: &Actor,
        _: &RegistryId,
        _: i64,
        _: ManagedForm,
    ) -> Result<Option<JobId>, AppError> {
        Err(refused())
    }
    async fn retry(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(refused())
    }
    async fn restart(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(refused())
    }
    async fn rotate(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(refused())
    }
    async fn reveal(&self, _: &Actor, _: &RegistryId) -> Result<(String, Secret), AppError> {
        Ok(("slipway".into(), Secret::new("correct-horse-battery-staple-0123456789".into())))
    }
    async fn accept_loss(&self, _: &Actor, _: &RegistryId) -> Result<(), AppError> {
        Err(refused())
    }
    async fn status(&self, _: &Actor, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        managed::status(id)
    }
    async fn check(&self, _: &Actor, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        managed::status(id)
    }
    async fn garbage(&self, _: &Actor, id: &RegistryId) -> Result<Garbage, AppError> {
        Ok(garbage::of(id))
    }
    async fn collect_garbage(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(refused())
    }
    async fn set_garbage_rule(&self, _: &Actor, _: &RegistryId, _: GarbageForm) -> Result<(), AppError> {
        Err(refused())
    }
    async fn waits_for_garbage(&self, _: &Actor, job: &JobId) -> Result<Option<i64>, AppError> {
        Ok((*job == JobId::from_random(bits(2))).then(|| now() - 40))
    }
    async fn log(&self, _: &Actor, _: &RegistryId, view: LogView) -> Result<Vec<LogEntry>, AppError> {
        if self.0 == World::NoDocker {
            return Err(Problem::new("docker.away", "Docker can't be reached.", "Start the Docker daemon.").into());
        }
        Ok(managed::log().into_iter().filter(|entry| view.shows(entry)).collect())
    }
    async fn follow_log(&self, _: &Actor, _: &RegistryId, _: LogView, _: Option<String>) -> Result<LogLines, AppError> {
        Err(refused())
    }
}

#[async_trait]
impl BuildsApi for Samples {
    async fn list(&self, _: &Actor, _: Option<&ServiceId>, _: u32) -> Result<Vec<Build>, AppError> {
        Ok(self.some((1..=4).map(build).collect()))
    }
    async fn get(&self, _: &Actor, id: &BuildId) -> Result<Build, AppError> {
        find(
            (1..=4).map(build).chain(queue().into_iter().map(|queued| queued.build)).collect(),
            |build| build.id == *id,
            "build",
        )
    }
    async fn statement(&self, _: &Actor, _: &BuildId, position: usize) -> Result<Option<String>, AppError> {
        Ok((position == 0).then(|| {
            r#"{"predicateType":"https://slsa.dev/provenance/v0.2","subject":[{"name":"pkg:docker/shop/web@1?platform=linux%2Famd64"}],
                "predicate":{"builder":{"id":""},"buildType":"https://mobyproject.org/buildkit@v1",
                "materials":[{"uri":"pkg:docker/base@1","digest":{"sha256":"2d4a6b8c0e1f"}},{"uri":"<script>pwned()</script>"}],
                "metadata":{"buildStartedOn":"2026-11-28T13:14:02Z"}}}"#
                .to_owned()
        }))
    }
    async fn queue(&self, _: &Actor) -> Result<Vec<QueuedBuild>, AppError> {
        Ok(self.some(queue()))
    }
    async fn start(&self, _: &Actor, _: &ServiceId, _: bool, _: bool) -> Result<BuildId, AppError> {
        Err(refused())
    }
    async fn again(&self, _: &Actor, _: &BuildId, _: bool) -> Result<BuildId, AppError> {
        Err(refused())
    }
    async fn reorder(&self, _: &Actor, _: &BuildId, _: Move) -> Result<(), AppError> {
        Err(refused())
    }
    async fn check_push(&self, _: &Actor, _: &Typed) -> Result<Named, AppError> {
        Err(refused())
    }
    async fn cancel(&self, _: &Actor, _: &BuildId) -> Result<(), AppError> {
        Err(refused())
    }
}

#[async_trait]
impl ServicesApi for Samples {
    async fn list(&self, _: &Actor) -> Result<Vec<ServiceSummary>, AppError> {
        let summary = |n, name: &str, state, last_build, deployment| ServiceSummary {
            id: ServiceId::from_random(bits(n)),
            name: name.into(),
            project: if n < 4 { "Shop".into() } else { "Tools".into() },
            state,
            deployment,
            last_build,
            changed: (now() - 3_000 * i64::from(n) * i64::from(n)) * 1_000,
            news: (n == 3).then(news),
        };
        Ok(self.some(vec![
            summary(1, "web", ServiceState::Running, Some(JobState::Running), Some(3)),
            summary(2, "worker", ServiceState::Degraded, Some(JobState::Succeeded), Some(12)),
            summary(3, "search", ServiceState::Running, Some(JobState::Failed), Some(1)),
            summary(
                4,
                "A name that is longer than most of them",
                ServiceState::Stopped,
                Some(JobState::Cancelled),
                Some(7),
            ),
            summary(5, "docs", ServiceState::New, None, None),
        ]))
    }
    async fn projects(&self, _: &Actor) -> Result<Vec<String>, AppError> {
        Ok(self.some(vec!["Shop".into(), "Tools".into()]))
    }
    async fn get(&self, _: &Actor, id: &ServiceId) -> Result<Service, AppError> {
        let all = vec![service(1, "web"), service(2, "worker"), image_service()];
        find(all, |service| service.id == *id, "service")
    }
    async fn create(&self, _: &Actor, _: ServiceForm) -> Result<ServiceId, AppError> {
        Err(refused())
    }
    async fn update(&self, _: &Actor, _: &ServiceId, _: i64, _: ServiceForm) -> Result<(), AppError> {
        Err(refused())
    }
    async fn change_build(&self, _: &Actor, _: &ServiceId, _: i64, _: BuildForm) -> Result<(), AppError> {
        Err(refused())
    }
    async fn delete(&self, _: &Actor, _: &ServiceId) -> Result<(), AppError> {
        Err(refused())
    }
    async fn tasks(&self, _: &Actor, _: &ServiceId) -> Result<(Vec<Task>, i64), AppError> {
        if self.0 == World::NoDocker {
            return Err(Problem::new(
                "docker.unreachable",
                "Docker can't be asked for the tasks.",
                "They are shown again when it answers.",
            )
            .into());
        }
        let task = |id: &str, state: &str, message: Option<&str>, since| Task {
            id: id.into(),
            node: "node-1".into(),
            state: state.into(),
            message: message.map(ToOwned::to_owned),
            image: "sha256:60303ae22b99…".into(),
            since: now() - since,
        };
        Ok((
            vec![
                task("x1f0q8m2", "running", None, 7_200),
                task("k9d3b7z5", "starting", None, 4),
                task(
                    "p0w2e4r6",
                    "rejected",
                    Some(
                        "The image can't be pulled: the registry refused the credential. Test the credential, then deploy again.",
                    ),
                    90,
                ),
            ],
            3,
        ))
    }
    async fn uncovered(&self, _: &Actor, id: &ServiceId) -> Result<Vec<Platform>, AppError> {
        Ok(if *id == ServiceId::from_random(bits(1)) { vec![parsed("linux/arm64")] } else { Vec::new() })
    }
    async fn deployments(&self, _: &Actor, id: &ServiceId) -> Result<Vec<Deployment>, AppError> {
        let image = image_deployment();
        if *id == image.service { Ok(vec![image]) } else { Ok((1..=4).map(deployment).collect()) }
    }
    async fn deployment(&self, _: &Actor, id: &DeploymentId) -> Result<Deployment, AppError> {
        let all = (1..=4).map(deployment).chain([image_deployment()]).collect();
        find(all, |deployment| deployment.id == *id, "deployment")
    }
    async fn deploy_image(&self, _: &Actor, _: &ServiceId) -> Result<DeploymentId, AppError> {
        Err(refused())
    }
    async fn restart(&self, _: &Actor, _: &ServiceId) -> Result<DeploymentId, AppError> {
        Err(refused())
    }
    async fn scale(&self, _: &Actor, _: &ServiceId, _: &str) -> Result<DeploymentId, AppError> {
        Err(refused())
    }
    async fn changes(&self, _: &Actor, _: &DeploymentId, after: &DeploymentId) -> Result<Vec<Change>, AppError> {
        let all: Vec<_> = (1..=4).map(deployment).collect();
        let at = all.iter().position(|deployment| deployment.id == *after);
        Ok(at.filter(|at| *at < 3).map(|at| changes(&all[at + 1], &all[at])).unwrap_or_default())
    }
    async fn histories(&self, _: &Actor, _: &ServiceId) -> Result<Vec<(DeploymentId, Vec<Change>)>, AppError> {
        let all: Vec<_> = (1..=4).map(deployment).collect();
        Ok(all.windows(2).map(|two| (two[0].id.clone(), changes(&two[1], &two[0]))).collect())
    }
    async fn tag_watch(&self, _: &Actor, id: &ServiceId) -> Result<Option<TagWatch>, AppError> {
        let image = image_deployment();
        Ok((*id == image.service).then(|| TagWatch {
            service: image.service,
            mode: WatchMode::Deploy,
            image: parsed(IMAGE),
            seen: Some(parsed(DIGESTS[0])),
            looked: Some(now() - 120),
            next: now() + 180,
            problem: None,
            news: Some(news()),
        }))
    }
    async fn look_at_tag(&self, _: &Actor, _: &ServiceId) -> Result<Option<DeploymentId>, AppError> {
        Err(refused())
    }
    async fn roll_back(&self, _: &Actor, _: &DeploymentId, _: Back) -> Result<DeploymentId, AppError> {
        Err(refused())
    }
    async fn cancel_deployment(&self, _: &Actor, _: &DeploymentId) -> Result<(), AppError> {
        Err(refused())
    }
    async fn standing(&self, _: &Actor, id: &ServiceId) -> Result<Standing, AppError> {
        Ok(standing::of(id))
    }
    async fn paused(&self, _: &Actor) -> Result<Vec<(ServiceId, i64)>, AppError> {
        Ok(self.some(vec![(ServiceId::from_random(bits(1)), now() - 5_400)]))
    }
    async fn check_readiness(&self, _: &Actor, _: &DeploymentId) -> Result<Readiness, AppError> {
        Err(refused())
    }
    async fn pin(&self, _: &Actor, _: &DeploymentId, _: bool) -> Result<(), AppError> {
        Err(refused())
    }
    async fn set_keep(&self, _: &Actor, _: &ServiceId, _: u32) -> Result<(), AppError> {
        Err(refused())
    }
    async fn resume(&self, _: &Actor, _: &ServiceId, _: bool) -> Result<Option<DeploymentId>, AppError> {
        Err(refused())
    }
}

#[async_trait]
impl JobsApi for Samples {
    async fn list(&self, _: &Actor, _: u32) -> Result<Vec<Job>, AppError> {
        Ok(self.some((1..=4).map(job).collect()))
    }
    async fn get(&self, _: &Actor, id: &JobId) -> Result<(Job, Vec<Step>), AppError> {
        if let Some(found) = managed::job(id) {
            return Ok(found);
        }
        let jobs = (1..=4).map(job).chain(queue().iter().map(queued_job)).collect();
        let job = find(jobs, |job: &Job| job.id == *id, "job")?;
        let steps = steps(&job);
        Ok((job, steps))
    }
    async fn waiting(&self, _: &Actor, id: &JobId) -> Result<Option<Waiting>, AppError> {
        Ok(queue().into_iter().map(|queued| queued.waiting).find(|waiting| waiting.job == *id))
    }
    async fn tail(&self, actor: &Actor, id: &JobId, limit: usize) -> Result<(Vec<LogLine>, u64), AppError> {
        let (job, _) = self.get_job(actor, id).await?;
        let lines = lines(&job);
        let skip = lines.len().saturating_sub(limit);
        Ok((lines.into_iter().skip(skip).collect(), 4_096))
    }
    async fn lines(&self, actor: &Actor, id: &JobId, from: u64, count: usize) -> Result<LogPage, AppError> {
        let (job, _) = self.get_job(actor, id).await?;
        let lines = lines(&job);
        let total = lines.len() as u64;
        Ok(LogPage { lines: lines.into_iter().filter(|line| line.n >= from).take(count).collect(), total })
    }
}

impl Samples {
    async fn get_job(&self, actor: &Actor, id: &JobId) -> Result<(Job, Vec<Step>), AppError> {
        JobsApi::get(self, actor, id).await
    }
}

#[async_trait]
impl SettingsApi for Samples {
    async fn host(&self) -> Host {
        let docker = match self.0 {
            World::NoDocker => DockerState::Unreachable {
                reason: "Nothing listens at /var/run/docker.sock: is the Docker daemon running?".into(),
            },
            World::NoSwarm => DockerState::NoSwarm { suggested_address: "192.0.2.10".into() },
            _ => DockerState::Ready,
        };
        Host {
            docker,
            docker_version: Some("26.1.5".into()),
            containerd_store: self.0 == World::Full,
            buildx: if self.0 == World::NoDocker {
                Err("docker: 'buildx' is not a docker command.".into())
            } else {
                Ok("v0.13.1".into())
            },
            has_ipvs: self.0 == World::Empty,
            nodes: 1,
            platform: Some("linux/amd64".into()),
            looked_at: now() - 12,
        }
    }
    async fn configuration(&self, _: &Actor) -> Result<Vec<(String, String)>, AppError> {
        Ok([
            ("listen", "127.0.0.1:7070"),
            ("data_dir", "/var/lib/slipway"),
            ("public_url", "https://slipway.example.com"),
            ("docker_host", "unix:///var/run/docker.sock"),
            ("key_file", "/var/lib/slipway/master.key"),
            ("log_format", "text"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec())
    }
    async fn build_rules(&self, _: &Actor) -> Result<RulesInForce, AppError> {
        let is_capped = self.0 == World::Full;
        let rules = BuildRules {
            parallel: is_capped.then_some(2),
            cpus: is_capped.then_some(150),
            static_image: is_capped.then(|| parsed("docker.io/library/nginx:1.27")),
            ..BuildRules::default()
        };
        let caps = if is_capped {
            CapsHold::By("control groups, version 2".into())
        } else {
            CapsHold::No { why: "Docker runs on another machine, whose control groups Slipway can't make.".into() }
        };
        Ok(RulesInForce { rules, usual_parallel: 4, caps })
    }
    async fn set_build_rules(&self, _: &Actor, _: BuildRulesForm) -> Result<(), AppError> {
        Err(refused())
    }
    async fn start_swarm(&self, _: &Actor, _: &str) -> Result<(), AppError> {
        Err(refused())
    }
}

#[async_trait]
impl ImagesApi for Samples {
    async fn sources(&self, _: &Actor) -> Result<Vec<Source>, AppError> {
        Ok(if self.is_full() { sources() } else { sources().split_off(4) })
    }

    async fn search(&self, actor: &Actor, search: &Search) -> Result<Found, AppError> {
        let mut sources = ImagesApi::sources(self, actor).await?;
        sources.retain(|source| search.credential.is_none() || source.credential == search.credential);
        let mut hits = if self.is_full() { hits(&sources) } else { Vec::new() };
        hits.retain(|hit| format!("{}/{}", hit.host, hit.repository).contains(search.text.trim()));
        if search.live && search.credential.is_none() && !search.text.is_empty() {
            hits.push(Hit {
                about: Some("Official build of Nginx. <b>Not bold.</b>".into()),
                ..hit(&sources[sources.len() - 1], "library/nginx")
            });
        }
        let total = hits.len() as u64;
        let skip = usize::try_from(search.offset).unwrap_or(usize::MAX);
        let limit = if search.limit == 0 { 50 } else { usize::try_from(search.limit).unwrap_or(usize::MAX) };
        Ok(Found { hits: hits.into_iter().skip(skip).take(limit).collect(), total, sources })
    }

    async fn tags(&self, _: &Actor, place: &Place, search: &TagSearch, _: bool) -> Result<Tags, AppError> {
        if !self.is_full() {
            return Ok(Tags { tags: Vec::new(), total: 0, listing: Listing::Never });
        }
        if place.repository.as_str() == "acme/ledger" {
            let why = "This token may read images, but not list tags.".into();
            return Ok(Tags { tags: Vec::new(), total: 0, listing: Listing::CannotList { why } });
        }
        let mut tags: Vec<TagLine> = tags(place);
        tags.retain(|line| line.tag.as_str().contains(&search.text));
        let total = tags.len() as u64;
        let skip = usize::try_from(search.offset).unwrap_or(usize::MAX);
        let limit = if search.limit == 0 { 50 } else { usize::try_from(search.limit).unwrap_or(usize::MAX) };
        let tags = tags.into_iter().skip(skip).take(limit).collect();
        Ok(Tags { tags, total, listing: Listing::Complete { at: now() - 90, count: total, is_refreshing: false } })
    }

    async fn image(&self, _: &Actor, place: &Place, reference: &str, fetch: bool) -> Result<Option<Image>, AppError> {
        Ok((self.is_full() && (fetch || reference != "edge")).then(|| image(place, reference)))
    }

    async fn credential_for(&self, _: &Actor, reference: &ImageRef) -> Result<Option<CredentialId>, AppError> {
        let found = sources().into_iter().find(|source| source.host == reference.host);
        Ok(found.filter(|_| self.is_full()).and_then(|source| source.credential))
    }

    async fn runs_in(&self, _: &Actor, host: &RegistryHost, repository: &Repository) -> Result<Vec<RunsIn>, AppError> {
        Ok(if self.is_full() { runs_in(host, repository) } else { Vec::new() })
    }

    async fn fit(&self, _: &Actor, image: &Image) -> Result<Fit, AppError> {
        let node: Platform = parsed("linux/amd64");
        let fits = image.platforms.iter().flat_map(|image| &image.platform).any(|image| node.runs(image));
        Ok(if fits { Fit::Some { missing: vec![parsed("linux/riscv64")] } } else { Fit::None { nodes: vec![node] } })
    }

    async fn refresh(&self, _: &Actor, _: &CredentialId) -> Result<(), AppError> {
        Err(refused())
    }
}

impl Samples {
    fn is_full(&self) -> bool {
        matches!(self.0, World::Full | World::NoDocker)
    }
}

/// One source for each state of a list; Docker Hub as anybody is the last.
fn sources() -> Vec<Source> {
    let source = |n, name: &str, host, listing| Source {
        credential: Some(CredentialId::from_random(bits(n))),
        name: name.into(),
        host: parsed(host),
        listing,
        allowance: None,
    };
    let refused = Problem::new(
        "registry.refused",
        "registry.example.net:5000 refuses connections: nothing listens on that port.",
        "Check host and port, and whether the registry runs.",
    );
    vec![
        source(1, "GitHub", "ghcr.io", Listing::Complete { at: now() - 240, count: 1_204, is_refreshing: true }),
        source(
            2,
            "Old registry",
            "registry.example.net:5000",
            Listing::Failed { problem: refused, at: Some(now() - 90_000), count: 2 },
        ),
        source(
            3,
            "Google (pull only)",
            "europe-west3-docker.pkg.dev",
            Listing::CannotList { why: "This service account may pull images, but not list them.".into() },
        ),
        source(4, "Quay", "quay.io", Listing::Reading { found: 3_000 }),
        Source {
            credential: None,
            name: "Docker Hub".into(),
            host: parsed("docker.io"),
            listing: Listing::CannotList { why: "Docker Hub is searched, not listed: type a name.".into() },
            allowance: Some(Allowance { remaining: 14, limit: 100, window: 21_600, at: now() - 60 }),
        },
    ]
}

fn hit(source: &Source, repository: &str) -> Hit {
    let repository = parsed(repository);
    Hit {
        credential: source.credential.clone(),
        source: source.name.clone(),
        host: source.host.clone(),
        runs_in: runs_in(&source.host, &repository),
        repository,
        about: None,
    }
}

fn hits(sources: &[Source]) -> Vec<Hit> {
    let names = [
        ("ghcr.io", "acme/web"),
        ("ghcr.io", "acme/web-worker"),
        ("ghcr.io", "acme/ledger"),
        ("registry.example.net:5000", "shop/website"),
        ("registry.example.net:5000", "shop/a-very-long-name-of-a-repository-that-somebody-made-by-a-script/web/cache"),
        ("quay.io", "acme/webhooks"),
    ];
    let found = |(host, name): (&str, &str)| {
        sources.iter().find(|source| source.host.as_str() == host).map(|source| hit(source, name))
    };
    names.into_iter().filter_map(found).collect()
}

fn runs_in(host: &RegistryHost, repository: &Repository) -> Vec<RunsIn> {
    if host.as_str() != "ghcr.io" || repository.as_str() != "acme/web" {
        return Vec::new();
    }
    let image = ImageRef {
        host: host.clone(),
        repository: repository.clone(),
        tag: Some(parsed("1.10.0")),
        digest: Some(digest(0x10)),
    };
    vec![RunsIn { service: ServiceId::from_random(bits(1)), name: "shop".into(), image }]
}

fn digest(n: u8) -> Digest {
    parsed(&format!("sha256:{}", format!("{n:02x}").repeat(32)))
}

fn tags(place: &Place) -> Vec<TagLine> {
    let names = ["latest", "1.10.0", "1.10.0-alpine", "1.10.0-rc.2", "1.9.3", "1.9", "edge", "main", "sha-5f3a9c1"];
    let line = |(n, name): (u8, &str)| {
        let is_known = n % 3 != 2;
        let mut running = runs_in(&place.host, &place.repository);
        running.retain(|running| running.image.tag.as_ref().is_some_and(|tag| tag.as_str() == name));
        TagLine {
            tag: parsed(name),
            digest: is_known.then(|| digest(0x10 + n / 2)),
            at: is_known.then(|| now() - 86_400 * i64::from(n) - 600),
            size: is_known.then(|| 48_211_000 + 1_000 * u64::from(n)),
            runs_in: running,
        }
    };
    (0..).zip(names).map(line).collect()
}

/// An image for two platforms, with provenance and an SBOM.
fn image(place: &Place, reference: &str) -> Image {
    let layer =
        |n, size| Layer { digest: digest(n), media_type: "application/vnd.oci.image.layer.v1.tar+gzip".into(), size };
    let platform = |n: u8, name: &str| PlatformImage {
        platform: Some(parsed(name)),
        digest: digest(n),
        size: 48_204_117,
        config: Some(ImageConfig {
            created: Some(now() - 86_400),
            entrypoint: vec!["/usr/bin/web".into(), "serve".into()],
            cmd: vec!["--port".into(), "8080".into()],
            env_names: ["PATH", "WEB_MODE", "DATABASE_URL"].map(String::from).into(),
            ports: vec!["8080/tcp".into()],
            volumes: vec!["/data".into()],
            user: "1000:1000".into(),
            working_dir: "/srv".into(),
            labels: vec![
                ("org.opencontainers.image.source".into(), "https://github.com/acme/web".into()),
                ("org.opencontainers.image.title".into(), "<script>alert(1)</script>".into()),
            ],
            history: vec![
                ("ADD rootfs.tar.gz /".into(), false),
                ("ENV WEB_MODE=…".into(), true),
                ("COPY web /usr/bin/web".into(), false),
            ],
        }),
        layers: vec![layer(n + 1, 3_401_613), layer(n + 2, 44_801_022)],
    };
    let attestation = |n, about, kind: &str| Attestation {
        digest: digest(n),
        about: Some(digest(about)),
        kinds: vec![kind.into()],
        size: 12_044,
    };
    Image {
        reference: ImageRef {
            host: place.host.clone(),
            repository: place.repository.clone(),
            tag: reference.parse().ok(),
            digest: Some(reference.parse().unwrap_or_else(|_| digest(0x10))),
        },
        media_type: "application/vnd.oci.image.index.v1+json".into(),
        platforms: vec![platform(0x20, "linux/amd64"), platform(0x30, "linux/arm64")],
        attestations: vec![
            attestation(0x40, 0x20, "https://slsa.dev/provenance/v1"),
            attestation(0x41, 0x30, "https://spdx.dev/Document"),
        ],
        annotations: vec![("org.opencontainers.image.revision".into(), "5f3a9c1e".into())],
        at: now() - 45,
    }
}
