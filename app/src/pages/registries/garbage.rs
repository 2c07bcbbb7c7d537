//! The garbage of a registry that Slipway runs: collect it now, when it is collected by itself, and what came of it.

use super::find_managed;
use crate::api::registries::{CollectRegistryGarbage, SetRegistryGarbageRule};
use crate::model::id::RegistryId;
use crate::model::job::JobState;
use crate::model::registry::{Disk, Garbage, GarbageForm, GarbageRun, Managed, Phase, Storage};
use crate::model::text;
use crate::pages::{Page, PageResult};
use crate::ui::job::{Steps, follow};
use crate::ui::table::{Column, col, wide};
use crate::ui::{
    Age, Card, Empty, Fact, Facts, Field, Form, JobBadge, Name, Note, PageHead, Select, Submit, Table, time,
};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (id, registry, of) = find_managed().await?;
    let (actor, backend) = request::signed_in()?;
    let garbage = backend.registries.garbage(&actor, &id).await?;
    let steps = match &garbage.job {
        Some(job) => Some(backend.jobs.get(&actor, job).await?.1),
        None => None,
    };
    let live = follow(&actor, &backend, garbage.job.clone()).await?.into_any();
    let title = format!("Garbage of {}", registry.name);
    let banner = banner(&garbage);
    let now = now(&id, &of, &garbage);
    let rule = rule(&id, &garbage, &of.storage);
    let runs = runs(&garbage.runs);
    Ok(Page::new(
        format!("{title}, Registries"),
        view! {
            <PageHead title=title under=(paths::registry(&id), registry.name.clone()) badge=live/>
            {banner}
            {steps.map(|steps| view! { <Steps steps=steps/> })}
            <Card title="Collect it">{now}</Card>
            <Card title="By itself">{rule}</Card>
            <Card title="Runs" flush=true>{runs}</Card>
        },
    ))
}

/// Since when nothing can be pushed, and where to see why.
fn banner(garbage: &Garbage) -> Option<AnyView> {
    let job = garbage.job.as_ref().map(|job| view! { " "<a href=paths::job(job)>"Open the job"</a> });
    garbage.shut_since.map(|since| {
        view! {
            <Note tone="info" title="Garbage is being collected">
                <p>"Since "<Age seconds=since/>". Pulls go on, builds wait with their pushes, and other pushes are refused until it is done."{job}</p>
            </Note>
        }
        .into_any()
    })
}

fn room(disk: Option<Disk>, storage: &Storage) -> String {
    match (disk, storage) {
        (Some(disk), _) => format!("{} of {} are free", text::bytes(disk.free), text::bytes(disk.total)),
        (None, Storage::S3(_)) => "A bucket has no known end".into(),
        (None, Storage::Volume { .. }) => "Not known for a volume that Slipway can't see".into(),
    }
}

/// What it does, and the button.
fn now(id: &RegistryId, of: &Managed, garbage: &Garbage) -> impl IntoView + use<> {
    let freed = garbage.runs.iter().find_map(|run| Some((run.bytes?, run.ended?)));
    let freed = freed.map(|(bytes, at)| {
        view! { <Fact name="Came free last">{text::bytes(bytes)}", "<Age seconds=at/></Fact> }
    });
    let room = room(garbage.disk, &of.storage);
    let may = garbage.job.is_none() && of.phase == Phase::Running;
    let button = may.then(|| {
        let hidden = vec![("id", id.to_string())];
        view! {
            <Form to=CollectRegistryGarbage::PATH class="row" flat=true hidden=hidden>
                <Submit text="Collect now" class="primary" icon=Name::Trash/>
                <span class="hint">"The registry starts anew twice; a pull in that second is tried again by Docker."</span>
            </Form>
        }
    });
    view! {
        <p>"A deleted image leaves its layers on the disk. The registry's own garbage collection deletes those that no image needs any more, and touches nothing else."</p>
        <ul>
            <li>"Pulls go on. Builds wait with their pushes and go on by themselves; they don't fail, and the wait doesn't count."</li>
            <li>"Pushes that don't come from Slipway's builds are refused until it is done."</li>
        </ul>
        <Facts>
            <Fact name="Room">{room}</Fact>
            {freed}
        </Facts>
        {button}
    }
}

/// When it is done without anybody asking.
fn rule(id: &RegistryId, garbage: &Garbage, storage: &Storage) -> impl IntoView + use<> {
    let GarbageForm { every, below, unit } = GarbageForm::of(garbage.rule);
    let hidden = vec![("id", id.to_string())];
    let units = [("percent", "per cent of the disk"), ("gb", "GB")]
        .map(|(value, words)| (value.to_owned(), words.to_owned()))
        .to_vec();
    let due = garbage.due.map(|at| {
        if at <= time::now() {
            view! { <p class="hint">"It is due now."</p> }.into_any()
        } else {
            view! { <p class="hint">"The next one by time is due on "{time::day(at)}"."</p> }.into_any()
        }
    });
    let space_hint = match storage {
        Storage::Volume { .. } => {
            "Empty: not by space. At most every 12 hours, as garbage that isn't there can't be collected."
        }
        Storage::S3(_) => "A bucket has no known end, so this has no effect here.",
    };
    view! {
        {due}
        <Form to=SetRegistryGarbageRule::PATH hidden=hidden>
            <Field field="every" label="Hours between two runs" inputmode="numeric" value=every placeholder="168"
                hint="Empty: not by time. 24 is once a day, 168 once a week."/>
            <Field field="below" label="When less than this is free" inputmode="numeric" value=below hint=space_hint/>
            <Select field="unit" label="Free space in" options=units value=unit/>
            <Submit text="Save"/>
        </Form>
    }
}

fn runs(runs: &[GarbageRun]) -> AnyView {
    if runs.is_empty() {
        return view! { <Empty title="Nothing was collected yet" why="What each run freed stands here."/> }.into_any();
    }
    let rows = runs.iter().map(row).collect_view();
    let num = |name| Column { name, class: "num" };
    let columns = vec![col("Began"), col("State"), num("Came free"), num("Blobs"), wide("No pushes for"), wide("Why")];
    view! { <Table name="Runs" columns=columns>{rows}</Table> }.into_any()
}

fn row(run: &GarbageRun) -> impl IntoView + use<> {
    let state = match run.state {
        Some(state) => view! { <JobBadge state=state of=run.job.to_string()/> }.into_any(),
        None => "Ended".into_any(),
    };
    let is_done = run.state.is_none_or(|state| state == JobState::Succeeded);
    let bytes = match (run.bytes, run.ended) {
        (Some(bytes), _) => text::bytes(bytes),
        (None, Some(_)) if is_done => "Not seen".into(),
        (None, _) => "–".into(),
    };
    let blobs = run.blobs.map_or_else(|| "–".to_owned(), |blobs| blobs.to_string());
    let shut = run.shut.zip(run.ended).map(|(from, to)| text::duration(to.saturating_sub(from).saturating_mul(1_000)));
    view! {
        <tr>
            <td><a href=paths::job(&run.job)><Age seconds=run.started/></a></td>
            <td>{state}</td>
            <td class="num">{bytes}</td>
            <td class="num">{blobs}</td>
            <td class="wide">{shut.unwrap_or_else(|| "–".to_owned())}</td>
            <td class="wide">{run.why.words()}</td>
        </tr>
    }
}
