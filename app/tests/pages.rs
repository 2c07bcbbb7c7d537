//! Every page, rendered with samples: what must hold for all of them.

#[path = "../examples/gallery/samples.rs"]
mod samples;

use app::shell::Assets;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use samples::World;
use tower::ServiceExt;

struct Answer {
    status: StatusCode,
    policy: String,
    location: String,
    html: String,
}

async fn get(path: &str, world: World, signed_in: bool) -> Answer {
    let mut request = Request::get(path).body(Body::empty()).expect("a request");
    request.extensions_mut().insert(samples::backend(world));
    request.extensions_mut().insert(Assets {
        js: "/assets/a.js".into(),
        wasm: "/assets/a.wasm".into(),
        css: "/assets/a.css".into(),
        icons: "/assets/icons.svg".into(),
    });
    if signed_in {
        request.extensions_mut().insert(samples::actor());
    }
    let router = app::routes::router().fallback(app::routes::not_found);
    let response = router.oneshot(request).await.expect("an answer");
    let header = |name: header::HeaderName| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (status, policy, location) =
        (response.status(), header(header::CONTENT_SECURITY_POLICY), header(header::LOCATION));
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    Answer { status, policy, location, html: String::from_utf8(body.to_vec()).expect("UTF-8") }
}

/// What holds for every page.
fn check(path: &str, answer: &Answer) {
    let Answer { html, policy, .. } = answer;
    assert!(html.starts_with("<!DOCTYPE html>"), "{path}: {}", html.chars().take(80).collect::<String>());
    assert_eq!(html.matches("<h1").count(), 1, "{path}: one h1");
    assert!(!html.contains(" style="), "{path}: no inline style");
    assert!(!html.contains("onclick"), "{path}: no inline script");
    assert!(html.contains(" – Slipway</title>"), "{path}: a title");
    assert!(!html.contains("pwned()</script>"), "{path}: text is escaped");
    assert!(!policy.contains("unsafe-inline") && policy.contains("default-src 'none'"), "{path}: {policy}");
    let has_islands = html.contains("<leptos-island");
    assert_eq!(html.contains("<script"), has_islands, "{path}: a script only where there are islands");
    assert_eq!(policy.contains("script-src 'none'"), !has_islands, "{path}: {policy}");
    // Controls and their labels, anchors and their ids: nothing leads nowhere, no id is there twice.
    let ids: Vec<&str> = values(html, " id=\"");
    for id in &ids {
        assert_eq!(ids.iter().filter(|other| other == &id).count(), 1, "{path}: id {id} is there twice");
    }
    for id in values(html, " for=\"")
        .into_iter()
        .chain(values(html, "aria-describedby=\"").into_iter().flat_map(str::split_whitespace))
    {
        assert!(ids.contains(&id), "{path}: nothing has the id {id}");
    }
}

fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn every_page_renders_in_every_world() {
    for world in [World::Full, World::Empty, World::NoDocker, World::NoSwarm] {
        for path in samples::paths() {
            let answer = get(&path, world, true).await;
            assert_eq!(answer.status, StatusCode::OK, "{path} in {world:?}: {}", answer.html);
            check(&path, &answer);
        }
    }
}

#[tokio::test]
async fn every_address_of_the_table_has_a_sample() {
    let samples = samples::paths();
    for path in app::routes::PATHS {
        let pattern: Vec<_> = path.split('/').collect();
        let fits = |sample: &String| {
            let parts: Vec<_> = sample.split('?').next().unwrap_or_default().split('/').collect();
            parts.len() == pattern.len()
                && parts.iter().zip(&pattern).all(|(part, pattern)| part == pattern || pattern.starts_with('{'))
        };
        assert!(samples.iter().any(fits) || matches!(*path, "/sign-in" | "/setup"), "{path}");
    }
}

