//! The probe of buckets: against the lab's S3-compatible server, which checks keys, and against servers that do what it can't.

mod faults;

use app::error::FieldError;
use app::model::registry::S3Place;
use app::model::secret::Secret;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use serde::Deserialize;
use slipway::s3::{Keys, probe};
use std::time::Duration;

/// The lab's store.
#[derive(Clone, Deserialize)]
pub struct Store {
    pub endpoint: String,
    pub region: String,
    pub bucket: String,
    pub access_key: String,
    pub secret_key: String,
}

impl Store {
    /// None, with the reason on the screen, where the lab has none.
    pub fn find() -> Option<Self> {
        #[derive(Deserialize)]
        struct Lab {
            #[serde(default)]
            s3: Option<Store>,
        }
        let Some(file) = std::env::var_os("SLIPWAY_LAB_FILE") else {
            eprintln!("skipped: SLIPWAY_LAB_FILE doesn't name the lab's file; `make test` starts one");
            return None;
        };
        let text = std::fs::read(&file).expect("the lab's file");
        let lab: Lab = serde_json::from_slice(&text).expect("the lab's file is JSON");
        if lab.s3.is_none() {
            eprintln!("skipped: the lab has no S3-compatible store; `scripts/lab start` says why");
        }
        lab.s3
    }

    pub fn place(&self, prefix: &str) -> S3Place {
        S3Place {
            region: self.region.clone(),
            endpoint: Some(self.endpoint.clone()),
            bucket: self.bucket.clone(),
            prefix: prefix.into(),
            path_style: true,
            encrypt: false,
            internal: true,
        }
    }

    pub fn keys(&self) -> Keys {
        keys(&self.access_key, &self.secret_key)
    }

    /// What an object listing below a prefix answers.
    pub async fn list(&self, prefix: &str) -> String {
        let endpoint = self.endpoint.parse().expect("an address");
        let bucket = Bucket::new(endpoint, UrlStyle::Path, self.bucket.clone(), self.region.clone()).expect("a bucket");
        let credentials = Credentials::new(&self.access_key, &self.secret_key);
        let mut list = bucket.list_objects_v2(Some(&credentials));
        list.query_mut().insert("prefix", prefix.to_owned());
        let answer = reqwest::get(list.sign(Duration::from_secs(60))).await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.text().await.expect("a text")
    }
}

fn keys(access: &str, secret: &str) -> Keys {
    Keys { access: Secret::new(access.into()), secret: Secret::new(secret.into()) }
}

fn prefix() -> String {
    format!("test-{}", slipway::clock::random_hex::<6>())
}

async fn refused(place: &S3Place, keys: &Keys) -> FieldError {
    probe(place, keys).await.expect_err("it is refused")
}

#[tokio::test]
async fn a_bucket_that_works_is_left_as_it_was() {
    let Some(store) = Store::find() else { return };
    for prefix in [prefix(), format!("{}/a.b/c_d", prefix())] {
        let mut place = store.place(&prefix);
        probe(&place, &store.keys()).await.expect("it works");
        place.encrypt = true;
        probe(&place, &store.keys()).await.expect("encrypted, too");
        let left = store.list(&prefix).await;
        assert!(left.contains("<ListBucketResult") && !left.contains("<Key>"), "{left}");
    }
    probe(&store.place(""), &store.keys()).await.expect("without a prefix");
    assert!(!store.list("slipway-probe-").await.contains("<Key>"));
}

#[tokio::test]
async fn what_is_wrong_sits_on_its_field() {
    let Some(store) = Store::find() else { return };
    let (place, good) = (store.place(&prefix()), store.keys());

    let error = refused(&place, &keys("AKIAIOSFODNN7EXAMPLE", &store.secret_key)).await;
    assert_eq!(error.field, "s3_access_key", "{error:?}");
    let error = refused(&place, &keys(&store.access_key, "wrong-secret-of-mine")).await;
    assert_eq!(error.field, "s3_secret_key", "{error:?}");
    assert!(!error.message.contains("wrong-secret-of-mine") && !error.message.contains(&store.access_key), "{error:?}");
    let error = refused(&S3Place { bucket: "nobody-made-this".into(), ..place.clone() }, &good).await;
    assert_eq!(error.field, "s3_bucket", "{error:?}");
    assert!(error.message.contains("no bucket nobody-made-this"), "{error:?}");
    // The bucket's name can't stand before an address of numbers.
    let error = refused(&S3Place { path_style: false, ..place.clone() }, &good).await;
    assert_eq!(error.field, "s3_path_style", "{error:?}");

    for (endpoint, words) in [
        (format!("http://127.0.0.1:{}", crate::swarm::free_port()), "refuses connections"),
        ("http://store.invalid:9000".to_owned(), "can't be resolved"),
        (store.endpoint.replace("http://", "https://"), "TLS"),
    ] {
        let error = refused(&S3Place { endpoint: Some(endpoint), ..place.clone() }, &good).await;
        assert_eq!(error.field, "s3_endpoint", "{error:?}");
        assert!(error.message.contains(words), "{error:?}");
    }
    assert!(!store.list(&place.prefix).await.contains("<Key>"));
}

/// What is on this machine and in its networks is out of reach unless that is asked for; metadata services always are.
#[tokio::test]
async fn s4_addresses_are_judged() {
    let some = keys("AKIAIOSFODNN7EXAMPLE", "secret");
    let at = |endpoint: &str, internal: bool| S3Place {
        region: "us-east-1".into(),
        endpoint: Some(endpoint.into()),
        bucket: "bucket".into(),
        prefix: String::new(),
        path_style: true,
        encrypt: false,
        internal,
    };
    for endpoint in
        ["https://127.0.0.1:9000", "https://10.0.0.1", "https://localhost", "https://[::1]", "http://1.1.1.1"]
    {
        let error = refused(&at(endpoint, false), &some).await;
        assert_eq!(error.field, "s3_endpoint", "{error:?}");
        assert!(error.message.contains("tick that it is on an internal network"), "{endpoint}: {error:?}");
    }
    for endpoint in ["http://169.254.169.254", "http://2852039166", "http://[fd00:ec2::254]", "http://0.0.0.0:9000"] {
        let error = refused(&at(endpoint, true), &some).await;
        assert_eq!(error.field, "s3_endpoint", "{error:?}");
        assert!(error.message.contains("never connects there"), "{endpoint}: {error:?}");
    }
}
