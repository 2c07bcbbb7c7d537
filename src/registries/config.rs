//! What the registry program is told: its whole `config.yml`, and who may sign in. Pure.
//!
//! Written as JSON, which is YAML too, so that no value can break out of its place. After REGISTRIES.md §5.4 and
//! distribution's own documentation of 2.8 and 3.x
//! (<https://distribution.github.io/distribution/about/configuration/>). What must always hold: only keys that the
//! version knows; no cache of blobs (it corrupts pushes after a garbage collection); the debug listener answers inside the
//! container alone; clients are never sent to a bucket that they may not reach.

use super::record::Wanted;
use crate::s3::Keys;
use app::model::image_ref::ImageRef;
use app::model::registry::{S3Place, Storage};
use app::model::secret::Secret;
use serde_json::{Value, json};

/// Where the container has its files.
pub(super) const CONFIG: &str = "/run/secrets/config.yml";
/// Who may sign in.
pub(super) const HTPASSWD: &str = "/run/secrets/htpasswd";
/// Where a volume is mounted.
pub(super) const DATA: &str = "/var/lib/registry";
/// Where it listens in the container.
pub(super) const PORT: u16 = 5000;
/// Health, inside the container alone.
pub(super) const HEALTH: &str = "http://127.0.0.1:5001/debug/health";
/// bcrypt is checked on every request; the password is 256 random bits, so a low cost loses nothing.
const COST: u32 = 5;

/// Which series of distribution an image holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Series {
    /// 2.8.
    Two,
    /// 3.0 and later.
    Three,
}

impl Series {
    /// By the number that the tag begins with. A tag without one (`latest`, a digest alone) counts as 3: 2.8 ignores the one
    /// key that it doesn't know of what 3 is told, while 3 can't do without it.
    pub(super) fn of(image: &str) -> Self {
        let tag = image.parse::<ImageRef>().ok().and_then(|image| image.tag);
        let number = tag.as_ref().map(|tag| tag.as_str().trim_start_matches('v'));
        match number.and_then(|text| text.split(['.', '-', '_']).next()).and_then(|text| text.parse::<u32>().ok()) {
            Some(0..=2) => Self::Two,
            _ => Self::Three,
        }
    }
}

/// The configuration of a registry. `keys`: those of its bucket, when it has one.
pub(super) fn config(wanted: &Wanted, http_secret: &Secret, keys: Option<&Keys>) -> Secret {
    let mut storage = json!({
        "delete": {"enabled": true},
        // Nodes and people reach the registry; whether they reach the bucket is another question.
        "redirect": {"disable": true},
        "maintenance": {
            "uploadpurging": {"enabled": true, "age": "168h", "interval": "24h", "dryrun": false},
            "readonly": {"enabled": wanted.read_only},
        },
    });
    let (driver, parameters) = match &wanted.storage {
        Storage::Volume { .. } => ("filesystem", json!({"rootdirectory": DATA})),
        Storage::S3(place) => ("s3", s3(place, keys, Series::of(&wanted.image))),
    };
    storage[driver] = parameters;
    let config = json!({
        "version": 0.1,
        "log": {"level": "info", "formatter": "json", "accesslog": {"disabled": false}},
        "storage": storage,
        "http": {
            "addr": format!(":{PORT}"),
            "secret": http_secret.expose("the registry signs the state of uploads with it"),
            // Behind a proxy that ends TLS the registry doesn't know its own address.
            "relativeurls": true,
            "draintimeout": "45s",
            "debug": {"addr": "127.0.0.1:5001"},
            "headers": {"X-Content-Type-Options": ["nosniff"]},
        },
        "auth": {"htpasswd": {"realm": "Slipway registry", "path": HTPASSWD}},
        "health": {"storagedriver": {"enabled": true, "interval": "10s", "threshold": 3}},
    });
    Secret::new(config.to_string())
}