#[tokio::test]
async fn strangers_see_sign_in_and_nothing_else() {
    for path in samples::paths() {
        let answer = get(&path, World::Full, false).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(answer.location.starts_with("/sign-in"), "{path}: {}", answer.location);
    }
    let answer = get("/services?filter=a%26b", World::Full, false).await;
    assert_eq!(answer.location, "/sign-in?next=/services%3Ffilter%3Da%2526b");
    let page = get(&answer.location, World::Full, false).await;
    check("/sign-in", &page);
    assert!(page.html.contains(r#"name="next" value="/services?filter=a%26b""#), "{}", page.html);
    assert!(!page.html.contains("<script") && !page.html.contains(".wasm"));
    assert_eq!(get("/sign-in", World::Full, true).await.location, "/");
}

#[tokio::test]
async fn the_first_run_has_its_page() {
    assert_eq!(get("/sign-in", World::New, false).await.location, "/setup");
    let page = get("/setup", World::New, false).await;
    check("/setup", &page);
    assert!(!page.html.contains("<script"));
    assert_eq!(get("/setup", World::Full, false).await.location, "/sign-in");
}

#[tokio::test]
async fn missing_things_are_not_found() {
    for path in ["/nowhere", "/services/srv_000000000000", "/builds/x", "/jobs/../x"] {
        let answer = get(path, World::Full, true).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        check(path, &answer);
        assert!(!answer.html.contains("<script"), "{path}");
    }
}

#[tokio::test]
async fn texts_stay_texts() {
    let edit = samples::paths().into_iter().find(|path| path.ends_with("/edit")).expect("a sample");
    let answer = get(&edit, World::Full, true).await;
    // Markers that the framework writes between texts would be part of the value.
    assert!(
        answer.html.contains("\nGREETING=hello &lt;/textarea&gt;&lt;b&gt; &amp; co\nLOG_LEVEL=info</textarea>"),
        "{}",
        answer.html
    );
    assert!(answer.html.contains("<title>Edit web, Services – Slipway</title>"));
}

/// A piece that the image picker asks for.
async fn options(query: &str) -> String {
    let answer = get(&format!("/images/options?{query}"), World::Full, true).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.html);
    assert!(!answer.html.contains("<html") && !answer.html.contains("<script"), "{query}: {}", answer.html);
    answer.html
}

#[tokio::test]
async fn the_picker_is_led_from_a_name_to_a_digest() {
    let found = options("step=repositories&q=web").await;
    assert_eq!(values(&found, "data-said=\""), ["5 repositories. A typed name can be checked."]);
    assert!(found.contains(" data-live"), "registries may be asked when the typing rests: {found}");
    assert!(found.contains("runs in shop"), "{found}");
    assert!(!options("step=repositories&q=web&live=1").await.contains(" data-live"));
    assert_eq!(values(&found, " data-prefix=\"")[0], "ghcr.io/acme/web:");

    let next = values(&found, " data-query=\"")[0].replace("&amp;", "&");
    let tags = options(&format!("{next}&q=1.9&live=1")).await;
    assert_eq!(values(&tags, " data-text=\"")[0], "ghcr.io/acme/web:1.9", "what was typed in full comes first");

    let next = values(&tags, " data-query=\"")[0].replace("&amp;", "&");
    let image = options(&format!("{next}&q=&live=1")).await;
    assert!(image.contains("Not every node can run this image."), "{image}");
    let chosen = values(&image, " data-text=\"");
    assert!(chosen[0].starts_with("ghcr.io/acme/web:1.9@sha256:"), "pinned first: {chosen:?}");
    assert_eq!(chosen[1], "ghcr.io/acme/web:1.9");
    assert!(values(&image, " data-credential=\"")[0].starts_with("cred_"), "{image}");
    assert!(values(&image, " data-query=\"").is_empty(), "the choice ends here");
}

#[tokio::test]
async fn the_picker_checks_what_no_list_has() {
    let typed = options("step=repositories&q=ghcr.io/other/thing:2").await;
    assert_eq!(values(&typed, " data-text=\""), ["ghcr.io/other/thing:2"]);
    let unlisted = options("step=repositories&q=team/tool").await;
    assert!(unlisted.contains("can't list: type a whole name and it will be checked."), "{unlisted}");
    assert_eq!(values(&unlisted, " data-text=\"")[0], "europe-west3-docker.pkg.dev/team/tool:");
    let pinned = format!("step=repositories&q=ghcr.io/acme/web:1%40sha256:{}", "10".repeat(32));
    let next = values(&options(&pinned).await, " data-query=\"")[0].replace("&amp;", "&");
    let image = options(&format!("{next}&live=1")).await;
    let texts = values(&image, " data-text=\"");
    assert!(texts.len() == 1 && texts[0].starts_with("ghcr.io/acme/web:1@sha256:1010"), "{texts:?}");
    for broken in
        ["step=tags", "step=tags&host=ghcr.io&name=../x", "step=image&host=ghcr.io&name=a/b&reference=..", "step=none"]
    {
        let answer = get(&format!("/images/options?{broken}"), World::Full, true).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{broken}");
    }
    assert_eq!(get("/images/options?q=a", World::Full, false).await.status, StatusCode::UNAUTHORIZED);
    let hostile = options("step=repositories&q=%3Cscript%3Epwned()%3C/script%3E").await;
    assert!(!hostile.contains("<script"), "{hostile}");
}

#[tokio::test]
async fn a_push_has_its_name_before_it_is_made() {
    let piece = async |query: &str| {
        let answer = get(&format!("/services/push-name?service=&{query}"), World::Full, true).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.html);
        assert!(answer.html.starts_with('<') && !answer.html.contains("<script"), "{query}: {}", answer.html);
        answer.html
    };
    let named = piece("project=Shop&name=Web").await;
    assert!(named.contains("127.0.0.1:5600/shop/web-‹id›:‹commit›"), "{named}");
    assert!(piece("project=Shop").await.contains("Fill in project and name"));
    let forbidden = piece("project=Shop&name=Web&base_path=127.0.0.1:5600/x").await;
    assert!(forbidden.contains(r#"data-rule="path.host""#) && !forbidden.contains("push-preview"), "{forbidden}");
    assert!(!piece("project=Shop&name=Web&base_path=%3Cscript%3E").await.contains("<script"));
    // What a rule forbids isn't asked for.
    assert_eq!(piece("project=Shop&name=Web&base_path=127.0.0.1:5600/x&check=1").await, forbidden);
    let checked = piece("project=Shop&name=Web&check=1").await;
    let same = named.trim_end_matches("<!>");
    assert!(checked.starts_with(same) && checked.contains("note"), "{checked}");
    let answer = get("/services/push-name?project=a&name=b", World::Full, false).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);

    // The forms have it without script, and the button too.
    let service = samples::paths().into_iter().find(|path| path.ends_with("/edit")).expect("a sample");
    let edit = get(&service, World::Full, true).await.html;
    assert!(edit.contains(r#"formaction="/api/builds/check-form""#) && edit.contains(":‹commit›"), "{edit}");
    let page = get(service.trim_end_matches("/edit"), World::Full, true).await.html;
    assert!(page.contains(r#"action="/api/builds/check-push""#) && page.contains(":‹commit›"), "{page}");
}

#[tokio::test]
async fn credentials_say_in_words_how_they_are() {
    let overview = get("/", World::Full, true).await;
    assert!(overview.html.contains("Credential GHCR push doesn't work"), "{}", overview.html);
    assert!(overview.html.contains("Credential Hub pull wants a new password"), "{}", overview.html);
    assert!(overview.html.contains("It ends in 9 days."), "{}", overview.html);
    let list = get("/credentials", World::Full, true).await;
    let failing =
        list.html.split("href=\"").find(|rest| rest.contains(">GHCR push<")).and_then(|rest| rest.split('"').next());
    let page = get(failing.expect("a link"), World::Full, true).await;
    assert_eq!(values(&page.html, "data-lamp=\""), ["green", "green", "green", "red", "dark", "dark", "dark"]);
    for words in ["Works", "Fails", "Not tested", "Make a new token with the right write:packages"] {
        assert!(page.html.contains(words), "{words}: {}", page.html);
    }
}

#[tokio::test]
async fn managed_registries_say_how_they_are_and_offer_the_way_out() {
    let overview = get("/", World::Full, true).await.html;
    for words in
        ["Registry lost its volume doesn't work", "Registry asleep is stopped", "Registry never was wasn't created"]
    {
        assert!(overview.contains(words), "{words}: {overview}");
    }
    assert!(!overview.contains("Registry harbourside"), "a healthy one wants no attention");
    let list = get("/registries", World::Full, true).await.html;
    let page = |name: &str| {
        let link = list.split("href=\"").find(|rest| rest.contains(&format!(">{name}<")));
        link.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{name} is not in the list")).to_owned()
    };
    for (name, state, offered, missing) in [
        ("harbourside", "healthy", "restart", "retry"),
        ("being made", "working", "", "restart"),
        ("nearly full", "warning", "restart", "accept-loss"),
        ("lost its volume", "failing", "accept-loss", "retry"),
        ("asleep", "stopped", "restart", "retry"),
        ("never was", "not_created", "retry", "restart"),
        ("on its way out", "working", "", "delete\""),
    ] {
        let html = get(&page(name), World::Full, true).await.html;
        assert!(html.contains(&format!("data-state=\"{state}\"")), "{name}: {html}");
        let to = |what: &str| format!("action=\"/api/registries/{what}");
        assert!(html.contains(&to(offered)) || offered.is_empty(), "{name} offers {offered}: {html}");
        assert!(!html.contains(&to(missing)), "{name} doesn't offer {missing}");
        for id in ["state", "power", "now"] {
            assert!(html.contains(&format!("id=\"{id}\"")), "{name}: {id}");
        }
    }
    let making = get(&page("being made"), World::Full, true).await.html;
    assert!(making.contains("id=\"steps\"") && making.contains("Hand over settings and password"), "{making}");
    let stopped = get(&page("asleep"), World::Full, true).await.html;
    assert!(stopped.contains("Start<") && !stopped.contains("Restart<"), "{stopped}");
    let healthy = get(&page("harbourside"), World::Full, true).await.html;
    assert!(healthy.contains("docker login 127.0.0.1:5601 --username slipway"), "{healthy}");
    assert!(healthy.contains("went well ("), "{healthy}");
    assert!(!healthy.contains("correct-horse"), "the password is shown where it was asked for, and nowhere else");
    let edit = get(&format!("{}/edit", page("nearly full")), World::Full, true).await.html;
    for (field, is_there) in
        [("s3_access_key", true), ("image", true), ("s3_bucket", false), ("port", false), ("storage", false)]
    {
        assert_eq!(edit.contains(&format!("form[{field}]")), is_there, "what images hang on stays: {field}: {edit}");
    }
    let password = get(&format!("{}/password", page("harbourside")), World::Full, true).await.html;
    assert!(password.contains("correct-horse-battery-staple"), "{password}");
}

#[tokio::test]
async fn the_log_page_narrows_and_explains() {
    let id = samples::paths().into_iter().find(|path| path.ends_with("/logs")).expect("a sample");
    let all = get(&id, World::Full, true).await.html;
    assert!(all.contains("Somebody at 10.0.1.7") && !all.contains("slipway-probe"), "{all}");
    assert!(all.contains("&lt;script&gt;pwned()"), "{all}");
    let errors = get(&format!("{id}?severity=error&own=1&filter=ACCESSDENIED"), World::Full, true).await.html;
    assert!(errors.contains("AccessDenied") && !errors.contains("Somebody at"), "{errors}");
    let download = values(&errors, "href=\"").into_iter().find(|href| href.contains("/log.txt?")).expect("a download");
    assert!(download.ends_with("/log.txt?filter=ACCESSDENIED&amp;severity=error&amp;own=1&amp;tail=200"), "{download}");
    let away = get(&id, World::NoDocker, true).await;
    assert_eq!(away.status, StatusCode::OK);
    assert!(away.html.contains("Docker can't be reached."), "{}", away.html);
}

#[tokio::test]
async fn a_new_registry_is_a_managed_one_unless_somebody_else_runs_it() {
    let managed = get("/registries/new", World::Empty, true).await.html;
    for field in [
        "name",
        "is_default",
        "storage",
        "multi_arch",
        "platforms",
        "image",
        "port",
        "domain",
        "s3_bucket",
        "s3_secret_key",
    ] {
        assert!(managed.contains(&format!("name=\"form[{field}]\"")), "{field}: {managed}");
    }
    assert!(managed.contains("placeholder=\"5602\""), "{managed}");
    assert!(!managed.contains("form[volume]"), "there is none to choose");
    assert!(get("/registries/new", World::Full, true).await.html.contains("form[volume]"));
    let external = get("/registries/new?kind=external", World::Full, true).await.html;
    assert!(external.contains("form[credential]") && !external.contains("form[storage]"), "{external}");
    assert!(!external.contains("Registry harbourside"), "a managed registry's credential is its own");
    assert!(get("/registries/new?kind=external", World::Empty, true).await.html.contains("First a credential"));
}
