//! The general adapter against a real registry (CNCF distribution 2.8) with token sign-in, which the test starts: the
//! token server is the test's own and gives what its table of rights says.

use super::script::{Heard, Reply, Server};
use super::{PASSWORD, basic, cannot, names, nowhere, providers, repositories, tags};
use app::model::provider::Provider::Generic;
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;
use slipway::oci::{Access, Client, Login, OciError};
use slipway::providers::{Asker, ListError, ListedTag};
use std::process::Stdio;
use time::OffsetDateTime;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Who signs tokens here.
struct Signer {
    key: PrivateKeyDer<'static>,
    certificate: String,
}

impl Signer {
    /// Made by openssl in `folder`, good for a day.
    async fn make(folder: &std::path::Path) -> Self {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"])
            .args(["-subj", "/CN=tests", "-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(folder)
            .output()
            .await
            .expect("openssl runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).expect("a key");
        let pem = std::fs::read_to_string(folder.join("certificate.pem")).expect("a certificate");
        Self { key, certificate: pem.lines().filter(|line| !line.starts_with('-')).collect() }
    }

    /// A token for `access` (`type`, `name`, `actions`).
    fn token(&self, user: &str, access: &serde_json::Value) -> String {
        #[expect(clippy::disallowed_methods, reason = "the registry looks at the machine's clock")]
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let head = json!({ "typ": "JWT", "alg": "ES256", "x5c": [self.certificate] });
        let claims = json!({
            "iss": "tests", "sub": user, "aud": "registry", "exp": now + 300, "nbf": now - 10, "iat": now,
            "jti": slipway::clock::random_token(), "access": access,
        });
        let text =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let key = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&self.key).expect("a key for ECDSA");
        let signer = key.choose_scheme(&[rustls::SignatureScheme::ECDSA_NISTP256_SHA256]).expect("P-256");
        let signature = raw(&signer.sign(text.as_bytes()).expect("a signature"));
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The two numbers of a DER signature, 32 bytes each, as JWTs want them.
fn raw(der: &[u8]) -> Vec<u8> {
    let mut numbers = Vec::new();
    let mut rest = &der[2..];
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = &number[length.saturating_sub(32)..];
        numbers.extend(std::iter::repeat_n(0, 32 - number.len()));
        numbers.extend_from_slice(number);
        rest = &rest[2 + length..];
    }
    numbers
}

/// What a user gets of the scopes that were asked for: `deploy` all, `guest` pulls alone and no catalog.
fn granted(user: &str, target: &str) -> serde_json::Value {
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let scopes = pairs.filter(|(name, _)| name == "scope").map(|(_, value)| value.into_owned());
    let access = scopes.filter_map(|scope| {
        let (kind, rest) = scope.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let actions: Vec<_> = actions.split(',').filter(|action| user == "deploy" || *action == "pull").collect();
        (!actions.is_empty()).then(|| json!({ "type": kind, "name": name, "actions": actions }))
    });
    access.collect()
}

fn token_server(signer: &Signer, heard: &Heard) -> Reply {
    let user = ["deploy", "guest"].into_iter().find(|user| heard.authorization() == Some(basic(user).as_str()));
    match (heard.path(), user) {
        // Part of what was asked for is an answer, too: whether it's enough is the registry's to say.
        ("/token", Some(user)) => {
            let token = signer.token(user, &granted(user, &heard.target));
            Reply::json(200, json!({ "token": token, "expires_in": 300 }).to_string())
        }
        ("/token", None) => Reply::json(401, r#"{"details":"incorrect username or password"}"#),
        _ => Reply::status(404),
    }
}

struct World {
    _registry: Child,
    _folder: tempfile::TempDir,
    tokens: Server,
    origin: String,
}

/// A registry of the test's own, or None (with the reason on the screen) where there is no such program.
async fn world() -> Option<World> {
    let folder = tempfile::tempdir().expect("a folder");
    let signer = Signer::make(folder.path()).await;
    let tokens = Server::start(move |heard| token_server(&signer, heard)).await;
    let path = folder.path().display();
    let config = format!(
        "version: 0.1\nlog: {{ level: info, formatter: json }}\nstorage: {{ filesystem: {{ rootdirectory: {path}/data }} }}\n\
         http: {{ addr: \"127.0.0.1:0\", secret: tests }}\nauth:\n  token: {{ realm: \"{}/token\", service: registry, \
         issuer: tests, rootcertbundle: {path}/certificate.pem }}\n",
        tokens.origin()
    );
    std::fs::write(folder.path().join("config.yml"), config).expect("a file");
    let started = Command::new("docker-registry")
        .arg("serve")
        .arg(folder.path().join("config.yml"))
        .env("OTEL_TRACES_EXPORTER", "none")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut registry = match started {
        Ok(registry) => registry,
        Err(error) => {
            eprintln!("skipped: docker-registry doesn't start: {error}");
            return None;
        }
    };
    let mut lines = BufReader::new(registry.stderr.take().expect("its log")).lines();
    let wait = async {
        while let Some(line) = lines.next_line().await.expect("its log") {
            if let Some((_, rest)) = line.split_once("listening on ") {
                let address: String =
                    rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':')).collect();
                return format!("http://{address}");
            }
        }
        panic!("the registry ended before it listened");
    };
    let origin = tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.expect("it listens");
    // What it says goes on being read, or it would stop at a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Some(World { _registry: registry, _folder: folder, tokens, origin })
}

impl World {
    fn access(&self, user: &str) -> Access {
        let mut trust = crate::lab::internal();
        // Over plain HTTP another port is another origin, which somebody has to approve.
        trust.realm = Some(self.tokens.origin());
        let login = Login { username: user.into(), password: Secret::new(PASSWORD.into()) };
        Access { url: self.origin.parse().expect("an address"), login: Some(login), trust }
    }

    /// A token that may push everywhere it says, the way any client gets it.
    async fn token(&self, scope: &str) -> String {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let url = url::Url::parse_with_params(&format!("{}/token", self.tokens.origin()), [("scope", scope)]);
        let asked = http.get(url.expect("an address")).header("authorization", basic("deploy")).send().await;
        let answer: serde_json::Value = asked.expect("an answer").json().await.expect("JSON");
        answer["token"].as_str().expect("a token").to_owned()
    }
}

/// Pushes an image without layers the way any client does: config blob, then manifest. Returns the manifest's digest.
pub async fn push(
    origin: &str,
    name: &str,
    tag: &str,
    sign: impl Fn(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
) -> String {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let base = format!("{origin}/v2/{name}");
    let opened = sign(http.post(format!("{base}/blobs/uploads/"))).send().await.expect("an answer");
    assert_eq!(opened.status(), 202, "{name}");
    let mut location = opened.url().join(opened.headers()["location"].to_str().expect("text")).expect("a URL");
    let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    location.query_pairs_mut().append_pair("digest", empty);
    assert_eq!(sign(http.put(location)).body("{}").send().await.expect("an answer").status(), 201);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let config = json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": empty });
    let manifest = json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": [] });
    let put = sign(http.put(format!("{base}/manifests/{tag}"))).header("content-type", kind);
    let answer = put.body(manifest.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    answer.headers()["docker-content-digest"].to_str().expect("text").to_owned()
}

/// Names of tags in order; registries on a filesystem have none.
pub fn sorted(tags: &[ListedTag]) -> Vec<&str> {
    let mut names = names(tags);
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_registry_with_token_sign_in_lists_to_those_who_may() {
    let Some(world) = world().await else { return };
    let pushed = ["apps/api", "apps/web", "base", "team/a/b"];
    for name in pushed {
        let token = world.token(&format!("repository:{name}:pull,push")).await;
        let sign = |request: reqwest::RequestBuilder| request.bearer_auth(&token);
        push(&world.origin, name, "1.0", sign).await;
    }
    let token = world.token("repository:base:pull,push").await;
    push(&world.origin, "base", "latest", |request| request.bearer_auth(&token)).await;

    let deploy = world.access("deploy");
    let mut found = repositories(&nowhere(), Generic, &deploy, &[]).await.expect("a list");
    found.sort();
    assert_eq!(found, pushed);
    // The same in pages of one, as the registry itself numbers them.
    let (mut paged, mut cursor) = (Vec::new(), "/v2/_catalog?n=1".to_owned());
    for _ in 0..10 {
        let asker = Asker { access: &deploy, namespaces: &[] };
        let page = providers(&nowhere()).of(Generic).repositories(asker, Some(&cursor)).await.expect("a page");
        assert!(page.items.len() <= 1, "{page:?}");
        paged.extend(page.items.into_iter().map(|item| item.name.to_string()));
        match page.next {
            Some(next) => cursor = next,
            None => break,
        }
    }
    paged.sort();
    assert_eq!(paged, pushed);
    assert_eq!(sorted(&tags(&nowhere(), Generic, &deploy, "base").await.expect("tags")), ["1.0", "latest"]);

    let guest = world.access("guest");
    let why = cannot(repositories(&nowhere(), Generic, &guest, &[]).await);
    assert!(why.contains("registry:catalog:*"), "{why}");
    assert_eq!(names(&tags(&nowhere(), Generic, &guest, "apps/web").await.expect("tags")), ["1.0"]);
    let stranger = repositories(&nowhere(), Generic, &world.access("stranger"), &[]).await;
    assert!(matches!(stranger, Err(ListError::Failed(OciError::WrongCredentials { .. }))), "{stranger:?}");

    let client = Client::new().expect("a client");
    let name = "apps/web".parse().expect("a repository");
    client.may_push(&deploy, &name).await.expect("deploy may push");
    let refused = client.may_push(&guest, &name).await.expect_err("guest may not");
    assert!(matches!(refused, OciError::Denied { .. }), "{refused:?}");

    let mut unapproved = world.access("deploy");
    unapproved.trust.realm = None;
    let outcome = repositories(&nowhere(), Generic, &unapproved, &[]).await;
    assert!(matches!(outcome, Err(ListError::Failed(OciError::ForeignRealm { .. }))), "{outcome:?}");
}

#[test]
fn signatures_have_two_numbers_of_32_bytes() {
    let mut der = vec![0x30, 0x45, 0x02, 0x21, 0x00];
    der.extend([0x81; 32]);
    der.extend([0x02, 0x1f]);
    der.extend([0x05; 31]);
    let numbers = raw(&der);
    assert_eq!((numbers.len(), &numbers[..32], numbers[32]), (64, &[0x81; 32][..], 0));
    assert_eq!(STANDARD.encode(&numbers[33..36]), "BQUF");
}
