//! The general adapter against the lab's registry: CNCF distribution 2.8 with htpasswd.

use super::token_auth::{push, sorted};
use super::{nowhere, repositories, tags};
use crate::lab::Lab;
use app::model::provider::Provider::Generic;
use app::model::secret::Secret;
use slipway::oci::{Login, OciError};
use slipway::providers::ListError;

#[tokio::test]
async fn a_registry_with_passwords_lists_to_every_user() {
    let Some(lab) = Lab::find() else { return };
    let name = "tests/providers";
    let sign = |request: reqwest::RequestBuilder| request.basic_auth(&lab.username, Some(&lab.password));
    let mut digest = String::new();
    for tag in ["1", "2"] {
        digest = push(&lab.url().to_string(), name, tag, sign).await;
    }
    let found = repositories(&nowhere(), Generic, &lab.access(), &[]).await.expect("a list");
    assert!(found.iter().any(|found| found == name), "{found:?}");
    let found = tags(&nowhere(), Generic, &lab.access(), name).await.expect("tags");
    assert_eq!(sorted(&found), ["1", "2"]);
    // The lab is shared: both tags lead to the same manifest, which goes.
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let gone = sign(http.delete(format!("{}/v2/{name}/manifests/{digest}", lab.url()))).send().await;
    assert_eq!(gone.expect("an answer").status(), 202);

    let mut access = lab.access();
    access.login = Some(Login { username: lab.username.clone(), password: Secret::new("wrong".into()) });
    let outcome = repositories(&nowhere(), Generic, &access, &[]).await;
    assert!(matches!(outcome, Err(ListError::Failed(OciError::WrongCredentials { .. }))), "{outcome:?}");
    access.login = None;
    let outcome = repositories(&nowhere(), Generic, &access, &[]).await;
    assert!(matches!(outcome, Err(ListError::CannotList(_))), "{outcome:?}");
}