fn s3(place: &S3Place, keys: Option<&Keys>, series: Series) -> Value {
    let mut parameters = json!({
        "region": place.region,
        "bucket": place.bucket,
        "encrypt": place.encrypt,
        "v4auth": true,
        "secure": place.endpoint.as_ref().is_none_or(|endpoint| !endpoint.starts_with("http://")),
    });
    if let Some(keys) = keys {
        parameters["accesskey"] = json!(keys.access.expose("the registry signs in at its bucket"));
        parameters["secretkey"] = json!(keys.secret.expose("the registry signs in at its bucket"));
    }
    if let Some(endpoint) = &place.endpoint {
        parameters["regionendpoint"] = json!(endpoint);
    }
    if !place.prefix.is_empty() {
        parameters["rootdirectory"] = json!(format!("/{}", place.prefix));
    }
    // 2.8 uses path style whenever it has an endpoint, and doesn't know the key.
    if series == Series::Three {
        parameters["forcepathstyle"] = json!(place.path_style);
    }
    parameters
}

/// The file of those who may sign in: one user.
pub(super) fn htpasswd(username: &str, password: &Secret) -> Result<Secret, bcrypt::BcryptError> {
    let hash = bcrypt::hash(password.expose("it is hashed for the registry"), COST)?;
    Ok(Secret::new(format!("{username}:{hash}\n")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    fn place() -> S3Place {
        S3Place {
            region: "us-east-1".into(),
            endpoint: Some("http://10.0.0.1:9000".into()),
            bucket: "images".into(),
            prefix: "a/b".into(),
            path_style: true,
            encrypt: true,
            internal: true,
        }
    }

    fn keys() -> Keys {
        Keys { access: Secret::new("AKIA\"x: y".into()), secret: Secret::new("se\\cret\n#'{}".into()) }
    }

    fn wanted(image: &str, storage: Storage) -> Wanted {
        Wanted { image: image.into(), domain: None, storage, keys: 0, read_only: false }
    }

    fn volume() -> Storage {
        Storage::Volume { name: "data".into() }
    }

    fn text(wanted: &Wanted, keys: Option<&Keys>) -> String {
        config(wanted, &Secret::new("s3cr3t".into()), keys).expose("the test reads it").to_owned()
    }

    fn json(wanted: &Wanted, keys: Option<&Keys>) -> Value {
        serde_json::from_str(&text(wanted, keys)).expect("JSON")
    }

    #[test]
    fn the_tag_says_which_series_it_is() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (image, series) in [
            ("registry:2", Series::Two),
            ("docker.io/library/registry:2.8.3", Series::Two),
            (&format!("docker.io/library/registry:2.8.3@{digest}"), Series::Two),
            ("127.0.0.1:5600/registry:2-alpine", Series::Two),
            ("registry:3", Series::Three),
            ("ghcr.io/distribution/distribution:v3.1.1", Series::Three),
            ("registry:3.0.0-rc.4", Series::Three),
            ("registry:latest", Series::Three),
            ("registry", Series::Three),
            (&format!("registry@{digest}"), Series::Three),
            ("registry:20240101", Series::Three),
        ] {
            assert_eq!(Series::of(image), series, "{image}");
        }
    }

    /// The keys that the documentation lists, of those parts that are written here; `2` and `3` where only one series has
    /// them. Sources: distribution v2.8.3 `docs/configuration.md` and `docs/storage-drivers/{filesystem,s3}.md`; v3.0.0
    /// `docs/content/about/configuration.md` and `docs/content/storage-drivers/{filesystem,s3}.md`.
    const KNOWN: &str = "
        version
        log.level log.formatter log.fields log.hooks log.accesslog.disabled
        storage.filesystem.rootdirectory storage.filesystem.maxthreads
        storage.s3.accesskey storage.s3.secretkey storage.s3.region storage.s3.regionendpoint storage.s3.bucket
        storage.s3.encrypt storage.s3.keyid storage.s3.secure storage.s3.skipverify storage.s3.v4auth storage.s3.chunksize
        storage.s3.multipartcopychunksize storage.s3.multipartcopymaxconcurrency storage.s3.multipartcopythresholdsize
        storage.s3.rootdirectory storage.s3.storageclass storage.s3.objectacl storage.s3.useragent
        3:storage.s3.forcepathstyle 3:storage.s3.usedualstack 3:storage.s3.accelerate 3:storage.s3.loglevel
        storage.delete.enabled storage.redirect.disable 3:storage.tag.concurrencylimit
        storage.maintenance.uploadpurging.enabled storage.maintenance.uploadpurging.age
        storage.maintenance.uploadpurging.interval storage.maintenance.uploadpurging.dryrun
        storage.maintenance.readonly.enabled
        http.addr http.net http.prefix http.host http.secret http.relativeurls http.draintimeout http.debug.addr
        http.debug.prometheus.enabled http.debug.prometheus.path http.headers.* http.http2.disabled 3:http.h2c.enabled
        auth.htpasswd.realm auth.htpasswd.path
        health.storagedriver.enabled health.storagedriver.interval health.storagedriver.threshold
        catalog.maxentries 3:tags.maxtags 2:compatibility.schema1.enabled
        validation.manifests.urls.allow validation.manifests.urls.deny";

    fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
        match value.as_object() {
            Some(map) => {
                for (key, value) in map {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    leaves(value, &path, found);
                }
            }
            None => found.push(path.to_owned()),
        }
    }

    /// Acceptance 5: what isn't in the version's documentation isn't written for it.
    #[test]
    fn only_keys_that_the_series_documents_are_written() {
        for (image, number) in [("registry:2.8.3", "2"), ("registry:3.1.1", "3")] {
            let known: Vec<&str> = KNOWN
                .split_whitespace()
                .filter_map(|key| match key.split_once(':') {
                    Some((series, key)) => (series == number).then_some(key),
                    None => Some(key),
                })
                .collect();
            for storage in [volume(), Storage::S3(place())] {
                let mut found = Vec::new();
                leaves(&json(&wanted(image, storage), Some(&keys())), "", &mut found);
                for key in &found {
                    let starred = key.rsplit_once('.').map(|(head, _)| format!("{head}.*")).unwrap_or_default();
                    assert!(known.contains(&key.as_str()) || known.contains(&starred.as_str()), "{image}: {key}");
                }
                assert!(found.iter().any(|key| key == "storage.delete.enabled"), "{found:?}");
                assert!(found.iter().all(|key| !key.contains("cache")), "{found:?}");
                let drivers = ["storage.filesystem.rootdirectory", "storage.s3.bucket"];
                let drivers = drivers.into_iter().filter(|driver| found.iter().any(|key| key == driver)).count();
                assert_eq!(drivers, 1, "two drivers stop the registry");
            }
        }
    }

    #[test]
    fn a_bucket_is_told_apart_by_series_and_its_values_stay_in_their_place() {
        let two = json(&wanted("registry:2", Storage::S3(place())), Some(&keys()));
        let three = json(&wanted("registry:3", Storage::S3(place())), Some(&keys()));
        assert!(two["storage"]["s3"].get("forcepathstyle").is_none());
        assert_eq!(three["storage"]["s3"]["forcepathstyle"], true);
        for config in [two, three] {
            let s3 = &config["storage"]["s3"];
            assert_eq!(s3["accesskey"], "AKIA\"x: y");
            assert_eq!(s3["secretkey"], "se\\cret\n#'{}");
            assert_eq!(s3["rootdirectory"], "/a/b");
            assert_eq!((&s3["secure"], &s3["encrypt"]), (&json!(false), &json!(true)));
            assert_eq!(config["storage"]["redirect"]["disable"], true);
        }
        let amazon = S3Place { endpoint: None, prefix: String::new(), ..place() };
        let config = json(&wanted("registry:3", Storage::S3(amazon)), Some(&keys()));
        let s3 = config["storage"]["s3"].as_object().expect("a driver");
        assert!(!s3.contains_key("regionendpoint") && !s3.contains_key("rootdirectory"));
        assert_eq!(s3["secure"], true);
    }

    #[test]
    fn nothing_but_the_lock_changes_while_garbage_is_collected() {
        let open = json(&wanted("registry:2", volume()), None);
        let mut shut = json(&Wanted { read_only: true, ..wanted("registry:2", volume()) }, None);
        assert_eq!(open["storage"]["maintenance"]["readonly"]["enabled"], false);
        assert_eq!(shut["storage"]["maintenance"]["readonly"]["enabled"], true);
        shut["storage"]["maintenance"]["readonly"]["enabled"] = json!(false);
        assert_eq!(open, shut);
    }

    #[test]
    fn the_password_is_hashed_at_low_cost() {
        let file = htpasswd("slipway", &Secret::new("hunter2".into())).expect("hashed");
        let line = file.expose("the test reads it");
        let (user, hash) = line.trim_end().split_once(':').expect("user and hash");
        assert!(user == "slipway" && hash.starts_with("$2b$05$") && !line.contains("hunter2"), "{line}");
        assert!(bcrypt::verify("hunter2", hash).expect("a hash"));
    }

    /// The very file, given to the real program; only its addresses and folders are moved, by environment.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test is about what this very program says to the file")]
    fn the_real_registry_starts_with_it_and_wants_the_password() {
        if Command::new("docker-registry").arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("skipped: docker-registry isn't installed");
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let free = || std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
        let (here, debug) = (free(), free());
        std::fs::write(at("config.yml"), text(&wanted("registry:2.8.2", volume()), None)).expect("written");
        let file = htpasswd("slipway", &Secret::new("hunter2".into())).expect("hashed");
        std::fs::write(at("htpasswd"), file.expose("the test's registry reads it")).expect("written");
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(at("config.yml"))
            .env("REGISTRY_HTTP_ADDR", here.to_string())
            .env("REGISTRY_HTTP_DEBUG_ADDR", debug.to_string())
            .env("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", at("data"))
            .env("REGISTRY_AUTH_HTPASSWD_PATH", at("htpasswd"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at("log")).expect("a file"))
            .spawn()
            .expect("docker-registry runs");
        let ask = |address: std::net::SocketAddr, path: &str, login: &str| -> Option<String> {
            use std::io::{Read as _, Write as _};
            let mut stream = std::net::TcpStream::connect(address).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
            write!(stream, "GET {path} HTTP/1.0\r\nHost: x\r\n{login}\r\n").ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            Some(answer)
        };
        let begun = Instant::now();
        let refused = loop {
            if let Some(answer) = ask(here, "/v2/", "") {
                break answer;
            }
            let log = || std::fs::read_to_string(at("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(20), "it doesn't answer: {}", log());
            assert!(process.try_wait().expect("a state").is_none(), "it ended: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        };
        // slipway:hunter2
        let signed = ask(here, "/v2/", "Authorization: Basic c2xpcHdheTpodW50ZXIy\r\n").expect("an answer");
        let healthy = ask(debug, "/debug/health", "").expect("an answer");
        process.kill().expect("it runs");
        process.wait().expect("it ends");
        assert!(refused.starts_with("HTTP/1.0 401") && refused.contains("Slipway registry"), "{refused}");
        assert!(signed.starts_with("HTTP/1.0 200"), "{signed}");
        assert!(healthy.starts_with("HTTP/1.0 200"), "{healthy}");
        let log = std::fs::read_to_string(at("log")).expect("its log");
        assert!(log.contains("\"level\"") && !log.contains("s3cr3t"), "{log}");
    }
}
