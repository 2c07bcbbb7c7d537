//! Ranges of a job's log, for a page that shows only the lines in sight.

use super::Web;
use super::errors::failure;
use super::streams::asked;
use app::api::jobs::JobsApi as _;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// Most lines in one answer.
const MOST_LINES: u64 = 2_000;

/// `GET /jobs/{id}/log/lines?from=<line>&count=<lines>`: JSON.
pub async fn lines(State(web): State<Arc<Web>>, Path(id): Path<String>, request: Request) -> Response {
    let headers = request.headers();
    let (actor, id) = match asked(&request, &id) {
        Ok(asked) => asked,
        Err(error) => return failure(headers, &error),
    };
    let query = request.uri().query().unwrap_or_default();
    let (from, count) = (number(query, "from").unwrap_or(1), number(query, "count").unwrap_or(500));
    let count = usize::try_from(count.min(MOST_LINES)).unwrap_or_default();
    match web.jobs.lines(&actor, &id, from, count).await {
        Ok(page) => Json(page).into_response(),
        Err(error) => failure(headers, &error),
    }
}

/// A number of the query; what isn't one counts as not given.
fn number(query: &str, name: &str) -> Option<u64> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_nonsense_is_left_out() {
        assert_eq!(number("from=12&count=3", "count"), Some(3));
        assert_eq!(number("from=-1", "from"), None);
        assert_eq!(number("", "from"), None);
    }
}
