//! What can be done with one build, and what a waiting one waits for; for its own page and for lists.

use crate::api::builds::{BuildAgain, CancelBuild};
use crate::model::build::Build;
use crate::model::job::JobState;
use crate::model::queue::{Waiting, WaitsFor};
use crate::paths;
use crate::ui::{Form, Name, Note, Submit};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The buttons of a build's page: cancel while it goes on, again when it is over.
pub fn actions(build: &Build) -> AnyView {
    let hidden = vec![("id", build.id.to_string())];
    if build.state == JobState::Cancelling {
        return ().into_any();
    }
    if !build.state.is_final() {
        return view! {
            <Form to=CancelBuild::PATH class="row" flat=true hidden=hidden>
                <Submit text="Cancel build" icon=Name::Stop/>
            </Form>
        }
        .into_any();
    }
    let again = if build.state == JobState::Succeeded { "Build again" } else { "Retry" };
    // The same commit again; a build that never got to know its commit takes the branch's newest.
    view! {
        <Form to=BuildAgain::PATH class="row" flat=true hidden=hidden>
            <Submit text="Rebuild without cache" class="quiet" send=("no_cache", "yes")/>
            <Submit text=again icon=Name::Refresh send=("no_cache", "no")/>
        </Form>
    }
    .into_any()
}

/// What a waiting build waits for: `its turn`. `builder` is what people call the one that builds it.
pub fn waits(waiting: &Waiting, builder: Option<&str>) -> String {
    let builds = |most: u32| if most == 1 { "one build at once".to_owned() } else { format!("{most} builds at once") };
    match &waiting.waits_for {
        WaitsFor::Turn => "its turn".into(),
        WaitsFor::Other { .. } => "the other build of its service".into(),
        WaitsFor::Resource { most } => {
            format!("the builder {}, which does {}", builder.unwrap_or("that it needs"), builds(*most))
        }
        WaitsFor::Lane { most } => format!("a place: the rules allow {}", builds(*most)),
        WaitsFor::Later { .. } => "the time of its next try".into(),
    }
}

/// Where a waiting build stands, for its own page.
pub fn waiting_note(build: &Build, waiting: &Waiting) -> impl IntoView + use<> {
    let title = format!("Place {} of {} in the queue", waiting.position, waiting.queued);
    let words = format!("It waits for {}.", waits(waiting, build.builder.as_deref()));
    view! {
        <Note tone="info" title=title>
            <p>{words}</p>
            <p><a href=paths::BUILDS>"See the queue"</a></p>
        </Note>
    }
}
