//! What goes into a build beside the checkout: arguments, secrets, logins of base images, and Dockerfiles that aren't the
//! repository's.

use super::house::House;
use app::api::credentials::CredentialsApi as _;
use app::model::build_options::Recipe;
use app::model::build_rules::BuildRules;
use app::model::credential::CredentialForm;
use app::model::job::JobState;
use app::model::secret::Secret;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;

/// Secret files in memory, of any Slipway on this data.
fn in_memory(house: &House) -> Vec<PathBuf> {
    let data = house.folder.path().join("data").canonicalize().expect("a path");
    let hash = app::model::text::hex(&Sha256::digest(data.as_os_str().as_encoded_bytes())[..8]);
    let entries = ["/run", "/dev/shm"].into_iter().filter_map(|place| std::fs::read_dir(place).ok());
    entries.flatten().flatten().map(|it| it.path()).filter(|path| path.to_string_lossy().contains(&hash)).collect()
}

#[tokio::test]
async fn arguments_and_secrets_reach_the_build_and_secrets_stay_out_of_its_log() {
    let Some(house) = House::ready().await else { return };
    let (token, key) = ("tok/en+7d1f~c0de", "-----BEGIN KEY-----\nbm90IGEga2V5\nc2VyaW91c2x5\n-----END KEY-----\n");
    house.seal("token", token).await;
    house.seal("key.pem", key).await;
    house.change(|facts| {
        facts.source.build.args = vec![("GREETING".into(), "hello, \"you\" --load $(id)".into())];
        facts.source.build.secrets = vec!["token".into(), "key.pem".into()];
    });
    let run = "ARG GREETING\nRUN --mount=type=secret,id=token --mount=type=secret,id=key.pem,required=true \
               echo \"says $GREETING\" && sha256sum /run/secrets/token /run/secrets/key.pem && cat /run/secrets/token \
               && echo && cat /run/secrets/key.pem && sed 's/^/line: /' /run/secrets/key.pem && base64 /run/secrets/token";
    house.commit("One", &[("Dockerfile", &house.dockerfile(run))]);
    let id = house.start().await;
    house.until(&id, JobState::Succeeded).await;
    let text = house.text(&id).await;
    assert!(text.contains("says hello, \"you\" --load $(id)"), "{text}");
    for value in [token, key] {
        let sum = app::model::text::hex(&Sha256::digest(value));
        assert!(text.contains(&sum), "the build has the very value: {text}");
    }
    for hidden in [token, "bm90IGEga2V5", "c2VyaW91c2x5", "BEGIN KEY", "dG9rL2VuKzdkMWZ+YzBkZQ"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    assert!(text.contains("line: •••"), "{text}");
    house.is_clean();
    assert!(in_memory(&house).is_empty(), "{:?}", in_memory(&house));
}

#[tokio::test]
async fn a_secret_without_a_value_is_named_before_anything_is_fetched() {
    let Some(house) = House::ready().await else { return };
    house.commit("One", &[("Dockerfile", &house.dockerfile(""))]);
    house.change(|facts| facts.source.build.secrets = vec!["npm".into()]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "build.secret");
    assert!(problem.cause.contains("npm"), "{}", problem.cause);
    assert!(problem.link.is_some_and(|link| link.href.ends_with("/build")));
    assert!(!house.steps(&id).await.iter().any(|step| step.name == "checkout"));
}

#[tokio::test]
async fn files_of_secrets_are_gone_after_a_cancel_and_after_a_crash() {
    use app::api::builds::BuildsApi as _;
    let Some(house) = House::ready().await else { return };
    house.seal("token", "tok/en+7d1f~c0de").await;
    house.change(|facts| facts.source.build.secrets = vec!["token".into()]);
    house.commit("One", &[("Dockerfile", &house.dockerfile("RUN echo it runs; sleep 600"))]);
    let id = house.start().await;
    house.says(&id, "it runs").await;
    house.builds.cancel(&house.actor, &id).await.expect("cancelled");
    house.until(&id, JobState::Cancelled).await;
    house.is_clean();
    assert!(in_memory(&house).is_empty());

    // What a killed Slipway left goes at the next start.
    let data = house.folder.path().join("data").canonicalize().expect("a path");
    let hash = app::model::text::hex(&Sha256::digest(data.as_os_str().as_encoded_bytes())[..8]);
    let left = PathBuf::from(format!("/dev/shm/slipway-{hash}-{id}.1"));
    std::fs::create_dir(&left).expect("a folder");
    std::fs::write(left.join("0"), "tok/en+7d1f~c0de").expect("a file");
    house.builds.sweep().await.expect("swept");
    assert!(!left.exists());
}

/// The lab's registry under its other name.
fn elsewhere(house: &House) -> String {
    house.facts.lab.registry.replace("127.0.0.1", "localhost")
}

async fn add_credential(house: &House, name: &str, host: &str) {
    let form = CredentialForm {
        name: name.into(),
        url: format!("http://{host}"),
        username: house.facts.lab.username.clone(),
        password: Secret::new(house.facts.lab.password.clone()),
        internal: Some("on".into()),
        ..CredentialForm::default()
    };
    house.credentials.create(&house.actor, form).await.expect("a credential");
}

/// The hosts that the build which runs may sign in at.
fn hosts(house: &House) -> Vec<String> {
    let folder = std::fs::read_dir(house.builds_dir()).expect("builds").flatten().next().expect("a build").path();
    let text = std::fs::read_to_string(folder.join(".docker/config.json")).expect("the file");
    let config: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(config.as_object().expect("an object").keys().collect::<Vec<_>>(), ["auths"], "no helpers");
    config["auths"].as_object().expect("logins").keys().cloned().collect()
}

#[tokio::test]
async fn a_private_base_image_needs_its_credential_and_no_other_login_comes_along() {
    use app::api::builds::BuildsApi as _;
    let Some(house) = House::ready().await else { return };
    let other = elsewhere(&house);
    let private = house.dockerfile_from(&format!("{other}/base:1"), "RUN echo it runs; sleep 600");
    house.commit("One", &[("Dockerfile", &private)]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "build.base_login", "{problem:?}");
    assert!(
        problem.cause.contains(&format!("{other}/base:1")) && problem.cause.contains("no credential"),
        "{problem:?}"
    );

    add_credential(&house, "Pull", &other).await;
    let id = house.start().await;
    house.says(&id, "it runs").await;
    assert_eq!(hosts(&house), [house.facts.lab.registry.clone(), other.clone()]);
    assert!(house.text(&id).await.contains(&format!("Signing in as Pull for {other}/base.")));
    house.builds.cancel(&house.actor, &id).await.expect("cancelled");
    house.until(&id, JobState::Cancelled).await;

    // A build that doesn't need it doesn't get it.
    house.commit("Two", &[("Dockerfile", &house.dockerfile("RUN echo it runs; sleep 600"))]);
    let id = house.start().await;
    house.says(&id, "it runs").await;
    assert_eq!(hosts(&house), std::slice::from_ref(&house.facts.lab.registry));
    house.builds.cancel(&house.actor, &id).await.expect("cancelled");
    house.until(&id, JobState::Cancelled).await;
    house.is_clean();
}

#[tokio::test]
async fn a_typed_dockerfile_builds_a_repository_that_has_none() {
    let Some(house) = House::ready().await else { return };
    let typed = house.dockerfile("COPY . /src\nRUN ls /src && cat /src/message");
    house.change(|facts| facts.source.build.recipe = Recipe::Typed { text: typed });
    house.commit("One", &[("message", "hello from the repository\n")]);
    let id = house.start().await;
    house.until(&id, JobState::Succeeded).await;
    let text = house.text(&id).await;
    assert!(text.contains("hello from the repository") && !text.contains("\nDockerfile\n"), "{text}");
    house.is_clean();

    house.change(|facts| {
        facts.source.build.recipe = Recipe::Typed { text: "# syntax=evil.example/frontend\nFROM scratch".into() };
    });
    let id = house.start().await;
    assert_eq!(house.fails(&id).await.code, "build.frontend");
}

#[tokio::test]
async fn a_folder_is_served_by_the_web_server_of_the_settings() {
    let Some(house) = House::ready().await else { return };
    let site = |folder: &str| Recipe::Static { folder: folder.parse().expect("a path") };
    house.change(|facts| facts.source.build.recipe = site("public"));
    house.commit("One", &[("public/index.html", "hello from a folder\n"), ("secret.txt", "not served\n")]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "build.static_image");
    assert!(problem.link.is_some_and(|link| link.href == "/settings/builds"));

    let server = format!("{} /www httpd -f -p 8080 -h /www", house.facts.base).parse().expect("a server");
    let rules = BuildRules { static_image: Some(server), ..BuildRules::default() };
    let mut tx = house.db.write().await.expect("a transaction");
    sqlx::query("INSERT INTO build_rules (id, rules, changed, changed_by) VALUES (1, ?, 0, 'ada')")
        .bind(serde_json::to_string(&rules).expect("JSON"))
        .execute(&mut *tx)
        .await
        .expect("a row");
    tx.commit().await.expect("committed");
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;
    let image = build.reference.expect("a name").to_string();
    let docker = |args: &[&str]| {
        let done = std::process::Command::new("docker")
            .args(args)
            .env("DOCKER_HOST", &house.facts.docker_host)
            .output()
            .expect("docker");
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let shown = docker(&["run", "--rm", "--network=none", &image, "sh", "-c", "cat /www/index.html; ls /www"]);
    assert_eq!(shown, "hello from a folder\nindex.html\n");
    assert!(docker(&["image", "inspect", "--format={{json .Config.Cmd}}", &image]).contains("httpd"));

    house.change(|facts| facts.source.build.recipe = site("dist"));
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "build.path");
    assert!(problem.cause.contains("The static site's folder dist isn't in the repository."), "{}", problem.cause);
}
