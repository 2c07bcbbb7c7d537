//! Lists and their pages.

use super::{access, basic, client, repository};
use crate::liar::{Heard, Liar, Reply};
use slipway::oci::{Access, Client, Names, OciError};

/// Reads page after page; at most ten.
async fn walk(client: &Client, access: &Access) -> Vec<String> {
    let (mut all, mut next) = (Vec::new(), None);
    for _ in 0..10 {
        let page = client.tags(access, &repository(), next.as_deref()).await.expect("a page");
        all.extend(page.names);
        match page.next {
            Some(following) => next = Some(following),
            None => return all,
        }
    }
    panic!("it goes on for ever: {all:?}");
}

fn targets(liar: &Liar) -> Vec<String> {
    liar.heard().iter().map(|heard| heard.target.clone()).collect()
}

/// S3, R8 and REGISTRIES §9.6: wherever a link points, the same list of the same registry goes on.
#[tokio::test]
async fn pages_follow_each_other_in_all_spellings() {
    let sink = Liar::start(|_| Reply::json(200, r#"{"tags":["stolen"]}"#)).await;
    let foreign = format!("<http://{}/v2/shop/web/tags/list?last=b&n=2>; rel=\"next\"", sink.host());
    for link in [
        r#"</v2/shop/web/tags/list?last=b&n=2>; rel="next""#,
        "</v2/shop/web/tags/list?last=b&n=2>;rel=next",
        "<list?last=b&n=2>; rel=next",
        "<?last=b&n=2>; rel=\"next\"",
        "</v2/other/tags/list?last=b&n=2>; rel=next",
        "</api/v2/_catalog?last=b&n=2>; rel=next",
        r#"<https://evil.example/x>; rel="prev", </v2/x?last=b&n=2>; rel="last next"; title="a, b""#,
        foreign.as_str(),
    ] {
        let header = link.to_owned();
        let liar = Liar::start(move |heard| match (heard.authorization(), heard.target.contains("last=")) {
            (None, _) => Reply::challenge(&[r#"Basic realm="x""#]),
            (_, false) => Reply::json(200, r#"{"tags":["a","b"]}"#).with("link", header.clone()),
            (_, true) => Reply::json(200, r#"{"tags":["c"]}"#),
        })
        .await;
        assert_eq!(walk(&client(), &access(&liar)).await, ["a", "b", "c"], "{link}");
        assert_eq!(
            targets(&liar)[2..],
            ["/v2/shop/web/tags/list?last=b&n=2", "/v2/shop/web/tags/list?last=b&n=2"],
            "bare, then with the password: {link}"
        );
    }
    assert!(sink.heard().is_empty(), "{:?}", sink.heard());
}

#[tokio::test]
async fn lists_end() {
    let own = "</v2/shop/web/tags/list?n=1000>; rel=next";
    for (name, body, link, expected) in [
        ("without link", r#"{"tags":["a"]}"#, None, vec!["a"]),
        ("a link to itself", r#"{"tags":["a"]}"#, Some(own), vec!["a"]),
        ("an empty page that goes on", r#"{"tags":[]}"#, Some("<?last=z>; rel=next"), vec![]),
        ("null that goes on", r#"{"tags":null}"#, Some("<?last=z>; rel=next"), vec![]),
        ("a link without query", r#"{"tags":["a"]}"#, Some("</v2/shop/web/tags/list>; rel=next"), vec!["a"]),
        ("a link backwards", r#"{"tags":["a"]}"#, Some("<?last=z>; rel=prev"), vec!["a"]),
        ("a link that never ends", r#"{"tags":["a"]}"#, Some("<?last=z; rel=next"), vec!["a"]),
        ("nothing", "{}", None, vec![]),
        (
            "what is no tag",
            r#"{"tags":["a",null,1,"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","","-x","<b>","b"]}"#,
            None,
            vec!["a", "b"],
        ),
    ] {
        let liar = Liar::start(move |_| match link {
            Some(link) => Reply::json(200, body).with("link", link),
            None => Reply::json(200, body),
        })
        .await;
        let page = client()
            .tags(&access(&liar), &repository(), None)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let names = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(page, Names { names, next: None }, "{name}");
    }
    // A page of rubbish isn't an empty page.
    let liar = Liar::start(|_| Reply::json(200, r#"{"tags":[null]}"#).with("link", "<?last=z>; rel=next")).await;
    let page = client().tags(&access(&liar), &repository(), None).await.expect("a page");
    assert_eq!(page.next.as_deref(), Some("/v2/shop/web/tags/list?last=z"));
    // The page that names itself in the middle.
    let liar = Liar::start(|_| Reply::json(200, r#"{"tags":["a"]}"#).with("link", "<?last=a&n=1>; rel=next")).await;
    assert_eq!(walk(&client(), &access(&liar)).await, ["a", "a"]);
}

/// R9: 1000, then 100, then whatever the registry likes.
#[tokio::test]
async fn a_page_size_that_is_refused_gets_smaller() {
    let refused = || {
        Reply::json(
            400,
            r#"{"errors":[{"code":"PAGINATION_NUMBER_INVALID","message":"invalid number of results requested"}]}"#,
        )
    };
    for (largest, asked) in [("n=100", 2), ("", 3), ("never", 3)] {
        let liar = Liar::start(move |heard| {
            let query = heard.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
            if query == largest { Reply::json(200, r#"{"repositories":["a/b","c"]}"#) } else { refused() }
        })
        .await;
        let outcome = client().repositories(&access(&liar), None).await;
        if largest == "never" {
            assert!(matches!(outcome, Err(OciError::Unexpected { .. })), "{outcome:?}");
        } else {
            assert_eq!(outcome.expect("a page").names, ["a/b", "c"]);
        }
        assert_eq!(liar.heard().len(), asked, "{largest}");
    }
    let liar = Liar::start(|_| Reply::json(400, r#"{"errors":[{"code":"NAME_INVALID"}]}"#)).await;
    let outcome = client().repositories(&access(&liar), None).await;
    assert!(matches!(outcome, Err(OciError::Unexpected { .. })), "{outcome:?}");
    assert_eq!(liar.heard().len(), 1, "another 400 isn't about the size");
}

/// R10: not allowed, not offered, out of order: three different things.
#[tokio::test]
async fn why_there_is_no_list() {
    let behind = |status: u16| {
        move |heard: &Heard| match (heard.path(), heard.authorization()) {
            (_, None) => Reply::challenge(&[r#"Basic realm="x""#]),
            ("/v2/", Some(value)) if value == basic() => Reply::json(200, "{}"),
            ("/v2/", _) => Reply::challenge(&[r#"Basic realm="x""#]),
            _ => Reply::json(status, r#"{"errors":[{"code":"WHY","message":"so it is"}]}"#),
        }
    };
    for status in [401, 403, 404, 405, 501, 500, 503, 302, 418] {
        let liar = Liar::start(behind(status)).await;
        for outcome in [
            client().repositories(&access(&liar), None).await,
            client().tags(&access(&liar), &repository(), None).await,
        ] {
            let error = outcome.expect_err("no list");
            let is_right = match status {
                401 | 403 => matches!(error, OciError::Denied { .. }),
                404 | 405 | 501 => matches!(error, OciError::NotOffered { .. }),
                _ => matches!(error, OciError::Unexpected { .. }),
            };
            assert!(is_right, "{status}: {error:?}");
            assert!(format!("{error:?}").contains("so it is"), "{status}: {error:?}");
        }
    }
    // A password that is wrong is no question of rights.
    let liar = Liar::start(|_| Reply::challenge(&[r#"Basic realm="x""#])).await;
    let outcome = client().repositories(&access(&liar), None).await;
    assert!(matches!(outcome, Err(OciError::WrongCredentials { .. })), "{outcome:?}");
    let anybody = Access { login: None, ..access(&liar) };
    let outcome = client().repositories(&anybody, None).await;
    assert!(matches!(outcome, Err(OciError::SignIn { .. })), "{outcome:?}");
}

/// R5, R8: what isn't a whole list is an error, and never a short list.
#[tokio::test]
async fn a_broken_page_is_an_error() {
    for (reply, part) in [
        (Reply::Cut(br#"{"tags":["a"]}"#.into()), "broke"),
        (Reply::json(200, r#"{"tags":["a""#), "isn't one"),
        (Reply::json(200, r#"{"tags":"a"}"#), "isn't one"),
        (Reply::Answer(200, vec![("content-type", "text/html".into())], b"<html>".into()), "isn't one"),
        (Reply::Answer(200, vec![], b"{\"tags\":[\"\xff\"]}".into()), "isn't one"),
        (Reply::status(200), "isn't one"),
        (Reply::Flood(60_000_000), "more than 33554432 bytes"),
    ] {
        let name = format!("{reply:?}");
        let liar = Liar::start(move |_| reply.clone()).await;
        let error = client().tags(&access(&liar), &repository(), None).await.expect_err(&name);
        assert!(matches!(&error, OciError::Unexpected { answer, .. } if answer.contains(part)), "{name}: {error:?}");
    }
}

/// S3: a place to go on at that was tampered with leads nowhere.
#[tokio::test]
async fn only_this_list_goes_on() {
    let liar = Liar::start(|_| Reply::json(200, r#"{"tags":["a"]}"#)).await;
    for next in
        ["https://evil.example/v2/shop/web/tags/list?last=a", "/v2/_catalog?last=a", "", "/v2/shop/web/tags/list"]
    {
        let outcome = client().tags(&access(&liar), &repository(), Some(next)).await;
        assert!(matches!(outcome, Err(OciError::Unexpected { .. })), "{next}: {outcome:?}");
    }
    assert!(liar.heard().is_empty());
}

/// Calls to other interfaces: any status, the place to go on at, and no more than the rules allow.
#[tokio::test]
async fn other_interfaces_are_called_under_the_same_rules() {
    use app::model::secret::Secret;
    use slipway::oci::{Call, Sign};
    let liar = Liar::start(|heard| match heard.path() {
        "/flood" => Reply::Flood(60_000_000),
        "/429" => Reply::status(429),
        _ => Reply::json(418, &String::from_utf8_lossy(&heard.body))
            .with("link", r#"<https://evil.example/api?page=2>; rel="next", </api?page=9>; rel="last""#),
    })
    .await;
    let call = |path: &str, sign: Sign| Call {
        method: http::Method::POST,
        url: format!("{}{path}", liar.url()),
        sign,
        headers: vec![("x-amz-target", "x".into())],
        body: b"{\"a\":1}".into(),
    };
    let (client, trust) = (client(), crate::lab::internal());
    let secret = || Secret::new("token".into());
    for (sign, name, value) in [
        (Sign::Nothing, "authorization", None),
        (Sign::Basic(super::login()), "authorization", Some(basic())),
        (Sign::Bearer(secret()), "authorization", Some("Bearer token".into())),
        (Sign::Header("PRIVATE-TOKEN", secret()), "private-token", Some("token".into())),
    ] {
        let answer = client.call(&trust, call("/api", sign)).await.expect("an answer");
        assert_eq!((answer.status, answer.body.as_slice()), (418, b"{\"a\":1}".as_slice()));
        assert_eq!(answer.next.as_deref(), Some("/api?page=2"), "the host that it names doesn't count");
        let heard = liar.heard().pop().expect("a request");
        assert_eq!(heard.header(name), value.as_deref());
        assert_eq!((heard.method.as_str(), heard.header("x-amz-target")), ("POST", Some("x")));
    }
    let error = client.call(&trust, call("/flood", Sign::Nothing)).await.expect_err("too long");
    assert!(error.to_string().contains("33554432"), "{error:?}");
    let error = client.call(&trust, call("/429", Sign::Nothing)).await.expect_err("asked too often");
    assert!(matches!(error, OciError::RateLimited { .. }), "{error:?}");
    let bad = client.call(&trust, call("/api", Sign::Bearer(Secret::new("a\r\nb: c".into())))).await;
    assert!(matches!(bad, Err(OciError::Unexpected { .. })), "{bad:?}");
    for path in ["", "//evil.example/", "/a b", "/a\r\nb", "@evil.example/"] {
        let outcome = client.get(&access(&liar), path, "").await;
        let is_own = matches!(&outcome, Ok(answer) if answer.status == 418);
        assert!(is_own || matches!(outcome, Err(OciError::Unexpected { .. })), "{path:?}: {outcome:?}");
    }
}
